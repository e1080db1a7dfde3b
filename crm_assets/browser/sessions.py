"""Session store: one profile per store account.

Paths, permissions, sealed or plain, and whole-or-not-at-all writing with the previous good state beside. What a profile holds
belongs to ``profile.py``, signing in to ``portals/<crm>/login.py``; whether a state is good enough to be saved is decided by who
probed it.
"""

import hashlib
import logging
import os
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path

from crm_assets.browser import sealing
from crm_assets.browser.profile import Damaged, Profile, parsed, plain_form
from crm_assets.errors import ConfigurationError
from crm_assets.files import write_whole
from crm_assets.logs import say
from crm_assets.model import Store

FILE_MODE = 0o600
FOLDER_MODE = 0o700
EVERYONE_ELSE = 0o077


@dataclass(frozen=True, slots=True)
class Profiles:
    """The folder of the profiles and the keys that open them; the first key seals, none leaves profiles plain."""

    folder: Path
    keys: tuple[bytes, ...] = field(default=(), repr=False)

    def path(self, store: Store) -> Path:
        """``profiles/td_a668.json``."""
        return self.folder / f"{store.crm}_{store.code}.json"

    def previous_path(self, store: Store) -> Path:
        """``profiles/td_a668.previous.json``; a store's code holds no dot."""
        return self.folder / f"{store.crm}_{store.code}.previous.json"

    def load(self, store: Store) -> Profile | None:
        """The saved profile, or None before the first sign-in; the previous one where the file is damaged.

        Raises ConfigurationError for a profile others may read, another account's, one sealed by another key, or a damaged
        one that has no previous.
        """
        self._refuse_open_folder(store)
        try:
            return self._profile(store, self.path(store))
        except Damaged:
            previous = self._previous(store)
            if previous is None:
                raise _not_a_profile(store, self.path(store)) from None
        say(store, "previous session used", f"{self.path(store).name} is damaged", level=logging.WARNING)
        return previous

    def imported(self, store: Store, file: Path) -> Profile:
        """A session from any file, plain or sealed. Raises ConfigurationError when it is none for this account."""
        try:
            profile = self._profile(store, file, refuse_wide=False)
        except Damaged:
            profile = None
        if profile is None:
            raise ConfigurationError(
                f"{store}: expected a Playwright storage state with cookies and origins, found none in {file}. "
                "Write one with: context.storage_state(path=...)"
            )
        return profile

    def save(self, store: Store, profile: Profile, *, keep_previous: bool) -> Path:
        """Write the profile whole, sealed when there is a key, for its owner alone; returns its path.

        With ``keep_previous`` the good profile that stands there is kept beside it, before it is replaced.
        """
        self._prepare_folder(store)
        standing = self._standing(store) if keep_previous else None
        if standing:
            self._write(store, self.previous_path(store), standing)
        self._write(store, self.path(store), profile)
        return self.path(store)

    def digest(self, store: Store) -> str | None:
        """SHA-256 of the file as it stands, in hex; another one means another profile. None when there is no file."""
        content = _read(store, self.path(store), refuse_wide=False)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def is_sealed(self, store: Store) -> bool | None:
        """None when there is no file."""
        content = _read(store, self.path(store), refuse_wide=False)
        return None if content is None else sealing.is_sealed(content)

    def reseal(self, store: Store) -> bool:
        """Seal the profile and its previous with the first key; False when there is nothing to do.

        Nothing is written unless both open. Raises ConfigurationError when there is no key.
        """
        if not self.keys:
            raise ConfigurationError(
                "CRM_PROFILE_KEY: expected a key to seal with, found none. Make one with: openssl rand -base64 32"
            )
        self._refuse_open_folder(store)
        found = {path: self._not_yet_sealed(store, path) for path in self._paths(store)}
        stale = {path: profile for path, profile in found.items() if profile}
        for path, profile in stale.items():
            self._write(store, path, profile)
        return bool(stale)

    def forget(self, store: Store) -> list[Path]:
        """Delete the profile, its previous, and what a killed process left half-written of them; returns what was deleted."""
        leftovers = [found for path in self._paths(store) for found in sorted(self.folder.glob(f".{path.name}.*"))]
        found = [path for path in (*self._paths(store), *leftovers) if path.is_symlink() or path.exists()]
        for path in found:
            path.unlink()
        return found

    def _paths(self, store: Store) -> tuple[Path, Path]:
        return self.path(store), self.previous_path(store)

    def _write(self, store: Store, path: Path, profile: Profile) -> None:
        plain = plain_form(str(store), profile)
        content = sealing.seal(plain, account=str(store), key=self.keys[0]) if self.keys else plain
        write_whole(path, content, mode=FILE_MODE)

    def _profile(self, store: Store, path: Path, *, refuse_wide: bool = True) -> Profile | None:
        """What a file holds, plain or sealed; None when there is none."""
        content = _read(store, path, refuse_wide=refuse_wide)
        return None if content is None else _opened(store, path, content, self.keys)

    def _previous(self, store: Store) -> Profile | None:
        try:
            return self._profile(store, self.previous_path(store))
        except Damaged:
            return None

    def _standing(self, store: Store) -> Profile | None:
        """The profile worth keeping: one that does not open would push out a previous one that does."""
        try:
            return self._profile(store, self.path(store))
        except (Damaged, ConfigurationError):
            return None

    def _not_yet_sealed(self, store: Store, path: Path) -> Profile | None:
        """What a file holds that the first key has not sealed; None when it has, or there is no file."""
        content = _read(store, path)
        if content is None or sealing.sealed_by(content, self.keys) == 0:
            return None
        try:
            return self._profile(store, path)
        except Damaged:
            raise _not_a_profile(store, path) from None

    def _prepare_folder(self, store: Store) -> None:
        self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        self._refuse_open_folder(store)
        if self.folder.stat().st_mode & EVERYONE_ELSE:
            self.folder.chmod(FOLDER_MODE)

    def _refuse_open_folder(self, store: Store) -> None:
        """A folder without profiles may be open: it is a fresh checkout's, and is closed before the first is written."""
        if not self.folder.exists():
            return
        mode = stat.S_IMODE(self.folder.stat().st_mode)
        if mode & EVERYONE_ELSE and any(self.folder.glob("*.json")):
            raise _too_wide(store, self.folder, mode, FOLDER_MODE)


