"""Installations with many stores or many years, for the benches that grow: their ``stores.yaml``, and a ledger and events as
daily work leaves them behind.
"""

from datetime import date

import dagster as dg
import psycopg
import yaml
from psycopg import sql

from crm_assets.model import IST, Window
from crm_assets_tests.fixtures.dagster import Pipeline, chain
from crm_assets_tests.fixtures.sandbox import REPORTS

REPORT = REPORTS["td"]
FACTS = chain(REPORT)[2]
ATTEMPTS_A_DAY = 3


def give_stores(pipeline: Pipeline, count: int, first_day: date) -> list[str]:
    """So many TumbleDry stores with one report and no other CRM; returns their codes."""
    codes = [f"s{number:04}" for number in range(1, count + 1)]
    told = yaml.safe_load(pipeline.sandbox.stores_yaml())["crms"]["td"]
    stores = {code: {"name": f"Store {code}", "first_day": first_day, "file_prefix": "1170"} for code in codes}
    listed = {"crms": {"td": {**told, "reports": [REPORT.name], "stores": stores}}}
    (pipeline.installation.home / "stores.yaml").write_text(yaml.safe_dump(listed), encoding="utf-8")
    return codes


def give_ledger(pipeline: Pipeline, codes: list[str], window: Window) -> None:
    """Three good refreshes of every store on each of these days, and the days as staged and final."""
    with psycopg.connect(pipeline.url, autocommit=True) as conn:
        conn.execute("TRUNCATE download_ledger CASCADE")
        conn.execute(
            """
            INSERT INTO download_ledger (
                run_id, crm, store, report, from_date, to_date, attempt, status, started_at, requested_at, finished_at,
                ingested_at, stored_name, bytes, md5, content_md5, row_count, strategy, purpose, deleted_at
            )
            SELECT
                concat('run ', day, store, time), 'td', store, %(report)s, day - 1, day, 1, 'ingested',
                at, at, at + interval '1 minute', at + interval '1 minute', 'a file', 10000,
                md5(concat(store, day, time)), md5(concat(day, time)), 20, 'request', 'refresh', at + interval '1 minute'
            FROM unnest(%(stores)s::text[]) AS store,
                generate_series(0, %(last)s::date - %(first)s::date) AS number,
                LATERAL (SELECT %(first)s::date + number AS day) AS counted,
                unnest(ARRAY[10, 14, 18]) AS time,
                LATERAL (SELECT (day + make_interval(hours => time)) AT TIME ZONE %(zone)s AS at) AS moment
            """,
            {
                "report": REPORT.name,
                "stores": codes,
                "first": window.first,
                "last": window.last,
                "zone": IST.key,
            },
        )
        conn.execute(
            """
            INSERT INTO staging_slice (crm, report, store, business_day, ledger_id, row_count, staged_at, final_at)
            SELECT DISTINCT ON (store, to_date) crm, report, store, to_date, ledger_id, 20, ingested_at, ingested_at
            FROM download_ledger ORDER BY store, to_date, ledger_id DESC
            """
        )
        conn.execute("VACUUM ANALYZE")


def give_events(pipeline: Pipeline, codes: list[str], window: Window) -> None:
    """A materialization of the facts of every store and day but the last ten, as Dagster keeps them: one is told, then copied."""
    days = list(window.days())[:-10]
    pipeline.instance.report_runless_asset_event(dg.AssetMaterialization(FACTS, partition=f"{days[0]}|{codes[0]}"))
    with psycopg.connect(pipeline.url, autocommit=True) as conn:
        statement = sql.SQL(
            """
            INSERT INTO dagster.event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
            SELECT run_id, event, dagster_event_type, timestamp, step_key, asset_key, concat(%(first)s::date + number, '|', store)
            FROM (SELECT * FROM dagster.event_logs WHERE asset_key = %(asset)s LIMIT 1) AS told,
                unnest(%(stores)s::text[]) AS store,
                generate_series(0, %(last)s::date - %(first)s::date) AS number
            """
        )
        asset = dg.AssetKey(FACTS).to_string()
        conn.execute(statement, {"asset": asset, "stores": codes, "first": days[0], "last": days[-1]})
        conn.execute("VACUUM ANALYZE")
