"""Sealing: only this account's file opens, only with its key, only unchanged, and it shows nothing."""

import base64
import json
import os
import string

import pytest

from crm_assets.browser.sealing import is_sealed, parse_key, seal, sealed_by, unseal
from crm_assets.errors import ConfigurationError

KEY, OLD_KEY, STRANGE_KEY = bytes(range(32)), b"\x01" * 32, b"\x02" * 32
CONTENT = b'{"cookies": [{"name": "td_session", "domain": "subs.portal.example"}]}'
WORDS = ("td_session", "subs.portal.example", "cookies", "td/a668", "a668")
ALPHABET = string.ascii_letters + string.digits + "+/="


def sealed(content: bytes = CONTENT, key: bytes = KEY) -> bytes:
    return seal(content, account="td/a668", key=key)


@pytest.mark.parametrize("content", [b"", b"x", CONTENT, os.urandom(100_000)])
def test_what_is_sealed_opens_again(content: bytes) -> None:
    envelope = sealed(content)
    assert is_sealed(envelope)
    assert unseal(envelope, account="td/a668", keys=[KEY]) == content


def test_any_of_several_keys_opens_and_is_known_by_its_place() -> None:
    envelope = sealed(key=OLD_KEY)
    assert sealed_by(envelope, [KEY, OLD_KEY]) == 1
    assert unseal(envelope, account="td/a668", keys=[KEY, OLD_KEY]) == CONTENT
    assert sealed_by(envelope, [KEY]) is None
    assert sealed_by(CONTENT, [KEY]) is None


def test_the_envelope_shows_nothing_and_is_never_the_same() -> None:
    envelope = sealed()
    assert list(json.loads(envelope)) == ["crm_assets_sealed", "key", "nonce", "data"]
    for word in WORDS:
        assert word.encode() not in envelope
        assert base64.b64encode(word.encode()).rstrip(b"=")[:-1] not in envelope
    for shown in (KEY, KEY.hex().encode(), base64.b64encode(KEY).rstrip(b"=")):
        assert shown not in envelope
    assert sealed() != envelope


@pytest.mark.parametrize("field", ["key", "nonce", "data"])
def test_every_change_of_a_character_is_refused(field: str) -> None:
    envelope = json.loads(sealed(b"content"))
    text = envelope[field]
    for at, was in enumerate(text):
        for other in ALPHABET.replace(was, ""):
            changed = envelope | {field: text[:at] + other + text[at + 1 :]}
            with pytest.raises(ConfigurationError):
                unseal(json.dumps(changed).encode(), account="td/a668", keys=[KEY, OLD_KEY])


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_every_change_of_a_byte_of_the_file_is_refused(mask: int) -> None:
    envelope = sealed(b"content")
    for at, was in enumerate(envelope):
        changed = envelope[:at] + bytes([was ^ mask]) + envelope[at + 1 :]
        with pytest.raises(ConfigurationError):
            unseal(changed, account="td/a668", keys=[KEY])


def test_a_file_cut_short_is_no_envelope_any_more() -> None:
    envelope = sealed()
    assert not any(is_sealed(envelope[:length]) for length in range(len(envelope)))


@pytest.mark.parametrize("account", ["td/a817", "uc/a668", "td/a66", "", "td/a668 "])
def test_another_accounts_file_is_refused(account: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"^{account}: expected a profile sealed for this account, found one of"
    ):
        unseal(sealed(), account=account, keys=[KEY])


@pytest.mark.parametrize(("keys", "found"), [([], "no key"), ([OLD_KEY, STRANGE_KEY], "other keys .id [0-9a-f]{16}, ")])
def test_a_missing_key_is_told_by_its_id_and_never_shown(keys: list[bytes], found: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        unseal(sealed(), account="td/a668", keys=keys)
    told.match(rf"^td/a668: expected the key that sealed this profile \(id [0-9a-f]{{16}}\), found {found}")
    told.match(r"Set CRM_PROFILE_KEY to that key$")
    for key in (KEY, *keys):
        assert key.hex() not in str(told.value)


def test_a_later_form_asks_for_its_version() -> None:
    later = json.loads(sealed()) | {"crm_assets_sealed": 2}
    with pytest.raises(ConfigurationError, match="expected a profile in sealed form 1, found another"):
        unseal(json.dumps(later).encode(), account="td/a668", keys=[KEY])


@pytest.mark.parametrize("field", ["nonce", "data", "key"])
@pytest.mark.parametrize("value", [None, "", 1, [], "=", "AA==", "\u00e9"])
def test_a_field_that_is_no_base64_is_refused(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError):
        unseal(json.dumps(json.loads(sealed()) | {field: value}).encode(), account="td/a668", keys=[KEY])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"1", CONTENT, b"\xff\xfe", b"[" * 200_000])
def test_what_is_not_sealed_is_known(content: bytes) -> None:
    assert not is_sealed(content)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(KEY).decode(),
        base64.b64encode(KEY).decode().rstrip("="),
        base64.urlsafe_b64encode(KEY).decode(),
        f" {base64.b64encode(KEY).decode()}\n",
        KEY.hex(),
        KEY.hex().upper(),
    ],
)
def test_a_key_is_read_however_it_was_written(text: str) -> None:
    assert parse_key(text) == KEY


def test_a_key_is_read_in_both_alphabets() -> None:
    key = b"\xfb\xff" * 16
    assert {parse_key(base64.b64encode(key).decode()), parse_key(base64.urlsafe_b64encode(key).decode())} == {key}


@pytest.mark.parametrize(
    "text", ["", "secret", "x" * 43 + "!", KEY.hex()[:-1], "\u00e9" * 43, base64.b64encode(KEY + KEY).decode()]
)
def test_a_key_of_another_shape_is_told_by_its_length_alone(text: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        parse_key(text)
    assert str(told.value) == (
        "CRM_PROFILE_KEY: expected 32 random bytes in base64 (make one with: openssl rand -base64 32), "
        f"found a text of {len(text)} characters"
    )
