"""What the stores have sold."""
