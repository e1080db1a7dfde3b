"""Tests of the Dagster room: on PostgreSQL, the sandbox with a real browser, and a real Dagster instance."""
