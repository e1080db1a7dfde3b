"""The peers' environment: what the benches compare with, apart from the project's own packages, which need none of it."""

import shutil
import subprocess
from pathlib import Path

from crm_assets.browser.chrome import system_browser
from crm_assets.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / ".local" / "bench" / "peers"
LOCK = Path(__file__).with_name("peers.lock")
UV = PROJECT_ROOT / ".local" / "uv" / "bin" / "uv"


def peers_python() -> Path:
    """The interpreter of the peers' environment, made when it is not there or its lock has changed."""
    python, made = FOLDER / "bin" / "python", FOLDER / "lock"
    if not made.exists() or made.read_bytes() != LOCK.read_bytes():
        shutil.rmtree(FOLDER, ignore_errors=True)
        own = PROJECT_ROOT / ".venv" / "bin" / "python"
        subprocess.run([UV, "venv", "--quiet", "--python", own, FOLDER], check=True)
        subprocess.run(
            [UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", LOCK], check=True
        )
        made.write_bytes(LOCK.read_bytes())
    return python


def browser() -> Path:
    """The system's browser, which both sides drive."""
    found = system_browser(headless=True)
    if found is None:
        raise FileNotFoundError("expected Chrome or Chromium on the PATH: both sides must drive the same one")
    return Path(found)
