"""The onboarding documents are true: paths, functions, links, and the row that is followed."""

from __future__ import annotations

import ast
import re
from datetime import date

import pytest

from geo.services import import_sites
from geo.settings import ROOT
from geo.sites.model import ItinerantStop, Position
from geo.sites.readers import open_source
from geo.territory.files import read_territory
from tests.support.world import as_site

PAGES = (
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "docs/architecture.md",
    ROOT / "docs/index.md",
    *sorted((ROOT / "docs/decisions").glob("*.md")),
)
TOP = ("geo", "api", "static_maps", "portee", "tests", "docs", "data", "scripts", "benchmarks")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text("utf-8")
DEMO = ROOT / "data/demo/lieux-fictifs-47.csv"
ROW = "lieu-fictif-039"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_named_in_a_page_exists(page):
    named = re.findall(rf"`((?:{'|'.join(TOP)})/[\w/.-]*)`", page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_in_a_page_leads_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|mailto:|#|<)([^)#\s]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_function_of_the_path_stands_where_the_page_says():
    named = re.findall(r"`(\w+)` in `(geo/[\w/]+\.py)`", ARCHITECTURE)
    assert len(named) >= 7
    for name, path in named:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        assert name in {getattr(node, "name", None) for node in tree.body}, f"{name} in {path}"


def test_every_documentation_page_is_in_the_index():
    index = (ROOT / "docs/index.md").read_text("utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_every_decision_is_in_the_list():
    listed = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    pages = sorted((ROOT / "docs/decisions").glob("0*.md"))
    assert len(pages) >= 12
    assert [page.name for page in pages if f"({page.name})" not in listed] == []
    for page in pages:
        text = page.read_text("utf-8")
        assert all(f"**{heading}.**" in text for heading in ("Decision", "Why", "Weighed", "Consequences"))


def test_the_row_that_is_followed_is_as_described():
    source = open_source(DEMO, max_bytes=10_000_000)
    row = next(row for row in source.rows() if row.values["id"] == ROW)
    assert (source.format, source.encoding, row.line) == ("standard", "utf-8", 40)
    assert "Line 40 of `data/demo/lieux-fictifs-47.csv`" in ARCHITECTURE
    assert (row.values["code_insee"], row.values["latitude"]) == ("47143", "44.17956")

    territory = read_territory(ROOT / "data/communes", "47")
    read = import_sites.read(DEMO, territory=territory, today=date(2026, 11, 29), max_bytes=10_000_000)
    tally = read.validated.tally
    assert (tally.read, tally.accepted, tally.rejected, tally.flagged) == (72, 72, 0, 4)
    assert "Of the file's 72 rows, 72 are accepted, 0 rejected, 4\n   flagged" in ARCHITECTURE
    record = next(record for record in read.validated.records if record.local_id == ROW)
    site = as_site(record)
    assert site.id == "demonstration--lieu-fictif-039"
    assert (site.position, site.membre_reseau, site.fictif) == (Position.EXACTE, None, True)
    assert len(site.arrets) == 3
    assert site.arrets[0] == ItinerantStop("Lavardac, place du Marché fictif", "Tu", "09:00-12:00")
