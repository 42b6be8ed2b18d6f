"""Charts of the planner and the report: bars, the Lorenz curve, colours of classes."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coverage.equity import Lorenz, TimeClass, by_time
from static_maps import charts
from static_maps.planner_map import supply_classes, time_classes
from tests.unit.static_maps.test_coverage_map import HOSTILE, luminance

SVG = "{http://www.w3.org/2000/svg}"
PAGE = "/planifier"


def drawing(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def text_of(svg: ElementTree.Element) -> str:
    return " ".join("".join(svg.itertext()).split())


def classes(*people: float) -> tuple[TimeClass, ...]:
    minutes = np.array([4, 9, 30, np.inf]) * 60
    return by_time(minutes, np.array(people), (5, 10))


def test_bars_are_as_long_as_people_are_many():
    svg = drawing(charts.histogram(classes(100, 50, 25, 0), ["#111111"] * 4, identifier="h"))
    widths = [float(bar.get("width", "")) for bar in svg.iter(f"{SVG}rect")]
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.01)
    assert widths[0] / widths[2] == pytest.approx(4, rel=0.01)


def test_a_histogram_says_its_figures_in_words():
    svg = drawing(charts.histogram(classes(1_500, 500, 0, 0), ["#111111"] * 4, identifier="h"))
    described = svg.find(f"{SVG}desc")
    assert described is not None
    assert described.text == (
        "5\u00a0min au plus : 1\u202f500 personnes ; 5 à 10\u00a0min : 500 personnes ; "
        "au-delà de 10\u00a0min : aucune personne."
    )
    assert svg.get("aria-labelledby") == "h-titre h-texte"
    assert "1\u202f500 · 75\u00a0%" in "".join(svg.itertext())


def test_those_out_of_reach_are_drawn_only_when_there_are_some():
    colours = ["#111111"] * 4
    assert "hors d'atteinte" not in text_of(
        drawing(charts.histogram(classes(1, 0, 0, 0), colours, identifier="h"))
    )
    assert "hors d'atteinte" in text_of(
        drawing(charts.histogram(classes(1, 0, 0, 2), colours, identifier="h"))
    )


def test_nobody_at_all_is_drawn_without_a_share():
    svg = drawing(charts.histogram(classes(0, 0, 0, 0), ["#111111"] * 4, identifier="h"))
    assert all(bar.get("width") == "0" for bar in svg.iter(f"{SVG}rect"))
    assert "0 · —" in "".join(svg.itertext())


def curve(people: list[float], access: list[float]) -> Lorenz:
    return Lorenz(np.array(people), np.array(access))


def test_the_lorenz_curve_runs_from_corner_to_corner_below_the_diagonal():
    svg = drawing(charts.lorenz_curve(curve([0, 0.5, 1], [0, 0, 1]), identifier="l"))
    line = svg.find(f"{SVG}polyline")
    diagonal = next(e for e in svg.iter(f"{SVG}line") if e.get("stroke-dasharray"))
    assert line is not None
    points = [tuple(map(float, p.split(","))) for p in line.get("points", "").split()]
    assert points[0] == (float(diagonal.get("x1", "")), float(diagonal.get("y1", "")))
    assert points[-1] == (float(diagonal.get("x2", "")), float(diagonal.get("y2", "")))
    assert points[1][1] == points[0][1], "the worst served half has nothing"


def test_the_lorenz_curve_says_what_the_worst_served_have():
    svg = drawing(charts.lorenz_curve(curve([0, 0.5, 1], [0, 0.2, 1]), identifier="l"))
    described = svg.find(f"{SVG}desc")
    assert described is not None
    said = str(described.text).replace("\u00a0", " ")
    assert said.startswith("La moitié des habitants la moins bien servie a 20 % de l'aide accessible")
    assert said.endswith("le dixième, 4 %.")


def test_a_long_curve_is_thinned_and_keeps_its_shape():
    people = np.linspace(0, 1, 20_001)
    text = charts.lorenz_curve(Lorenz(people, people**2), identifier="l")
    line = drawing(text).find(f"{SVG}polyline")
    assert line is not None
    assert len(line.get("points", "").split()) <= 120
    assert len(text) < 6_000


@pytest.mark.parametrize("text", HOSTILE)
def test_no_label_of_a_chart_becomes_markup(text):
    hostile = (TimeClass(text, 0, 5, 1),)
    svg = drawing(charts.histogram(hostile, ["#111111"], identifier=text))
    assert {e.tag.removeprefix(SVG) for e in svg.iter()} <= {"svg", "title", "desc", "text", "rect", "line"}


# ---- Colours and figures


@pytest.mark.parametrize("minutes", [(20,), (5, 10, 15, 20, 30, 45)])
def test_each_class_of_time_is_darker_than_the_one_before(minutes):
    colours = [c["colour"] for c in time_classes(minutes)]
    assert len(colours) == len(minutes) + 2, "beyond the last, and out of reach"
    for lighter, darker in pairwise(colours):
        assert (luminance(lighter) + 0.05) / (luminance(darker) + 0.05) > 1.25


@given(st.floats(0, 1e6))
def test_classes_of_supply_follow_one_another_to_the_highest(mean):
    bounds = [c["up_to"] for c in supply_classes(mean)]
    assert bounds[0] == 0
    if mean > 0:
        assert bounds[-1] is None
        assert bounds[:-1] == sorted(bounds[:-1])
