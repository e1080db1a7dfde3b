"""``crm_download doctor``: is everything there that a run needs?"""

import typer

from crm_assets.cli.options import OK, JsonOption

SOMETHING_WRONG = 1


def doctor(as_json: JsonOption = False) -> None:
    """Look at settings, database, browser, hosts, sessions, disk and Dagster; exit code 1 when something is wrong."""
    from crm_assets.doctor.display import show_as_json, show_findings
    from crm_assets.doctor.examination import examined
    from crm_assets.doctor.findings import Level

    findings = examined()
    (show_as_json if as_json else show_findings)(findings)
    wrong = any(finding.level is Level.RED for finding in findings)
    raise typer.Exit(SOMETHING_WRONG if wrong else OK)
