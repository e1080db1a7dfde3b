"""Tests of the portal adapters against the sandbox's portals, in a real Chromium."""