def _read(store: Store, path: Path, *, refuse_wide: bool = True) -> bytes | None:
    """The file's bytes, None when there is none. The mode is that of the file which is read, also behind a link."""
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            if refuse_wide and mode & ~FILE_MODE:
                raise _too_wide(store, path, mode, FILE_MODE)
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(
            f"{store}: expected to read {path}, found: {error.strerror}. It must belong to the user that runs this"
        ) from None


def _opened(store: Store, path: Path, content: bytes, keys: tuple[bytes, ...]) -> Profile:
    if sealing.is_sealed(content):
        try:
            content = sealing.unseal(content, account=str(store), keys=keys)
        except ConfigurationError as error:
            raise ConfigurationError(f"{error}; or {_start_again(store, path)}") from None
    account, profile = parsed(content)
    if account not in (None, str(store)):
        raise ConfigurationError(
            f"{store}: expected this account's profile, found that of {account} in {path}. "
            f"Bring the account's own file, or {_start_again(store, path)}"
        )
    return profile


def _not_a_profile(store: Store, path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{store}: expected a Playwright storage state with cookies and origins, found something else in {path}. "
        f"To start again, {_start_again(store, path)}"
    )


def _too_wide(store: Store, path: Path, found: int, expected: int) -> ConfigurationError:
    return ConfigurationError(
        f"{store}: expected {path} to be open to its owner alone ({expected:04o}), found {found:04o}. "
        f"Run: chmod {expected:o} {shlex.quote(str(path))}"
    )


def _start_again(store: Store, path: Path) -> str:
    return f"delete {path} and run: {store.bootstrap_command}"
