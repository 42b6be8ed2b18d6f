"""Finer official boundaries: found by content, matched by code, mended, or refused with a reason."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from shapely import LineString, Polygon, box

from geo.crs import LAMBERT_93, WGS84, reproject
from geo.errors import IncompleteBoundaries, InvalidCrs, UnreadableFile
from geo.settings import ROOT
from geo.territory.boundaries import SUBJECT, with_boundaries
from geo.territory.files import read_former_communes, read_territory
from geo.territory.model import TerritoryKind
from geo.territory.tiling import holes_of
from tests.support.shared import SHARED, needs_shared
from tests.support.world import CONTEXT, ORIGIN_X, ORIGIN_Y, OWN, SIDE, TERRITORY

SHIFT_M = 300.0
"""The finer border of the world runs this far north of the one it had."""


def finer_square(column: int) -> Polygon:
    """A commune of the world in Lambert-93, moved north, its corners at the same meridians."""
    left = ORIGIN_X + column * SIDE
    return box(left, ORIGIN_Y + SHIFT_M, left + SIDE, ORIGIN_Y + SIDE + SHIFT_M)


def finer(column_name: str = "INSEE_COM") -> gpd.GeoDataFrame:
    """The world's own communes, and one of nowhere, as IGN would give them."""
    codes = [*(c.code for c in OWN), "97999"]
    return gpd.GeoDataFrame(
        {
            "ID": [f"COMMUNE_{i}" for i in range(5)],
            "NOM": [f"Fictif {i}" for i in range(5)],
            column_name: codes,
        },
        geometry=[finer_square(i) for i in (0, 1, 2, 3, 9)],
        crs=LAMBERT_93,
    )


def area_km2(shape) -> float:
    return float(shapely.area(reproject([shape], source=WGS84, target=LAMBERT_93)[0])) / 1e6


@pytest.mark.parametrize(
    ("name", "column", "epsg"),
    [
        ("communes.geojson", "code", WGS84),
        ("COMMUNE.gpkg", "insee_com", LAMBERT_93),
        ("COMMUNE.gpkg", "CODE_INSEE", 3857),
        ("COMMUNE.shp", "INSEE_COM", LAMBERT_93),
        ("limites.gpkg", "colonne", WGS84),
    ],
)
def test_any_format_column_and_reference_system_serves(tmp_path, name, column, epsg):
    path = tmp_path / name
    finer(column).to_crs(epsg).to_file(path)
    territory, report = with_boundaries(TERRITORY, path)
    assert (report.matched, report.neighbours, report.elsewhere) == (4, 0, 1)
    assert report.column.lower() == column.lower()
    assert report.mended == ()
    for i, c in enumerate(territory.communes):
        expected = reproject([finer_square(i)], source=LAMBERT_93, target=WGS84)[0]
        assert (
            shapely.hausdorff_distance(c.boundary, expected) < 5e-5
        )  # a straight side in 3857 bends in 2154
    assert [replace(c, boundary=o.boundary) for c, o in zip(territory.communes, OWN, strict=True)] == list(
        OWN
    )


def test_groupings_and_provenance_follow_the_file(tmp_path):
    path = tmp_path / "fin.gpkg"
    finer().to_file(path)
    territory, _ = with_boundaries(TERRITORY, path)
    assert shapely.coverage_is_valid([c.boundary for c in territory.communes])
    whole = territory.find("99", TerritoryKind.DEPARTEMENT).boundary
    assert area_km2(whole) == pytest.approx(400, abs=0.01)
    assert holes_of(whole) == []
    assert [g.partial for g in territory.groupings] == [g.partial for g in TERRITORY.groupings]
    assert [p.producer for p in territory.provenance if p.subject == SUBJECT] == ["fichier fin.gpkg"]


def test_a_number_that_lost_its_zero_is_still_a_code(tmp_path):
    renamed = {c.code: f"01{c.code[2:]}" for c in OWN}
    territory = replace(TERRITORY, communes=tuple(replace(c, code=renamed[c.code]) for c in OWN))
    frame = finer()
    frame["INSEE_COM"] = [int(renamed.get(c, c)) for c in frame["INSEE_COM"]]
    frame.to_file(tmp_path / "nombres.gpkg")
    assert with_boundaries(territory, tmp_path / "nombres.gpkg")[1].matched == 4


def test_the_layer_of_communes_is_found_among_others(tmp_path):
    path = tmp_path / "ADE.gpkg"
    points = finer().assign(geometry=finer().centroid)
    points.to_file(path, layer="CHEF_LIEU")
    finer().dissolve().assign(INSEE_COM="99001").to_file(path, layer="DEPARTEMENT")
    finer().to_file(path, layer="COMMUNE")
    pyogrio.write_dataframe(finer()[["ID", "INSEE_COM"]], path, layer="table_sans_forme")
    halves = finer().iloc[[0, 0, 1, 2, 3, 4]].copy()
    halves.to_file(path, layer="QUARTIER")
    assert with_boundaries(TERRITORY, path)[1].layer == "COMMUNE"


