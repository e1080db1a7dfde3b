"""The run coordinator: tells the queue which store a run works for, and refuses runs that would process the wrong partitions.

``dagster.yaml`` names it and limits the ``store`` tag to one run at a time. That only spares waiting processes: the lock that
counts is the account's, in ``warehouse/sessions.py``.
"""

from collections.abc import Mapping

from dagster import DagsterRun, QueuedRunCoordinator, SubmitRunContext

from crm_assets.pipeline.partitions import refuse_mixed_range

SEVERAL = "*"


class StoreTagCoordinator(QueuedRunCoordinator):
    """A queued run coordinator that adds the tag ``store`` to runs that were launched without it."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        refuse_mixed_range(run.tags)
        store = store_of(run.tags)
        if store and "store" not in run.tags:
            self._instance.add_run_tags(run.run_id, {"store": store})
        return super().submit_run(context)


def store_of(tags: Mapping[str, str]) -> str | None:
    """The one store a run's partition tags name, ``*`` for several, None for a run without partitions."""
    first, last = (tags.get(f"dagster/asset_partition_range_{end}", "") for end in ("start", "end"))
    if not first:
        return tags.get("dagster/partition/store")
    stores = {first.split("|")[1], last.split("|")[1]}
    return stores.pop() if len(stores) == 1 else SEVERAL
