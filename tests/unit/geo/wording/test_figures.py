"""Figures as text: one table for Python in two languages and for the script of the pages."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.settings import ROOT
from geo.wording import figures
from geo.wording.language import FRENCH, language
from tests.support.figures import FIGURES, NARROW, NB, PARTS, shown_sum

SCRIPT = ROOT / "static_maps" / "assets" / "figures.js"
IN_SCRIPT = {"minutes": "minutes", "minutes_change": "minutesChange", "percent": "percent", "count": "count"}
IN_SCRIPT |= {"people": "people", "decimal": "decimal"}


def run_script(calls: Sequence[tuple[str, object]]) -> list[object]:
    """Call functions of `figures.js` through node: (name, argument) each, in order."""
    node = shutil.which("node")
    assert node, "node is needed: `make install` fetches it"
    program = (
        f"{SCRIPT.read_text('utf-8')}\nconst calls = {json.dumps(calls)};\n"
        "process.stdout.write(JSON.stringify(calls.map(([name, value]) => porteeFigures[name](value))));"
    )
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    texts: list[object] = json.loads(done.stdout)
    return texts


@pytest.mark.parametrize(("name", "value", "french", "english"), FIGURES)
def test_a_figure_reads_by_the_table(name, value, french, english):
    assert getattr(figures, name)(value) == french
    assert getattr(figures, name)(value, language("en")) == english


def test_the_script_of_pages_reads_by_the_same_table():
    rows = [(name, value, french) for name, value, french, _ in FIGURES if name in IN_SCRIPT]
    rows = [row for row in rows if row[1] is None or math.isfinite(row[1])]
    # The pages have no unknown travel time: what their data leaves out is out of reach.
    expected = [figures.OUT_OF_REACH if row[:2] == ("minutes", None) else row[2] for row in rows]
    assert len(rows) > 30
    assert run_script([(IN_SCRIPT[name], value) for name, value, _ in rows]) == expected


@pytest.mark.parametrize(("values", "texts"), PARTS)
def test_parts_of_a_whole_sum_to_a_hundred(values, texts):
    assert tuple(figures.percents(values)) == texts
    assert run_script([("percents", values)]) == [list(texts)]


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=12).filter(any))
def test_whatever_the_parts_they_sum(values):
    shares = [share for share in figures.whole_percents(values) if share is not None]
    assert sum(shares) == 100
    for share, value in zip(shares, values, strict=True):
        assert abs(share - 100 * value / sum(values)) < 1 + 1e-6
    assert shown_sum(figures.percents(values)) == 100


@given(st.floats(0, 1e6), st.floats(0, 1))
def test_the_script_follows_python_anywhere(minutes, share):
    expected = [figures.minutes(minutes), figures.decimal(minutes), figures.percent(share)]
    assert figures.reach_minutes(None) == figures.OUT_OF_REACH
    assert all(expected)


def test_the_script_follows_python_over_a_sweep():
    values = [n / 8 for n in range(0, 1_200, 7)] + [0.0049, 0.0051, 99.95, 59.4999, 1e6 / 3]
    calls: list[tuple[str, object]] = [
        (name, value) for value in values for name in ("minutes", "decimal", "count", "minutesChange")
    ]
    names = {"minutesChange": "minutes_change"}
    assert run_script(calls) == [getattr(figures, names.get(n, n))(v) for n, v in calls]


def test_dates_of_the_script_read_as_those_of_python():
    assert run_script([("longDate", "2026-03-01"), ("longDate", "2026-08-12T10:00:00Z")]) == [
        "1er mars 2026",
        "12 août 2026",
    ]


def test_what_is_written_is_what_is_classed():
    assert [figures.whole_minutes(v) for v in (0.6, 1, 2.5)] == [0, 1, 3]
    assert figures.round_decimal(3.14) == 3.1


def test_ranges_of_minutes_say_the_unit_once():
    assert figures.minutes_range(15, 30) == f"15 à 30{NB}min"
    assert figures.minutes_range(45, 60) == f"45{NB}min à 1{NB}h"


def test_settings_keep_all_their_digits():
    texts = [figures.exact(v) for v in (0.25, 1200.0, -3.5, 12.0, 0.3, 1e-7, math.inf)]
    assert texts == ["0,25", f"1{NARROW}200", "−3,5", "12", "0,3", "0,0000001", "—"]


def test_durations_are_told_in_the_largest_unit_they_fill_twice():
    texts = [figures.duration(v) for v in (1, 119, 120, 7_199, 7_200, 172_800)]
    assert texts == ["1 seconde", "119 secondes", "2 minutes", "119 minutes", "2 heures", "2 jours"]


def test_sizes_of_files():
    assert figures.file_size(350_400) == f"350{NB}ko"
    assert figures.file_size(1_500_000) == f"1,5{NB}Mo"
    assert figures.file_size(1_500_000, language("en")) == f"1.5{NB}MB"


@pytest.mark.parametrize(
    ("count", "french", "english"),
    [(0, "0 lieu", "0 places"), (1, "1 lieu", "1 place"), (2, "2 lieux", "2 places")],
)
def test_plurals_follow_the_rule_of_the_language(count, french, english):
    assert FRENCH.ngettext("%(num)s lieu", "%(num)s lieux", count) == french
    assert language("en").ngettext("%(num)s lieu", "%(num)s lieux", count) == english


def test_words_are_joined_as_in_a_sentence():
    assert figures.listed([]) == ""
    assert figures.listed(["Agen"]) == "Agen"
    assert figures.listed(["Agen", "Nérac", "Duras"]) == "Agen, Nérac et Duras"
    assert figures.listed(["Agen", "Duras"], language("en")) == "Agen and Duras"
