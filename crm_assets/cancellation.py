"""An event loop for one piece of work, which the signals that end a process cancel instead of cutting it off.

A cancelled run still ends its browsers and closes its books; whoever cancelled it, Dagster or a person at the keyboard, then goes
on as if there had been no event loop.
"""

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_to_end[T](work: Coroutine[Any, Any, T]) -> T:
    """Run it in an event loop of its own. The first signal to end cancels it, so that browsers are ended and books closed, and is
    raised as KeyboardInterrupt afterwards; the handlers of before are then in place again.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(work)
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    ended_by: list[int] = []

    async def until_signalled() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine of asyncio.run is a task

        def end(number: int) -> None:
            if not ended_by:
                task.cancel()
            ended_by.append(number)

        for number in ENDING_SIGNALS:
            loop.add_signal_handler(number, end, number)
        return await work

    try:
        return asyncio.run(until_signalled())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
