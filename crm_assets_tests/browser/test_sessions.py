"""The session store: whole files, for their owner alone, and a good one to fall back on."""

import base64
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crm_assets.browser import sessions
from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.browser.profile import Profile
from crm_assets.browser.sessions import Profiles
from crm_assets.errors import ConfigurationError
from crm_assets.model import Store

STORE = Store(crm="uc", code="sector56", name="Sector 56", first_day=date(2025, 11, 1))
NEIGHBOUR = Store(crm="uc", code="sushantlok1", name="Sushant Lok 1", first_day=date(2025, 11, 1))
KEY, NEW_KEY = b"\x01" * 32, b"\x02" * 32
MADE_BY = Fingerprint(
    browser="chrome", version="141.0", headless=False, platform="darwin", user_agent="Mozilla/5.0 (Mac)"
)
NOT_PROFILES = [b"", b"{", b"[]", b'{"cookies": []}', b'{"cookies": [1], "origins": []}', b"\xff\xfe", b"[" * 200_000]


def cookie(value: str) -> dict[str, Any]:
    return {"name": "uc_session", "value": value, "domain": "portal.example", "path": "/", "expires": 1798761600.25}


def profile(value: str = "first") -> Profile:
    return Profile(
        state={"cookies": [cookie(value)], "origins": [{"origin": "https://portal.example", "localStorage": []}]},
        session_storage={"https://portal.example": {"tab": value, "odd": "\ud800"}},
        fingerprint=MADE_BY,
        saved_at=datetime(2026, 2, 14, 9, 30, tzinfo=UTC),
    )


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def put(path: Path, content: bytes) -> Path:
    """A file as a person brings it, with the permissions it must have."""
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Profiles:
    return Profiles(tmp_path / "profiles")


@pytest.fixture
def sealed(tmp_path: Path) -> Profiles:
    return Profiles(tmp_path / "profiles", keys=(KEY,))


@pytest.fixture(params=["plain", "sealed"])
def profiles(request: pytest.FixtureRequest) -> Profiles:
    """Both forms: what holds for one holds for the other."""
    found: Profiles = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_what_is_saved_is_loaded_again(profiles: Profiles) -> None:
    path = profiles.save(STORE, profile(), keep_previous=True)
    assert path.name == "uc_sector56.json"
    assert profiles.load(STORE) == profile()
    assert [each.name for each in profiles.folder.iterdir()] == ["uc_sector56.json"]


def test_before_the_first_sign_in_there_is_nothing(profiles: Profiles) -> None:
    for _ in range(2):
        assert profiles.load(STORE) is None
        assert profiles.digest(STORE) is None
        assert profiles.is_sealed(STORE) is None
        assert profiles.forget(STORE) == []
        profiles.folder.mkdir(exist_ok=True)


def test_the_previous_profile_is_kept_when_asked(profiles: Profiles) -> None:
    for value, keep in (("first", True), ("second", True), ("third", False)):
        profiles.save(STORE, profile(value), keep_previous=keep)
    assert profiles.load(STORE) == profile("third")
    profiles.path(STORE).write_bytes(b"{")
    assert profiles.load(STORE) == profile("first")


@pytest.mark.parametrize("content", NOT_PROFILES)
def test_a_damaged_file_gives_way_to_the_previous_one_and_never_replaces_it(
    profiles: Profiles, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    profiles.save(STORE, profile("good"), keep_previous=True)
    profiles.save(STORE, profile("damaged"), keep_previous=True)
    profiles.path(STORE).write_bytes(content)
    with caplog.at_level(logging.WARNING, logger="crm_assets"):
        assert profiles.load(STORE) == profile("good")
    assert caplog.messages == ["[uc/sector56] [previous session used] [uc_sector56.json is damaged]"]
    profiles.save(STORE, profile("next"), keep_previous=True)
    assert profiles.load(STORE) == profile("next")
    profiles.path(STORE).write_bytes(content)
    assert profiles.load(STORE) == profile("good")


def test_a_file_cut_short_anywhere_gives_way_to_the_previous_one(profiles: Profiles) -> None:
    profiles.save(STORE, profile("good"), keep_previous=True)
    path = profiles.save(STORE, profile("cut"), keep_previous=True)
    whole = path.read_bytes()
    for length in range(0, len(whole), 13):
        path.write_bytes(whole[:length])
        assert profiles.load(STORE) == profile("good")


@pytest.mark.parametrize("content", NOT_PROFILES)
def test_a_damaged_file_without_a_previous_one_is_told_with_what_to_do(plain: Profiles, content: bytes) -> None:
    plain.folder.mkdir(mode=0o700)
    put(plain.previous_path(STORE), b"{")
    put(plain.path(STORE), content)
    with pytest.raises(ConfigurationError) as told:
        plain.load(STORE)
    assert str(told.value) == (
        "uc/sector56: expected a Playwright storage state with cookies and origins, found something else in "
        f"{plain.path(STORE)}. To start again, delete {plain.path(STORE)} and run: "
        "crm_download bootstrap --crm uc --store sector56"
    )


@pytest.mark.parametrize("failing", [1, 2])
def test_a_crash_between_the_writes_leaves_a_profile_that_loads(
    profiles: Profiles, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles.save(STORE, profile("standing"), keep_previous=True)
    calls: list[Path] = []
    write_whole = sessions.write_whole

    def crashing(path: Path, content: bytes, *, mode: int) -> None:
        calls.append(path)
        if len(calls) == failing:
            raise OSError("no space left on the device")
        write_whole(path, content, mode=mode)

    monkeypatch.setattr(sessions, "write_whole", crashing)
    with pytest.raises(OSError, match="no space left"):
        profiles.save(STORE, profile("new"), keep_previous=True)
    assert calls == [profiles.previous_path(STORE), profiles.path(STORE)][:failing]
    assert profiles.load(STORE) == profile("standing")


# The plain form.


def test_playwrights_own_file_is_accepted_as_it_is(profiles: Profiles) -> None:
    profiles.folder.mkdir(mode=0o700)
    put(profiles.path(STORE), json.dumps(profile().state).encode())
    assert profiles.load(STORE) == Profile(state=profile().state)
    profiles.save(STORE, profile("next"), keep_previous=True)
    put(profiles.path(STORE), b"")
    assert profiles.load(STORE) == Profile(state=profile().state)


def test_the_plain_form_is_a_storage_state_with_one_more_key(plain: Profiles) -> None:
    content = json.loads(plain.save(STORE, profile(), keep_previous=True).read_bytes())
    note = content.pop("crm_assets")
    assert content == profile().state
    assert note == {
        "version": 1,
        "account": "uc/sector56",
        "saved_at": "2026-02-14T09:30:00+00:00",
        "fingerprint": MADE_BY.as_json(),
        "session_storage": profile().session_storage,
    }


@pytest.mark.parametrize(
    "note", [[], "text", {"session_storage": []}, {"session_storage": {"a": []}}, {"session_storage": {"a": {"b": 1}}}]
)
def test_a_malformed_note_is_damage(plain: Profiles, note: object) -> None:
    plain.folder.mkdir(mode=0o700)
    put(plain.path(STORE), json.dumps({"cookies": [], "origins": [], "crm_assets": note}).encode())
    with pytest.raises(ConfigurationError, match="expected a Playwright storage state"):
        plain.load(STORE)


@pytest.mark.parametrize("saved_at", [None, 1, "yesterday", "2026-02-14T09:30:00"])
def test_what_only_describes_a_profile_may_be_missing(plain: Profiles, saved_at: object) -> None:
    plain.folder.mkdir(mode=0o700)
    note = {"account": "uc/sector56", "saved_at": saved_at, "fingerprint": {"browser": 1}}
    put(plain.path(STORE), json.dumps({"cookies": [], "origins": [], "crm_assets": note}).encode())
    assert plain.load(STORE) == Profile(state={"cookies": [], "origins": []})


# Whose it is.


def test_another_accounts_file_is_refused(profiles: Profiles) -> None:
    path = profiles.save(STORE, profile(), keep_previous=True)
    profiles.save(NEIGHBOUR, profile("neighbour"), keep_previous=True)
    put(profiles.path(NEIGHBOUR), path.read_bytes())
    put(profiles.previous_path(NEIGHBOUR), path.read_bytes())
    with pytest.raises(ConfigurationError) as told:
        profiles.load(NEIGHBOUR)
    told.match(r"^uc/sushantlok1: expected .*this account.* found .*\. Bring the account's own file, or|; or")
    told.match(r"uc_sushantlok1\.json and run: crm_download bootstrap --crm uc --store sushantlok1$")


def test_a_file_or_folder_open_to_others_is_refused_with_the_command_that_closes_it(profiles: Profiles) -> None:
    path = profiles.save(STORE, profile(), keep_previous=True)
    for wide in (0o640, 0o604, 0o620, 0o602, 0o700, 0o666):
        path.chmod(wide)
        with pytest.raises(ConfigurationError, match=rf"found {wide:04o}\. Run: chmod 600 {path}$"):
            profiles.load(STORE)
    path.chmod(0o600)
    for wide in (0o750, 0o705, 0o710, 0o777):
        profiles.folder.chmod(wide)
        for use in (lambda: profiles.load(STORE), lambda: profiles.save(STORE, profile(), keep_previous=True)):
            with pytest.raises(ConfigurationError, match=rf"found {wide:04o}\. Run: chmod 700 {profiles.folder}$"):
                use()
    profiles.folder.chmod(0o700)
    assert profiles.load(STORE) == profile()


def test_a_previous_file_open_to_others_is_refused_too(profiles: Profiles) -> None:
    for value in ("first", "second"):
        profiles.save(STORE, profile(value), keep_previous=True)
    profiles.path(STORE).write_bytes(b"")
    profiles.previous_path(STORE).chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"chmod 600 \S+/uc_sector56\.previous\.json$"):
        profiles.load(STORE)


def test_behind_a_link_the_files_own_permissions_count(plain: Profiles, tmp_path: Path) -> None:
    kept = put(tmp_path / "kept elsewhere.json", json.dumps(profile().state).encode())
    plain.folder.mkdir(mode=0o700)
    plain.path(STORE).symlink_to(kept)
    assert plain.load(STORE) == Profile(state=profile().state)
    kept.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        plain.load(STORE)


def test_the_command_that_closes_a_path_with_spaces_can_be_copied(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path / "my profiles")
    profiles.save(STORE, profile(), keep_previous=True).chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"Run: chmod 600 '/.*/my profiles/uc_sector56\.json'$"):
        profiles.load(STORE)


