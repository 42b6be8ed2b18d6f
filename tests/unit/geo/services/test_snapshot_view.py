"""Cache keys of a snapshot view: a second question that differs in one part gets its own answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo.coverage.catchment import parse_decay
from geo.coverage.measure import Question, Supply
from geo.coverage.scenario import Close
from geo.hours.weekly import TIME_ZONE, parse_slot
from geo.matching.text_search import SiteSearch
from geo.people.model import Indicator, People
from geo.reach.modes import Mode
from geo.reach.travel import Travel
from geo.services import accounts, scenarios, trend
from geo.services.accounts import FundingState
from geo.services.snapshot_view import SnapshotView
from geo.sites.filters import SiteFilter
from geo.store import dated_snapshots
from geo.store.dated_snapshots import DatedSnapshot
from geo.territory.model import Provenance, TerritoryKind
from tests.support.roads import road_graph
from tests.support.world import ORIGIN_X, ORIGIN_Y, site, snapshot

MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=TIME_ZONE)
SITES = (
    site("a", 5, horaires="Mo-Fr 09:00-17:00"),
    site("b", 25, "99003", horaires="Sa 09:00-12:00", frais_a_charge=("Payant",)),
    site("c", 35, "99004", horaires="2026 Nov 16-22 Mo-Su 09:00-12:00"),
)
TOWNS_KM = (5, 15, 25, 35, 45)
EAST, WEST = 600.0, 1_500.0
"""Seconds from a town to the next one: the road is slower westwards."""

FREE = SiteSearch(SiteFilter.of({"frais_a_charge": ["Gratuit"]}))
ALL = SiteSearch()
SATURDAY, TUESDAY = parse_slot("samedi"), parse_slot("mardi 10:00")
NOW, LATER = (parse_slot("maintenant", now=MONDAY + timedelta(days=days)) for days in (0, 14))


def travel() -> Travel:
    """One road along the towns, one-way times; cyclists take three times as long and stop at 25 km."""
    nodes = [(ORIGIN_X + km * 1_000, ORIGIN_Y + 5_000) for km in TOWNS_KM]
    graph = road_graph(nodes, [(at, at + 1, EAST, WEST) for at in range(4)], modes=(Mode.CAR, Mode.BICYCLE))
    seconds = {Mode.CAR: graph.seconds[Mode.CAR], Mode.BICYCLE: graph.seconds[Mode.CAR] * 3}
    seconds[Mode.BICYCLE][2:] = np.inf
    return Travel(replace(graph, seconds=seconds), detour_factor=1.3)


@dataclass
class Clock:
    moment: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.moment


def people() -> People:
    """Two cells in each town, of which one has few inhabitants; the second lies off the road."""
    rows = [(km, 0.0, 1_000.0 * (1 + at)) for at, km in enumerate(TOWNS_KM[:4])]
    rows += [(km, 3.0, 10.0) for km in TOWNS_KM[:4]]
    return People(
        commune=np.array([f"9900{1 + at % 4}" for at in range(8)]),
        xy=np.array([(ORIGIN_X + km * 1_000, ORIGIN_Y + 5_000 + north * 1_000) for km, north, _ in rows]),
        inhabitants=np.array([inhabitants for *_, inhabitants in rows]),
        aged_65=np.array([inhabitants * (0.1 + at / 10) for at, (*_, inhabitants) in enumerate(rows)]),
        cell_m=1_000,
        label="carreaux d'essai",
    )


def make_view(clock: Clock) -> SnapshotView:
    rates = {"99001": 10.0, "99002": 40.0, "99003": 90.0, "99004": 60.0}
    about = Provenance("Indice", "Tests", "2026", "test")
    found = replace(
        snapshot(*SITES),
        grid=people(),
        indicators=(Indicator("ifn", "Indice", "%", "commune", about, rates),),
    )
    view = SnapshotView(found, home=Path("/nonexistent"), detour_factor=1.3, searches_cached=9, clock=clock)
    view.__dict__["travel"] = travel()
    return view


def comparable(value: Any) -> Any:
    """A result as plain values, so that two of them can be compared."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [comparable(each) for each in value]
    if hasattr(value, "from_place"):
        return comparable(value.from_place(XY))
    if hasattr(value, "area"):
        return (value.minutes, value.area.wkb)
    if hasattr(value, "nearest_of"):
        return value.nearest_of(ORIGIN_X, ORIGIN_Y, k=9)
    return repr(value)


