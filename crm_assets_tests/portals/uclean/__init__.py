"""Tests of the UClean adapter."""