def test_a_commune_in_several_rows_is_their_union(tmp_path):
    frame = finer()
    west, east = (
        shapely.intersection(finer_square(0), box(ORIGIN_X + a, ORIGIN_Y, ORIGIN_X + b, ORIGIN_Y + 2 * SIDE))
        for a, b in ((0, 4_000), (4_000, SIDE))
    )
    frame = gpd.pd.concat(
        [frame.assign(geometry=[west, *frame.geometry[1:]]), frame.iloc[[0]].assign(geometry=[east])]
    )
    gpd.GeoDataFrame(frame, crs=LAMBERT_93).to_file(tmp_path / "iris.gpkg")
    territory, report = with_boundaries(TERRITORY, tmp_path / "iris.gpkg")
    assert (report.matched, report.elsewhere) == (4, 1)
    assert area_km2(territory.communes[0].boundary) == pytest.approx(100, abs=0.01)


def test_invalid_shapes_are_mended_and_counted(tmp_path):
    x, y = ORIGIN_X, ORIGIN_Y + SHIFT_M
    # A spike of no width runs 700 m north of the corner and back.
    spiked = Polygon(
        [
            (x, y),
            (x + SIDE, y),
            (x + SIDE, y + SIDE),
            (x + SIDE, y + SIDE + 700),
            (x + SIDE, y + SIDE),
            (x, y + SIDE),
        ]
    )
    assert not spiked.is_valid
    frame = finer()
    frame.loc[0, "geometry"] = spiked
    frame.to_file(tmp_path / "tordu.gpkg")
    territory, report = with_boundaries(TERRITORY, tmp_path / "tordu.gpkg")
    assert report.mended == ("99001",)
    assert all(c.boundary.is_valid for c in territory.communes)
    assert area_km2(territory.communes[0].boundary) == pytest.approx(100, abs=0.1)


def test_slips_between_finer_communes_are_mended(tmp_path):
    frame = finer()
    frame.loc[1, "geometry"] = shapely.transform(finer_square(1), lambda xy: xy - [3.0, 0.0])
    frame.to_file(tmp_path / "decale.gpkg")
    territory, report = with_boundaries(TERRITORY, tmp_path / "decale.gpkg")
    assert shapely.coverage_is_valid([c.boundary for c in territory.communes])
    assert report.overlap_m2 == pytest.approx(3 * SIDE, rel=0.05)


def test_a_file_that_misses_communes_is_refused_naming_them(tmp_path):
    finer().iloc[[0, 2, 4]].to_file(tmp_path / "partiel.gpkg")
    with pytest.raises(IncompleteBoundaries, match="2 communes sur 4 : 99002, 99004") as refused:
        with_boundaries(TERRITORY, tmp_path / "partiel.gpkg")
    assert "rien n'a été changé" in refused.value.advice


def test_two_communes_on_the_same_ground_are_refused(tmp_path):
    frame = finer()
    frame.loc[1, "geometry"] = finer_square(0)
    frame.to_file(tmp_path / "double.gpkg")
    with pytest.raises(IncompleteBoundaries, match=r"99001|99002"):
        with_boundaries(TERRITORY, tmp_path / "double.gpkg")


def test_a_commune_without_a_shape_is_missing(tmp_path):
    frame = finer()
    frame.loc[1, "geometry"] = None
    frame.loc[2, "geometry"] = Polygon()
    frame.to_file(tmp_path / "vide.gpkg")
    with pytest.raises(IncompleteBoundaries, match="99002, 99003"):
        with_boundaries(TERRITORY, tmp_path / "vide.gpkg")


def test_a_file_of_elsewhere_is_refused(tmp_path):
    finer().iloc[[4]].to_file(tmp_path / "ailleurs.gpkg")
    with pytest.raises(IncompleteBoundaries, match="aucune des communes"):
        with_boundaries(TERRITORY, tmp_path / "ailleurs.gpkg")


def test_lines_are_not_boundaries(tmp_path):
    frame = finer().set_geometry([LineString([(0, 0), (1, 1)])] * 5, crs=LAMBERT_93)
    frame.to_file(tmp_path / "lignes.gpkg")
    with pytest.raises(IncompleteBoundaries):
        with_boundaries(TERRITORY, tmp_path / "lignes.gpkg")


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02" * 500, b'{"type":"FeatureCollection","features":[{"ty']
)
@pytest.mark.parametrize("name", ["x.geojson", "x.gpkg", "x.shp", "x.txt"])
def test_what_is_no_boundary_file_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile):
        with_boundaries(TERRITORY, tmp_path / name)


