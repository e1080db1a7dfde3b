"""``docs/data-dictionary.md``: every table and view as the database itself explains it, and where each report's cells end up."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import psycopg
from psycopg.rows import class_row

from crm_assets.model import Column, Report
from crm_assets.pipeline.reports import sources
from crm_assets.settings import load_settings
from crm_assets.warehouse.columns import POSTGRES_TYPES
from crm_assets_tests.documents.markdown import anchor, code, page, table

PERSONAL = " (personal data)"
ABOUT = """\
What the database says of itself (`COMMENT`), after all migrations. Days are Asia/Kolkata's, money is rupees. Columns marked
*personal* hold customers' data: they reach no log, message or preview."""
SECTIONS = {
    "Views": "Read these first: one shape for every CRM.",
    "Facts": "The business, typed: one row for each order, invoice or payment.",
    "Changes of the facts": "Each change, with the values before and after.",
    "Staging": "Every row as its portal wrote it, as text.",
    "The pipeline's own books": "What was asked for, what came, what was refused, and who was told.",
}
OBJECTS = """
    SELECT object.relname AS relation, coalesce(obj_description(object.oid, 'pg_class'), '') AS about,
        object.relkind = 'v' AS is_view, attribute.attname AS column,
        format_type(attribute.atttypid, attribute.atttypmod) AS type,
        coalesce(attribute.attnum = ANY(key.conkey), false) AS in_key, attribute.attnotnull AS required,
        coalesce(col_description(object.oid, attribute.attnum), '') AS said
    FROM pg_class AS object
    JOIN pg_namespace AS place ON place.oid = object.relnamespace AND place.nspname = current_schema()
    JOIN pg_attribute AS attribute ON attribute.attrelid = object.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
    LEFT JOIN pg_constraint AS key ON key.conrelid = object.oid AND key.contype = 'p'
    WHERE object.relkind IN ('r', 'v') AND object.relname NOT LIKE '%%yoyo%%'
    ORDER BY object.relname COLLATE "C", attribute.attnum
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One column of one table or view, as the database describes it."""

    relation: str
    about: str
    is_view: bool
    column: str
    type: str
    in_key: bool
    required: bool
    said: str

    @property
    def section(self) -> str:
        if self.is_view:
            return "Views"
        if self.relation.startswith("fact_"):
            return "Changes of the facts" if self.relation.endswith("_history") else "Facts"
        return "Staging" if self.relation.startswith("stg_") else "The pipeline's own books"


def dictionary_page(conn: psycopg.Connection) -> str:
    """The whole page, from a database with every migration applied."""
    with conn.cursor(row_factory=class_row(Described)) as cursor:
        found = cursor.execute(OBJECTS, ()).fetchall()
    relations = [list(columns) for _, columns in groupby(found, key=lambda one: one.relation)]
    return page(
        "Data dictionary",
        "the migrations' comments and the portals' reports.py",
        ABOUT,
        _contents(relations),
        *(part for section, about in SECTIONS.items() for part in _section(section, about, relations)),
        "## From the workbook to the facts",
        "What a portal's workbook calls a column, and what it is called here.",
        *(part for source in sources(load_settings({})) for part in _mapping(source.report)),
    )


def _contents(relations: Sequence[list[Described]]) -> str:
    return table(
        ("table or view", "what it holds"),
        (
            [f"[{columns[0].relation}]({anchor(columns[0].relation)})", columns[0].about]
            for section in SECTIONS
            for columns in relations
            if columns[0].section == section
        ),
    )


def _section(section: str, about: str, relations: Iterable[list[Described]]) -> Iterator[str]:
    yield f"## {section}"
    yield about
    for columns in relations:
        if columns[0].section == section:
            yield f"### {columns[0].relation}"
            yield f"{columns[0].about}."
            yield table(("column", "type", "what it holds", ""), (_column(each) for each in columns))


def _column(one: Described) -> Sequence[str]:
    marks = (
        "key" if one.in_key else "",
        "may be null" if not one.required and not one.is_view else "",
        "*personal*" if PERSONAL.strip() in one.said else "",
    )
    return code(one.column), one.type, one.said.removesuffix(PERSONAL), ", ".join(filter(None, marks))


def _mapping(report: Report) -> Iterator[str]:
    yield f"### {report.crm}/{report.name}"
    yield (
        f"{report.description}. Sheet {code(report.sheet)}; staging {code(report.staging_table)}, facts "
        f"{code(report.fact_table)}. A row's key is {code(report.key)}, its day {code(report.day)}."
    )
    yield table(
        ("header", "staged column", "fact column", "type", "rules"), (_cells(report, each) for each in report.columns)
    )


def _cells(report: Report, column: Column) -> Sequence[str]:
    header = f"made of {', '.join(map(code, column.made_of))}" if column.made_of else column.header
    also = f" (also {', '.join(column.aliases)})" if column.aliases else ""
    fact = (code(column.name), POSTGRES_TYPES[column.kind]) if column.in_fact else ("", "")
    return f"{header}{also}", code(column.name), *fact, "; ".join(_rules(report, column))


def _rules(report: Report, column: Column) -> Iterator[str]:
    if column.name == report.key:
        yield "key"
    if column.required:
        yield "a row without it is rejected"
    if column.optional:
        yield "a file may lack it"
    if column.formats:
        yield f"read as {' or '.join(map(code, column.formats))}"
    if column.pattern_says:
        yield column.pattern_says
    if column.personal:
        yield "*personal*"
