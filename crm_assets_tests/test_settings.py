"""Settings: where a value comes from, and how a wrong one says what is expected without being shown."""

import itertools
import math
from datetime import date, time
from pathlib import Path

import pytest

from crm_assets.errors import ConfigurationError
from crm_assets.model import Store
from crm_assets.portals.contract import find_portal, site_of
from crm_assets.settings import CODE_PARTS, PROJECT_ROOT, SECRET_PARTS, WAYS, Environment, Settings, load_settings
from crm_assets.store_list import Crm

STORES = """\
crms:
  td:
    title: TumbleDry
    portal: crm_assets.portals.tumbledry
    stores:
      a668: {name: Uttam Nagar, first_day: 2025-11-01}
  uc:
    title: UClean
    portal: crm_assets.portals.uclean
    stores:
      sector-56: {name: Sector 56, first_day: 2025-11-01, booking_prefix: UC567, strategies: [ui]}
"""

LOG_DAYS = "number of days, or true for ever: keep the log lines of Dagster's runs"
DEADLINE = "whole number of at least 10: hard limit of one attempt at a store: sign-in and export of one window"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "stores.yaml").write_text(STORES, encoding="utf-8")
    return tmp_path


def load(home: Path, **environ: str) -> Settings:
    return load_settings({"CRM_HOME": str(home), **environ})


def refusal(home: Path, **environ: str) -> str:
    """The message with which these settings are refused."""
    with pytest.raises(ConfigurationError) as refused:
        load(home, **environ)
    return str(refused.value)


def stores_refusal(home: Path, text: str) -> str:
    (home / "stores.yaml").write_text(text, encoding="utf-8")
    return refusal(home)


def test_nothing_has_to_be_set() -> None:
    settings = load_settings({})
    assert settings.env == Environment()
    assert set(settings.crms) == {"td", "uc"}
    assert settings.downloads_dir == PROJECT_ROOT / "downloads"


def test_paths_start_from_home_unless_they_are_absolute(home: Path) -> None:
    settings = load(home, CRM_PROFILES_DIR="state/profiles", CRM_DOWNLOADS_DIR="/srv/raw", CRM_LOCAL_DIR="~/crm")
    assert settings.profiles_dir == home / "state" / "profiles"
    assert settings.downloads_dir == Path("/srv/raw")
    assert settings.local_dir == Path("~/crm").expanduser()


def test_the_environment_wins_over_the_env_file_and_that_over_the_defaults(home: Path) -> None:
    (home / ".env").write_text('CRM_PAGE_TIMEOUT_SECONDS=20\nCRM_HEADLESS="false"\nOTHER=1\n', encoding="utf-8")
    env = load(home, CRM_PAGE_TIMEOUT_SECONDS="30").env
    assert (env.page_timeout_seconds, env.headless, env.store_deadline_s) == (30, False, 300)


def test_an_empty_value_is_as_good_as_none(home: Path) -> None:
    settings = load(
        home, CRM_DATABASE_URL="", CRM_PAGE_TIMEOUT_SECONDS="", CRM_TD_A668_USER="", CRM_TD_A668_PASSWORD="x"
    )
    assert (settings.env.database_url, settings.env.page_timeout_seconds) == (None, 45)
    assert set(settings.secrets) == {"CRM_TD_A668_PASSWORD"}


def test_another_env_file_can_be_named_and_must_be_there(home: Path) -> None:
    (home / "crm.env").write_text("CRM_KEEP_FILES=true\n", encoding="utf-8")
    assert load(home, CRM_ENV_FILE="crm.env").env.keep_files
    assert load(home, CRM_ENV_FILE=str(home / "crm.env")).env.keep_files
    assert refusal(home, CRM_ENV_FILE="crm.environ") == (
        f"CRM_ENV_FILE: expected a file of NAME=value lines, found nothing at {home / 'crm.environ'}"
    )


