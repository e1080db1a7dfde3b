"""UClean's three origins."""
