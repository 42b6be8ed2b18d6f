"""OpenStreetMap files: all encodings, damaged ones, their vintage, and real extracts."""

from __future__ import annotations

import bz2
import gzip
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import osmium
import pytest

from geo.crs import LAMBERT_93, project
from geo.errors import UnreadableFile
from geo.reach.modes import Mode
from geo.reach.osm import read_osm
from geo.reach.osm_file import UNKNOWN_VINTAGE, osm_vintage
from tests.support.osm import CAR, LINE, PROFILES, ROAD, lengths, network, xml
from tests.support.shared import SHARED, needs_shared


@pytest.fixture
def pbf(tmp_path):
    path = tmp_path / "tiny.osm.pbf"
    (tmp_path / "source.osm").write_text(
        xml({i: (i * 10, i % 7) for i in range(1, 2001)}, [(range(1, 2001), ROAD)]), "utf-8"
    )
    with osmium.SimpleWriter(str(path)) as writer:
        for each in osmium.FileProcessor(str(tmp_path / "source.osm")):
            writer.add(each)
    return path


def refused(path, match):
    with pytest.raises(UnreadableFile, match=match) as error:
        read_osm(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert error.value.advice
    return error.value


@pytest.mark.parametrize("left", [30, 90, -60, -1])
def test_a_truncated_pbf_is_refused(pbf, left):
    pbf.write_bytes(pbf.read_bytes()[:left])
    refused(pbf, "tiny.osm.pbf est incomplet ou abîmé")
    with pytest.raises(UnreadableFile, match="incomplet"):
        osm_vintage(pbf)


def test_truncated_text_and_archives_are_refused(tmp_path):
    text = xml(LINE, [((1, 3), ROAD)]).encode()
    for name, content in {
        "cut.osm": text[:-20],
        "cut.osm.gz": gzip.compress(text)[:-20],
        "cut.osm.bz2": bz2.compress(text)[:-20],
    }.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, f"{name} est incomplet ou abîmé")


@pytest.mark.parametrize("name", ["letter.osm.pbf", "letter.osm", "letter.txt", "letter.json"])
def test_a_file_of_another_kind_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"Dear Sir, the roads are in a poor state. " * 50)
    refused(tmp_path / name, f"{name} n'est pas un fichier OpenStreetMap lisible")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "none.osm.pbf").touch()
    refused(tmp_path / "none.osm.pbf", "est vide")


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "none.osm.pbf", "est introuvable")


def test_a_file_without_roads_is_refused(read_ways):
    with pytest.raises(UnreadableFile, match="ne contient aucune route"):
        read_ways(LINE, [((1, 2, 3), {"waterway": "river"})])


def test_a_file_of_closed_roads_is_refused(read_ways):
    with pytest.raises(UnreadableFile, match="aucune route praticable : ses 1 voies"):
        read_ways(LINE, [((1, 3), ROAD | {"access": "private"})])


def test_a_file_without_the_nodes_of_its_roads_is_refused(read_ways):
    with pytest.raises(UnreadableFile, match="pas la position de leurs points"):
        read_ways({9: (0, 0)}, [((1, 3), ROAD)])


def test_all_encodings_of_a_file_give_the_same_roads(tmp_path, pbf):
    text = (tmp_path / "source.osm").read_bytes()
    (tmp_path / "b.osm.gz").write_bytes(gzip.compress(text))
    (tmp_path / "c.osm.bz2").write_bytes(bz2.compress(text))
    names = ["source.osm", "tiny.osm.pbf", "b.osm.gz", "c.osm.bz2"]
    read = [read_osm(tmp_path / n, epsg=LAMBERT_93, bounds=None, profiles=PROFILES) for n in names]
    for other in read[1:]:
        assert (other.shape_xy == read[0].shape_xy).all()
        assert (other.seconds[CAR] == read[0].seconds[CAR]).all()


def test_progress_ends_at_its_total(pbf):
    calls: list[tuple[int, int]] = []
    read_osm(pbf, epsg=LAMBERT_93, bounds=None, profiles=PROFILES, progress=lambda *done: calls.append(done))
    assert calls[-1] == (1, 1)


def test_the_vintage_is_that_of_the_header(tmp_path):
    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", "2026-03-04T21:00:00Z")
    path = tmp_path / "dated.osm.pbf"
    with osmium.SimpleWriter(str(path), header=header) as writer:
        writer.add_node(osmium.osm.mutable.Node(id=1, location=(0.6, 44.2)))
    assert osm_vintage(path) == "2026-03-04"


@pytest.mark.parametrize(
    ("stamp", "vintage"),
    [('timestamp="2024-05-06T07:08:09Z" version="2"', "2024-05-06"), ("", UNKNOWN_VINTAGE)],
)
def test_without_a_header_the_vintage_is_that_of_the_newest_road(tmp_path, stamp, vintage):
    path = tmp_path / "tiny.osm"
    path.write_text(xml(LINE, [((1, 3), ROAD)], stamp=stamp), "utf-8")
    assert osm_vintage(path) == vintage


EXTRACTS = {
    "liechtenstein-latest.osm.pbf": (32632, "2015-07-27", 0.93),
    "monaco.osm.gz": (LAMBERT_93, "2012-06-29", 0.9),
    "paris_bss.osm.pbf": (LAMBERT_93, UNKNOWN_VINTAGE, 0.7),
}


@needs_shared
@pytest.mark.parametrize("name", EXTRACTS)
def test_a_real_extract_is_read_whole(name):
    path = SHARED / "data" / "osm" / name
    epsg, vintage, hanging_together = EXTRACTS[name]
    lines = read_osm(path, epsg=epsg, bounds=None, profiles=PROFILES)
    assert osm_vintage(path) == vintage

    found: Any = osmium.FileProcessor(str(path)).with_locations()
    places = [
        [(n.lon, n.lat) for n in way.nodes if n.location.valid()]
        for way in found.with_filter(osmium.filter.KeyFilter("highway"))
        if way.is_way()
    ]
    lonlats = np.array([point for place in places for point in place])
    points = {tuple(xy) for xy in lines.shape_xy.round(2).tolist()}
    known = [tuple(xy) in points for xy in project(lonlats[:, 0], lonlats[:, 1], epsg).round(2).tolist()]
    ends = np.cumsum([len(place) for place in places]).tolist()
    kept = sum(any(known[a:b]) and all(known[a:b]) for a, b in pairwise([0, *ends]))
    dropped = sum(lines.dropped.values())
    assert 0 < dropped < len(places) / 8
    assert kept >= len(places) - dropped

    assert all(length > 0 for length in lengths(lines))
    for mode in Mode:
        graph = network(lines, mode)
        travelled = graph.subgraph(n for n in graph if graph.degree(n))
        largest = max(nx.strongly_connected_components(travelled), key=len)
        assert len(largest) >= hanging_together * len(travelled), mode
