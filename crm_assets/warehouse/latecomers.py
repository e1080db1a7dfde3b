"""Latecomers: at which age orders and invoices still change, which is what the nightly settling is for."""

from collections import defaultdict
from collections.abc import Mapping

from crm_assets.warehouse.connection import Connection

LONGEST = 60


def changes_by_age(conn: Connection) -> Mapping[str, Mapping[int, int]]:
    """For each CRM the number of changes at each age in days, younger ones first; what is older than 60 days counts as 60."""
    ages = defaultdict[str, dict[int, int]](dict)
    rows = conn.execute(
        """
        SELECT crm, least(age_days, %(longest)s) AS age, sum(changes)::integer
        FROM v_late_changes WHERE age_days > 0 GROUP BY crm, age ORDER BY crm, age
        """,
        {"longest": LONGEST},
    )
    for crm, age, changes in rows:
        ages[crm][age] = changes
    return ages
