"""The loaders that ``load`` is compared with: what others would write to bring a workbook's orders into one table, by key.

Runs in the peers' environment and imports nothing of the project. Its task comes as JSON on standard input; the seconds of each
load and the peak of memory go to standard output. None of them proves the file, stages its texts, keeps what a row was before, or
writes down what it did.
"""

import json
import os
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg

IST = timezone(timedelta(hours=5, minutes=30))
FORMAT, DAY = "%d %b %Y %I:%M:%S %p", "%d %b %Y"
FOOTER = "Total order"


def main() -> None:
    task = json.load(sys.stdin)
    load = {"floor": floor, "pandas": by_pandas, "dlt": by_dlt}[task["way"]]
    seconds, cold = [], None
    for _ in range(task["repeats"] + 1):
        with psycopg.connect(task["database"], autocommit=True) as conn:
            conn.execute("DROP TABLE IF EXISTS peer_orders, peer_incoming")
        began = time.perf_counter()
        load(task)
        seconds.append(time.perf_counter() - began)
        cold = cold or time.time() - task["started"]
    with psycopg.connect(task["database"]) as conn:
        ((rows,),) = conn.execute(f"SELECT count(*) FROM {task['table']}").fetchall()  # noqa: S608
    assert rows == task["rows"], f"expected {task['rows']} rows, found {rows}"
    sys.stdout.write(json.dumps({"cold": cold, "warm": seconds[1:], "peak_mb": peak_mb()}) + "\n")


def peak_mb() -> float:
    """The most memory that this process had; ``getrusage`` would tell its parent's where that had more."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def floor(task: dict[str, Any]) -> None:
    """Calamine, COPY, INSERT ... ON CONFLICT: the least that can be done."""
    from python_calamine import CalamineWorkbook

    heads, *rows = CalamineWorkbook.from_path(task["file"]).get_sheet_by_index(0).to_python()
    typed = [[_moment(value) if value else None for value in row] for row in rows if row[0] != FOOTER]
    names, kinds = _names(heads), _kinds(typed, len(heads))
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    key = names[heads.index(task["key"])]
    with psycopg.connect(task["database"]) as conn:
        conn.execute(f"CREATE TABLE IF NOT EXISTS peer_orders ({columns}, PRIMARY KEY ({key}))")
        conn.execute("CREATE TEMPORARY TABLE incoming (LIKE peer_orders) ON COMMIT DROP")
        with conn.cursor().copy(f"COPY incoming ({', '.join(names)}) FROM STDIN") as copy:
            for row in typed:
                copy.write_row(row)
        conn.execute(_upsert("incoming", names, key))


def by_pandas(task: dict[str, Any]) -> None:
    """What most write: read_excel by openpyxl, to_sql, an upsert."""
    import pandas as pd
    from sqlalchemy import create_engine, text

    frame = pd.read_excel(task["file"], engine="openpyxl")
    frame = frame[frame.iloc[:, 0] != FOOTER]
    heads = [str(head) for head in frame.columns]
    for head in heads:
        if "Date" in head and frame[head].dtype == object:
            frame[head] = pd.to_datetime(frame[head], format=FORMAT, errors="coerce")
    names = _names(heads)
    frame.columns = pd.Index(names)
    key = names[heads.index(task["key"])]
    engine = create_engine(task["database"].replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as conn:
        frame.to_sql("peer_incoming", conn, index=False, if_exists="replace", chunksize=10_000)
        conn.execute(text(f"CREATE TABLE IF NOT EXISTS peer_orders (LIKE peer_incoming, PRIMARY KEY ({key}))"))
        conn.execute(text(_upsert("peer_incoming", names, key)))
    engine.dispose()


def by_dlt(task: dict[str, Any]) -> None:
    """The loader library's merge, fed by Calamine."""
    import dlt
    from python_calamine import CalamineWorkbook

    heads, *rows = CalamineWorkbook.from_path(task["file"]).get_sheet_by_index(0).to_python()
    records = [
        {head: _moment(value) for head, value in zip(heads, row, strict=True) if value != ""}
        for row in rows
        if row[0] != FOOTER
    ]
    pipeline = dlt.pipeline(
        "peer",
        destination=dlt.destinations.postgres(_with_host(task["database"])),
        dataset_name="peer_dlt",
        pipelines_dir=task["folder"],
    )
    pipeline.run(records, table_name="orders", write_disposition="merge", primary_key=task["key"])


def _with_host(url: str) -> str:
    """The URL of a server on a Unix socket as dlt wants it: with the socket's folder in the place of the host."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query)["host"][0]
    return f"postgresql://{parts.username}:none@{quote(folder, safe='')}:5432{parts.path}"


def _moment(value: Any) -> Any:
    """A text that is a date becomes one."""
    if not isinstance(value, str) or len(value) not in (11, 23) or value[2:3] != " ":
        return value
    try:
        return datetime.strptime(value, FORMAT if len(value) > 11 else DAY).replace(tzinfo=IST)
    except ValueError:
        return value


def _names(heads: list[str]) -> list[str]:
    return ["".join(letter.lower() if letter.isalnum() else "_" for letter in head) for head in heads]


def _kinds(rows: list[list[Any]], width: int) -> list[str]:
    kinds = {str: "text", float: "numeric", datetime: "timestamptz", type(None): "text"}
    return [kinds[type(next((row[at] for row in rows if row[at] is not None), None))] for at in range(width)]


def _upsert(source: str, names: list[str], key: str) -> str:
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name != key)
    listed = ", ".join(names)
    return (
        f"INSERT INTO peer_orders ({listed}) SELECT {listed} FROM {source} "  # noqa: S608
        f"ON CONFLICT ({key}) DO UPDATE SET {changed}"
    )


if __name__ == "__main__":
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    main()
