"""Files: the old one or the new one, never half of one."""

from pathlib import Path

import pytest

from crm_assets.files import write_whole


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
