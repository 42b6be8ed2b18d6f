"""Tables of coverage, and what they are when read back from each format."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from io import BytesIO, StringIO
from typing import Any

import geopandas
import openpyxl
import pyogrio
import pytest
import shapely

from geo.coverage import export
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.compare import compare
from geo.coverage.gaps import gaps_of_communes
from geo.coverage.measure import Question, measure
from geo.crs import LAMBERT_93, WGS84, reproject
from geo.hours.weekly import parse_slot
from geo.people.model import Indicator
from geo.reach.travel import Travel
from geo.sites.filters import SiteFilter
from geo.tables_out import unescape_formula
from geo.territory.model import Provenance, TerritoryKind
from tests.support.world import TERRITORY, site, snapshot

TODAY = date(2026, 3, 9)
HOSTILE = (
    "=cmd()",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "<b>",
    "a \"quote\" 'and' ; , |",
    "two\nlines",
    "'=kept",
    "]]>&amp;",
)


def coverage(*sites, **parameters):
    sites = sites or (site("a", 5), site("b", 15, "99002", pass_numerique=True))
    return measure(
        AnalysisContext(snapshot(*sites), Travel(None, detour_factor=1.3), TODAY), Question(**parameters)
    )


def rows_of(content):
    return list(csv.DictReader(StringIO(content.decode(), newline="")))


def layer_of(content, tmp_path):
    path = tmp_path / "couverture.gpkg"
    path.write_bytes(content)
    return path, geopandas.read_file(path)


def test_a_row_for_each_territory_and_a_meaning_for_each_column():
    measured = coverage()
    for kind in TerritoryKind:
        rows = export.territories_table(measured, kind)
        assert [r["code"] for r in rows] == [t.code for t in measured.by_territory(kind)]
    tables = (
        rows,
        export.gaps_table(measured, gaps_of_communes(measured)),
        export.changes_table(measured, compare(measured, coverage(site("a", 5)), TerritoryKind.COMMUNE)),
    )
    for table in tables:
        assert table and all(list(row) == list(table[0]) for row in table)
        assert all(export.meaning(column) for column in table[0])


def test_tables_hold_the_figures_of_the_coverage():
    measured = coverage(minutes=(5, 20), beyond_min=20)
    rows = {r["code"]: r for r in export.territories_table(measured, TerritoryKind.COMMUNE)}
    far = rows["99004"]
    assert (far["people"], far["people_beyond"], far["gap_rank"]) == (4_000, 4_000, 1)
    assert (far["share_within_5_min"], far["share_within_20_min"]) == (0, 0)
    assert far["nearest_site_name"] == "Lieu b"
    assert (far["beyond_min"], far["mode"], far["method"]) == (20, "car", "straight_line")
    assert far["fictitious"] is True
    assert rows["99003"]["share_within_5_min"] is None


def test_a_gap_stands_where_it_is_and_says_what_is_missing():
    measured = coverage(filter=SiteFilter.of({"pass_numerique": ["true"]}), beyond_min=15)
    rows = {r["code"]: r for r in export.gaps_table(measured, gaps_of_communes(measured))}
    gap, centre = rows["99001"], TERRITORY.communes[0].town_hall
    assert (gap["longitude"], gap["latitude"]) == pytest.approx((centre.x, centre.y), abs=1e-6)
    assert gap["missing"] == "ne dit pas s'il accepte le Pass numérique"
    assert str(gap["sentence"]).startswith("Ouestville : 1\u202f000 personnes")
    assert export.gaps_table(measured, ()) == []


def test_changes_are_those_of_the_comparison():
    before, after = coverage(site("a", 5)), coverage(site("a", 5), site("n", 35, "99004"))
    rows: dict[Any, Any] = {
        r["code"]: r for r in export.changes_table(after, compare(before, after, TerritoryKind.COMMUNE))
    }
    assert (rows["99004"]["gaining"], rows["99004"]["losing"]) == (4_000, 0)
    assert rows["99004"]["change_gap"] < 0 and rows["99004"]["change_min"] < 0


def test_csv_reads_back_as_it_was():
    rows = export.territories_table(coverage(), TerritoryKind.COMMUNE)
    for read, row in zip(rows_of(export.csv_bytes(rows)), rows, strict=True):
        assert list(read) == list(row)
        assert float(read["gap"]) == row["gap"]
        assert read["share_within_20_min"] == (
            "" if row["share_within_20_min"] is None else str(row["share_within_20_min"])
        )
        assert read["fictitious"] == "true"
    assert export.csv_bytes([]) == b""


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_a_formula_markup_or_a_new_line_of_a_file(name, tmp_path):
    rows = [{"code": "99001", "name": name, "gap": -1.5}]
    (read,) = rows_of(export.csv_bytes(rows))
    assert unescape_formula(read["name"]) == name
    assert not read["name"].startswith(("=", "+", "-", "@", "\t"))
    assert read["gap"] == "-1.5"
    book = openpyxl.load_workbook(BytesIO(export.xlsx_bytes({name: rows}, [(name, name)])))
    cell = book.worksheets[1]["B2"]
    assert (cell.value, cell.data_type) == (name, "s")
    assert book[export.README]["B1"].data_type == "s"
    shapes = {"99001": TERRITORY.communes[0].boundary}
    _, layer = layer_of(export.gpkg_bytes(rows, shapes, about=[(name, name)]), tmp_path)
    assert layer["name"].tolist() == [name]
    feature = json.loads(export.geojson_bytes(rows, shapes))["features"][0]
    assert feature["properties"] == rows[0]


@pytest.mark.parametrize("name", ["half \udce9", "nul \x00 bell \x07", "\ufffe"])
def test_characters_no_file_may_hold_are_replaced(name, tmp_path):
    rows = [{"code": "99001", "name": name, "gap": 0.0}]
    assert "\ufffd" in rows_of(export.csv_bytes(rows))[0]["name"]
    book = openpyxl.load_workbook(BytesIO(export.xlsx_bytes({"x": rows}, [(name, name)])))
    assert "\ufffd" in book["x"]["B2"].value
    _, layer = layer_of(export.gpkg_bytes(rows, {}, about=[(name, name)]), tmp_path)
    assert "\ufffd" in layer["name"][0]
    assert "\ufffd" in json.loads(export.geojson_bytes(rows, {}))["features"][0]["properties"]["name"]


def test_a_workbook_explains_itself_and_keeps_numbers_as_numbers():
    measured = coverage()
    rows = export.territories_table(measured, TerritoryKind.EPCI)
    gaps = export.gaps_table(measured, gaps_of_communes(measured))
    content = export.xlsx_bytes({"Couverture": rows, "Écarts": gaps}, export.about(measured))
    book = openpyxl.load_workbook(BytesIO(content))
    assert book.sheetnames == ["Lisez-moi", "Couverture", "Écarts"]
    names, *values = book["Couverture"].iter_rows(values_only=True)
    for each, row in zip(values, rows, strict=True):
        assert dict(zip(names, each, strict=True)) == pytest.approx(row)
    assert book["Couverture"]["K2"].number_format == "0.0%"
    lines: Any = book["Lisez-moi"].iter_rows(values_only=True)
    readme = dict(lines)
    assert readme["Avertissement"].startswith("Données de démonstration")
    assert readme["Méthode"] == "estimation à vol d'oiseau × 1,3"
    assert readme["people_beyond"] == export.meaning("people_beyond")


def test_a_geopackage_holds_the_layer_in_degrees_with_its_types(tmp_path):
    measured = coverage()
    rows = export.territories_table(measured, TerritoryKind.COMMUNE)
    shapes = export.geometries(measured, TerritoryKind.COMMUNE)
    content = export.gpkg_bytes(rows, shapes, about=export.about(measured))
    path, layer = layer_of(content, tmp_path)
    assert pyogrio.list_layers(path).tolist() == [["couverture", "MultiPolygon"]]
    info = pyogrio.read_info(path)
    assert info["crs"] == "EPSG:4326"
    assert "estimation à vol d'oiseau" in info["layer_metadata"]["DESCRIPTION"]
    types = dict(zip(info["fields"], info["dtypes"], strict=True))
    assert (types["code"], types["median_min"], types["gap_rank"]) == ("object", "float64", "int64")
    assert layer["people"].tolist() == [r["people"] for r in rows]
    assert all(a.equals(shapes[code]) for a, code in zip(layer.geometry, layer["code"], strict=True))


def test_geometries_in_metres_come_out_in_degrees(tmp_path):
    measured = coverage()
    rows = export.territories_table(measured, TerritoryKind.COMMUNE)
    shapes = export.geometries(measured, TerritoryKind.COMMUNE)
    metric = dict(zip(shapes, reproject(list(shapes.values()), source=WGS84, target=LAMBERT_93), strict=True))
    _, layer = layer_of(export.gpkg_bytes(rows, metric, epsg=LAMBERT_93), tmp_path)
    collection = json.loads(export.geojson_bytes(rows, metric, epsg=LAMBERT_93))
    for shape, feature, row in zip(layer.geometry, collection["features"], rows, strict=True):
        for found in (shape, shapely.from_geojson(json.dumps(feature["geometry"]))):
            assert shapely.hausdorff_distance(found, shapes[str(row["code"])]) < 1e-5


def test_geojson_is_as_the_standard_wants_it():
    measured = coverage()
    rows = export.territories_table(measured, TerritoryKind.COMMUNE)
    shapes = export.geometries(measured, TerritoryKind.COMMUNE)
    content = json.loads(export.geojson_bytes(rows, shapes, about=export.about(measured)))
    assert content["type"] == "FeatureCollection" and "crs" not in content
    assert content["about"][0]["heading"] == "Avertissement"
    for feature, row in zip(content["features"], rows, strict=True):
        assert (feature["id"], feature["properties"]) == (row["code"], row)
        for ring in shapely.from_geojson(json.dumps(feature["geometry"])).geoms:
            assert shapely.is_ccw(ring.exterior)
    none = json.loads(export.geojson_bytes(rows, {}))["features"][0]
    assert none["geometry"] is None


def test_no_table_at_all_is_still_a_file(tmp_path):
    _, layer = layer_of(export.gpkg_bytes([], {}), tmp_path)
    assert len(layer) == 0
    assert json.loads(export.geojson_bytes([], {}))["features"] == []
    assert openpyxl.load_workbook(BytesIO(export.xlsx_bytes({"Vide": []}, []))).sheetnames[1] == "Vide"


def test_what_is_doubtful_is_told_with_what_it_moves():
    sites = (
        site("old", 5, date_maj=date(2020, 1, 1)),
        site("lost", None),
        site("shut", 35, "99004", horaires="quand on veut"),
        site("open", 15, "99002", horaires="Sa 09:00-12:00"),
    )
    said = export.uncertainty_sentences(coverage(*sites, slot=parse_slot("samedi")))
    assert said[0] == "4 lieux répondent aux critères."
    assert said[1] == "1 lieu est ouvert, à coup sûr, au moment demandé (ouvert le samedi)."
    assert said[2] == "1 lieu est sans position et n'approche personne."
    assert any(s.startswith("1 lieu n'a pas été vérifié depuis 183 jours") for s in said)
    moved = next(s for s in said if "horaires inconnus" in s)
    assert moved.endswith("passerait de 43\u00a0% à 100\u00a0%.")
    assert export.uncertainty_sentences(coverage(filter=SiteFilter.of({"pass_numerique": ["false"]}))) == (
        "Aucun lieu ne répond aux critères.",
    )


def test_weights_and_sources_are_told():
    fragility = Indicator(
        "ifn",
        "Fragilité",
        "indice",
        "commune",
        Provenance("Fragilité", "Tests", "2025", "Libre"),
        {"99001": 2.0},
    )
    frame = AnalysisContext(
        replace(snapshot(site("a", 5)), indicators=(fragility,)), Travel(None, detour_factor=1.3), TODAY
    )
    answer = export.about(measure(frame, Question(weights=(("ifn", 0.5),))))
    assert ("Personnes", "habitants comptés à la mairie") in answer
    assert ("Poids du besoin", "Fragilité : 0,5") in answer
    assert ("Source", "Fragilité : Tests, 2025, Libre") in answer
    assert ("Calculé le", "9 mars 2026") in answer
