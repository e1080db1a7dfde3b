"""What the fork server of the command line's runs holds ready, after Playwright. Nothing here starts a thread."""

import gc

import dagster_postgres  # noqa: F401

from crm_assets.pipeline import compose, instance, launch  # noqa: F401

gc.freeze()  # it stays to the end: a run's process shares it, and nobody looks through it once more when the server ends