@pytest.mark.parametrize(
    ("name", "wrong", "expected", "example"),
    [
        ("CRM_HEADLESS", "sometimes", "true or false", "true"),
        (
            "CRM_KEEP_FILES",
            "until full",
            "false, true for ever, or a number of days: keep raw files after ingestion",
            "30",
        ),
        ("CRM_KEEP_LOG_DAYS", "-1", LOG_DAYS, "30"),
        ("CRM_KEEP_LOG_DAYS", "nan", LOG_DAYS, "30"),
        (
            "CRM_MIN_FREE_MB",
            "-1",
            "whole number of at least 0: megabytes that must be free on a disk before a download starts",
            "200",
        ),
        ("CRM_STORE_DEADLINE_S", "9", DEADLINE, "300"),
        ("CRM_STORE_DEADLINE_S", "ten", DEADLINE, "300"),
        (
            "CRM_ACCOUNT_WAIT_S",
            "0",
            "whole number of at least 1: how long a run waits for another one that works in the same account",
            "900",
        ),
        ("CRM_PAGE_TIMEOUT_SECONDS", "0", "whole number of at least 1: limit of one wait on a page", "45"),
        (
            "CRM_DATABASE_URL",
            "mysql://crm:hunter2@db/crm",
            "PostgreSQL URL; none starts the embedded server",
            "postgresql://crm:secret@db.internal:5432/crm",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_expected_and_never_shown(
    home: Path, name: str, wrong: str, expected: str, example: str
) -> None:
    message = refusal(home, **{name: wrong})
    assert message == (
        f"{name}: expected {expected}, found a text of {len(wrong)} characters. Example: {name}={example}"
    )


def test_every_wrong_setting_is_told_at_once(home: Path) -> None:
    message = refusal(home, CRM_HEADLESS="maybe", CRM_PAGE_TIMEOUT_SECONDS="long")
    assert [line.partition(":")[0] for line in message.splitlines()] == ["CRM_HEADLESS", "CRM_PAGE_TIMEOUT_SECONDS"]


@pytest.mark.parametrize("name", ["keep_files", "keep_refused_days", "keep_evidence_days", "keep_log_days"])
@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("30", 30),
        ("0.5", 0.5),
        ("0", 0),
        ("false", 0),
        ("No", 0),
        ("true", math.inf),
        ("YES", math.inf),
        ("forever", math.inf),
    ],
)
def test_what_is_kept_is_kept_for_days_or_for_ever_or_not_at_all(home: Path, name: str, text: str, days: float) -> None:
    assert getattr(load(home, **{f"CRM_{name.upper()}": text}).env, name) == days


@pytest.mark.parametrize("field", Environment.model_fields)
def test_every_setting_has_a_description_and_an_example_it_accepts_itself(home: Path, field: str) -> None:
    info = Environment.model_fields[field]
    assert info.description
    assert info.examples
    assert Environment.model_validate({field: info.examples[0]})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://crm:secret@db.internal:5432/crm",
        "postgres://crm@localhost/crm",
        "postgresql://postgres:@/postgres?host=/run/postgres",
    ],
)
def test_postgres_urls_are_taken_as_they_are_and_kept_secret(home: Path, url: str) -> None:
    found = load(home, CRM_DATABASE_URL=url).env.database_url
    assert found
    assert found.get_secret_value() == url
    assert "secret" not in repr(found)


def test_a_misspelt_setting_is_refused_with_what_was_probably_meant(home: Path) -> None:
    assert refusal(home, CRM_HEADLES="true") == (
        "CRM_HEADLES: unknown setting. Did you mean CRM_HEADLESS? All settings stand in .env.example"
    )
    assert "Did you mean CRM_DATABASE_URL?" in refusal(home, CRM_DATABSE_URL="postgresql://crm:hunter2@db/crm")


def test_a_setting_of_somebody_else_is_let_be(home: Path) -> None:
    assert load(home, CRM_SOMETHING_ELSE="1", HEADLES="1", CRM_DAGSTER_DATABASE_URL="postgresql://x@y/z")


@pytest.mark.parametrize(
    "name",
    [
        *(f"CRM_UC_SECTOR_56_{part}{way}" for part in SECRET_PARTS for way in WAYS),
        *(f"CRM_UC_SECTOR_56_{part}" for part in CODE_PARTS),
        *(f"CRM_PROFILE_KEY{way}" for way in WAYS),
    ],
)
def test_a_secret_is_kept_as_it_is_given_and_does_not_show_itself(home: Path, name: str) -> None:
    settings = load(home, **{name: "hunter2 --nowhere"})
    assert {name: value.get_secret_value() for name, value in settings.secrets.items()} == {name: "hunter2 --nowhere"}
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CRM_TD_A668_PASWORD", "CRM_TD_A668_PASSWORD"),
        ("CRM_TD_A668_USR_FILE", "CRM_TD_A668_USER_FILE"),
        ("CRM_TD_A668_OPT_COMMAND", "CRM_TD_A668_OTP_COMMAND"),
        ("CRM_UC_SECTOR_56_TOTP_SECRET", "CRM_UC_SECTOR_56_OTP_SECRET"),
        ("CRM_PROFIL_KEY", "CRM_PROFILE_KEY"),
        ("CRM_PROFILE_KEYS_FILE", "CRM_PROFILE_KEY_FILE"),
    ],
)
def test_a_misspelt_secret_is_refused_with_what_was_probably_meant(home: Path, name: str, meant: str) -> None:
    message = refusal(home, **{name: "hunter2"})
    assert message.startswith(f"{name}: unknown setting. Did you mean {meant}? ")
    assert "hunter2" not in message


