"""The session store: whole files, for their owner alone."""

from datetime import date
from pathlib import Path

import pytest

from crm_assets.browser import sessions
from crm_assets.errors import ConfigurationError
from crm_assets.model import Store

STORE = Store(crm="uc", code="sector56", name="Sector 56", first_day=date(2025, 11, 1))
STATE = {"cookies": [], "origins": [{"origin": "http://127.0.0.1", "localStorage": []}]}


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    path = sessions.save(tmp_path / "a" / "profiles", STORE, STATE)
    assert path.name == "uc_sector56.json"
    assert sessions.load(tmp_path / "a" / "profiles", STORE) == STATE


def test_before_the_first_sign_in_there_is_nothing(tmp_path: Path) -> None:
    assert sessions.load(tmp_path, STORE) is None


def test_a_saved_session_replaces_the_old_one_and_stays_closed_to_others(tmp_path: Path) -> None:
    path = sessions.save(tmp_path, STORE, STATE)
    path.chmod(0o644)
    sessions.save(tmp_path, STORE, STATE | {"origins": []})
    assert path.stat().st_mode & 0o777 == 0o600
    assert sessions.load(tmp_path, STORE) == {"cookies": [], "origins": []}
    assert [each.name for each in tmp_path.iterdir()] == ["uc_sector56.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cookies": []}', b"\xff\xfe"])
def test_a_file_that_is_no_storage_state_is_told_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    sessions.profile_path(tmp_path, STORE).write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"uc/sector56: expected a Playwright storage state.*crm_download"):
        sessions.load(tmp_path, STORE)
