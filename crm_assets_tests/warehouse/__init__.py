"""Tests of the warehouse, on every PostgreSQL server that is installed."""