ASKED = Question(beyond_min=12)
PAID = replace(ASKED, filter=SiteFilter.of({"frais_a_charge": ["Payant"]}))
QUESTIONS = {
    "mode": replace(ASKED, mode=Mode.BICYCLE),
    "filter": replace(ASKED, filter=FREE.filter),
    "slot": replace(ASKED, slot=SATURDAY),
    "minutes": replace(ASKED, minutes=(7,)),
    "beyond_min": replace(ASKED, beyond_min=30),
    "weights": replace(ASKED, weights=(("ifn", 0.5),)),
    "supply": replace(ASKED, supply=Supply.SITES),
    "population": replace(ASKED, population="65"),
    "decay": replace(ASKED, decay=parse_decay("gauss:30")),
}
XY = (ORIGIN_X + 15_000.0, ORIGIN_Y + 5_000.0)
ELSEWHERE = (ORIGIN_X + 35_000.0, ORIGIN_Y + 5_000.0)

View = Callable[[SnapshotView], Any]


def summary(coverage: Any) -> Any:
    """Return what a coverage says of communes."""
    return coverage.by_territory(TerritoryKind.COMMUNE)


PAIRS: dict[str, tuple[View, View]] = {
    "rows: search": (lambda v: v.rows(ALL, SATURDAY), lambda v: v.rows(FREE, SATURDAY)),
    "rows: search without slot": (lambda v: v.rows(ALL), lambda v: v.rows(FREE)),
    "rows: slot": (lambda v: v.rows(ALL, TUESDAY), lambda v: v.rows(ALL, SATURDAY)),
    "rows: with or without slot": (lambda v: v.rows(ALL), lambda v: v.rows(ALL, SATURDAY)),
    "rows: week of the slot": (lambda v: v.rows(ALL, NOW), lambda v: v.rows(ALL, LATER)),
    "tree: search": (lambda v: v.tree(ALL), lambda v: v.tree(FREE)),
    "tree: search with a slot": (lambda v: v.tree(ALL, SATURDAY), lambda v: v.tree(FREE, SATURDAY)),
    "tree: slot": (lambda v: v.tree(ALL, TUESDAY), lambda v: v.tree(ALL, SATURDAY)),
    "tree: with or without slot": (lambda v: v.tree(ALL), lambda v: v.tree(ALL, SATURDAY)),
    "site_times: mode": (lambda v: v.site_times(Mode.CAR), lambda v: v.site_times(Mode.BICYCLE)),
    "gaps: of places or of communes": (
        lambda v: v.gaps(PAID, of_places=False, limit=9),
        lambda v: v.gaps(PAID, of_places=True, limit=9),
    ),
    "gaps: limit of places": (
        lambda v: v.gaps(PAID, of_places=True, limit=1),
        lambda v: v.gaps(PAID, of_places=True, limit=2),
    ),
    "gaps: limit of communes": (
        lambda v: v.gaps(PAID, of_places=False, limit=1),
        lambda v: v.gaps(PAID, of_places=False, limit=2),
    ),
    "gaps: question": (
        lambda v: v.gaps(PAID, of_places=False, limit=9),
        lambda v: v.gaps(replace(PAID, beyond_min=22), of_places=False, limit=9),
    ),
    "isochrones: point": (
        lambda v: v.isochrones(XY, Mode.CAR, (15,), outward=True),
        lambda v: v.isochrones(ELSEWHERE, Mode.CAR, (15,), outward=True),
    ),
    "isochrones: mode": (
        lambda v: v.isochrones(XY, Mode.CAR, (15,), outward=True),
        lambda v: v.isochrones(XY, Mode.BICYCLE, (15,), outward=True),
    ),
    "isochrones: minutes": (
        lambda v: v.isochrones(XY, Mode.CAR, (15,), outward=True),
        lambda v: v.isochrones(XY, Mode.CAR, (20,), outward=True),
    ),
    "isochrones: direction": (
        lambda v: v.isochrones(XY, Mode.CAR, (15,), outward=True),
        lambda v: v.isochrones(XY, Mode.CAR, (15,), outward=False),
    ),
    "times_around: point": (
        lambda v: v.times_around(XY, Mode.CAR, outward=True),
        lambda v: v.times_around(ELSEWHERE, Mode.CAR, outward=True),
    ),
    "times_around: mode": (
        lambda v: v.times_around(XY, Mode.CAR, outward=True),
        lambda v: v.times_around(XY, Mode.BICYCLE, outward=True),
    ),
    "times_around: direction": (
        lambda v: v.times_around(XY, Mode.CAR, outward=True),
        lambda v: v.times_around(XY, Mode.CAR, outward=False),
    ),
    "far_from_road: mode": (
        lambda v: v.far_from_road(Mode.CAR),
        lambda v: v.far_from_road(Mode.BICYCLE),
    ),
    "coverage_by_territory: kind": (
        lambda v: v.coverage_by_territory(ASKED, TerritoryKind.COMMUNE),
        lambda v: v.coverage_by_territory(ASKED, TerritoryKind.EPCI),
    ),
    "scenario: edits": (
        lambda v: scenarios.evaluate_edits(v, (Close("essai--a"),), ASKED, TerritoryKind.COMMUNE),
        lambda v: scenarios.evaluate_edits(v, (Close("essai--b"),), ASKED, TerritoryKind.COMMUNE),
    ),
    "scenario: kind": (
        lambda v: scenarios.evaluate_edits(v, (Close("essai--a"),), ASKED, TerritoryKind.COMMUNE),
        lambda v: scenarios.evaluate_edits(v, (Close("essai--a"),), ASKED, TerritoryKind.EPCI),
    ),
    "scenario: question": (
        lambda v: scenarios.evaluate_edits(v, (Close("essai--a"),), ASKED, TerritoryKind.COMMUNE),
        lambda v: scenarios.evaluate_edits(
            v, (Close("essai--a"),), QUESTIONS["beyond_min"], TerritoryKind.COMMUNE
        ),
    ),
}


