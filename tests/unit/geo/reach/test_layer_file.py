"""Files of road layers: which layer is read, and which files are refused."""

from __future__ import annotations

import geopandas as gpd
import pytest
from pyproj.exceptions import CRSError
from shapely import Point

from geo.crs import LAMBERT_93, WGS84
from geo.errors import InvalidCrs, UnreadableFile
from geo.reach import layer_file
from geo.reach.build import area_of
from geo.reach.layers import read_layer
from tests.support.road_layers import PROFILES, D, X, Y, degrees, geojson, line
from tests.support.world import TERRITORY, at


def test_the_layer_with_most_lines_is_the_one_read(tmp_path):
    path = tmp_path / "bdtopo.gpkg"
    for name, count in (("toponymie", 1), ("troncon_de_route", 3)):
        rows = [line((0, 100 * i), (1000, 100 * i)) for i in range(count)]
        gpd.GeoDataFrame({"NATURE": ["Chemin"] * count}, geometry=rows, crs=LAMBERT_93).to_file(
            path, layer=name
        )
    gpd.GeoDataFrame({"a": [1] * 9}, geometry=[Point(X, Y)] * 9, crs=LAMBERT_93).to_file(path, layer="points")
    found = read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert found.features == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("vide.geojson", b"", "n'a pas pu être lu"),
        ("texte.geojson", b"bonjour", "n'a pas pu être lu"),
        ("sans.geojson", b'{"type": "FeatureCollection", "features": []}', "est vide"),
        ("faux.gpkg", bytes(200), "n'a pas pu être lu"),
    ],
)
def test_files_that_are_not_layers_are_refused_with_advice(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=words) as found:
        read_layer(tmp_path / name, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert "GeoJSON ou GeoPackage" in found.value.advice


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="introuvable"):
        read_layer(tmp_path / "x.gpkg", epsg=LAMBERT_93, bounds=None, profiles=PROFILES)


def test_truncated_files_are_refused(tmp_path):
    whole = geojson(tmp_path / "a.geojson", *[(degrees(i, i + 1), D) for i in range(30)])
    text = whole.read_text("utf-8")
    rows = [line((0, i), (1000, i)) for i in range(3000)]
    gpd.GeoDataFrame({"ref": ["D1"] * 3000}, geometry=rows, crs=LAMBERT_93).to_file(tmp_path / "b.gpkg")
    content = (tmp_path / "b.gpkg").read_bytes()
    for share in (0.3, 0.6, 0.9):
        whole.write_text(text[: int(len(text) * share)], "utf-8")
        (tmp_path / "b.gpkg").write_bytes(content[: int(len(content) * share)])
        for path in (whole, tmp_path / "b.gpkg"):
            with pytest.raises(UnreadableFile, match="tronqué"):
                read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)


def test_a_layer_of_points_is_refused(tmp_path):
    path = geojson(tmp_path / "p.geojson", (at(1), D), (at(2), D))
    with pytest.raises(UnreadableFile, match=r"Aucune des 2 lignes|aucune couche de lignes"):
        read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    gpd.GeoDataFrame(D, geometry=[at(1)], index=[0], crs=WGS84).to_file(tmp_path / "p.gpkg")
    with pytest.raises(UnreadableFile, match="aucune couche de lignes"):
        read_layer(tmp_path / "p.gpkg", epsg=LAMBERT_93, bounds=None, profiles=PROFILES)


def test_columns_without_a_class_are_listed(tmp_path):
    path = geojson(tmp_path / "x.geojson", (degrees(1, 2), {"couleur": "rouge", "id": 3}))
    with pytest.raises(UnreadableFile, match="couleur, id") as found:
        read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert "NATURE" in found.value.advice


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_geopackage_without_reference_system_is_refused(tmp_path):
    gpd.GeoDataFrame(D, geometry=[line((0, 0), (9, 9))], index=[0]).to_file(tmp_path / "x.gpkg")
    with pytest.raises(UnreadableFile, match="dans quel système"):
        read_layer(tmp_path / "x.gpkg", epsg=LAMBERT_93, bounds=None, profiles=PROFILES)


def test_metres_declared_as_degrees_are_refused(tmp_path):
    path = geojson(tmp_path / "x.geojson", (line((0, 0), (1000, 0)), D))
    with pytest.raises((InvalidCrs, UnreadableFile), match=r"hors du système|sont ailleurs"):
        read_layer(path, epsg=LAMBERT_93, bounds=area_of(TERRITORY, 15), profiles=PROFILES)


def test_an_unknown_reference_system_is_refused_with_two_that_are_known(tmp_path, monkeypatch):
    path = geojson(tmp_path / "x.geojson", (line((0, 0), (1000, 0)), D))

    def unknown(*_, **__):
        raise CRSError("unknown")

    monkeypatch.setattr(layer_file, "reproject", unknown)
    with pytest.raises(UnreadableFile, match=r"système de coordonnées inconnu : \S+\.") as found:
        read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert found.value.advice == (
        "Exportez-le en Lambert-93 (EPSG:2154) ou en longitude et latitude (EPSG:4326)."
    )
