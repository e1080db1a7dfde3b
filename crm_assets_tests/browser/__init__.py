"""Tests of the browser room, in a real Chromium."""
