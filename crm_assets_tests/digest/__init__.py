"""Tests of the daily sales digest."""
