"""Communes that cross or part by a hair are made to tile; real enclaves stay."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

from geo.crs import LAMBERT_93, WGS84, reproject
from geo.errors import InvalidCrs
from geo.territory.tiling import DECIMALS, mended, tiled
from tests.support.world import ORIGIN_X, ORIGIN_Y, OWN


def on_plane(*shapes):
    """Shapes drawn in metres from the world's corner, as WGS 84."""
    moved = [shapely.affinity.translate(s, ORIGIN_X, ORIGIN_Y) for s in shapes]
    return [MultiPolygon([s]) for s in reproject(moved, source=LAMBERT_93, target=WGS84)]


def area_m2(shape) -> float:
    return float(shapely.area(reproject([shape], source=WGS84, target=LAMBERT_93)[0]))


def test_an_overlap_goes_to_one_of_the_two():
    left, right = box(0, 0, 1_000, 1_000), box(995, 0, 2_000, 1_000)
    tiles, report = tiled(on_plane(left, right), epsg=LAMBERT_93)
    assert shapely.coverage_is_valid(tiles)
    assert sum(map(area_m2, tiles)) == pytest.approx(2_000_000, abs=300)
    assert report.overlap_m2 == pytest.approx(5_000, abs=50)


def test_a_sliver_between_two_is_filled_and_an_enclave_is_not():
    # A frame in two halves around an enclave of 200 m, parted by a lens of 4 m.
    enclave = box(900, 100, 1_100, 300)
    left = Polygon([(0, 0), (1_000, 0), (1_000, 400), (998, 600), (1_000, 800), (1_000, 1_000), (0, 1_000)])
    right = Polygon(
        [(2_000, 0), (1_000, 0), (1_000, 400), (1_002, 600), (1_000, 800), (1_000, 1_000), (2_000, 1_000)]
    )
    shapes = on_plane(left.difference(enclave), right.difference(enclave))
    tiles, report = tiled(shapes, epsg=LAMBERT_93)
    union = shapely.coverage_union_all(tiles)
    holes = [Polygon(r) for p in shapely.get_parts(union) for r in p.interiors]
    assert [round(area_m2(h), -2) for h in holes] == [40_000]
    assert report.gap_m2 == pytest.approx(4 * 400 / 2, abs=20)


def test_a_vertex_only_one_neighbour_has_is_given_to_the_other():
    left = Polygon([(0, 0), (1_000, 0), (1_000, 500), (1_000, 1_000), (0, 1_000)])
    right = box(1_000, 0, 2_000, 1_000)
    shapes = on_plane(left, right)
    assert not shapely.coverage_is_valid([shapely.transform(s, lambda a: np.round(a, 6)) for s in shapes])
    assert shapely.coverage_is_valid(tiled(shapes, epsg=LAMBERT_93)[0])


def test_tiles_are_rounded_and_tiling_again_changes_nothing():
    tiles, _ = tiled([c.boundary for c in OWN], epsg=LAMBERT_93)
    coordinates = shapely.get_coordinates(tiles)
    assert np.array_equal(coordinates, np.round(coordinates, DECIMALS))
    again, report = tiled(tiles, epsg=LAMBERT_93)
    assert again == tiles
    assert report.overlap_m2 == pytest.approx(0, abs=1)


def test_exteriors_run_counter_clockwise():
    for tile in tiled([c.boundary for c in OWN], epsg=LAMBERT_93)[0]:
        assert all(p.exterior.is_ccw for p in tile.geoms)


def test_tiling_refuses_to_measure_in_degrees():
    with pytest.raises(InvalidCrs):
        tiled([OWN[0].boundary], epsg=WGS84)


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        (Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), 2),  # a bow tie
        (GeometryCollection([box(0, 0, 1, 1), LineString([(0, 0), (5, 5)]), Point(3, 3)]), 1),
        (LineString([(0, 0), (1, 1)]), 0),
        (MultiPolygon(), 0),
        (None, 0),
    ],
)
def test_mending_keeps_polygons_only(shape, parts):
    whole = mended(shape)
    assert len(whole.geoms) == parts
    assert whole.is_valid