@pytest.mark.usefixtures("no_umask")
def test_an_open_umask_opens_nothing(profiles: Profiles) -> None:
    for value in ("first", "second"):
        profiles.save(STORE, profile(value), keep_previous=True)
    assert mode(profiles.folder) == 0o700
    assert {path.name: mode(path) for path in profiles.folder.iterdir()} == {
        "uc_sector56.json": 0o600,
        "uc_sector56.previous.json": 0o600,
    }


def test_a_fresh_checkouts_folder_is_closed_before_the_first_profile(profiles: Profiles) -> None:
    profiles.folder.mkdir()
    profiles.folder.chmod(0o755)
    (profiles.folder / "README.md").touch()
    assert profiles.load(STORE) is None
    assert mode(profiles.folder) == 0o755
    profiles.save(STORE, profile(), keep_previous=True)
    assert mode(profiles.folder) == 0o700


def test_a_path_that_is_no_file_is_told(plain: Profiles) -> None:
    plain.folder.mkdir(mode=0o700)
    plain.path(STORE).mkdir()
    with pytest.raises(ConfigurationError, match=r"expected to read \S+/uc_sector56\.json, found: Is a directory"):
        plain.load(STORE)


# The sealed form.


def test_a_sealed_file_shows_nothing_of_its_content(sealed: Profiles) -> None:
    for value in ("first", "second"):
        sealed.save(STORE, profile(value), keep_previous=True)
    assert sealed.is_sealed(STORE)
    for path in sealed.folder.iterdir():
        content = path.read_bytes()
        opened = content + base64.b64decode(json.loads(content)["data"])
        for word in (
            "uc_session",
            "portal.example",
            "first",
            "second",
            "cookies",
            "sector56",
            "darwin",
            "Mozilla",
            "tab",
        ):
            assert word.encode() not in opened, word


def test_a_sealed_file_without_its_key_is_not_taken_for_damaged(sealed: Profiles) -> None:
    for value in ("first", "second"):
        path = sealed.save(STORE, profile(value), keep_previous=True)
    before = path.read_bytes()
    for keys in ((), (NEW_KEY,)):
        with pytest.raises(ConfigurationError) as told:
            Profiles(sealed.folder, keys=keys).load(STORE)
        told.match(r"^uc/sector56: expected the key .*Set CRM_PROFILE_KEY to that key; or delete .*sector56$")
        assert sealed.digest(STORE) == hashlib.sha256(before).hexdigest()


def test_with_a_key_the_previous_one_is_sealed_as_well(plain: Profiles, sealed: Profiles) -> None:
    plain.save(STORE, profile("plain"), keep_previous=True)
    assert sealed.load(STORE) == profile("plain")
    sealed.save(STORE, profile("sealed"), keep_previous=True)
    assert b"crm_assets_sealed" in sealed.previous_path(STORE).read_bytes()
    sealed.path(STORE).write_bytes(b"")
    assert sealed.load(STORE) == profile("plain")


