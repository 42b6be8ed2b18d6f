"""The demonstration's invented sites: complete, valid, plainly fictitious, and made again the same."""

from __future__ import annotations

import csv
import re
import runpy
from datetime import date

import pytest

from geo.services import import_sites
from geo.settings import ROOT
from geo.sites import standard
from geo.sites.difference import compare
from geo.sites.matching_records import match_records
from geo.sites.model import LOCAL_PREFIX
from geo.territory.files import read_territory

DEMO = ROOT / "data" / "demo"
MAIN = "lieux-fictifs-47.csv"
FILES = sorted(p.relative_to(DEMO).as_posix() for p in DEMO.rglob("*.csv"))
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def territory():
    return read_territory(ROOT / "data" / "communes", "47")


@pytest.fixture(scope="module")
def arrivals(territory):
    return {
        name: import_sites.read(DEMO / name, territory=territory, today=TODAY, max_bytes=1_000_000)
        for name in FILES
    }


def rows(name: str) -> list[dict[str, str]]:
    with (DEMO / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_making_them_again_gives_the_same_bytes(territory, tmp_path):
    runpy.run_path(str(ROOT / "scripts" / "make_demo_sites.py"))["write"](territory, tmp_path)
    made = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*.csv")}
    assert made == {name: (DEMO / name).read_bytes() for name in FILES}


def test_the_columns_are_the_standards_then_ours():
    header = list(rows(MAIN)[0])
    assert tuple(header[:32]) == standard.FIELDS
    assert all(name.startswith(LOCAL_PREFIX) for name in header[32:])


def test_every_field_is_used():
    assert all(any(row[name] for row in rows(MAIN)) for name in rows(MAIN)[0])


@pytest.mark.parametrize("field", standard.ENUMERATIONS)
def test_every_value_of_every_list_occurs(field):
    seen = {value for row in rows(MAIN) for value in row[field].split(standard.SEPARATOR)} - {""}
    assert seen == set(standard.ENUMERATIONS[field])


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_accepted(arrivals, name):
    tally = arrivals[name].validated.tally
    assert tally.read == tally.accepted == len(rows(name))


def test_only_the_flaws_that_are_meant_are_flagged(arrivals):
    codes = [issue.code for issue in arrivals[MAIN].validated.issues]
    assert sorted(codes) == ["horaires_illisibles", *["position_approximative"] * 3]


@pytest.mark.parametrize("name", FILES)
def test_nobody_could_take_a_site_for_a_real_one(arrivals, name):
    assert "fictif" in name
    assert all(site.fictif for site in arrivals[name].validated.records)
    for row in rows(name):
        assert row["nom"].startswith("Lieu fictif – ")
        assert re.fullmatch(r"(\+3353649\d{4})?", row["telephone"])  # kept for fiction by the regulator
        assert re.fullmatch(r"0{14}|000001\d{8}", row["pivot"])
        for field in ("courriels", "site_web", "fiche_acces_libre", "prise_rdv"):
            assert all("example.org" in value for value in row[field].split("|") if value)


def test_points_lie_in_their_commune(arrivals, territory):
    for name in FILES:
        for row in rows(name):
            if row["latitude"]:
                commune = territory.commune_by_code[row["code_insee"]]
                point = type(commune.town_hall)(float(row["longitude"]), float(row["latitude"]))
                assert commune.boundary.contains(point), row["id"]


def test_local_facts_are_told_known_and_unknown(arrivals):
    sites = arrivals[MAIN].validated.records
    for fact in ("pass_numerique", "membre_reseau", "acces_fauteuil"):
        assert {getattr(site, fact) for site in sites} == {True, False, None}
    buses = [site for site in sites if site.arrets]
    assert [len(bus.arrets) for bus in buses] == [3, 3, 3]
    assert {stop.day for stop in buses[0].arrets} == {"Tu", "Th[1]", "2027-03-04"}


def test_sites_lie_beyond_the_border_too(arrivals):
    partners = arrivals["lieux-fictifs-partenaires.csv"].validated.records
    assert len({site.code_insee[:2] for site in partners} - {"47"}) >= 5


def test_the_place_told_twice_is_recognised(arrivals, territory):
    both = [
        site for name in (MAIN, "lieux-fictifs-partenaires.csv") for site in arrivals[name].validated.records
    ]
    found = match_records(both, epsg=territory.metric_crs)
    assert [{p.a.split("--")[0], p.b.split("--")[0]} for p in found] == [
        {"demonstration", "demonstration-partenaires"}
    ]


def test_the_update_holds_one_of_each_change(arrivals):
    before = {site.key: site for site in arrivals[MAIN].validated.records}
    difference = compare(before, arrivals[f"mise-a-jour/{MAIN}"].validated.records)
    assert (len(difference.new), len(difference.changed), len(difference.vanished)) == (1, 3, 1)


def test_the_readme_tells_the_number_of_sites():
    readme = (DEMO / "README.md").read_text("utf-8")
    for name in FILES:
        assert f"| `{name}` | {len(rows(name))} |" in readme
