"""Benches: what ``script/bench`` measures. Each is a module with a ``figures`` function, and a command in ``__main__``.

refresh parallel backfill   whole runs in a running installation (``live``), beside a bare script (``bare``)
load unchanged              a workbook into the tables by us (``own_load``), and by others (``loaders``)
tick scale idle startup     what many stores, many days, and no work at all cost (``many``)
way month                   where a store-day's seconds go; a month of failures by a clock that is moved
figures page                what was found, as a table, as JSON, and as docs/performance.md
peers server                the environment of what is compared with; the benches' own PostgreSQL
"""
