"""The map: what it holds, how borders are encoded, and what never leaves it as code."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
import shapely
from shapely import MultiPolygon, Polygon, box

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import MINUTES, Question, measure
from geo.reach.travel import Travel
from geo.settings import ROOT
from geo.sites.model import Position, Site
from geo.snapshot import Snapshot
from geo.territory.files import read_territory
from static_maps import assets, style
from static_maps.build import DOWNLOADS, render
from static_maps.coverage_map import WrittenPage, coverage_map, render_page
from static_maps.page_data import page_data
from static_maps.page_shell import SERVED_PAGES, STATIC_PAGES
from static_maps.settings import MapSettings
from static_maps.topology import SCALE, Topology, topology
from tests.support import world
from tests.support.crowd import lot_et_garonne
from tests.support.roads import road_graph

SETTINGS = MapSettings(tolerance_m=0)
HOSTILE = (
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "{{ 7*7 }}{% raw %}",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    """C:\\users "quoted" 'single' `tick`""",
)


def frame_of(snapshot: Snapshot) -> AnalysisContext:
    return AnalysisContext(snapshot, Travel(None, detour_factor=1.3), date(2026, 6, 8))


def page_of(
    *sites: Site, settings: MapSettings = SETTINGS, links: Mapping[str, str] = STATIC_PAGES
) -> WrittenPage:
    coverage = measure(frame_of(world.snapshot(*sites)), Question())
    return render_page(coverage_map(coverage, settings=settings, links=links))


def data_in(page: WrittenPage) -> Any:
    block = re.search(r'<script type="application/json" id="donnees">(.*?)</script>', page.html, re.DOTALL)
    assert block
    return json.loads(block[1])


# ---- Legend


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_each_class_is_clearly_darker_than_the_one_before():
    for lighter, darker in pairwise(style.CLASSES):
        contrast = (luminance(lighter.colour) + 0.05) / (luminance(darker.colour) + 0.05)
        assert contrast > 1.3, darker.label


def test_classes_follow_one_another_without_gap_to_the_farthest():
    assert [c.up_to_min for c in style.CLASSES] == [*MINUTES, float("inf")]


def test_the_legend_says_its_unit_and_its_method():
    page = page_of(world.site("a", 5))
    assert "<span>Minutes en voiture</span>, estimation à vol d&#39;oiseau × 1,3" in page.html
    assert "ce n'est pas un trajet, habitants comptés à la mairie" in page.html


def test_with_roads_the_method_tells_their_vintage():
    west, east = ((world.ORIGIN_X + km * 1_000, world.ORIGIN_Y + 5_000) for km in (0, 40))
    roads = road_graph([west, east], [(0, 1, 2_400, 2_400)])
    snapshot = world.snapshot(world.site("a", 5))
    frame = AnalysisContext(snapshot, Travel(roads, detour_factor=1.3), date(2026, 6, 8))
    page = render_page(coverage_map(measure(frame, Question()), settings=SETTINGS))
    told = f"par la route ({roads.about.vintage})"
    assert roads.about.vintage and f"<span>Minutes en voiture</span>, {told}" in page.html
    assert "vol d&#39;oiseau" not in page.html
    minutes = [row["minutes"] for row in data_in(page)["access"]["commune"]]
    assert minutes == [0, 10, 20, 30], "a minute each kilometre"


# ---- Borders sent once


def unfolded(told: Topology) -> list[MultiPolygon]:
    arcs = []
    for flat in told.arcs:
        x = y = 0
        points = []
        for dx, dy in zip(flat[::2], flat[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x / SCALE, y / SCALE))
        arcs.append(points)

    def ring(references):
        points = []
        for r in references:
            points += (arcs[r] if r >= 0 else arcs[~r][::-1])[:-1]
        return points

    return [
        MultiPolygon([Polygon(ring(rings[0]), [ring(r) for r in rings[1:]]) for rings in shape])
        for shape in told.shapes
    ]


def test_two_squares_side_by_side_share_one_arc():
    told = topology([MultiPolygon([box(0, 0, 1, 1)]), MultiPolygon([box(1, 0, 2, 1)])])
    assert len(told.arcs) == 3
    left, right = ({r if r >= 0 else ~r for r in shape[0][0]} for shape in told.shapes)
    assert len(left & right) == 1


def test_an_enclave_and_the_hole_it_fills_share_one_arc():
    hole = box(1, 1, 2, 2)
    told = topology([MultiPolygon([box(0, 0, 3, 3) - hole]), MultiPolygon([hole])])
    assert len(told.arcs) == 2


def test_a_territory_unfolds_to_its_boundaries():
    communes = read_territory(ROOT / "data" / "communes", "47").communes
    rounded = [shapely.transform(c.boundary, lambda xy: (xy * SCALE).round() / SCALE) for c in communes]
    for before, after in zip(rounded, unfolded(topology(rounded)), strict=True):
        assert shapely.normalize(after).equals_exact(shapely.normalize(before), 1e-9)


def test_every_inner_border_of_the_territory_is_told_once():
    communes = read_territory(ROOT / "data" / "communes", "47").communes
    data = topology([c.boundary for c in communes])
    points = [tuple(p) for arc in data.arcs for p in [arc[:2]]]
    assert len({json.dumps(a) for a in data.arcs}) == len(data.arcs)
    assert len(points) < sum(len(p.exterior.coords) for c in communes for p in c.boundary.geoms) / 4


# ---- What the page knows


def test_the_page_knows_what_can_be_counted_by_hand():
    data = data_in(page_of(world.site("a", 5)))
    rows = {r["code"]: r for r in data["access"]["commune"]}
    # 10 km × 1.3 at 45 km/h are 17 min 20 s.
    assert [r["minutes"] for r in rows.values()] == [0, 17, 35, 52]
    assert [r["time"] for r in rows.values()] == [
        "moins d'une minute",
        "17\u00a0min",
        "35\u00a0min",
        "52\u00a0min",
    ]
    assert (data["minutes"], data["beyond_min"]) == ([10, 20, 30], 20)
    assert (rows["99002"]["within"], rows["99002"]["beyond"]) == (["0\u00a0%", "100\u00a0%", "100\u00a0%"], 0)
    assert (rows["99003"]["within"], rows["99003"]["beyond"]) == (["—"] * 3, 0), "nobody lives there"
    assert (rows["99004"]["within"], rows["99004"]["beyond"]) == (["0\u00a0%"] * 3, 4_000)
    assert data["groupings"]["epci"] == [["99001", "99002"], ["99003", "99004"]]
    assert [n["name"] for n in data["outline"]["neighbours"]] == ["Voisinage"]


def test_each_level_offered_has_a_row_for_each_commune():
    data = data_in(page_of(world.site("a", 5)))
    assert list(data["levels"]) == ["commune", "canton", "epci", "arrondissement"]
    for level in ("canton", "epci", "arrondissement"):
        assert sorted(code for codes in data["groupings"][level] for code in codes) == [
            "99001",
            "99002",
            "99003",
            "99004",
        ]


def test_a_map_without_any_site_is_still_a_map():
    data = data_in(page_of())
    assert {r["minutes"] for r in data["access"]["commune"]} == {None}
    assert data["sites"] == []


def test_a_site_without_a_point_is_told_in_the_table_but_not_placed():
    page = page_of(world.site("a", None, nom="Lieu fictif sans point"))
    assert "at" not in data_in(page)["sites"][0]
    assert page.html.count("Lieu fictif sans point") == 2  # in the data and in the table


def test_what_is_not_known_is_said():
    [site] = data_in(page_of(world.site("a", 5, position=Position.APPROXIMATIVE)))["sites"]
    assert len(site["flags"]) == 2
    assert site["flags"][0].startswith("Position approximative")
    assert site["flags"][1].startswith("Horaires inconnus")


def test_unreadable_hours_are_unknown_hours():
    told = data_in(page_of(world.site("a", 5, horaires="le matin", signalements=("horaires_illisibles",))))
    assert "hours" not in told["sites"][0]
    assert style.HOURS_UNKNOWN in told["sites"][0]["flags"]


def test_invented_sites_are_announced():
    assert "Données de démonstration" in page_of(world.site("a", 5)).html
    assert "Données de démonstration" not in page_of(world.site("a", 5, fictif=False)).html


def test_the_planner_is_linked_where_there_is_one():
    assert "Planifier" not in page_of(world.site("a", 5)).html
    page = page_of(world.site("a", 5), links=SERVED_PAGES)
    assert re.search(r'<nav class="menu".*<a href="/planifier">Planifier</a>.*</nav>', page.html, re.DOTALL)


# ---- Nothing from data is code


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_text_in_the_page(text):
    page = page_of(world.site("a", 5, nom=text, adresse=text, telephone=text), settings=replace_title(text))
    assert data_in(page)["sites"][0]["name"] == text
    assert page.html.count("<script") == 7, "five files, the data, and Folium's own"
    assert "49{" not in page.html
    assert "<img" not in page.html


def replace_title(text: str) -> MapSettings:
    return SETTINGS.model_copy(update={"title": text, "tiles_attribution": text})


def test_the_policy_allows_folium_s_script_and_no_other_inline():
    page = page_of(world.site("a", 5))
    inline = re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL)
    assert len(inline) == 1
    digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}'" in page.security_policy
    assert "unsafe" not in page.security_policy
    assert not re.search(r"""\son\w+=|\sstyle=|href="javascript""", page.html)


