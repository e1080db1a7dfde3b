"""The Dagster door: one lazy function that composes everything when Dagster asks for it, and not on import."""

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this installation, from its settings."""
    from crm_assets.pipeline.compose import compose
    from crm_assets.settings import load_settings

    return compose(load_settings())
