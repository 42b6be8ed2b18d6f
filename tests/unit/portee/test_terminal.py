"""Tables on a terminal fit its width; in a pipe they are whole; colours can be turned off."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from geo.settings import ROOT
from portee.console import json_bytes, print_table

TABLE = """
from portee.console import print_table, print_text
print_text("Un titre", "bold red")
print_table(
    ("code", "nom", "personnes", "à 10 min au plus", "à 20 min au plus", "à plus de 20 min", "offre"),
    [("47001", "Saint-Vincent-de-Lamontjoie", "333 576", "12 %", "85 %", "49 021", "1,25")],
    numbers=5,
)
"""
ROW = (
    "47001  Saint-Vincent-de-Lamontjoie    333 576"
    "              12 %              85 %            49 021   1,25"
)


def piped(**environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", TABLE],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
    ).stdout


def on_terminal(**environment: str) -> str:
    """What the program shows on a terminal of 80 columns, unless the environment says otherwise."""
    parent, child = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-c", TABLE],
        stdout=child,
        stderr=child,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment},
    )
    os.close(child)
    found = b""
    while True:
        try:
            part = os.read(parent, 65_536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        found += part
    assert done.wait(60) == 0
    return found.decode("utf-8").replace("\r\n", "\n")


@pytest.mark.parametrize("columns", ["20", "80", "400"])
def test_a_piped_table_is_whole_whatever_the_width(columns):
    lines = piped(COLUMNS=columns).splitlines()
    assert lines[-1] == ROW
    assert len(lines) == 4


def test_a_table_fits_eighty_columns_and_every_figure_is_legible():
    shown = on_terminal(NO_COLOR="1")
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    for figure in ("333 576", "12 %", "85 %", "49 021", "1,25", "Saint-Vincent-de-Lamontjoie"):
        assert figure in shown
    assert "…" not in shown


def test_the_width_is_the_one_of_columns():
    assert ROW in on_terminal(COLUMNS="200", NO_COLOR="1")
    narrow = on_terminal(COLUMNS="40", NO_COLOR="1").splitlines()
    assert max(map(len, narrow)) <= 40
    assert "personnes        : 333 576" in narrow or any("333 576" in line for line in narrow)


def test_colours_stop_at_a_wish_and_in_a_pipe():
    assert "\x1b[" in on_terminal()
    assert "\x1b[31m" not in on_terminal(NO_COLOR="1") and "\x1b[1;31m" not in on_terminal(NO_COLOR="1")
    assert "\x1b[" not in piped()


def test_a_sentence_quotes_a_file_letter_for_letter():
    script = "from portee.console import print_text, warn; print_text('root:x:0 [bold]'); warn('a:x:b')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "root:x:0 [bold]\n"
    assert "a:x:b" in done.stderr


def test_columns_bear_their_headings_and_numbers_stand_to_the_right(capsys):
    print_table(("nom", "lieux"), [("Agen", "7"), ("Sainte-Livrade", "12")], numbers=1)
    assert capsys.readouterr().out.splitlines() == [
        "nom             lieux",
        "──────────────  ─────",
        "Agen                7",
        "Sainte-Livrade     12",
    ]


def test_half_a_character_quoted_from_a_file_is_replaced_in_json():
    assert json.loads(json_bytes({"nom": "Bo\ud800!"})) == {"nom": "Bo?!"}
