"""Blocking work beside everything else: what never ends holds up neither the others nor the exit."""

import threading
from collections.abc import Callable
from concurrent.futures import Future


def in_a_thread[T](work: Callable[[], T]) -> Future[T]:
    """Begin the work in a daemon thread; its result, or what it raised, is in the future."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome
