"""Alerts: what is wrong is written down, and told to people once when it begins and once when it is over.

Whoever calls it decides when to look; it costs a run nothing when nobody can be reached. What is wrong, and what was told
already, is read from ``crm_assets.warehouse``; how a message travels belongs to ``crm_assets.notify``. No Dagster is needed here.
"""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from pydantic import SecretStr

from crm_assets.credentials import addresses
from crm_assets.errors import ConfigurationError, advice
from crm_assets.logs import say
from crm_assets.model import IST, Clock
from crm_assets.notify import DELIVERY_SECONDS, Message, Undelivered, deliver
from crm_assets.settings import ALERT_URLS, Settings
from crm_assets.warehouse import alerts
from crm_assets.warehouse.alerts import Alert
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.troubles import Trouble, current_troubles

SUBJECT = "[crm_assets]"
IN_A_SUBJECT, IN_A_TEXT = 3, 20  # more stores than these are counted, not named
MESSAGE_LETTERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a look brought: troubles that ``opened`` and ``closed``, those ``told`` and those whose end was, in ``messages``
    that were delivered; and ``undelivered`` troubles, whose message is tried again later.
    """

    opened: int = 0
    closed: int = 0
    told: int = 0
    recovered: int = 0
    messages: int = 0
    undelivered: int = 0


def raise_alerts(
    settings: Settings,
    conn: Connection,
    clock: Clock,
    extra: Sequence[Trouble] = (),
    *,
    seconds: float = DELIVERY_SECONDS,
) -> Told:
    """Look at what is wrong, write it down, and tell what has not been told yet.

    ``extra`` are troubles that the database alone does not show: one that a later call does not bring is over. Stores that are
    not listed any more trouble nobody. All messages together take up to ``seconds``, and what is left then is told by the next
    call; a delivery that fails is tried again by a later one, and never raises. Raises WarehouseUnavailable. The connection must
    not be in a transaction.
    """
    with alerts.one_look_at_a_time(conn):
        found = [*current_troubles(conn, clock()), *extra]
        seen = alerts.observe(conn, [trouble for trouble in found if _is_listed(settings, trouble)], clock())
    with alerts.delivering(conn) as mine:
        told = _tell(settings, conn, clock, seconds) if mine else Told()
    return replace(told, opened=seen.opened, closed=seen.closed)


def _is_listed(settings: Settings, trouble: Trouble) -> bool:
    return not trouble.store or (trouble.crm in settings.crms and trouble.store in settings.crms[trouble.crm].stores)


def _tell(settings: Settings, conn: Connection, clock: Clock, seconds: float) -> Told:
    """Deliver what is due, a message for each group. Without an address nothing is told, and nothing counts as told."""
    groups = alerts.due(conn, clock())
    urls, unreadable = _addresses(settings) if groups else ((), None)
    told = Told()
    hopeless: Exception | None = unreadable
    if not urls and not hopeless:
        return told
    lasting, ends_at = alerts.find(conn), time.monotonic() + seconds
    for group in groups:
        left = ends_at - time.monotonic()
        if left <= 0 and not hopeless:
            break
        error = hopeless or _undelivered(urls, message_of(settings, group, lasting), left)
        if error:
            alerts.record_undelivered(conn, group, error, clock())
            say("alerts", "undelivered", f"{subject_of(group)}: {error}", level=logging.WARNING)
            # Each message would wait as long for what says nothing; one that was refused may have been too much by itself.
            hopeless = None if type(error) is Undelivered else error
            told = replace(told, undelivered=told.undelivered + len(group))
        else:
            alerts.record_told(conn, group, clock())
            say("alerts", "told", subject_of(group))
            over = sum(alert.over for alert in group)
            told = replace(
                told, told=told.told + len(group) - over, recovered=told.recovered + over, messages=told.messages + 1
            )
    return told


def _addresses(settings: Settings) -> tuple[tuple[SecretStr, ...], ConfigurationError | None]:
    try:
        return addresses(settings, ALERT_URLS), None
    except ConfigurationError as error:
        return (), error


def _undelivered(urls: Sequence[SecretStr], message: Message, seconds: float) -> Exception | None:
    """What kept the message from everybody, or None when somebody has it."""
    try:
        deliver(urls, message, seconds)
    except (Undelivered, ConfigurationError) as error:
        return error
    return None


def message_of(settings: Settings, group: Sequence[Alert], lasting: Sequence[Alert]) -> Message:
    """The one message about these; ``lasting`` are all troubles that are not over, for what is to be said beside a recovery."""
    group = sorted(group, key=lambda alert: (alert.crm, alert.store))
    if group[0].over:
        return Message(title=subject_of(group), body=_recovery(settings, group, lasting), kind="recovery")
    return Message(title=subject_of(group), body=_failure(settings, group), kind="failure")


def subject_of(group: Sequence[Alert]) -> str:
    """``[crm_assets] OtpRequired: td/a668``; of what is over, ``[crm_assets] over: OtpRequired: td/a668``."""
    over = "over: " if group[0].over else ""
    return f"{SUBJECT} {over}{group[0].code}: {_named([alert.name or 'everything' for alert in group], IN_A_SUBJECT)}"


def _failure(settings: Settings, group: Sequence[Alert]) -> str:
    """One cause is told once for all stores; what each store has to itself is told store by store. What is to be done is the
    same for all of them.
    """
    code = group[0].code
    next_step, *_ = advice(code)
    if alerts.one_cause(code) and len(group) > 1:
        newest = max(group, key=lambda alert: alert.last_seen_at)
        lines = [f"{code} at {_places(settings, group)}: {_first_sentence(_own_words(newest))}", next_step]
        lines += [_count(group)]
        lines += [f"Evidence: {newest.evidence}"] if newest.evidence else []
    else:
        lines = [
            f"{code} at {_places(settings, group)}.",
            next_step,
            *(line for alert in group for line in _in_full(alert)),
        ]
    return "\n".join([*lines, "", "All that is wrong now: crm_download alerts"])


def _in_full(alert: Alert) -> list[str]:
    """One store's trouble: its own sentence, the exact command where a person has to run one, the count, the evidence."""
    words = f"{alert.name}: {_own_words(alert)}" if alert.name else _own_words(alert)
    _, *command = advice(alert.code, words, alert.name if alert.store else "")
    return ["", words, *command, _count([alert]), *([f"Evidence: {alert.evidence}"] if alert.evidence else [])]


