"""Boundary files older than the communes: former communes are united, other holes are refused.

In the older files of the world, 99002 is drawn as the two communes it was merged from: 99002 in the west,
6 km wide, and 99092 in the east, 4 km wide; 99004 as 99094 and 99095, both codes gone.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Point, box

from geo.crs import LAMBERT_93, WGS84, reproject
from geo.errors import IncompleteBoundaries, OperatorError
from geo.people.aggregation import FigureKind
from geo.people.areal_weighting import split_cells
from geo.people.indicators import read_indicator
from geo.territory.boundaries import with_boundaries
from geo.territory.build import build
from geo.territory.coverage_check import SHARE, STRIP_WIDTH_M, WIDE_M, uncovered
from geo.territory.former_communes import FormerCommune, FormerCommunes, read_register
from geo.territory.holes import fill
from geo.territory.sources import find_sources
from geo.territory.tiling import holes_of
from tests.support.shared import SHARED, needs_shared
from tests.support.world import ORIGIN_X, ORIGIN_Y, OWN, TERRITORY

FORMER = FormerCommunes(
    tuple(
        FormerCommune(code, name, commune)
        for code, name, commune in [
            ("99092", "Étang-Vieux", "99002"),
            ("99094", "Bourg-le-Haut", "99004"),
            ("99095", "Bourg-le-Bas", "99004"),
            ("96091", "Pierre-Vieille", "96001"),
        ]
    )
)


def strip(west_km, east_km, south_km=0.0, north_km=10.0):
    """A rectangle of the world in Lambert-93, by kilometres from its corner."""
    return box(
        ORIGIN_X + west_km * 1_000,
        ORIGIN_Y + south_km * 1_000,
        ORIGIN_X + east_km * 1_000,
        ORIGIN_Y + north_km * 1_000,
    )


OLDER = {
    "99001": strip(0, 10),
    "99002": strip(10, 16),
    "99092": strip(16, 20),
    "99003": strip(20, 30),
    "99094": strip(30, 37),
    "99095": strip(37, 40),
}


def write(path, shapes, column="INSEE_COM"):
    frame = gpd.GeoDataFrame({column: list(shapes)}, geometry=list(shapes.values()), crs=LAMBERT_93)
    frame.to_file(path)
    return path


def km2(shapes) -> float:
    return float(shapely.area(reproject(list(shapes), source=WGS84, target=LAMBERT_93)).sum()) / 1e6


def without(*codes):
    return {code: shape for code, shape in OLDER.items() if code not in codes}


@pytest.mark.parametrize("name", ["ancien.gpkg", "ancien.geojson", "ancien.shp"])
def test_former_communes_are_united_and_each_is_reported(tmp_path, name):
    territory, report = with_boundaries(TERRITORY, write(tmp_path / name, OLDER), FORMER)
    assert report.united == {"99002": ("99002", "99092"), "99004": ("99094", "99095")}
    assert (report.matched, report.elsewhere) == (4, 0)
    assert [round(km2([c.boundary])) for c in territory.communes] == [100, 100, 100, 100]
    assert holes_of(shapely.union_all([c.boundary for c in territory.communes])) == []
    assert sum(c.population for c in territory.communes) == 7_000


def test_nobody_of_a_grid_is_lost_with_former_communes(tmp_path):
    territory, _ = with_boundaries(TERRITORY, write(tmp_path / "ancien.gpkg", OLDER), FORMER)
    cells = np.array([strip(x, x + 1, y, y + 1) for x in range(40) for y in range(10)], dtype=object)
    parts = split_cells(cells, territory)
    inhabitants = np.bincount(parts.cell, weights=parts.share, minlength=400) * 10
    assert inhabitants.sum() == pytest.approx(4_000, rel=1e-4)  # 400 cells of 10 persons
    by_commune = {
        code: 10 * parts.share[parts.commune == code].sum() for code in (c.code for c in territory.communes)
    }
    assert by_commune == pytest.approx(dict.fromkeys(by_commune, 1_000), rel=1e-3)


@pytest.mark.parametrize(
    ("absent", "lost"),
    [("99092", "99002 (40 km²)"), ("99095", "99004 (30 km²)"), ("99094", "99004 (70 km²)")],
)
def test_ground_without_a_commune_is_refused_naming_it_and_what_may_be_missing(tmp_path, absent, lost):
    path = write(tmp_path / "ancien.gpkg", without(absent))
    with pytest.raises(IncompleteBoundaries) as refused:
        with_boundaries(TERRITORY, path, FORMER)
    answer = str(refused.value).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert lost.split()[0] in answer
    assert absent in answer
    assert "rien n'a été changé" in answer


def test_without_the_register_the_same_file_is_refused_rather_than_leave_a_hole(tmp_path):
    path = write(tmp_path / "a.gpkg", without("99094") | {"99004": strip(30, 40)})
    with pytest.raises(IncompleteBoundaries, match="99002") as refused:
        with_boundaries(TERRITORY, path)
    assert "refaites le territoire" in refused.value.advice


def test_a_hole_inside_the_territory_is_refused_however_small_its_share(tmp_path):
    pond = Point(ORIGIN_X + 15_000, ORIGIN_Y + 5_000).buffer(70)  # 1.5 ha of 100 km²
    holed = {c.code: strip(10 * i, 10 * i + 10) for i, c in enumerate(OWN)}
    path = write(tmp_path / "trou.gpkg", holed | {"99002": holed["99002"].difference(pond)})
    with pytest.raises(IncompleteBoundaries, match="99002"):
        with_boundaries(TERRITORY, path)


@pytest.mark.parametrize(
    ("depth_km", "length_km", "allowed"),
    [
        (STRIP_WIDTH_M / 1_000 - 0.02, 10.0, True),  # generalised border
        (0.49, 10.0, True),  # 4.9 % of the commune
        (SHARE * 10 + 0.02, 10.0, False),
        (WIDE_M / 1_000 - 0.05, 1.5, True),  # 1.4 %, less than a kilometre wide
        (WIDE_M / 1_000 + 0.05, 1.5, False),
    ],
)
def test_the_edge_may_move_by_as_much_as_is_stated(depth_km, length_km, allowed):
    before = {c.code: c.boundary for c in OWN}
    bay = strip(10, 10 + length_km, 0, depth_km)
    after = reproject(
        [strip(10 * i, 10 * i + 10).difference(bay) for i in range(4)], source=LAMBERT_93, target=WGS84
    )
    assert (list(uncovered(before, after, epsg=LAMBERT_93)) == []) is allowed


@pytest.mark.parametrize("absent", ["99003", "99004"])
def test_a_file_older_than_a_separation_is_refused_naming_both(tmp_path, absent):
    whole = {c.code: strip(10 * i, 10 * i + 10) for i, c in enumerate(OWN)}
    other = {"99003": "99004", "99004": "99003"}[absent]
    shapes = {c: s for c, s in whole.items() if c != absent} | {other: strip(20, 40)}
    with pytest.raises(IncompleteBoundaries, match=rf"{absent} \(dans {other}\)") as refused:
        with_boundaries(TERRITORY, write(tmp_path / "avant.gpkg", shapes), FORMER)
    assert "plus récent" in refused.value.advice


def test_a_delegated_commune_drawn_inside_the_one_of_today_adds_nothing(tmp_path):
    shapes = {c.code: strip(10 * i, 10 * i + 10) for i, c in enumerate(OWN)} | {"99092": strip(16, 20)}
    territory, report = with_boundaries(TERRITORY, write(tmp_path / "deux-niveaux.gpkg", shapes), FORMER)
    assert report.united == {}
    assert km2([territory.communes[1].boundary]) == pytest.approx(100, abs=0.01)


def test_a_neighbour_whose_shape_changed_keeps_that_of_today(tmp_path):
    path = write(tmp_path / "a.gpkg", OLDER | {"96001": strip(40, 44)})
    territory, report = with_boundaries(TERRITORY, path, FORMER)
    assert report.not_replaced == ("96001",)
    assert report.neighbours == 0
    assert km2([territory.context[0].boundary]) == pytest.approx(100, abs=0.01)
    path = write(tmp_path / "b.gpkg", OLDER | {"96001": strip(40, 44), "96091": strip(44, 50)})
    territory, report = with_boundaries(TERRITORY, path, FORMER)
    assert (report.not_replaced, report.neighbours) == ((), 1)
    assert report.united["96001"] == ("96001", "96091")


def test_the_register_follows_chains_and_leaves_out_communes_that_exist_again():
    communes: list[dict[str, Any]] = [
        {"code": "99001", "type": "commune-actuelle", "nom": "A", "anciensCodes": ["99011", "99012"]},
        {"code": "99002", "type": "commune-actuelle", "nom": "B"},
        {"code": "99001", "type": "commune-deleguee", "nom": "Vieux-A", "chefLieu": "99001"},
        {"code": "99011", "type": "commune-deleguee", "nom": "C", "chefLieu": "99001"},
        {"code": "99013", "type": "commune-associee", "nom": "D", "chefLieu": "99011"},
        {"code": "99014", "type": "commune-associee", "nom": "E", "chefLieu": "99099"},
        {"code": "99022", "type": "arrondissement-municipal", "nom": "F", "commune": "99002",
         "population": 7},
    ]  # fmt: skip
    register = read_register(communes, {"99011": 40, "99001": 60}, {"99001", "99002"})
    assert register.entries == (
        FormerCommune("99001", "Vieux-A", "99001", 60),
        FormerCommune("99011", "C", "99001", 40),
        FormerCommune("99012", "", "99001"),
        FormerCommune("99013", "D", "99001"),
        FormerCommune("99022", "F", "99002", 7),
    )
    assert register.codes_of == {"99001": ("99011", "99012", "99013"), "99002": ("99022",)}
    assert [register.today(c) for c in ("99013", "99002", "99014")] == ["99001", "99002", "99014"]
    assert ("99012" in register, "99002" in register) == (True, False)


def holed(*, north: float = 10.0):
    """The world where 99002 is drawn 6 km wide, below a bar of 99001 that closes the hole."""
    shapes = {
        "99001": shapely.union_all([strip(0, 10), strip(10, 20, 9, north), strip(10, 20, 0, 1)]),
        "99002": strip(10, 16, 1, 9),
        "99003": strip(20, 30),
        "96001": strip(30, 40),
    }
    plane = reproject(list(shapes.values()), source=LAMBERT_93, target=WGS84)
    return dict(zip(shapes, (shapely.MultiPolygon([p]) for p in plane), strict=True))


@pytest.mark.parametrize(
    ("surely", "perhaps", "filled", "candidates"),
    [
        ({"99002"}, {"99001", "99003"}, ["99002"], []),
        (set(), {"99002"}, ["99002"], []),
        ({"99002", "99001"}, set(), [], [("99001", "99002")]),
        (set(), {"99003", "99002"}, [], [("99002", "99003")]),
        ({"96001"}, set(), [], [()]),
    ],
)
def test_a_hole_goes_to_the_one_commune_around_it_that_lacks_a_part(surely, perhaps, filled, candidates):
    whole = fill(holed(), {"99001"}, surely=surely, perhaps=perhaps, epsg=LAMBERT_93)
    assert [hole.commune for hole in whole.filled] == filled
    assert [hole.candidates for hole in whole.left] == candidates
    for area in (*(hole.area_m2 for hole in whole.filled), *(hole.area_m2 for hole in whole.left)):
        assert area == pytest.approx(32e6, rel=1e-3)  # 4 km by 8 km
    assert km2([whole.boundaries["99002"]]) == pytest.approx(80 if filled else 48, abs=0.1)


def test_between_neighbours_a_hole_may_be_an_enclave():
    whole = fill(holed(), {"96001"}, surely=set(), perhaps={"99002"}, epsg=LAMBERT_93)
    assert (whole.filled, [hole.candidates for hole in whole.left]) == ((), [()])


REAL = {
    "24-dordogne": (503, 24),
    "32-gers": (458, 6),
    "33-gironde": (534, 7),
    "40-landes": (327, 4),
    "46-lot": (312, 13),
    "82-tarn-et-garonne": (195, 0),
}
"""Communes of today, and codes of the 2018 files united into some of them."""


@needs_shared
@pytest.mark.parametrize("name", REAL)
def test_real_files_of_2018_leave_no_hole_and_lose_no_figure(name, tmp_path):
    communes, codes = REAL[name]
    try:
        built = build(name[:2], find_sources())
    except OperatorError as problem:
        pytest.skip(str(problem))
    path = SHARED / f"data/boundaries/voisins/communes-{name}.geojson"
    territory, report = with_boundaries(built.territory, path, built.former)
    assert (report.matched, report.elsewhere, report.not_replaced) == (communes, 0, ())
    assert sum(map(len, report.united.values())) == codes
    own = [c.boundary for c in territory.communes]
    assert holes_of(shapely.union_all(own)) == []
    drawn = shapely.union_all(gpd.read_file(path).to_crs(LAMBERT_93).geometry.to_list())
    assert km2(own) == pytest.approx(drawn.area / 1e6, abs=0.01)
    people = [sum(c.population for c in t.communes) for t in (territory, built.territory)]
    assert people[0] == people[1]
    # A figure of 1 in each row of the same geography: none is rejected, and the sum is the number of rows.
    codes = gpd.read_file(path).code
    table = tmp_path / "2018.csv"
    table.write_text("\n".join(["code_insee;v", *(f"{code};1" for code in codes)]), "utf-8")
    loaded = read_indicator(
        table,
        territory,
        former=built.former,
        kind=FigureKind.COUNT,
        code="x",
        name="Essai",
        column="v",
        max_bytes=99_999,
    )
    assert (loaded.tally.accepted, loaded.tally.rejected, loaded.missing) == (len(codes), 0, ())
    assert sum(loaded.indicator.values.values()) == len(codes)
    assert loaded.carried.keys() == report.united.keys()
