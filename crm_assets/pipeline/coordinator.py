"""The run coordinator: tells the queue which store a run works for and how urgent it is, and refuses runs that would process the
wrong partitions.

``dagster.yaml`` names it and limits the ``store`` tag to one run at a time. That only spares waiting processes: the lock that
counts is the account's, in ``warehouse/sessions.py``.
"""

from collections.abc import Mapping

from dagster import DagsterRun, QueuedRunCoordinator, SubmitRunContext

from crm_assets.pipeline.attempts import PRIORITIES, PRIORITY_TAG, purpose_of
from crm_assets.pipeline.partitions import refuse_mixed_range

SEVERAL = "*"


class StoreTagCoordinator(QueuedRunCoordinator):
    """A queued run coordinator that adds the tags ``store`` and ``dagster/priority`` to runs that were launched without them."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        refuse_mixed_range(run.tags)
        store, priority = store_of(run.tags), PRIORITIES.get(purpose_of(run.tags))
        wanted = {"store": store, PRIORITY_TAG: priority}
        if missing := {name: value for name, value in wanted.items() if value and name not in run.tags}:
            self._instance.add_run_tags(run.run_id, missing)
        return super().submit_run(context)


def store_of(tags: Mapping[str, str]) -> str | None:
    """The one store a run's partition tags name, ``*`` for several, None for a run without partitions."""
    first, last = (tags.get(f"dagster/asset_partition_range_{end}", "") for end in ("start", "end"))
    if not first:
        return tags.get("dagster/partition/store")
    stores = {first.split("|")[1], last.split("|")[1]}
    return stores.pop() if len(stores) == 1 else SEVERAL