def test_an_unknown_secret_of_a_listed_store_is_refused_with_those_there_are(home: Path) -> None:
    assert refusal(home, CRM_TD_A668_TOKEN="hunter2") == (
        "CRM_TD_A668_TOKEN: unknown setting. For td/a668 there are CRM_TD_A668_USER, CRM_TD_A668_PASSWORD, "
        "CRM_TD_A668_OTP_SECRET, each also with _FILE or _COMMAND, and CRM_TD_A668_OTP_FILE and CRM_TD_A668_OTP_COMMAND"
    )


def test_secrets_of_stores_that_are_not_listed_are_let_be(home: Path) -> None:
    settings = load(home, CRM_TD_A999_USER="x", CRM_TD_A999_USER_FILE="y", CRM_TD_A999_PASWORD="z")
    assert settings.stores("td") == (settings.store("td", "a668"),)


@pytest.mark.parametrize("name", ["CRM_TD_A668_PASSWORD", "CRM_UC_SECTOR_56_OTP_SECRET", "CRM_PROFILE_KEY"])
@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(WAYS, 2)])
def test_two_ways_to_one_secret_are_refused(home: Path, name: str, one: str, other: str) -> None:
    (home / ".env").write_text(f"{name}{one}=hunter2\n", encoding="utf-8")
    assert refusal(home, **{f"{name}{other}": "hunter2"}) == (
        f"{name}{one}: expected one way to this secret, found also {name}{other}"
    )
    assert load(home, **{f"{name}{other}": ""}).secrets.keys() == {f"{name}{one}"}


def test_a_code_may_come_from_a_command_and_from_a_file(home: Path) -> None:
    settings = load(home, CRM_TD_A668_OTP_FILE="code", CRM_TD_A668_OTP_COMMAND="code", CRM_TD_A668_OTP_SECRET="x")
    assert len(settings.secrets) == 3


def test_a_store_is_what_its_entry_says(home: Path) -> None:
    settings = load(home)
    assert settings.stores("uc") == (
        Store(
            crm="uc",
            code="sector-56",
            name="Sector 56",
            first_day=date(2025, 11, 1),
            booking_prefix="UC567",
            strategies=("ui",),
        ),
    )


def timed(home: Path, crm: str = "", store: str = "") -> Crm:
    """TumbleDry, with these lines of its own and these entries of its store."""
    text = STORES.replace("    title: TumbleDry", f"    title: TumbleDry\n{crm}")
    text = text.replace("Uttam Nagar, ", f"Uttam Nagar, {store}")
    (home / "stores.yaml").write_text(text, encoding="utf-8")
    return load(home).crms["td"]


def test_without_a_word_stores_are_refreshed_four_times_a_day_and_settled_at_night(home: Path) -> None:
    crm = timed(home)
    assert crm.slots == (time(10, 30), time(14, 30), time(18, 30), time(21, 30))
    assert (crm.spread_minutes, crm.settle_days, crm.settle_at) == (10, 35, time(2, 30))
    assert crm.stores["a668"].slots == ()


@pytest.mark.parametrize("slots", ["[21:30, 09:05, 10:30]", "['21:30', '09:05', '10:30']"])
def test_times_of_day_are_taken_quoted_and_as_yaml_reads_them_unquoted(home: Path, slots: str) -> None:
    crm = timed(home, f"    slots: {slots}\n    settle_at: 3:15", "slots: [10:30], ")
    assert crm.slots == (time(9, 5), time(10, 30), time(21, 30))
    assert crm.settle_at == time(3, 15)
    assert crm.stores["a668"].slots == (time(10, 30),)


def test_a_store_of_the_business_knows_nothing_of_times(home: Path) -> None:
    timed(home, store="slots: [10:30], ")
    assert load(home).store("td", "a668") == Store(
        crm="td", code="a668", name="Uttam Nagar", first_day=date(2025, 11, 1)
    )


