"""What is rendered once from a snapshot, its keys, and how its age is worded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from api.planner import PlannerQuery, canonical, parse_planner_query
from api.rendered_snapshot import CurrentView, RenderedSnapshot
from api.responses import etag
from api.service import AppState
from geo.hours.weekly import TIME_ZONE
from geo.services.snapshot_view import SnapshotView
from geo.territory.model import TerritoryKind
from geo.wording import figures
from static_maps.settings import MapSettings
from tests.support.serving import HandKeeper, serving
from tests.support.world import TERRITORY, site, snapshot

MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=TIME_ZONE)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 seconde"),
        (0, "0 seconde"),
        (1, "1 seconde"),
        (2, "2 secondes"),
        (59, "59 secondes"),
        (60, "60 secondes"),
        (119, "119 secondes"),
        (120, "2 minutes"),
        (3_600, "60 minutes"),
        (7_199, "119 minutes"),
        (7_200, "2 heures"),
        (86_400, "24 heures"),
        (172_799, "47 heures"),
        (172_800, "2 jours"),
        (432_000, "5 jours"),
    ],
)
def test_an_age_reads_in_the_largest_unit_it_holds_twice(seconds, words):
    assert figures.duration(seconds) == words


def current(*, detour_factor: float = 1.3, version: int = 1, database_ok: bool = True) -> CurrentView:
    view = SnapshotView(
        snapshot(site("a", 5), site("b", 15, "99002"), version=version),
        home=Path("/nonexistent"),
        detour_factor=detour_factor,
    )
    return CurrentView(view, RenderedSnapshot(view, MapSettings()), timedelta(), database_ok)


@pytest.mark.parametrize(
    "other",
    [current(detour_factor=1.4), current(version=2), current(database_ok=False)],
    ids=["detour factor", "version", "database away"],
)
def test_the_validator_changes_with_whatever_an_answer_depends_on(other):
    assert etag(current(), "-json") != etag(other, "-json")
    assert etag(other, "-json") != etag(other, "-csv")
    assert etag(other, "-json") == etag(other, "-json")


RENDERED: dict[str, tuple[Callable[[RenderedSnapshot], Any], Callable[[RenderedSnapshot], Any]]] = {
    "feature: row": (lambda r: r.feature(0), lambda r: r.feature(1)),
    "shape: code": (
        lambda r: r.shape(TERRITORY.find("99001", TerritoryKind.COMMUNE)),
        lambda r: r.shape(TERRITORY.find("99002", TerritoryKind.COMMUNE)),
    ),
    "shape: kind": (
        lambda r: r.shape(TERRITORY.find("9901", TerritoryKind.CANTON)),
        lambda r: r.shape(TERRITORY.find("99", TerritoryKind.DEPARTEMENT)),
    ),
    "ground: kind": (
        lambda r: repr(r.ground(TerritoryKind.COMMUNE)),
        lambda r: repr(r.ground(TerritoryKind.EPCI)),
    ),
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_part_that_differs_is_rendered_apart(name):
    first, second = RENDERED[name]
    expected = second(current().rendered)
    rendered = current().rendered
    assert first(rendered) != expected
    assert second(rendered) == expected


def planner_query(query: str, moment: datetime = MONDAY) -> PlannerQuery:
    pairs = canonical(parse_qsl(query))
    return parse_planner_query(query.encode(), pairs, moment)


@pytest.mark.parametrize(
    ("query", "moment"),
    [
        ("beyond_min=15&tri=nom", MONDAY),
        ("beyond_min=15&couche=offre", MONDAY),
        ("beyond_min=15&kind=epci", MONDAY),
        ("beyond_min=16", MONDAY),
        ("beyond_min=15", MONDAY + timedelta(days=1)),
        ("beyond_min=15&slot=maintenant", MONDAY),
    ],
)
def test_each_planner_question_and_day_has_its_own_page(query, moment):
    assert planner_query(query, moment).key != planner_query("beyond_min=15").key


def test_a_page_of_now_is_rendered_again_each_minute():
    first, later = (planner_query("slot=maintenant", MONDAY + timedelta(minutes=each)) for each in (0, 1))
    assert first.key != later.key
    assert planner_query("beyond_min=15").key == planner_query("beyond_min=15", MONDAY).key


def test_a_new_snapshot_replaces_all_that_was_rendered():
    keeper = HandKeeper(snapshot(site("a", 5)))
    with serving(keeper) as client:
        service = service_of(client)
        first = service.current()
        assert service.current().rendered is first.rendered
        keeper.snapshot = snapshot(site("b", 5), version=2)
        assert service.current().rendered is not first.rendered
        assert service.current().view is not first.view


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/imprimer/commune/99001.pdf", "/imprimer/commune/99002.pdf"),
        ("/imprimer/commune/99001.pdf", "/imprimer/commune/99001.pdf?lang=en"),
        ("/imprimer/commune/99001.pdf", "/imprimer/epci/200000001.pdf"),
    ],
    ids=["territory", "language", "kind"],
)
def test_sheets_that_differ_in_one_part_are_not_mixed(first, second):
    with serving(snapshot(site("a", 5), site("b", 15, "99002"))) as client:
        set_clock(client)
        one, other = client.get(first), client.get(second)
        assert one.status_code == other.status_code == 200
        assert one.content != other.content
        assert client.get(first).content == one.content


def test_a_sheet_is_set_again_the_next_day_and_for_another_address_of_the_pages():
    path = "/imprimer/commune/99001.pdf"
    with serving(snapshot(site("a", 5))) as client:
        set_clock(client)
        today = client.get(path).content
        elsewhere = client.get(path, headers={"Host": "other.test"}).content
        set_clock(client, MONDAY + timedelta(days=1))
        tomorrow = client.get(path).content
    assert len({today, elsewhere, tomorrow}) == 3


def set_clock(client: Any, moment: datetime = MONDAY) -> None:
    service_of(client).current().view.clock = lambda: moment


def service_of(client: Any) -> AppState:
    service: AppState = client.app.state.service
    return service