def test_only_the_tile_server_is_named():
    page = page_of(world.site("a", 5))
    addresses = set(re.findall(r"https?://[\w.-]+", page.html.replace("http://www.w3.org", "")))
    assert addresses == {"https://data.geopf.fr"}
    assert "https://data.geopf.fr" in page.security_policy


def test_a_map_without_tiles_names_no_host_and_keeps_a_deepest_zoom():
    page = page_of(world.site("a", 5), settings=MapSettings(tiles_url="", tolerance_m=0))
    assert "https://" not in page.html
    assert '"maxZoom"' in page.html


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PORTEE_MAP_TILES_URL", "https://{s}.tuiles.exemple/{z}/{x}/{y}.png")
    monkeypatch.setenv("PORTEE_MAP_TITLE", "Nos lieux")
    assert MapSettings().tiles_origin == "https://*.tuiles.exemple"
    assert MapSettings().title == "Nos lieux"


# ---- Files


def test_the_same_snapshot_gives_the_same_bytes(tmp_path):
    sites = [world.site(str(i), i) for i in range(1, 30)]
    for name in ("one", "two"):
        render(frame_of(world.snapshot(*sites)), tmp_path / name, settings=SETTINGS)
    one, two = (
        {str(p.relative_to(tmp_path / n)): p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()}
        for n in ("one", "two")
    )
    assert one == two
    assert {"index.html", "static/vendor/leaflet/leaflet.js", "data/lieux.csv"} <= one.keys()