def test_sealing_what_was_plain_and_rotating_the_key(plain: Profiles, sealed: Profiles) -> None:
    for value in ("first", "second"):
        plain.save(STORE, profile(value), keep_previous=True)
    rotating, rotated = (Profiles(plain.folder, keys=keys) for keys in ((NEW_KEY, KEY), (NEW_KEY,)))
    for profiles in (sealed, rotating):
        assert [profiles.reseal(STORE), profiles.reseal(STORE)] == [True, False]
        assert profiles.load(STORE) == profile("second")
    assert rotated.load(STORE) == profile("second")
    rotated.path(STORE).write_bytes(b"")
    assert rotated.load(STORE) == profile("first")
    assert {path.name: mode(path) for path in plain.folder.iterdir()} == {
        "uc_sector56.json": 0o600,
        "uc_sector56.previous.json": 0o600,
    }


def test_there_is_nothing_to_seal_before_the_first_sign_in_and_nothing_to_seal_with_without_a_key(
    plain: Profiles, sealed: Profiles
) -> None:
    assert sealed.reseal(STORE) is False
    with pytest.raises(
        ConfigurationError, match=r"^CRM_PROFILE_KEY: expected a key to seal with, found none\. Make one"
    ):
        plain.reseal(STORE)


def test_what_does_not_open_is_not_resealed_and_nothing_else_is(sealed: Profiles) -> None:
    for value in ("first", "second"):
        path = sealed.save(STORE, profile(value), keep_previous=True)
    rotating = Profiles(sealed.folder, keys=(NEW_KEY, KEY))
    before = path.read_bytes()
    for content, told in (
        (b"{", "expected a Playwright storage state"),
        (before[:-9] + b'AAAA"\n}', "or one that was"),
    ):
        put(rotating.previous_path(STORE), content)
        with pytest.raises(ConfigurationError, match=told):
            rotating.reseal(STORE)
        assert path.read_bytes() == before


def test_a_profile_moves_between_machines_as_a_file(sealed: Profiles, tmp_path: Path) -> None:
    """Made in a window on macOS, opened on Linux: the same bytes, the same key, another folder."""
    content = sealed.save(STORE, profile(), keep_previous=True).read_bytes()
    server = Profiles(tmp_path / "server", keys=(KEY,))
    server.folder.mkdir(mode=0o700)
    put(server.path(STORE), content)
    assert server.load(STORE) == profile()
    assert server.digest(STORE) == sealed.digest(STORE)


def test_a_file_that_a_person_brings_is_read_where_it_lies(profiles: Profiles, tmp_path: Path) -> None:
    brought = tmp_path / "brought.json"
    with pytest.raises(ConfigurationError, match=r"^uc/sector56: expected a Playwright storage state .*found none in "):
        profiles.imported(STORE, brought)
    brought.write_bytes(profiles.save(STORE, profile(), keep_previous=True).read_bytes())
    brought.chmod(0o644)
    assert profiles.imported(STORE, brought) == profile()
    with pytest.raises(ConfigurationError, match=r"^uc/sushantlok1: expected .*this account"):
        profiles.imported(NEIGHBOUR, brought)
    for content in NOT_PROFILES:
        brought.write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"found none in \S+/brought\.json\. Write one with: "):
            profiles.imported(STORE, brought)


# The rest of its life.


def test_the_digest_changes_with_the_file_whatever_its_permissions(profiles: Profiles) -> None:
    path = profiles.save(STORE, profile("first"), keep_previous=True)
    first = profiles.digest(STORE)
    assert first == hashlib.sha256(path.read_bytes()).hexdigest()
    path.chmod(0o644)
    assert profiles.digest(STORE) == first
    profiles.save(STORE, profile("second"), keep_previous=True)
    assert profiles.digest(STORE) not in (first, None)


def test_a_forgotten_account_leaves_nothing_and_takes_nobody_along(profiles: Profiles) -> None:
    for value in ("first", "second"):
        profiles.save(STORE, profile(value), keep_previous=True)
        profiles.save(NEIGHBOUR, profile(value), keep_previous=True)
    half_written = put(profiles.folder / ".uc_sector56.json.x1y2z3", b"half")
    assert profiles.forget(STORE) == [profiles.path(STORE), profiles.previous_path(STORE), half_written]
    assert profiles.load(STORE) is None
    assert sorted(path.name for path in profiles.folder.iterdir()) == [
        "uc_sushantlok1.json",
        "uc_sushantlok1.previous.json",
    ]


def test_a_link_that_leads_nowhere_is_forgotten_too(plain: Profiles, tmp_path: Path) -> None:
    plain.folder.mkdir(mode=0o700)
    plain.path(STORE).symlink_to(tmp_path / "gone.json")
    assert plain.forget(STORE) == [plain.path(STORE)]
    assert list(plain.folder.iterdir()) == []


def test_neither_keys_nor_sessions_show_themselves_in_a_log(sealed: Profiles) -> None:
    assert repr(KEY) not in repr(sealed)
    assert "uc_session" not in repr(profile())
    assert "tab" not in repr(profile())
