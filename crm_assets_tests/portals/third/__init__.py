"""A third portal, added by the recipe of docs/add-a-portal.md."""