def test_every_download_and_asset_of_the_page_is_beside_it(tmp_path):
    rendered = render(frame_of(world.snapshot(world.site("a", 5))), tmp_path, settings=SETTINGS)
    html = rendered.index.read_text("utf-8")
    named = re.findall(r'(?:src|href)="([^"#]+)"', html)
    local = [n for n in named if not n.startswith("tel:")]
    assert {address for _, address in DOWNLOADS} <= set(local)
    assert all((tmp_path / n).is_file() for n in local)


def test_rendering_leaves_other_files_of_the_folder_alone(tmp_path):
    (tmp_path / "robots.txt").write_text("à moi", "utf-8")
    render(frame_of(world.snapshot()), tmp_path, settings=SETTINGS)
    assert (tmp_path / "robots.txt").read_text("utf-8") == "à moi"


def test_the_geojson_of_sites_tells_longitude_first(tmp_path):
    render(frame_of(world.snapshot(world.site("a", 5), world.site("b", None))), tmp_path, settings=SETTINGS)
    placed, unplaced = json.loads((tmp_path / "data/lieux.geojson").read_text("utf-8"))["features"]
    assert placed["geometry"]["coordinates"] == [world.at(5).x, world.at(5).y]
    assert unplaced["geometry"] is None


def test_the_files_beside_the_page_tell_times_and_how_they_are_had(tmp_path):
    render(frame_of(world.snapshot(world.site("a", 5))), tmp_path, settings=SETTINGS)
    table = (tmp_path / "data/acces-commune.csv").read_text("utf-8-sig")
    header, *rows = csv.reader(table.splitlines(), delimiter=";")
    told = [dict(zip(header, row, strict=True)) for row in rows]
    assert [round(float(row["median_min"].replace(",", "."))) for row in told] == [0, 17, 35, 52]
    communes = json.loads((tmp_path / "data/communes.geojson").read_text("utf-8"))["features"]
    assert [c["properties"]["people_beyond"] for c in communes] == [0, 0, 0, 4_000]
    sources = json.loads((tmp_path / "data/sources.json").read_text("utf-8"))
    assert (sources["method"], sources["people"]) == ("straight_line", "habitants comptés à la mairie")


def test_missing_packages_are_told_with_the_way_to_get_them(tmp_path):
    with pytest.raises(assets.MissingAssets, match="npm ci"):
        assets.copy_vendor(node_modules=tmp_path / "none", vendor=tmp_path / "vendor")


def test_copied_files_are_those_of_the_manifest(tmp_path):
    copied = assets.copy_vendor(vendor=tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert [f"{p['package']}/{name}" for p in manifest for name in p["files"]] == copied
    for package in manifest:
        for name, digest in package["files"].items():
            content = (tmp_path / package["package"] / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest


def test_the_lock_of_front_end_packages_names_no_address():
    lock = (ROOT / "package-lock.json").read_text("utf-8")
    assert "http" not in lock
    assert "resolved" not in lock
    locked = json.loads(lock)["packages"]
    for name, version in {
        **json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"],
    }.items():
        assert locked[f"node_modules/{name}"]["version"] == version


# ---- Weight


def test_the_map_of_a_departement_stays_light(tmp_path):
    index = render(frame_of(lot_et_garonne(250)), tmp_path).index
    used = re.findall(r'(?:src|href)="(static/[^"]+)"', index.read_text("utf-8"))
    weights = [len(gzip.compress(p.read_bytes(), 6)) for p in (index, *(tmp_path / n for n in used))]
    assert len(weights) == 11
    assert sum(weights) < 200_000


def test_simplification_keeps_every_commune():
    coverage = measure(frame_of(lot_et_garonne(1)), Question())
    data = page_data(coverage, tolerance_m=MapSettings().tolerance_m)
    assert all(polygons and polygons[0][0] for polygons in data["outline"]["communes"])
    assert len(data["outline"]["communes"]) == 319


def test_merged_identifiers_lead_to_the_site_that_is_shown():
    country = world.snapshot(world.site("a", 5))
    merged = replace(country, redirects={"autre--b": "essai--a", "autre--c": "essai--closed"})
    data = page_data(measure(frame_of(merged), Question()), tolerance_m=0)
    assert data["redirects"] == {"autre--b": "essai--a"}
