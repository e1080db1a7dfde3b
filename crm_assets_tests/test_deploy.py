"""The systemd unit in ``deploy/``: well formed, and as systemd itself reads it where it is installed."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import typer

from crm_assets import cli
from crm_assets.settings import PROJECT_ROOT

UNIT = PROJECT_ROOT / "deploy/crm_assets.service"
HOME = "/srv/crm_assets"
ENDS_CHROMIUM = {"MemoryDenyWriteExecute", "RestrictNamespaces", "PrivateUsers", "SystemCallFilter"}

Unit = dict[str, dict[str, list[str]]]


@pytest.fixture
def unit() -> Unit:
    """Sections, their settings, and the values of each; a line that is none of the format's fails."""
    sections: Unit = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = sections[header[1]] = defaultdict(list)
        elif line and not line.startswith("#"):
            setting = re.fullmatch(r"([A-Z]\w+)=(\S.*)", line)
            assert setting, line
            section[setting[1]].append(setting[2])
    return sections


def test_it_comes_back_whatever_ends_it_and_at_boot(unit: Unit) -> None:
    assert set(unit) == {"Unit", "Service", "Install"}
    service = unit["Service"]
    assert service["Restart"] == ["always"]
    assert unit["Unit"]["StartLimitIntervalSec"] == ["0"]
    assert service["OOMPolicy"] == ["continue"]
    assert unit["Install"]["WantedBy"] == ["multi-user.target"]


def test_it_ends_in_order(unit: Unit) -> None:
    service = unit["Service"]
    assert service["KillSignal"] == ["SIGTERM"]
    assert service["KillMode"] == ["mixed"]
    assert int(service["TimeoutStopSec"][0]) > 100


def test_it_starts_a_script_of_this_project_with_options_it_has(unit: Unit) -> None:
    (start,) = unit["Service"]["ExecStart"]
    script, *arguments = start.split()
    assert unit["Service"]["WorkingDirectory"] == [HOME]
    assert (PROJECT_ROOT / Path(script).relative_to(HOME)).stat().st_mode & 0o111
    commands = typer.main.get_command(cli.app)
    assert isinstance(commands, typer.core.TyperGroup)
    options = {option for parameter in commands.commands["server"].params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= options


def test_it_is_nobody_important_and_hardened_no_further_than_chromium_lives_with(unit: Unit) -> None:
    service = unit["Service"]
    assert service["User"] not in ([], ["root"])
    assert service["NoNewPrivileges"] == ["yes"]
    assert not ENDS_CHROMIUM & service.keys()


def test_every_setting_says_why() -> None:
    """A comment above it, or above the block it stands in."""
    for block in UNIT.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith(("[", "Description="))]
        assert lines[0].startswith("#"), block


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed on this machine")
def test_systemd_reads_it_without_a_word(tmp_path: Path) -> None:
    """A copy whose program is there. What systemd does not know it only warns of, and goes on."""
    script = tmp_path / "script/server"
    script.parent.mkdir()
    shutil.copy(PROJECT_ROOT / "script/server", script)
    rendered = tmp_path / UNIT.name
    rendered.write_text(UNIT.read_text(encoding="utf-8").replace(HOME, str(tmp_path)), encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", rendered], capture_output=True, text=True, timeout=60, check=False
    )
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
