"""Sealing: AES-256-GCM around the bytes of a profile, so that a copied file opens nothing without its key.

Bytes in, bytes out. Where a profile stands, and what is in it, belongs to ``sessions.py``; which keys there are, to the settings.
"""

import base64
import binascii
import hmac
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_assets.errors import ConfigurationError

MARK = "crm_assets_sealed"
VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12


def parse_key(text: str) -> bytes:
    """``CRM_PROFILE_KEY`` as bytes: 32 of them in base64 (either alphabet, padded or not), or 64 hex digits."""
    key = bytes.fromhex(text) if re.fullmatch(r"[0-9a-fA-F]{64}", text) else _loose_base64(text)
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            "CRM_PROFILE_KEY: expected 32 random bytes in base64 (make one with: openssl rand -base64 32), "
            f"found a text of {len(text)} characters"
        )
    return key


def seal(content: bytes, *, account: str, key: bytes) -> bytes:
    """The envelope: a small JSON text that names its version and its key's id, and shows nothing else."""
    nonce = os.urandom(NONCE_BYTES)
    data = AESGCM(key).encrypt(nonce, content, _bound(account))
    envelope = {MARK: VERSION, "key": _key_id(key), "nonce": _base64(nonce), "data": _base64(data)}
    return json.dumps(envelope, indent=1).encode()


def unseal(envelope: bytes, *, account: str, keys: Sequence[bytes]) -> bytes:
    """The content as it was sealed for this account. Raises ConfigurationError for anything else; never shows a key."""
    fields = _fields(envelope)
    if fields.get(MARK) != VERSION:
        raise ConfigurationError(
            f"{account}: expected a profile in sealed form {VERSION}, found another. Install the version that wrote it"
        )
    index = sealed_by(envelope, keys)
    if index is None:
        raise ConfigurationError(_no_key(account, str(fields.get("key")), keys))
    try:
        nonce, data = (_strict_base64(fields.get(name)) for name in ("nonce", "data"))
        return AESGCM(keys[index]).decrypt(nonce, data, _bound(account))
    except (InvalidTag, ValueError):
        raise ConfigurationError(
            f"{account}: expected a profile sealed for this account, found one of another account or one that was "
            "changed. Bring the account's own file"
        ) from None


def is_sealed(content: bytes) -> bool:
    return MARK in _fields(content)


def sealed_by(envelope: bytes, keys: Sequence[bytes]) -> int | None:
    """Which of the keys the envelope names, or None: it is not sealed, or by a key that is not here."""
    named = _fields(envelope).get("key")
    return next((index for index, key in enumerate(keys) if _key_id(key) == named), None)


def _no_key(account: str, wanted: str, keys: Sequence[bytes]) -> str:
    found = f"other keys (id {', '.join(map(_key_id, keys))})" if keys else "no key"
    return (
        f"{account}: expected the key that sealed this profile (id {wanted[:16]}), found {found}. "
        "Set CRM_PROFILE_KEY to that key"
    )


def _fields(envelope: bytes) -> Mapping[str, Any]:
    """The envelope's fields; none when it is not the JSON of an object."""
    try:
        fields = json.loads(envelope)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _bound(account: str) -> bytes:
    """What is not in the envelope and must fit all the same."""
    return f"{MARK} {VERSION} {account}".encode()


def _key_id(key: bytes) -> str:
    """Tells keys apart and leads back to none."""
    return hmac.digest(key, b"crm_assets key id", "sha256")[:8].hex()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _strict_base64(text: object) -> bytes:
    """Only the one spelling that ``_base64`` writes: Python's decoder overlooks the last character's spare bits."""
    content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    if not content or _base64(content) != text:
        raise ValueError("not base64 as it is written here")
    return content


def _loose_base64(text: str) -> bytes:
    """The bytes of a key that a person copied; none when the text is not base64."""
    bare = text.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
