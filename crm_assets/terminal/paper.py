"""Where tables are printed: standard output, at a width that fits."""

import os
import sys

from rich.console import Console

PAPER_WIDTH = 120


def paper() -> Console:
    """Standard output: as wide as the terminal, or as the widest table where there is none, such as in cron's mail."""
    return Console() if sys.stdout.isatty() or "COLUMNS" in os.environ else Console(width=PAPER_WIDTH)
