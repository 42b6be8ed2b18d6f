"""One figure reads the same wherever it is shown: values × outputs, through the code that renders each."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from math import inf

import pytest

from geo.coverage.gaps import _with_sentence, gaps_of_communes
from geo.coverage.measure import Question, measure
from geo.funding.account_model import CENTS, SHARE, format_value
from geo.reach.modes import Mode
from geo.settings import ROOT
from geo.territory.model import TerritoryKind
from geo.wording import figures, site_phrases
from geo.wording.language import FRENCH
from portee import console
from portee.language import use_language
from static_maps import page_data, planner_map
from static_maps.measure_catalogue import MEASURES, MeasureValues
from tests.support.world import site
from tests.unit.geo.coverage.test_measure import frame

MINUTES = (
    (0.4, "moins d'une minute"),
    (1.0, "1 min"),
    (12.5, "13 min"),
    (59.6, "1 h"),
    (75.0, "1 h 15"),
    (None, "hors d'atteinte"),
)
SHARES = (
    (0.0, "0 %"),
    (0.004, "moins de 1 %"),
    (0.021, "2 %"),
    (0.979, "98 %"),
    (0.997, "plus de 99 %"),
    (1.0, "100 %"),
)
EUROS = ((0, "0 €"), (125_000, "1 250 €"), (125_050, "1 250,50 €"), (-40_000, "−400 €"))


def spaced(text: str) -> str:
    """Return a text with ordinary spaces: which space holds a number together is pinned elsewhere."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def script(name: str, value: float | None) -> str:
    """Run a function of the script that pages load."""
    node = shutil.which("node")
    assert node
    program = (ROOT / "static_maps/assets/figures.js").read_text("utf-8")
    call = f"process.stdout.write(porteeFigures[{json.dumps(name)}]({json.dumps(value)}))"
    done = subprocess.run([node, "-e", f"{program}\n{call}"], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def coverage():
    return measure(frame(site("a", 5), site("b", 33, "99004")), Question(beyond_min=5))


def row_of(coverage, **changes):
    return replace(coverage.by_territory(TerritoryKind.COMMUNE)[0], **changes)


def map_measure(code, value):
    """Text of a measure on the maps of measures; what has no value is unknown there, so it is left out."""
    return MeasureValues(MEASURES[code], "habitant", TerritoryKind.COMMUNE, {"99001": value}).text("99001")


TIMES = {
    "card and page of a site": lambda _, m: site_phrases.journey(FRENCH, inf if m is None else m, Mode.CAR),
    "data of the map of access": lambda c, m: page_data._access(row_of(c, median_min=m), ())["time"],
    "table of the planner": lambda c, m: planner_map._row(row_of(c, median_min=m), None)["time"],
    "command line": lambda _, m: console.travel_time(m),
    "script of pages": lambda _, m: script("minutes", m),
}
TIMES_KNOWN = {
    "sentence of a gap": lambda c, m: _with_sentence(c, replace(gaps_of_communes(c)[0], minutes=m)).sentence,
    "account of a territory": lambda _, m: format_value(m, "minutes"),
    "map of measures": lambda _, m: map_measure("temps", m),
}
"""Outputs that word the absence of a time by a sentence of their own."""


READINGS = [(output, *each) for output in TIMES for each in MINUTES] + [
    (output, *each) for output in TIMES_KNOWN for each in MINUTES if each[0] is not None
]


@pytest.mark.parametrize(("output", "minutes", "text"), READINGS)
def test_a_travel_time_reads_the_same(coverage, output, minutes, text):
    use_language("fr")
    shown = {**TIMES, **TIMES_KNOWN}[output](coverage, minutes)
    assert text in spaced(shown), shown


SHARED = {
    "account of a territory": lambda _, s: format_value(s, SHARE),
    "data of the map of access": lambda c, s: page_data._access(row_of(c, share_within=(s,)), (0,))["within"][
        0
    ],
    "map of measures": lambda _, s: map_measure("audela", s * 100),
    "command line": lambda _, s: console.percent(s),
    "script of pages": lambda _, s: script("percent", s),
}


@pytest.mark.parametrize(("share", "text"), SHARES)
@pytest.mark.parametrize("output", SHARED)
def test_a_share_reads_the_same(coverage, output, share, text):
    use_language("fr")
    assert spaced(SHARED[output](coverage, share)) == text


SUMS = {
    "account of a territory": lambda cents: format_value(cents, CENTS),
    "command line": console.euros,
    "pages and statement of the fund": figures.euros,
}


@pytest.mark.parametrize(("cents", "text"), EUROS)
@pytest.mark.parametrize("output", SUMS)
def test_a_sum_of_money_reads_the_same(output, cents, text):
    use_language("fr")
    assert spaced(SUMS[output](cents)) == text
