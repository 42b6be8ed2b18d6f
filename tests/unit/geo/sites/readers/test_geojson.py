"""Positions of GeoJSON features: declared reference systems, several points, areas."""

from __future__ import annotations

import json

import pytest

from geo.crs import project
from geo.errors import UnreadableFile
from geo.sites.readers import json_documents, open_source
from tests.support.world import at

HERE = at(5)
LAMBERT = tuple(float(v) for v in project(HERE.x, HERE.y, 2154)[0])
DEGREES = (HERE.x, HERE.y)


def collection(*geometries, crs=(), last=False):
    features = [
        {"type": "Feature", "properties": {"id": str(i), "nom": "Lieu fictif"}, "geometry": geometry}
        for i, geometry in enumerate(geometries)
    ]
    declared = {"crs": crs} if crs != () else {}
    body = {"features": features}
    return {"type": "FeatureCollection"} | (body | declared if last else declared | body)


def records(tmp_path, document):
    path = tmp_path / "lieux.geojson"
    path.write_text(json.dumps(document), "utf-8")
    return list(json_documents.contents(path, "utf-8")[0].records())


def point(pair):
    return {"type": "Point", "coordinates": list(pair)}


def named(name):
    return {"type": "name", "properties": {"name": name}}


@pytest.mark.parametrize(
    "crs",
    [
        named("urn:ogc:def:crs:EPSG::2154"),
        named("EPSG:2154"),
        named("http://www.opengis.net/def/crs/EPSG/0/2154"),
        {"type": "EPSG", "properties": {"code": 2154}},
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_a_declared_system_is_converted_and_reported(tmp_path, crs, last):
    (record,) = records(tmp_path, collection(point(LAMBERT), crs=crs, last=last))
    assert tuple(map(float, record.point)) == pytest.approx(DEGREES, abs=1e-6)
    assert [i.code for i in record.issues] == ["coordonnees_converties"]
    assert "2154" in record.issues[0].reason


@pytest.mark.parametrize("epsg", [3857, 3945, 27572, 32631, 2975])
def test_any_known_system_may_be_declared(tmp_path, epsg):
    longitude, latitude = (55.5, -21.1) if epsg == 2975 else DEGREES
    x, y = project(longitude, latitude, epsg)[0]
    (record,) = records(tmp_path, collection(point((x, y)), crs=named(f"urn:ogc:def:crs:EPSG::{epsg}")))
    assert tuple(map(float, record.point)) == pytest.approx((longitude, latitude), abs=1e-5)


@pytest.mark.parametrize(
    "crs",
    [
        (),
        None,
        named("urn:ogc:def:crs:OGC:1.3:CRS84"),
        named("urn:ogc:def:crs:EPSG::4326"),
        named("EPSG:4326"),
    ],
)
def test_degrees_stay_as_they_are_written(tmp_path, crs):
    (record,) = records(tmp_path, collection(point((0.61630, 44.2)), crs=crs))
    assert record.point == ("0.6163", "44.2") and record.issues == ()


@pytest.mark.parametrize("crs", [named("EPSG:99999"), named("Lambert du cousin"), "autre", {"type": "link"}])
def test_an_unknown_system_refuses_the_file_and_names_it(tmp_path, crs):
    with pytest.raises(UnreadableFile, match="système de coordonnées inconnu"):
        records(tmp_path, collection(point(LAMBERT), crs=crs))


@pytest.mark.parametrize("pair", [("nord", "est"), ("inf", "1"), ("1e400", "0")])
def test_a_point_that_cannot_be_converted_is_left_to_validation(tmp_path, pair):
    (record,) = records(tmp_path, collection(point(pair), crs=named("EPSG:2154")))
    assert record.point == pair and record.issues == ()


def test_one_point_of_several_is_taken_without_a_word_and_the_first_of_more_is_flagged(tmp_path):
    one = {"type": "MultiPoint", "coordinates": [[0.6, 44.2]]}
    two = {"type": "MultiPoint", "coordinates": [[0.6, 44.2], [0.7, 44.3]]}
    first, second = records(tmp_path, collection(one, two))
    assert first.point == second.point == ("0.6", "44.2")
    assert first.issues == () and [i.code for i in second.issues] == ["geometrie_reduite"]
    assert "2 points" in second.issues[0].value


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": [[[0, 44], [1, 44], [1, 45], [0, 45], [0, 44]]]},
        {"type": "MultiPolygon", "coordinates": [[[[0, 44], [1, 44], [1, 45], [0, 45], [0, 44]]]]},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [0.5, 44.5]}]},
        {"type": "LineString", "coordinates": [[0, 44], [1, 45]]},
    ],
)
def test_an_area_or_a_line_gives_its_centre_and_is_flagged(tmp_path, geometry):
    (record,) = records(tmp_path, collection(geometry))
    assert tuple(map(float, record.point)) == pytest.approx((0.5, 44.5))
    assert [i.code for i in record.issues] == ["geometrie_reduite"]


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {},
        {"type": "Point"},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [[1, 2]]},
        {"type": "MultiPoint", "coordinates": []},
        {"type": "MultiPoint", "coordinates": 3},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": "x"},
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "GeometryCollection"},
        {"type": "Autre", "coordinates": [0, 44]},
        "POINT (0 44)",
    ],
)
def test_a_feature_without_a_usable_geometry_has_no_point(tmp_path, geometry):
    (record,) = records(tmp_path, collection(geometry))
    assert record.point is None and record.issues == ()


def test_a_site_is_placed_by_its_converted_point(tmp_path):
    path = tmp_path / "lieux.geojson"
    document = collection(point(LAMBERT), crs=named("EPSG:2154"))
    columns = ("pivot", "commune", "code_postal", "adresse", "services")
    document["features"][0]["properties"] |= dict.fromkeys(columns, "x") | {"date_maj": "2026-01-01"}
    path.write_text(json.dumps(document), "utf-8")
    (row,) = open_source(path, max_bytes=10**6).rows()
    assert float(row.values["latitude"]) == pytest.approx(HERE.y, abs=1e-6)
    assert [i.code for i in row.issues] == ["coordonnees_converties"]