def test_coordinates_without_a_reference_system_are_refused(tmp_path):
    finer().to_file(tmp_path / "COMMUNE.shp")
    (tmp_path / "COMMUNE.prj").unlink()
    with pytest.raises(UnreadableFile, match="système"):
        with_boundaries(TERRITORY, tmp_path / "COMMUNE.shp")


@pytest.mark.parametrize("declared", [WGS84, 2975, 32631])
def test_a_reference_system_wrongly_declared_is_noticed(tmp_path, declared):
    finer().set_crs(declared, allow_override=True).to_file(tmp_path / "faux.gpkg")
    with pytest.raises(InvalidCrs):
        with_boundaries(TERRITORY, tmp_path / "faux.gpkg")


def test_a_neighbour_in_the_file_takes_its_boundary_from_it(tmp_path):
    frame = finer()
    frame.loc[4, "INSEE_COM"] = CONTEXT[0].code
    frame.loc[4, "geometry"] = finer_square(4)
    frame.to_file(tmp_path / "voisin.gpkg")
    territory, report = with_boundaries(TERRITORY, tmp_path / "voisin.gpkg")
    assert (report.matched, report.neighbours, report.elsewhere) == (4, 1, 0)
    (outside,) = territory.context
    expected = reproject([finer_square(4)], source=LAMBERT_93, target=WGS84)[0]
    assert shapely.hausdorff_distance(outside.boundary, expected) < 5e-5


def test_a_neighbour_left_out_gives_way_to_the_new_border(tmp_path):
    frame = finer()
    frame.loc[3, "geometry"] = box(
        ORIGIN_X + 3 * SIDE, ORIGIN_Y, ORIGIN_X + 4 * SIDE + 1_000, ORIGIN_Y + SIDE
    )
    frame.to_file(tmp_path / "large.gpkg")
    territory, _ = with_boundaries(TERRITORY, tmp_path / "large.gpkg")
    (outside,) = territory.context
    assert area_km2(outside.boundary) == pytest.approx(90, abs=0.1)
    assert area_km2(shapely.intersection(outside.boundary, territory.communes[3].boundary)) < 1e-3


def test_feature_identifiers_of_a_geojson_may_be_texts_that_repeat(tmp_path):
    answer = json.loads(finer().to_crs(WGS84).to_json())
    for feature in answer["features"]:
        feature["id"] = "même"
    (tmp_path / "ids.geojson").write_text(json.dumps(answer), "utf-8")
    territory, _ = with_boundaries(TERRITORY, tmp_path / "ids.geojson")
    west = [c.boundary.bounds[0] for c in territory.communes]
    assert west == sorted(west)
    assert np.ptp(west) > 0.3


@needs_shared
@pytest.mark.parametrize("name", ["communes-47-lot-et-garonne.geojson", "iris-47.geojson"])
def test_real_boundaries_of_lot_et_garonne_load(name):
    shipped = read_territory(ROOT / "data" / "communes", "47")
    territory, report = with_boundaries(shipped, SHARED / "data/boundaries" / name)
    assert (report.matched, report.elsewhere) == (319, 0)
    own = [c.boundary for c in territory.communes]
    assert shapely.coverage_is_valid(own)
    whole = territory.find("47", TerritoryKind.DEPARTEMENT).boundary
    assert holes_of(whole) == []
    assert area_km2(whole) == pytest.approx(5_382.5, abs=0.5)  # published: 5 382,4 and 5 382,6
    assert area_km2(whole) == pytest.approx(sum(map(area_km2, own)), abs=1e-5)


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "cantons-47-lot-et-garonne.geojson",
        "departement-47-lot-et-garonne.geojson",
        "voisins/communes-24-dordogne.geojson",
    ],
)
def test_real_files_of_other_things_are_refused(name):
    shipped = read_territory(ROOT / "data" / "communes", "47")
    with pytest.raises(IncompleteBoundaries):
        with_boundaries(shipped, SHARED / "data/boundaries" / name)


@needs_shared
def test_real_neighbours_come_along(tmp_path):
    parts = [
        SHARED / "data/boundaries/communes-47-lot-et-garonne.geojson",
        SHARED / "data/boundaries/voisins/communes-24-dordogne.geojson",
    ]
    gpd.pd.concat([gpd.read_file(p) for p in parts]).to_crs(LAMBERT_93).to_file(tmp_path / "deux.gpkg")
    shipped = read_territory(ROOT / "data" / "communes", "47")
    former = read_former_communes(ROOT / "data" / "communes", "47")
    _, report = with_boundaries(shipped, tmp_path / "deux.gpkg", former)
    own_24 = [c for c in shipped.context if c.departement_code == "24"]
    assert (report.matched, report.neighbours, report.elsewhere) == (319, len(own_24), 0)
    assert (len(report.united), sum(len(codes) for codes in report.united.values())) == (7, 24)
    assert report.not_replaced == ()