def of_coverage(question: Question) -> View:
    return lambda view: summary(view.coverage(question))


def of_communes(question: Question) -> View:
    return lambda view: view.coverage_by_territory(question, TerritoryKind.COMMUNE)


for _part, _question in QUESTIONS.items():
    PAIRS[f"coverage: {_part}"] = (of_coverage(ASKED), of_coverage(_question))
    PAIRS[f"coverage_by_territory: {_part}"] = (of_communes(ASKED), of_communes(_question))


@pytest.mark.parametrize("name", PAIRS)
def test_a_question_that_differs_in_one_part_gets_its_own_answer(name):
    first, second = PAIRS[name]
    expected = comparable(second(make_view(Clock())))
    view = make_view(Clock())
    assert comparable(first(view)) != expected, "the two answers must differ for this test to see anything"
    assert comparable(second(view)) == expected


IN_A_FORTNIGHT: dict[str, View] = {
    "rows": lambda v: v.rows(ALL, TUESDAY),
    "tree": lambda v: v.tree(ALL, TUESDAY),
    "coverage": lambda v: summary(v.coverage(replace(ASKED, slot=TUESDAY))),
    "coverage_by_territory": lambda v: v.coverage_by_territory(
        replace(ASKED, slot=TUESDAY), TerritoryKind.COMMUNE
    ),
    "gaps": lambda v: v.gaps(replace(ASKED, slot=TUESDAY), of_places=True, limit=9),
    "scenario": lambda v: scenarios.evaluate_edits(
        v, (Close("essai--a"),), replace(ASKED, slot=TUESDAY), TerritoryKind.COMMUNE
    ),
}


