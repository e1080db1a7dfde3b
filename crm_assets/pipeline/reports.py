"""The reports of this installation: each CRM of ``stores.yaml``, its portal's reports, and the assets they become."""

from collections.abc import Iterator
from dataclasses import dataclass

from crm_assets.errors import ConfigurationError
from crm_assets.model import Report
from crm_assets.portals.contract import find_portal, site_of
from crm_assets.settings import Settings
from crm_assets.store_list import Crm


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One report of one configured CRM."""

    crm_code: str
    crm: Crm
    report: Report


def sources(settings: Settings) -> Iterator[Source]:
    """Every wanted report of every configured CRM. Raises ConfigurationError when a portal, its site or a report is wrong."""
    for code, crm in settings.crms.items():
        site_of(code, crm)
        for report in _wanted(code, crm):
            yield Source(crm_code=code, crm=crm, report=report)


def sources_of(settings: Settings, crm_code: str) -> list[Source]:
    """The reports of one CRM."""
    return [source for source in sources(settings) if source.crm_code == crm_code]


def report_of_asset(settings: Settings, asset: str) -> Report:
    """The report an asset belongs to, whichever of the three it is."""
    return next(source.report for source in sources(settings) if asset in source.report.assets)


def _wanted(code: str, crm: Crm) -> list[Report]:
    there = {report.name: report for report in find_portal(crm.portal).reports}
    if unknown := sorted(set(crm.reports) - there.keys()):
        raise ConfigurationError(
            f"stores.yaml: crms.{code}.reports: expected some of {', '.join(there)}; found {', '.join(unknown)}"
        )
    return [report for name, report in there.items() if name in (crm.reports or there)]
