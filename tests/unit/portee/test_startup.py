"""The command line starts light, completes, and ends on Ctrl-C with one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geo.settings import ROOT
from portee.cli import COMMANDS, app

HEAVY = {
    *("geopandas", "fastapi", "sqlalchemy", "numpy", "pandas", "shapely", "scipy", "pydantic", "rich"),
    *("openpyxl", "babel", "uvicorn", "folium", "orjson", "jinja2", "alembic"),
}


def portee(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portee", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
        timeout=120,
    )


def imported_by(*words: str) -> set[str]:
    """Top-level packages loaded once a command line has ended."""
    program = (
        "import json, sys\n"
        f"sys.argv = ['portee', *{list(words)!r}]\n"
        "from portee.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True, timeout=120
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_help_and_version_import_nothing_heavy(words):
    assert imported_by(*words) & HEAVY == set()


def test_the_check_of_imports_would_notice():
    assert "sqlalchemy" in imported_by("db", "--help")


def test_help_lists_every_command_with_its_purpose():
    done = portee("--help")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    for name in COMMANDS:
        assert any(line.startswith(f"  {name} ") and len(line.split()) > 2 for line in lines), name
    assert "…" not in "".join(line for line in lines if not line.startswith("  actions"))


def test_every_command_can_be_loaded():
    for name in COMMANDS:
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0


def test_version_is_printed():
    done = portee("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "portee")


def test_commands_complete_with_their_help():
    environment = {"_PORTEE_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "portee sna"}
    done = portee(**environment)
    assert "snapshots" in done.stdout and "états datés" in done.stdout
    assert "coverage" not in done.stdout


def test_options_of_a_command_complete():
    done = portee(_PORTEE_COMPLETE="complete_bash", COMP_WORDS="portee gaps --pla", COMP_CWORD="2")
    assert done.stdout.split() == ["--places"]


def test_a_completion_script_is_installed_where_the_shell_reads_it(tmp_path):
    done = portee("--install-completion", "bash", HOME=str(tmp_path))
    assert done.returncode == 0
    assert "Complétion pour bash installée" in done.stdout
    script = (tmp_path / ".bash_completions" / "portee.sh").read_text("utf-8")
    assert "_PORTEE_COMPLETE=complete_bash" in script
    assert "portee.sh" in (tmp_path / ".bashrc").read_text("utf-8")


def interrupted(program: str, tmp_path: Path, **environment: str) -> tuple[int, str]:
    """Exit code and standard error of a program that is interrupted once it has written `ready`."""
    ready = tmp_path / "ready"
    started = subprocess.Popen(
        [sys.executable, "-c", program.replace("READY", repr(str(ready)))],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    limit = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < limit:
        time.sleep(0.02)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    return started.returncode, errors


IMPORTING = """
import sys, pathlib, time, types
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == 'MODULE':
            pathlib.Path(READY).touch()
            try:
                time.sleep(30)
            except KeyboardInterrupt:  # as libraries that turn it into an ImportError
                raise ImportError(name)
sys.meta_path.insert(0, Slow())
sys.argv = ['portee', 'gaps']
from portee.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["typer", "numpy", "geo.store.database"])
def test_an_interruption_during_imports_is_one_line(module, tmp_path):
    code, errors = interrupted(IMPORTING.replace("MODULE", module), tmp_path)
    assert (code, errors) == (130, "Interrompu.\n")


RUNNING = """
import pathlib, sys, time
import portee.commands.actions as actions
def wait(path):
    try:
        pathlib.Path(READY).touch()
        time.sleep(30)
    finally:
        pathlib.Path(READY + '.undone').touch()
actions.load_kinds = wait
sys.argv = ['portee', 'actions', 'kinds']
from portee.__main__ import main
main()
"""


@pytest.mark.parametrize(("language", "sentence"), [("fr", "Interrompu."), ("en", "Interrupted.")])
def test_an_interruption_of_a_command_is_one_line_and_what_was_begun_is_undone(language, sentence, tmp_path):
    code, errors = interrupted(RUNNING, tmp_path, PORTEE_LANG=language)
    assert (code, errors) == (130, f"{sentence}\n")
    assert (tmp_path / "ready.undone").exists()


def test_a_question_answered_no_changes_nothing():
    done = CliRunner().invoke(app, ["snapshots", "forget", "a"], input="n\n")
    assert done.exit_code == 1
    assert "Oublier l'état daté « a » ? [o/N] :" in done.stdout
    assert done.stderr.endswith("Abandonné.\n")
