"""Maps of measures: what they show of the books, in which classes, and what they keep back."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, measure
from geo.funding.account import AccountData
from geo.funding.action_kinds import load_kinds
from geo.funding.actions import Action
from geo.funding.disclosure_control import Key
from geo.funding.reports import Line
from geo.reach.travel import load_travel
from geo.territory.model import TerritoryKind
from static_maps.classes import ClassificationMethod
from static_maps.measure_catalogue import MEASURES, MeasureSubject, MeasureValues, measure_values
from static_maps.measure_page import HATCHED, LARGEST_PX, crossed, draw_measure, round_number
from static_maps.style import CROSSED, UNKNOWN_COLOUR
from tests.support import world
from tests.unit.static_maps.test_coverage_map import luminance

DAY = date(2026, 11, 2)


def books(**changes):
    sites = (world.site("a", 5), world.site("b", 15, "99002"))
    snapshot = world.snapshot(*sites)
    frame = AnalysisContext(snapshot, load_travel(None, home=Path("/nonexistent"), detour_factor=1.3), DAY)
    return AccountData(coverage=measure(frame, Question()), kinds=load_kinds(), **changes)


def line(code, paid=0, **changes):
    return Line(code, code, paid_cents=paid, **changes)


def action(reference, commune, cents, day=DAY):
    return Action(reference=reference, kind="event", day=day, commune=commune, amount_cents=cents)


def of(values, code="paye", form="habitant", withheld=()):
    return MeasureValues(MEASURES[code], form, TerritoryKind.COMMUNE, values, frozenset(withheld), "2026")


# --- what the books say


def test_euros_are_per_inhabitant_unless_a_total_is_asked_for():
    told = books(money={2026: [line("99001", 250_00), line("99002", 40_00), line("", 77_00)]})
    per = measure_values(told, MEASURES["paye"], TerritoryKind.COMMUNE, 2026)
    assert per.unit == "€ par habitant"
    # Nobody lives in 99003: it has no ratio, and is not zero.
    assert per.values == {"99001": 0.25, "99002": 0.02, "99004": 0}
    total = measure_values(told, MEASURES["paye"], TerritoryKind.COMMUNE, 2026, form="total")
    assert (total.unit, total.values["99001"], total.values["99003"]) == ("€", 250, 0)
    assert "77\u00a0€" in per.note


def test_what_is_paid_is_summed_by_territory():
    told = books(money={2026: [line("99001", 250_00), line("99002", 50_00), line("99004", 10_00)]})
    canton = measure_values(told, MEASURES["paye"], TerritoryKind.CANTON, 2026)
    assert canton.values == {"9901": 0.1, "9902": pytest.approx(0.0025)}
    assert canton.text("9902") == "moins de 0,01"


def test_a_year_that_is_not_known_is_not_zero():
    told = books(money={2026: [line("99001", 1)]})
    assert measure_values(told, MEASURES["paye"], TerritoryKind.COMMUNE, 2025).values == {}
    assert measure_values(told, MEASURES["actions"], TerritoryKind.COMMUNE, 2025).values == {}
    assert measure_values(told, MEASURES["pass"], TerritoryKind.COMMUNE, 2025).values == {}
    assert measure_values(told, MEASURES["pass"], TerritoryKind.COMMUNE, 2025).text("99001") == "inconnu"


def test_actions_are_counted_and_summed_in_the_year_they_begin():
    done = [
        action("1", "99001", 100_00),
        action("2", "99001", 0),
        action("3", "99002", 9_00, date(2025, 1, 1)),
    ]
    told = books(actions=done)
    assert (
        measure_values(told, MEASURES["actions"], TerritoryKind.COMMUNE, 2026).values["99001"] == 20
    )  # 2 for 1,000
    assert measure_values(told, MEASURES["montant"], TerritoryKind.COMMUNE, 2026).values["99001"] == 0.1
    assert measure_values(told, MEASURES["actions"], TerritoryKind.COMMUNE, 2026).values["99002"] == 0


def test_times_are_whole_minutes_and_have_no_total():
    told = measure_values(books(), MEASURES["temps"], TerritoryKind.COMMUNE, 2026, form="total")
    assert told.form == "habitant"
    assert told.values["99001"] == 0  # a site at the town hall
    assert all(value == int(value) for value in told.values.values())


def test_small_counts_of_people_are_kept_back(monkeypatch):
    told = books()
    # Stands for three people out of reach: what is small is geo.funding.disclosure_control's to say.
    counts: dict[Key, int | None] = {(TerritoryKind.COMMUNE, c.code, "people_beyond"): 0 for c in world.OWN}
    counts[TerritoryKind.COMMUNE, "99002", "people_beyond"] = None
    monkeypatch.setattr(AccountData, "published", lambda *_: counts)
    found = measure_values(told, MEASURES["audela"], TerritoryKind.COMMUNE, 2026)
    assert found.withheld == {"99002"}
    assert "99002" not in found.values
    assert found.text("99002") == "non publié"


@pytest.mark.parametrize("subject", MeasureSubject)
def test_ramps_darken_step_by_step(subject):
    steps = [luminance(colour) for colour in subject.ramp]
    assert steps == sorted(steps, reverse=True)
    assert all(a - b > 0.015 for a, b in pairwise(steps))


# --- what a map draws


def test_each_territory_has_the_colour_of_the_class_that_holds_it():
    values = {"a": 1.0, "b": 2.0, "c": 30.0, "d": 31.0, "e": 0.0}
    one = draw_measure(of(values), ClassificationMethod.NATURAL, 7)
    counted = {key.label: key for key in one.keys}
    assert sum(key.count for key in one.keys) == 7  # two of them not known
    assert counted["zéro"].colour == one.colours["e"]
    assert counted["inconnu"].colour == UNKNOWN_COLOUR
    assert one.colours["a"] != one.colours["c"]
    assert len({luminance(one.colours[c]) for c in "abcd"}) >= 3


def test_what_is_withheld_is_hatched_and_told_in_words():
    one = draw_measure(of({"a": 4.0}, "pass", withheld=["b", "c"]), ClassificationMethod.QUANTILES, 3)
    assert one.colours["b"] == one.colours["c"] == HATCHED
    assert [(k.label, k.count) for k in one.keys][-1] == ("non publié", 2)
    assert "petits nombres" in " ".join(one.notes)


def test_areas_of_circles_are_as_values():
    one = draw_measure(of({"a": 400.0, "b": 100.0, "c": 0.0}, form="total"), ClassificationMethod.NATURAL, 3)
    assert one.circles == {"a": 400.0, "b": 100.0}
    for key in one.keys:
        value = float(key.label.removesuffix(" €").replace("\u202f", ""))
        assert key.radius == pytest.approx(LARGEST_PX * (value / 400) ** 0.5)
    assert all(key.label.endswith("€") for key in one.keys)


def test_two_measures_crossed_make_nine_classes_of_their_thirds():
    codes = [f"{row}{column}" for row in range(3) for column in range(3)]
    first = of({code: 10.0 + int(code[1]) for code in codes}, "temps")
    second = of({code: 1.0 + int(code[0]) for code in codes}, "paye")
    found = crossed(first, second, 10)
    assert found.drawn.colours == {code: CROSSED[int(code[0])][int(code[1])] for code in codes}
    assert found.count == ((1, 1, 1),) * 3
    assert [(k.label, k.count) for k in found.drawn.keys] == [("inconnu", 1)]


def test_a_measure_without_any_value_is_still_a_map():
    one = draw_measure(of({}), ClassificationMethod.NATURAL, 4)
    assert [(k.label, k.count) for k in one.keys] == [("inconnu", 4)]
    assert draw_measure(of({}, form="total"), ClassificationMethod.NATURAL, 4).circles == {}
    assert crossed(of({}), of({"a": 1.0}), 4).drawn.colours == {}


@pytest.mark.parametrize(("value", "round_"), [(1599, 1000), (0.4, 0.2), (5, 5), (1000, 1000), (0.03, 0.02)])
def test_circles_of_the_legend_bear_round_numbers(value, round_):
    assert round_number(value) == pytest.approx(round_)
