"""The warehouse: everything that speaks to PostgreSQL, and the only room that imports psycopg.

``connection`` and ``embedded`` reach a server, ``migrate``, ``tables`` and ``columns`` make the tables, ``ledger``, ``staging``,
``facts``, ``rejects``, ``audit``, ``sessions`` and ``alerts`` each keep one kind of table, ``landed``, ``outcomes``,
``overview``, ``verdicts``, ``progress``, ``freshness``, ``coverage``, ``latecomers``, ``troubles``, ``sales``, ``days`` and
``kept`` read them, ``dagster_log`` prunes Dagster's own. What a row means and whether a file may be trusted is decided
elsewhere; reports come in as ``model.Report`` values, the time as ``now``.
"""
