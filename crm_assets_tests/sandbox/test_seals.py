"""Signed words cannot be made up, changed, or used for something else."""

from crm_assets.sandbox.seals import Seals, short_hash


def test_a_seal_is_opened_by_another_process_with_the_same_seed() -> None:
    claims = Seals("demo").open("session", Seals("demo").seal("session", store="a668", generation=0))
    assert claims == {"purpose": "session", "store": "a668", "generation": 0}


def test_a_seal_is_good_for_its_purpose_and_seed_only() -> None:
    token = Seals("demo").seal("session", store="a668")
    assert Seals("demo").open("download", token) is None
    assert Seals("other").open("session", token) is None


def test_a_changed_seal_does_not_open() -> None:
    seals = Seals("demo")
    header, _, signature = seals.seal("session", store="a668").split(".")
    _, other_body, _ = seals.seal("session", store="a817").split(".")
    for token in ("", "no token", "a.b.c", f"{header}.{other_body}.{signature}"):
        assert seals.open("session", token) is None


def test_short_hashes_are_file_name_letters_of_the_length_asked_for() -> None:
    name = short_hash("demo", 7, length=21)
    assert len(name) == 21
    assert name == short_hash("demo", 7, length=21) != short_hash("demo", 8, length=21)