def _recovery(settings: Settings, group: Sequence[Alert], lasting: Sequence[Alert]) -> str:
    """That it is over, where it goes on, and which of these stores fail for another reason now."""
    code, stores = group[0].code, {alert.name for alert in group}
    lines = [f"{code} is over at {_places(settings, group)}.", _count(group)]
    crms = {alert.crm for alert in group}
    if still := sorted(alert.name for alert in lasting if alert.code == code and alert.crm in crms):
        lines.append(f"It goes on at {_named(still, IN_A_TEXT)}.")
    others = sorted((alert.code, alert.name) for alert in lasting if alert.name in stores and alert.code != code)
    for other, named in groupby(others, key=lambda pair: pair[0]):
        lines.append(f"{other} is what fails now at {_named([name for _, name in named], IN_A_TEXT)}.")
    return "\n".join(lines)


def _places(settings: Settings, group: Sequence[Alert]) -> str:
    """``td/a668, td/a817 (2 of 2 stores), uc/sector56 (1 of 2 stores)``."""
    parts = []
    for crm, some in groupby(group, key=lambda alert: alert.crm):
        stores = [alert.name for alert in some if alert.store]
        known = len(settings.crms[crm].stores) if crm in settings.crms else len(stores)
        parts.append(
            f"{_named(stores, IN_A_TEXT)} ({len(stores)} of {known} stores)" if stores else crm or "everything"
        )
    return ", ".join(parts)


def _named(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _count(group: Sequence[Alert]) -> str:
    """How often, and from when to when."""
    times = sum(alert.times for alert in group)
    first, last = min(alert.first_seen_at for alert in group), max(alert.last_seen_at for alert in group)
    until = f" to {_when(last)}" if last > first else ""
    return f"Seen {times} {'time' if times == 1 else 'times'}, {_when(first)}{until}."


def _own_words(alert: Alert) -> str:
    """The error's sentence without the store's name, which stands before it anyway."""
    words = " ".join(alert.message.removeprefix(f"{alert.name}: ").split())
    return words if len(words) <= MESSAGE_LETTERS else f"{words[:MESSAGE_LETTERS]}..."


def _first_sentence(words: str) -> str:
    return re.split(r"(?<=[.!?])\s", words, maxsplit=1)[0]


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(IST):%Y-%m-%d %H:%M}"
