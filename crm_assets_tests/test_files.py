"""Files: the old one or the new one, never half of one, and no beginning where there is no room."""

from pathlib import Path

import pytest

from crm_assets.errors import DiskFull
from crm_assets.files import by_device, free_bytes, require_room, write_whole


def test_a_file_is_written_with_its_content_and_mode(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", b"content", mode=0o640)
    assert (tmp_path / "a.txt").read_bytes() == b"content"
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_new_file_replaces_the_old_one_and_a_reader_of_the_old_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, b"old", mode=0o600)
    with path.open("rb") as reader:
        write_whole(path, b"new and longer", mode=0o600)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new and longer"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "a.txt" / "occupied").mkdir(parents=True)
    with pytest.raises(OSError, match=r"a\.txt"):
        write_whole(tmp_path / "a.txt", b"content", mode=0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_stood_there_stays_when_the_folder_takes_no_new_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "a.txt", b"content", mode=0o600)
    assert not (tmp_path / "nowhere").exists()


def test_room_is_asked_for_where_the_folders_will_be_and_nothing_is_made(tmp_path: Path) -> None:
    folders = (tmp_path / "downloads", tmp_path / "a" / "b")
    require_room(folders, megabytes=0)
    assert by_device(folders) == [[*folders]]
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_told_with_what_was_expected_found_and_can_be_done(tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as refused:
        require_room([tmp_path / "downloads"], megabytes=10**12)
    expected, _, found = str(refused.value).partition(", found ")
    assert expected == f"expected at least {10**12} MB free on the disk of {tmp_path / 'downloads'}"
    free, _, advice = found.partition(" MB. ")
    assert abs(int(free) - free_bytes(tmp_path) // 1_000_000) < 5_000
    assert advice == "Nothing was begun. Make room there, also by: crm_download tidy; or lower CRM_MIN_FREE_MB"


def test_every_device_must_have_room(tmp_path: Path) -> None:
    memory = Path("/dev/shm")  # noqa: S108
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one device")
    assert by_device([tmp_path, memory / "downloads", tmp_path / "local"]) == [
        [tmp_path, tmp_path / "local"],
        [memory / "downloads"],
    ]
