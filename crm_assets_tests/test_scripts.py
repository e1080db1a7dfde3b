"""The scripts, the lock, and the import rules: what keeps a checkout installable and its rooms apart.

No package is installed here and no browser; what the commands behind the scripts do is tested in ``test_cli.py``.
"""

import fcntl
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)
COMMANDS = sorted(
    [*(p for p in (ROOT / "script").iterdir() if p.is_file()), ROOT / ".ci/run", *(ROOT / "cron").iterdir()]
)
SOURCED = sorted((ROOT / "script/lib").glob("*.sh"))
BASH_4 = re.compile(r"declare -A|local -A|local -n|mapfile|readarray|\$\{\w+(,,|\^\^|@)|\|&|&>>|coproc")
BREAKS = {
    "sandbox/clock.py": "import crm_assets.landing",
    "landing.py": "import dagster",
    "rows.py": "import playwright",
    "pipeline/__init__.py": "import psycopg",
    "settings.py": "import crm_assets.landing",
    "workbook/__init__.py": "import crm_assets.sandbox.server",
    "portals/uclean/pages.py": "import crm_assets.portals.tumbledry.pages",
}


def run(*command: str | Path, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # a command sees no more than a cron job does
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(cwd), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pins(text: str) -> dict[str, Version]:
    return {
        name: Version(version) for name, version in re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, re.MULTILINE)
    }


def wanted() -> list[str]:
    return [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]


@pytest.mark.parametrize("script", COMMANDS, ids=named)
def test_a_command_is_executable_and_stops_at_its_first_error(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert script.stat().st_mode & 0o111
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[1].startswith("# "), "the second line says what the command is for"
    assert any(re.match(r"set -e?uo pipefail", line) for line in lines)


@pytest.mark.parametrize("script", [*COMMANDS, *SOURCED], ids=named)
def test_a_script_parses_and_needs_no_newer_bash_than_macos_has(script: Path) -> None:
    parsed = run("bash", "-n", script)
    assert parsed.returncode == 0, parsed.stderr
    assert not BASH_4.findall(script.read_text(encoding="utf-8"))


@pytest.mark.parametrize("lock", ["requirements.lock", "script/lib/uv.txt"])
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    unpinned = [
        entry.splitlines()[0]
        for entry in entries
        if not re.match(r"[^\n]+==[^\n]+\\\n +--hash=sha256:[0-9a-f]{64}", entry)
    ]
    assert entries
    assert not unpinned
    assert not re.search(r"://|--index|--find-links|@ |file:", text)


def test_the_lock_satisfies_every_dependency() -> None:
    locked = pins(LOCK)
    for line in wanted():
        requirement = Requirement(line)
        name = requirement.name.lower().replace("_", "-")
        assert name in locked, f"{name} is not locked. Run: script/lock"
        assert locked[name] in requirement.specifier, f"{line} is locked as {locked[name]}. Run: script/lock"


def test_every_dependency_says_why_it_is_there() -> None:
    for line in wanted():
        assert re.search(rf'^  "{re.escape(line)}", +# \S.+$', PYPROJECT, re.MULTILINE), f"{line}: no reason beside it"


def test_this_environment_is_the_locked_one() -> None:
    locked = pins(LOCK)
    for line in wanted():
        name = Requirement(line).name.lower().replace("_", "-")
        assert Version(version(name)) == locked[name], f"{name} is not the locked one. Run: script/setup"


def test_imports_run_down_only() -> None:
    checked = run(Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("module", "line"), BREAKS.items())
def test_a_wrong_import_is_refused(module: str, line: str, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "crm_assets", tmp_path / "crm_assets", ignore=shutil.ignore_patterns("__pycache__", "web", "sheetjs")
    )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    with (tmp_path / "crm_assets" / module).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    checked = run(
        Path(sys.executable).with_name("lint-imports"),
        "--no-logo",
        "--no-cache",
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path),
    )
    assert checked.returncode == 1, checked.stdout
    assert "BROKEN" in checked.stdout


def test_every_module_has_its_place_in_the_layers() -> None:
    rules = (ROOT / ".importlinter").read_text(encoding="utf-8")
    for path in (ROOT / "crm_assets").iterdir():
        if path.name == "portals" or path.name.startswith("__"):
            continue
        assert re.search(rf"\bcrm_assets\.{path.stem}\b", rules), f"crm_assets.{path.stem} has no line in .importlinter"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the cron scripts and this environment, where their locks are nobody else's."""
    for part in ("cron", "script"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".local").mkdir()
    return tmp_path


@pytest.fixture(params=["td", "uc"])
def crm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_cron_runs_the_real_command_from_any_folder(
    checkout: Path, crm: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ran = run(checkout / f"cron/crm_download_{crm}.sh", "--help", cwd=tmp_path_factory.mktemp("elsewhere"))
    assert ran.returncode == 0, ran.stderr
    assert "crm_download refresh" in ran.stdout
    assert "--store" in ran.stdout


def test_cron_hands_over_the_exit_code_of_the_command(checkout: Path, crm: str) -> None:
    ran = run(checkout / f"cron/crm_download_{crm}.sh", "--no-such-option")
    assert ran.returncode == 2
    assert "--no-such-option" in ran.stderr


def test_cron_starts_nothing_while_the_run_before_goes_on(checkout: Path, crm: str) -> None:
    with held(checkout / f".local/cron-{crm}.lock"):
        ran = run(checkout / f"cron/crm_download_{crm}.sh", "--help")
    assert ran.returncode == 75
    assert "has not ended" in ran.stderr
    assert not ran.stdout


def test_cron_without_an_environment_names_the_remedy(checkout: Path, crm: str) -> None:
    (checkout / ".venv").unlink()
    ran = run(checkout / f"cron/crm_download_{crm}.sh")
    assert ran.returncode == 69
    assert "script/setup" in ran.stderr


def test_a_killed_run_leaves_no_lock_behind(tmp_path: Path) -> None:
    locked, lock = ROOT / "script/lib/locked.py", tmp_path / "lock"
    first = subprocess.Popen(
        [sys.executable, locked, "skip", lock, "sh", "-c", "echo held; exec sleep 60"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout
    with first:
        assert first.stdout.readline() == "held\n"
        assert run(sys.executable, locked, "skip", lock, "true").returncode == 75
        first.kill()
    assert run(sys.executable, locked, "skip", lock, "sh", "-c", "exit 7").returncode == 7


@contextmanager
def held(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
