"""The portals: one folder each, strangers to each other. Read ``contract.py`` first."""
