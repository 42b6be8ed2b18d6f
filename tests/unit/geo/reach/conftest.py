"""Fixtures of the tests of roads."""

from __future__ import annotations

import geopandas as gpd
import pytest

from geo.crs import LAMBERT_93
from geo.reach.layers import read_layer
from geo.reach.osm import read_osm
from tests.support.osm import PROFILES, xml


@pytest.fixture
def read_ways(tmp_path):
    """Write nodes (metres) and ways as an OpenStreetMap file, then read it."""

    def reading(nodes, ways, node_tags=None, bounds=None):
        path = tmp_path / "tiny.osm"
        path.write_text(xml(nodes, ways, node_tags), "utf-8")
        return read_osm(path, epsg=LAMBERT_93, bounds=bounds, profiles=PROFILES)

    return reading


@pytest.fixture
def read_rows(tmp_path):
    """Write rows (geometry, attributes) as a GeoPackage in Lambert-93, then read it."""

    def reading(*rows, **options):
        path = tmp_path / "routes.gpkg"
        columns = {name: [row.get(name) for _, row in rows] for _, row in rows for name in row}
        gpd.GeoDataFrame(columns, geometry=[shape for shape, _ in rows], crs=LAMBERT_93).to_file(path)
        return read_layer(path, **{"epsg": LAMBERT_93, "bounds": None, "profiles": PROFILES} | options)

    return reading
