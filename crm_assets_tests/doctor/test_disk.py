"""Free space and the right to write."""

from pathlib import Path

import pytest

from crm_assets.doctor.disk import look_at_disk
from crm_assets.doctor.findings import Level
from crm_assets_tests.fixtures.sandbox import Installation


@pytest.mark.parametrize(
    ("free", "level", "found"),
    [
        (199_999_999, Level.RED, "199 MB are free"),
        (200_000_000, Level.YELLOW, "200 MB are free"),
        (1_999_000_000, Level.YELLOW, "1999 MB are free"),
        (84_400_000_000, Level.GREEN, "84.4 GB are free"),
    ],
)
def test_little_room_is_yellow_and_hardly_any_red(
    installation: Installation, free: int, level: Level, found: str
) -> None:
    (finding,) = look_at_disk(installation.settings, free=lambda _: free)
    assert (finding.name, finding.level, finding.found) == ("downloads, profiles, .local", level, found)
    assert bool(finding.next_step) == (level is not Level.GREEN)


def test_the_real_room_is_asked_where_the_folders_will_be_and_nothing_is_made(installation: Installation) -> None:
    (finding,) = look_at_disk(installation.settings)
    assert "are free" in finding.found
    assert not (installation.home / "downloads").exists()


def test_each_device_is_told_once(installation: Installation) -> None:
    memory = Path("/dev/shm")  # noqa: S108
    if not memory.is_dir() or memory.stat().st_dev == installation.home.stat().st_dev:
        pytest.skip("this machine has one device")
    installation.environ["CRM_DOWNLOADS_DIR"] = str(memory / "downloads")
    found = look_at_disk(installation.settings, free=lambda _: 5_000_000_000)
    assert [finding.name for finding in found] == ["downloads", "profiles, .local"]


def test_a_folder_that_cannot_be_written_to_is_red(installation: Installation) -> None:
    file = installation.home / "downloads"
    file.write_text("not a folder", encoding="utf-8")
    found = {finding.name: finding for finding in look_at_disk(installation.settings)}
    assert (found["downloads"].level, found["downloads"].found) == (
        Level.RED,
        f"nothing can be written in {file}: Not a directory",
    )
    assert found["downloads"].next_step
