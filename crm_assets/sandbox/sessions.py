"""Who is signed in: sealed session tokens, ending them, the habit of dropping a session that comes back, trusted devices.

A token is good as long as its account's sessions were not ended since. A lease ties a TumbleDry session to the browser
that opened it: to the connections on which its pages were asked for. A stored cookie arrives on a new connection, with no
page of the portal before it, and is refused. A trusted device is asked for no one-time code until it is forgotten.
Pages and passwords are the apps'.
"""

from collections import defaultdict
from uuid import uuid4

from starlette.requests import HTTPConnection

from crm_assets.sandbox.memory import Memory
from crm_assets.sandbox.seals import Seals
from crm_assets.sandbox.stores import SandboxStore, find_store, stores_of


class Sessions:
    """Issues tokens, reads them back, and ends all of an account's at once."""

    def __init__(self, seals: Seals, memory: Memory) -> None:
        self._seals = seals
        self._memory = memory

    def issue(self, purpose: str, store: SandboxStore) -> str:
        return self._seals.seal(
            purpose, crm=store.crm, store=store.code, generation=self._generation(store), nonce=uuid4().hex
        )

    def store_of(self, purpose: str, token: str) -> SandboxStore | None:
        """The store a token speaks for, or nothing when it is no longer good."""
        claims = self._seals.open(purpose, token)
        store = find_store(str(claims["crm"]), str(claims["store"])) if claims else None
        return store if store and claims and claims["generation"] == self._generation(store) else None

    def end(self, crm: str | None, code: str | None) -> None:
        """Every session of these stores is over; the next login opens new ones."""
        for store in stores_of(crm, code):
            self._memory.generations[str(store)] = self._generation(store) + 1
        self._memory.save()

    def _generation(self, store: SandboxStore) -> int:
        return self._memory.generations.get(str(store), 0)


class Leases:
    """The connections on which each signed-in browser was seen."""

    def __init__(self) -> None:
        self._connections: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)

    def open(self, token: str, request: HTTPConnection) -> None:
        self._connections[token].update(_connection(request))

    def holds(self, token: str, request: HTTPConnection) -> bool:
        """Whether the browser that opened this session is the one that asks; its new connections become known."""
        known = self._connections.get(token)
        if known is None or not (_comes_from_a_page(request) or known & _connection(request)):
            return False
        known.update(_connection(request))
        return True


class Devices:
    """The browsers that a store has called its own. A store that never forgot one asks nobody for a code."""

    def __init__(self, seals: Seals, memory: Memory) -> None:
        self._seals = seals
        self._memory = memory

    def issue(self, store: SandboxStore) -> str:
        """What a trusted browser shows from now on."""
        return self._seals.seal("td device", store=store.code, generation=self._generation(store))

    def trusts(self, store: SandboxStore, token: str) -> bool:
        generation = self._generation(store)
        claims = self._seals.open("td device", token)
        shown = (claims["store"], claims.get("generation", 0)) if claims else None
        return generation == 0 or shown == (store.code, generation)

    def forget(self, crm: str | None, code: str | None) -> None:
        """No browser of these stores is trusted; the next login of each is asked for a code."""
        for store in stores_of(crm, code):
            self._memory.devices[str(store)] = self._generation(store) + 1
        self._memory.save()

    def _generation(self, store: SandboxStore) -> int:
        return self._memory.devices.get(str(store), 0)


def _comes_from_a_page(request: HTTPConnection) -> bool:
    return request.headers.get("sec-fetch-site") in ("same-origin", "same-site")


def _connection(request: HTTPConnection) -> set[tuple[str, int]]:
    return {(request.client.host, request.client.port)} if request.client else set()