@pytest.mark.parametrize(
    ("crm", "told"),
    [
        ("    slots: [10:30, '10:30']", "slots: Value error, expected different times of day in Kolkata"),
        ("    slots: ['10:30+05:30']", "slots: Value error, expected different times of day in Kolkata"),
        ("    slots: [noon]", "slots.0: "),
        ("    slots: ['25:00']", "slots.0: "),
        ("    settle_at: never", "settle_at: "),
        ("    settle_days: -1", "settle_days: "),
        ("    spread_minutes: 121", "spread_minutes: "),
    ],
)
def test_a_wrong_time_is_told_by_its_place(home: Path, crm: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        timed(home, crm)
    assert f"crms.td.{told}" in str(refused.value)


def with_hosts(hosts: str) -> str:
    return STORES.replace("    title: TumbleDry", f"    title: TumbleDry\n    hosts: {hosts}")


def test_a_crm_may_name_further_hosts(home: Path) -> None:
    (home / "stores.yaml").write_text(with_hosts("[cdn.example.com, '*.pay.example.com', 127.0.0.1]"), encoding="utf-8")
    crms = load(home).crms
    assert crms["td"].hosts == ("cdn.example.com", "*.pay.example.com", "127.0.0.1")
    assert crms["uc"].hosts == ()


@pytest.mark.parametrize(
    "host",
    [
        "https://cdn.example.com",
        "cdn.example.com:443",
        "cdn.example.com/path",
        "*",
        "*.com",
        "cdn.*.com",
        "CDN.example.com",
        "-.example.com",
        "",
    ],
)
def test_a_host_is_a_name_alone(home: Path, host: str) -> None:
    assert stores_refusal(home, with_hosts(f"[a.example, '{host}']")) == (
        f"{home / 'stores.yaml'}: crms.td.hosts.1: Value error, expected a host name in small letters, no scheme, no port, "
        "such as cdn.example.com or *.example.com. Compare it with the stores.yaml of the project"
    )


def test_unknown_names_are_told_with_the_known_ones(home: Path) -> None:
    settings = load(home)
    with pytest.raises(ConfigurationError, match=r"unknown CRM 'zz': expected one of td, uc \(see stores\.yaml\)"):
        settings.crm("zz")
    with pytest.raises(ConfigurationError, match=r"unknown store td/a1: expected one of a668 or 'all'"):
        settings.store("td", "a1")


def test_a_store_list_must_be_there(home: Path) -> None:
    assert refusal(home, CRM_STORES_FILE="elsewhere.yaml") == (
        f"CRM_STORES_FILE: expected the store list, found no file at {home / 'elsewhere.yaml'}"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("crms: [", "expected YAML, found: "),
        ("\xff\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "expected YAML, found: "),
        ("", "the file: Input should be a valid dictionary"),
        ("crms: {}", "crms: Dictionary should have at least 1 item"),
        (STORES.replace("title: TumbleDry", "tilte: TumbleDry"), "crms.td.title: Field required"),
        (
            STORES.replace("name: Uttam Nagar", "name: U, nmae: V"),
            "crms.td.stores.a668.nmae: Extra inputs are not permitted",
        ),
        (STORES.replace("2025-11-01}\n  uc", "soon}\n  uc"), "crms.td.stores.a668.first_day: "),
        (STORES.replace("a668:", "A668:"), "crms.td.stores.A668."),
        (STORES.replace("    title: UClean", "    title: UClean\n    max_window_days: 0"), "crms.uc.max_window_days: "),
        (STORES.replace("crm_assets.portals.uclean", "no module"), "crms.uc.portal: "),
    ],
)
def test_a_wrong_store_list_is_told_by_the_place_of_its_mistake(home: Path, text: str, told: str) -> None:
    message = stores_refusal(home, text)
    assert message.startswith(f"{home / 'stores.yaml'}: ")
    assert told in message


def test_a_file_that_is_no_text_is_no_store_list(home: Path) -> None:
    (home / "stores.yaml").write_bytes(b"\xff\xfe\x00crms")
    assert "expected YAML, found: " in refusal(home)


def test_a_portal_that_does_not_exist_is_told(home: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"stores\.yaml: expected portal 'crm_assets\.portals\.none' to be a module"
    ):
        find_portal("crm_assets.portals.none")
    with pytest.raises(ConfigurationError, match=r"expected crm_assets\.model\.PORTAL to be a Portal, found NoneType"):
        find_portal("crm_assets.model")


def test_a_portals_address_is_validated_by_the_portal(home: Path) -> None:
    for site, told in (
        ("panle: https://a.example", "crms.uc: site.panle: Extra inputs are not permitted"),
        ("panel: https://a.example/path", "crms.uc: site.panel: String should match pattern"),
    ):
        (home / "stores.yaml").write_text(
            STORES.replace("    title: UClean", f"    title: UClean\n    site: {{{site}}}"), encoding="utf-8"
        )
        with pytest.raises(ConfigurationError) as refused:
            site_of("uc", load(home).crm("uc"))
        assert told in str(refused.value)


def test_a_strategy_that_a_portal_does_not_have_is_told_with_those_it_has(home: Path) -> None:
    (home / "stores.yaml").write_text(STORES.replace("[ui]", "[ui, by_magic]"), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        site_of("uc", load(home).crm("uc"))
    assert str(refused.value) == (
        "stores.yaml: crms.uc.stores.sector-56.strategies: expected some of export_report_get, generate_gst_post, "
        "tax_report, ui; found by_magic"
    )
