"""The store list, ``stores.yaml``: which CRMs there are, their addresses and their stores.

Reading and validating it. What a portal does with its ``site`` is the portal's own business.
"""

import re
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from crm_assets.errors import ConfigurationError

DEFAULT_SLOTS = (time(10, 30), time(14, 30), time(18, 30), time(21, 30))
HOST_NAME = re.compile(r"(\*\.(?=[^.]+\.))?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def _host_name(value: str) -> str:
    if HOST_NAME.fullmatch(value):
        return value
    raise ValueError(
        "expected a host name in small letters, no scheme, no port, such as cdn.example.com or *.example.com"
    )


def _time_of_day(value: object) -> object:
    """YAML reads an unquoted 10:30 as a number in base sixty: 630."""
    return f"{value // 60:02}:{value % 60:02}" if isinstance(value, int) else value


def _in_order(times: tuple[time, ...]) -> tuple[time, ...]:
    if len(set(times)) < len(times) or any(each.tzinfo for each in times):
        raise ValueError("expected different times of day in Kolkata, such as [10:30, 14:30]")
    return tuple(sorted(times))


Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Host = Annotated[str, AfterValidator(_host_name)]
Slots = Annotated[tuple[Annotated[time, BeforeValidator(_time_of_day)], ...], AfterValidator(_in_order)]


class StoreEntry(BaseModel):
    """One store in ``stores.yaml``, under its code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="the store's name as people know it; file names hold it")
    first_day: date = Field(
        description="the first day that is fetched; what is missing since then is fetched by itself"
    )
    booking_prefix: str | None = Field(default=None, description="what its booking ids begin with: proves its files")
    file_prefix: str | None = Field(
        default=None, description="what the names of its exported files begin with: proves its files"
    )
    strategies: tuple[str, ...] = Field(
        default=(), description="the ways to its export, tried in this order; none: the portal's own order"
    )
    slots: Slots = Field(default=(), description="its own times of refresh, instead of the CRM's")


class Crm(BaseModel):
    """One CRM in ``stores.yaml``, under its code: the module of its portal, the portal's addresses and the stores."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, description="its name as people know it, and the asset group's")
    portal: str = Field(pattern=r"^[a-zA-Z_][\w.]*$", description="the module of its adapter")
    reports: tuple[str, ...] = Field(
        default=(), description="those of the portal's reports that are wanted, by name; none named: all of them"
    )
    max_window_days: int = Field(default=90, ge=1, le=366, description="days that one export may span")
    site: dict[str, Any] = Field(
        default_factory=dict, description="the portal's addresses, where they are not the default"
    )
    hosts: tuple[Host, ...] = Field(
        default=(), description="further hosts that a signed-in browser may talk to, besides those of `site`"
    )
    slots: Slots = Field(default=DEFAULT_SLOTS, description="when today and yesterday are fetched")
    spread_minutes: int = Field(
        default=10, ge=0, le=120, description="the stores begin spread over so many minutes after a slot"
    )
    settle_days: int = Field(
        default=35, ge=0, le=366, description="so many last days are fetched again at night, as orders change; 0: none"
    )
    settle_at: Annotated[time, BeforeValidator(_time_of_day)] = Field(
        default=time(2, 30), description="when that is done"
    )
    stores: dict[Code, StoreEntry] = Field(min_length=1, description="the stores by code, small letters and digits")

    def slots_of(self, store: str) -> tuple[time, ...]:
        """The times of day at which this store is refreshed."""
        return self.stores[store].slots or self.slots


class StoresFile(BaseModel):
    """The whole of ``stores.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    crms: dict[Code, Crm] = Field(min_length=1)


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it: ten times as fast


def read_store_list(path: Path) -> Mapping[str, Crm]:
    """The CRMs of a file, by code. Raises ConfigurationError naming the place of the mistake."""
    try:
        return StoresFile.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)).crms  # noqa: S506 - safe
    except FileNotFoundError:
        raise ConfigurationError(f"CRM_STORES_FILE: expected the store list, found no file at {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: expected YAML, found: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{path}: {wrong}. Compare it with the stores.yaml of the project") from None