@pytest.mark.parametrize("name", IN_A_FORTNIGHT)
def test_the_same_question_a_fortnight_later_is_computed_again(name):
    ask = IN_A_FORTNIGHT[name]
    fortnight = MONDAY + timedelta(days=14)
    expected = comparable(ask(make_view(Clock(fortnight))))
    clock = Clock()
    view = make_view(clock)
    assert comparable(ask(view)) != expected
    clock.moment = fortnight
    assert comparable(ask(view)) == expected


def test_a_question_is_computed_once():
    view = make_view(Clock())
    assert view.coverage(ASKED) is view.coverage(replace(ASKED))
    assert view.gaps(ASKED, of_places=True, limit=2) == view.gaps(ASKED, of_places=True, limit=2)
    assert view.site_times(Mode.CAR) is view.site_times(Mode.CAR)


@pytest.mark.parametrize(
    ("version", "detour_factor"), [(1, 1.4), (2, 1.3)], ids=["detour factor", "version of the data"]
)
def test_the_tag_changes_with_whatever_answers_depend_on(version, detour_factor):
    first = SnapshotView(snapshot(version=1), home=Path("/nonexistent"), detour_factor=1.3)
    other = SnapshotView(snapshot(version=version), home=Path("/nonexistent"), detour_factor=detour_factor)
    assert first.tag != other.tag


def test_the_tag_changes_with_the_time_of_the_snapshot():
    found = snapshot()
    later = replace(found, taken_at=found.taken_at + timedelta(seconds=1))
    tags = {SnapshotView(each, home=Path("/"), detour_factor=1.3).tag for each in (found, later)}
    assert len(tags) == 2


def test_account_data_is_read_again_when_the_day_the_year_or_the_funding_changes(monkeypatch):
    clock, reads = Clock(), []

    def read(connection, context, year, kinds):
        reads.append((context.day, year))
        return (context.day, year, len(reads))

    monkeypatch.setattr(accounts, "read_account_data", read)
    view = make_view(clock)
    connection: Any = None

    def ask(year=2026, key=("a",)):
        return accounts.account_data(connection, view, FundingState(key, frozenset()), year, {})

    first = ask()
    assert ask() is first
    assert ask(year=2025) != first
    assert ask(key=("b",)) != first
    clock.moment += timedelta(days=1)
    assert ask() != first
    assert len(reads) == 4


def test_a_trend_tells_states_kinds_and_questions_apart(monkeypatch):
    states = [DatedSnapshot(name, date(2025, month, 1), 3, 1, MONDAY) for name, month in (("x", 1), ("y", 2))]
    of_state = {"x": snapshot(*SITES[:1]), "y": snapshot(*SITES)}
    monkeypatch.setattr(dated_snapshots, "list_", lambda connection: states)
    monkeypatch.setattr(dated_snapshots, "read", lambda connection, name, **options: of_state[name])

    class Connection:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    def ask(view, question, kind):
        return [(s.name, s.whole, s.territories) for s in trend.trend(view, Connection, question, kind)]

    asked = [
        (ASKED, None),
        (ASKED, TerritoryKind.COMMUNE),
        (ASKED, TerritoryKind.EPCI),
        (QUESTIONS["beyond_min"], TerritoryKind.EPCI),
    ]
    view = make_view(Clock())
    for question, kind in asked:
        answer = ask(view, question, kind)
        assert answer == ask(make_view(Clock()), question, kind)
        assert [name for name, *_ in answer] == ["x", "y", trend.TODAY]
        assert answer[0][1] != answer[1][1]
        assert [whole.kind for _, whole, _ in answer] == [TerritoryKind.DEPARTEMENT] * 3
        assert {row.kind for *_, rows in answer for row in rows or ()} == ({kind} if kind else set())


def test_a_supply_of_a_scenario_is_told_to_four_decimals():
    found = scenarios.evaluate_edits(make_view(Clock()), (Close("essai--b"),), ASKED, TerritoryKind.COMMUNE)
    shown = [row["supply"] for row in found.territories]
    assert shown == [round(value, 4) for value in shown]
    assert any(value != round(value, 3) for value in shown)
