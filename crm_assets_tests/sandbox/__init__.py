"""Mirrors ``crm_assets/sandbox``: every test speaks to the running portals, or to the pure rooms behind them."""
