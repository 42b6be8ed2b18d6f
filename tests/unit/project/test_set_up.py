"""Set-up scripts: what they find, what they refuse, what they leave behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from geo.settings import ROOT

SCRIPTS = sorted((ROOT / "scripts").glob("*.sh"))
TOOLS = (
    "bash",
    "dirname",
    "sed",
    "sort",
    "tail",
    "cut",
    "id",
    "cat",
    "mkdir",
    "rm",
    "touch",
    "flock",
    "env",
    "cut",
)


@pytest.fixture
def checkout(tmp_path):
    """A copy of what the scripts read, with nothing set up."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("pyproject.toml", "requirements.txt", "package.json", "package-lock.json", "Makefile"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def programs(tmp_path_factory):
    """A PATH of few programs; those written with `fake` answer as set."""
    return tmp_path_factory.mktemp("bin")


def fake(programs: Path, name: str, body: str) -> None:
    path = programs / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def run(checkout, programs, *command, tools=TOOLS, **environment):
    for tool in tools:
        if (found := shutil.which(tool)) and not (programs / tool).exists():
            (programs / tool).symlink_to(found)
    return subprocess.run(
        command,
        cwd=checkout,
        env={"PATH": str(programs), "HOME": os.environ["HOME"], **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("script", [*SCRIPTS, ROOT / ".ci" / "run"], ids=lambda p: p.name)
def test_scripts_are_well_formed_and_can_be_run(script):
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert os.access(script, os.X_OK)


def test_without_python_one_message_says_how_to_get_it(checkout, programs):
    said = run(checkout, programs, "scripts/venv.sh", "requirements.txt")
    assert said.returncode == 3
    assert "Python 3.11 or later is needed" in said.stderr and "apt-get install python3" in said.stderr
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_not_taken(checkout, programs):
    fake(programs, "python3", 'case "$2" in *version_info*) exit 1;; esac')
    said = run(checkout, programs, "scripts/venv.sh", "requirements.txt")
    assert said.returncode == 3 and "Python 3.11 or later" in said.stderr


def test_a_failed_install_leaves_no_stamp(checkout, programs):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    fake(checkout / ".venv" / "bin", "python", 'case "$*" in *install*) exit 1;; esac')
    said = run(checkout, programs, "scripts/venv.sh", "requirements.txt")
    assert said.returncode == 3 and "Check the network" in said.stderr
    assert not (checkout / ".venv" / ".stamps" / "requirements.txt").exists()


def test_an_environment_already_there_is_left_alone(checkout, programs):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    fake(checkout / ".venv" / "bin", "python", "echo pip called >&2; exit 1")
    stamp = checkout / ".venv" / ".stamps" / "requirements.txt"
    stamp.parent.mkdir()
    stamp.touch()
    os.utime(stamp, (time.time() + 60, time.time() + 60))
    said = run(checkout, programs, "scripts/venv.sh", "requirements.txt")
    assert (said.returncode, said.stderr) == (0, "")


def test_a_second_run_waits_for_the_first(checkout, programs):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    fake(
        checkout / ".venv" / "bin",
        "python",
        'case "$*" in *require-hashes*) echo once >>installs; sleep 1;; esac',
    )
    for tool in ("sleep", "bash"):
        (programs / tool).symlink_to(shutil.which(tool))
    one = "scripts/venv.sh requirements.txt"
    both = f"{one} & first=$!; {one} & wait $first && wait $!"
    said = run(checkout, programs, "bash", "-c", both)
    assert said.returncode == 0, said.stderr
    assert "another set-up is at work" in said.stderr
    assert (checkout / "installs").read_text() == "once\n"


def test_without_npm_or_apt_one_message_says_how_to_get_it(checkout, programs):
    said = run(checkout, programs, "scripts/node.sh")
    assert said.returncode == 3 and "Node.js with npm is needed" in said.stderr


def test_without_apt_a_missing_postgis_lists_every_way_to_get_it(checkout, programs):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    fake(checkout / ".venv" / "bin", "python", "exit 3")
    said = run(checkout, programs, "scripts/postgis.sh")
    assert said.returncode == 3
    for way in ("dnf install", "brew install", "docker compose up", "DATABASE_URL="):
        assert way in said.stderr


def test_neither_root_nor_sudo_tells_the_command_to_run(checkout, programs):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    fake(checkout / ".venv" / "bin", "python", "exit 3")
    fake(programs, "id", "echo 1000")
    fake(programs, "apt-get", "echo called >>apt-calls")
    fake(programs, "apt-cache", "echo 'postgresql-17-postgis-3 - Geographic objects'")
    said = run(checkout, programs, "scripts/postgis.sh")
    assert said.returncode == 3
    assert "As root, run: apt-get update && apt-get install postgresql-" in said.stderr
    assert not (checkout / "apt-calls").exists()


def test_ci_runs_what_everybody_runs():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        "exec make test",
    ]


def test_make_says_its_verbs():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for verb in ("demo", "test", "lint", "lock", "clean", "help"):
        assert f"make {verb} " in said
