"""The printable report, read back; and the maps in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from io import BytesIO
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from pypdf import PdfReader
from typer.testing import CliRunner

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.gaps import gaps_of_communes
from geo.coverage.measure import Question, measure
from geo.reach.travel import Travel
from geo.sites.filters import SiteFilter
from geo.store import scenarios, snapshots, territories
from geo.store.database import engine_for
from geo.territory.model import TerritoryKind
from portee.cli import app
from static_maps import style, svg_map
from static_maps.report import contents, report_pdf
from tests.support.world import TERRITORY, at, site, snapshot

TODAY = date(2026, 3, 9)
A4 = (595.28, 841.89)
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    '#panic("x")',
    "*gras* _it_ $x$ `code` @ref <label>",
    '#read("/etc/passwd")',
    "</text><script>alert(1)</script>",
    "a \"quote\" & 'other' ]]> <!--",
    "\\",
    "two\nlines",
)


def coverage(*sites, snapshot_of=snapshot, **parameters):
    found = snapshot_of(*(sites or (site("a", 5),)))
    return measure(AnalysisContext(found, Travel(None, detour_factor=1.3), TODAY), Question(**parameters))


def gaps_of(measured):
    return gaps_of_communes(measured)


def report(measured, kind=TerritoryKind.EPCI, **arguments):
    return report_pdf(measured, kind, gaps=gaps_of(measured), **arguments)


def told(measured, kind=TerritoryKind.EPCI, **arguments):
    return contents(measured, kind, gaps=gaps_of(measured), **arguments)


def read(content):
    pages = PdfReader(BytesIO(content)).pages
    return " ".join(re.sub(r"\s+", " ", page.extract_text()) for page in pages)


def renamed(name):
    """The country with this name on the commune of the gap."""
    named = tuple(replace(c, name=name) if c.code == "99004" else c for c in TERRITORY.communes)

    def made(*sites):
        return replace(snapshot(*sites), territory=replace(TERRITORY, communes=named, name=name))

    return made


@pytest.fixture(scope="module")
def pdf():
    return report(coverage())


def test_the_report_tells_its_figures(pdf):
    # 4 000 of 7 000 live 30 km away: 52 minutes at 45 km/h with the detour.
    said = read(pdf)
    assert "Sur 7 000 personnes, 4 000 (57 %) sont à plus de 20 min en voiture" in said
    assert "Estbourg : 4 000 personnes à plus de 20 min" in said
    assert "43 % des personnes à 20 min ou moins" in said
    assert "CC 2 4 000 0 52 min 4 000 100 %" in said
    assert "Communes : Tests, 2026, Licence Ouverte 2.0" in said
    assert "9 mars 2026" in said


def test_every_page_says_what_the_figures_are(pdf):
    pages = PdfReader(BytesIO(pdf)).pages
    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        said = page.extract_text()
        assert "Données de démonstration" in said
        assert "estimation à vol d'oiseau" in said
        assert f"page {number} sur 3" in said


def test_real_sites_are_not_called_a_demonstration():
    assert "démonstration" not in read(report(coverage(site("a", 5, fictif=False))))


def test_pages_are_a4_and_carry_their_fonts(pdf):
    reader: Any = PdfReader(BytesIO(pdf))
    for page in reader.pages:
        assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(A4, abs=0.1)
        for font in page["/Resources"]["/Font"].values():
            (descendant,) = font.get_object()["/DescendantFonts"]
            descriptor = descendant.get_object()["/FontDescriptor"].get_object()
            assert descriptor["/FontName"][1:].split("+")[-1].startswith("Libertinus")
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_the_report_can_be_read_aloud(pdf):
    reader: Any = PdfReader(BytesIO(pdf))
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "fr-FR"
    assert root["/MarkInfo"]["/Marked"]
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert reader.metadata.title == "Accès à l'aide numérique – Pays d'Essai (99)"
    drawings = [*told(coverage())["maps"].values(), *told(coverage())["charts"]]
    assert len(drawings) == 5 and all(len(each["alt"]) > 30 for each in drawings)


def test_the_same_coverage_gives_the_same_bytes(pdf):
    assert report(coverage()) == pdf


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_nothing_but_text(name):
    sites = (site("a", 5, nom=name),)
    said = read(report(coverage(*sites, snapshot_of=renamed(name)), TerritoryKind.COMMUNE))
    assert re.sub(r"\s+", "", name) in re.sub(r"\s+", "", said)


@pytest.mark.parametrize("name", ["nul \x00", "half \udce9", "日本 \U0001f600", "\u202egnol", "x" * 400])
def test_no_name_keeps_a_report_from_being_written(name):
    content = report(coverage(site("a", 5, nom=name), snapshot_of=renamed(name)))
    assert len(PdfReader(BytesIO(content)).pages) >= 3


def test_drawings_are_well_formed_and_hold_names_as_text():
    for name in (*HOSTILE, "nul \x00", "half \udce9"):
        shown = told(coverage(snapshot_of=renamed(name)))
        for drawing in (*shown["maps"].values(), *shown["charts"]):
            root = ElementTree.fromstring(drawing["svg"])
            assert {element.tag for element in root.iter()} <= {
                SVG + tag
                for tag in (
                    *("svg", "g", "path", "circle", "rect", "line", "polyline", "polygon", "text"),
                    *("title", "desc"),
                )
            }


def test_a_what_if_is_shown_before_and_after():
    before = coverage(site("a", 5))
    after = coverage(site("a", 5), site("n", 35, "99004"))
    said = read(report(after, TerritoryKind.COMMUNE, before=before))
    assert "avant et après" in said
    assert "Personnes qui passent à 20 min ou moins : 4 000 ; qui n'y sont plus : 0." in said
    assert "avant : 4 000" in said
    with pytest.raises(ValueError, match="same question"):
        report(after, before=coverage(site("a", 5), beyond_min=30))


def test_everyone_within_reach_no_site_and_nobody_are_told_in_words():
    near = coverage(beyond_min=120)
    assert "Toutes les personnes comptées (7 000) sont à 2 h ou moins" in read(report(near))
    none = coverage(filter=SiteFilter.of({"pass_numerique": ["true"]}))
    said = read(report(none))
    assert "Aucun lieu ne répond aux critères." in said and "hors d'atteinte" in said
    empty = tuple(replace(c, population=0) for c in TERRITORY.communes)

    def deserted(*sites):
        return replace(snapshot(*sites), territory=replace(TERRITORY, communes=empty))

    assert "Personne n'est compté sur ce territoire." in read(report(coverage(snapshot_of=deserted)))


def test_circles_have_areas_in_proportion():
    area = svg_map.ground(TERRITORY)
    frame = svg_map.svg_frame(area, 240, 300)
    drawn, keys = svg_map.circles(area, frame, {"99001": 400.0, "99002": 100.0, "99003": 0.0})
    large, small = (float(c.attrib["r"]) for c in ElementTree.fromstring(drawn).iter(SVG + "circle"))
    assert large / small == pytest.approx(2, rel=0.01)
    assert [key.label for key in keys] == ["200", "100", "20"]
    assert keys[0].radius / keys[1].radius == pytest.approx(2**0.5, rel=0.01)


def test_maps_keep_shapes_and_say_their_scale():
    area = svg_map.ground(TERRITORY, TerritoryKind.EPCI)
    frame = svg_map.svg_frame(area, 240, 300)
    corners = frame.points(np.array([shapely.total_bounds(area.shapes)[[0, 3]]]))
    # 40 km × 10 km over 240 points less two margins of 8.
    assert frame.scale == pytest.approx(224 / 40_000, rel=1e-3)
    assert corners[0] == pytest.approx((8, 8), abs=0.01)
    drawn = svg_map.choropleth(area, frame, {"99001": "#123456"}, sites=np.array([[np.nan, np.nan]]))
    root = ElementTree.fromstring(drawn)
    assert "5\u00a0km" in [t.text for t in root.iter(SVG + "text")]
    assert not list(root.iter(SVG + "circle"))
    assert "#123456" in [p.get("fill") for p in root.iter(SVG + "path")]


def test_each_time_has_the_colour_of_its_class():
    edges = (5, 10, 20)
    colours = [key.colour for key in svg_map.time_keys(edges)]
    assert len(set(colours)) == len(colours) == 5
    told = [svg_map.time_colour(m, edges) for m in (0, 5, 5.1, 10, 20, 20.1, None)]
    assert told == [colours[i] for i in (0, 0, 1, 1, 2, 3, 4)]
    assert len({key.colour for key in svg_map.time_keys(range(5, 45, 5))}) == 10


def test_colours_darken_with_time_by_clear_steps():
    def lightness(colour):
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2

    steps = [lightness(colour) for colour in style.TIME_RAMP]
    assert all(a > b * 1.25 for a, b in pairwise(steps))


def test_the_command_writes_the_report_of_the_stored_state(fresh_settings, tmp_path, monkeypatch):
    engine = engine_for(fresh_settings)
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
        snapshots.publish(connection)
        place = at(35)
        opened = {"action": "open", "longitude": place.x, "latitude": place.y, "name": "Neuf"}
        scenarios.save(connection, "neuf", "", [opened], 1)
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", fresh_settings.database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    out = tmp_path / "rapport.pdf"
    run = CliRunner().invoke(app, ["report", "--out", str(out), "--beyond", "15", "--kind", "commune"])
    assert run.exit_code == 0, run.output
    assert "7 000 (100 %) sont à plus de 15 min" in read(out.read_bytes())
    run = CliRunner().invoke(app, ["report", "--out", str(out), "--scenario", "neuf", "--json"])
    assert run.exit_code == 0, run.output
    assert "qui passent à 20 min ou moins : 4 000" in read(out.read_bytes())
    run = CliRunner().invoke(app, ["report", "--out", str(out), "--scenario", "autre"])
    assert run.exit_code == 1 and "autre" in run.output
    run = CliRunner().invoke(app, ["report", "--out", str(tmp_path / "no" / "rapport.pdf")])
    assert run.exit_code == 2
