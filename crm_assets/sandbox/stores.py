"""The four stores of the sandbox: what each portal knows of them, their invented logins, and ``stores.yaml``.

A table and what follows from it. What a store sells is drawn by ``books``.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxStore:
    """One store account. ``prefix`` opens a td download's file name and a uc booking's number."""

    crm: str
    code: str
    title: str
    prefix: str
    strategies: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.crm}/{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a store's account is opened with."""

    user: str
    password: str


STORES = (
    SandboxStore(crm="td", code="a668", title="Uttam Nagar", prefix="1170"),
    SandboxStore(crm="td", code="a817", title="Kirti Nagar", prefix="1247"),
    SandboxStore(
        crm="uc",
        code="sector56",
        title="Sector 56, Gurugram",
        prefix="UC567",
        strategies=("export_report_get", "tax_report", "ui"),
    ),
    SandboxStore(
        crm="uc",
        code="sushantlok1",
        title="Sushant Lok 1, Gurugram",
        prefix="UC610",
        strategies=("generate_gst_post", "tax_report", "ui"),
    ),
)


def find_store(crm: str, code: str) -> SandboxStore | None:
    """The store of this code, in any case, or nothing."""
    return next((store for store in STORES if (store.crm, store.code) == (crm, code.lower())), None)


def known_store(account: str) -> SandboxStore:
    """The store of an account such as ``td/a668``."""
    crm, _, code = account.partition("/")
    store = find_store(crm, code)
    if store is None:
        raise ValueError(f"unknown account {account!r}; there are {', '.join(map(str, STORES))}")
    return store


def stores_of(crm: str | None, code: str | None) -> list[SandboxStore]:
    """The stores a CRM and a code name; nothing said means every one."""
    return [store for store in STORES if crm in (None, store.crm) and code in (None, store.code)]


def other_store(store: SandboxStore) -> SandboxStore:
    """Another store of the same portal."""
    return next(each for each in stores_of(store.crm, None) if each != store)


def login_of(seed: str, store: SandboxStore) -> Login:
    """The account of a store; another seed has other passwords."""
    user = f"{store.code}@uclean.example" if store.crm == "uc" else f"{store.code}.manager"
    return Login(user=user, password="Demo-" + hashlib.sha256(f"{seed}/{store}/password".encode()).hexdigest()[:10])


def totp_secret(seed: str, store: SandboxStore) -> str:
    """What the store's authenticator app was set up with, in base32."""
    return base64.b32encode(hashlib.sha256(f"{seed}/{store}/authenticator".encode()).digest()[:20]).decode()


def signed_in_store(seed: str, crm: str, user: str, password: str) -> SandboxStore | None:
    """The store whose account these words open."""
    claimed = Login(user=user, password=password)
    return next((store for store in stores_of(crm, None) if login_of(seed, store) == claimed), None)


def secrets(seed: str) -> dict[str, str]:
    """The logins under the names in which the product reads its environment."""
    named = {f"CRM_{store.crm}_{store.code}".upper(): login_of(seed, store) for store in STORES}
    users = {f"{name}_USER": login.user for name, login in named.items()}
    return users | {f"{name}_PASSWORD": login.password for name, login in named.items()}


def stores_yaml(urls: Mapping[str, str], first_day: date) -> str:
    """A ready ``stores.yaml`` that points at these addresses."""
    return _STORES_YAML.format_map({**urls, "td": _entries("td", first_day), "uc": _entries("uc", first_day)})


def _entries(crm: str, first_day: date) -> str:
    return "\n".join(_entry(store, first_day) for store in stores_of(crm, None))


def _entry(store: SandboxStore, first_day: date) -> str:
    fields = f'name: "{store.title}", first_day: {first_day}'
    kind = "file_prefix" if store.crm == "td" else "booking_prefix"
    fields += f', {kind}: "{store.prefix}"'
    if store.strategies:
        fields += f", strategies: [{', '.join(store.strategies)}]"
    return f"      {store.code}: {{{fields}}}"


_STORES_YAML = """\
crms:
  td:
    title: TumbleDry
    portal: crm_assets.portals.tumbledry
    site: {{subs: "{subs}", reports: "{reports}"}}
    stores:
{td}
  uc:
    title: UClean
    portal: crm_assets.portals.uclean
    site: {{panel: "{storepanel}", api: "{api}", token_key: uclean_auth_token}}
    stores:
{uc}
"""
