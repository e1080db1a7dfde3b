"""``crm_download tidy``, as cron runs it."""

import json
import os
from datetime import timedelta
from pathlib import Path

from crm_assets.model import system_clock
from crm_assets_tests.fixtures.command import CommandLine

EIGHT_DAYS_AGO = (system_clock() - timedelta(days=8)).timestamp()


def test_what_is_no_longer_kept_is_deleted_and_counted(crm_download: CommandLine, tmp_path: Path) -> None:
    stray, theirs = (
        crm_download.home / "downloads" / name
        for name in ("UC_GST_Sector56_2025-11-01_to_2025-11-30.xlsx", "for the accountant.xlsx")
    )
    stray.parent.mkdir()
    scratch = tmp_path / "temporary" / "crm_assets_killed"
    scratch.mkdir(parents=True)
    for path in (stray, theirs):
        path.write_bytes(b"rows")
    for path in (stray, theirs, scratch):
        os.utime(path, (EIGHT_DAYS_AGO, EIGHT_DAYS_AGO))

    ran = crm_download("tidy", "--json", TMPDIR=str(scratch.parent))
    assert ran.code == 0, ran
    nothing = {"kept_files": 0, "refused_files": 0, "evidence_folders": 0, "log_rows": 0}
    assert json.loads(ran.out) == nothing | {"stray_files": 1, "scratch_folders": 1}
    assert f"[tidy] [deleted] [{stray.name}]" in ran.err
    assert (stray.exists(), theirs.exists(), scratch.exists()) == (False, True, False)

    again = crm_download("tidy", TMPDIR=str(scratch.parent))
    assert again.code == 0, again
    assert set(again.out.splitlines()) == {f"{kind} files: 0 deleted" for kind in ("kept", "stray", "refused")} | {
        "evidence folders: 0 deleted",
        "scratch folders: 0 deleted",
        "log rows: 0 deleted",
    }
