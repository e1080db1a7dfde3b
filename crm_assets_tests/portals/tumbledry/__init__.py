"""Tests of the TumbleDry adapter."""
