"""From a landed file to proven rows, and from staged rows to typed ones: what happens before anything is written.

The rules are ``workbook``'s, ``proof``'s and ``rows``'s; writing is ``books.py``'s business. No Dagster here.
"""

from collections.abc import Sequence

from crm_assets import proof, rows, workbook
from crm_assets.errors import BadReport, CrmError
from crm_assets.landing import md5
from crm_assets.model import Report, system_clock
from crm_assets.pipeline.results import Proven, ProvenFile, TypedExport
from crm_assets.settings import Settings
from crm_assets.warehouse.landed import LandedFile
from crm_assets.warehouse.staging import StagedExport


def prove_all(settings: Settings, report: Report, files: Sequence[LandedFile], *, accept_shrink: bool) -> Proven:
    """Every file by itself: proven, or refused with its reason."""
    proven, refused = list[ProvenFile](), list[tuple[LandedFile, CrmError]]()
    for file in files:
        try:
            proven.append(prove(settings, report, file))
        except BadReport as error:
            refused.append((file, error))
    return Proven(report=report, files=tuple(proven), refused=tuple(refused), accept_shrink=accept_shrink)


def prove(settings: Settings, report: Report, file: LandedFile) -> ProvenFile:
    """Read one landed file and prove it. Raises BadReport."""
    if md5(file.file) != file.md5:
        raise BadReport(
            f"{file.file.name} is not the file that was downloaded: its MD5 differs. Materialize {report.raw_asset} again"
        )
    store = settings.store(report.crm, file.store)
    table = workbook.read(file.file, report)
    return ProvenFile(file=file, rows=proof.prove(table, report, store, file.window, file.claims), table=table)


def typed_export(report: Report, export: StagedExport) -> TypedExport:
    """The typed rows of a staged export, and what of them is rejected."""
    return TypedExport(started_at=system_clock(), export=export, typed=rows.read_rows(export.rows, report))
