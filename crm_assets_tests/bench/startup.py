"""The bench ``startup``: how long a command takes to say anything, and a code location to load."""

import subprocess
import time
from collections.abc import Iterator

from crm_assets.settings import PROJECT_ROOT
from crm_assets_tests.bench.figures import Figure, measured

REPEATS = 7
HELP_SECONDS = 0.4
BIN = PROJECT_ROOT / ".venv" / "bin"


def figures(repeats: int = REPEATS) -> Iterator[Figure]:
    """Warm: once before, so that files are read and modules compiled; against the same Python with nothing to do."""
    bare = _seconds([str(BIN / "python"), "-c", "pass"], repeats)
    helped = _seconds([str(BIN / "crm_download"), "--help"], repeats)
    loaded = _seconds([str(BIN / "python"), "-c", "from crm_assets.definitions import defs; defs()"], repeats)
    dagster = _seconds([str(BIN / "python"), "-c", "import dagster"], repeats)
    yield measured("crm_download --help, beside an empty Python", helped, bare, target=HELP_SECONDS, at_most=True)
    yield measured("the code location, beside import dagster", loaded, dagster)


def _seconds(command: list[str], repeats: int) -> list[float]:
    times = list[float]()
    for _ in range(repeats + 1):
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True, cwd=PROJECT_ROOT)
        times.append(time.monotonic() - began)
    return times[1:]
