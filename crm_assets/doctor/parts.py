"""Parts of the examination: each at work in a thread of its own, waited for so long and no longer, its failure a finding.

The threads are daemons: a look-up that never returns does not keep the command from ending.
"""

import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from crm_assets.doctor.findings import Finding, of_error, red
from crm_assets.errors import CrmError
from crm_assets.threads import in_a_thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Part[T]:
    """One part at work since ``begin``."""

    subject: str
    name: str
    seconds: float
    ends_at: float
    future: Future[T]

    def ended(self) -> T | Finding:
        """What came of it, or the finding that it failed or did not end in time."""
        try:
            error = self.future.exception(timeout=max(0.0, self.ends_at - time.monotonic()))
        except TimeoutError:
            return red(
                self.subject,
                self.name,
                f"no answer within {self.seconds:.0f} s",
                "See whether it hangs or the machine is overloaded, then run: crm_download doctor",
            )
        if error is None:
            return self.future.result()
        if isinstance(error, CrmError):
            return of_error(self.subject, self.name, error)
        return red(self.subject, self.name, *_unforeseen(error))


def begin[T](subject: str, name: str, seconds: float, look: Callable[[], T]) -> Part[T]:
    """Start looking; the time runs from now on."""
    return Part(
        subject=subject, name=name, seconds=seconds, ends_at=time.monotonic() + seconds, future=in_a_thread(look)
    )


def within[T](seconds: float, step: Callable[[], T]) -> T:
    """A step that has no time limit of its own. Raises TimeoutError, or what the step raises."""
    return in_a_thread(step).result(timeout=seconds)


def _unforeseen(error: BaseException) -> tuple[str, str]:
    """Its kind and place, never its text: a driver's error may quote a password."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return (
        f"the look itself failed: {type(error).__name__}{place}",
        "Mend what is red above first; if it stays, it is a fault of this version: report it with these words",
    )
