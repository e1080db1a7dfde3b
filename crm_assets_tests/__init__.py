"""Tests of crm_assets: one file per module, the sandbox portals as the only double."""
