"""All real lists together: each door is one site, as counted by hand in six communes."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import make_url

from geo.services import import_sites
from geo.settings import ROOT
from geo.store import record_pairs, records, snapshots, territories
from geo.store.database import open_engine
from geo.territory.files import read_territory
from tests.support.shared import SHARED, needs_shared

TODAY = date(2026, 11, 29)

BY_HAND = {
    "47078": 2,  # Damazan: town hall and its annexe, each in two lists
    "47195": 2,  # Nérac: four records of one door, and the social centre
    "47031": 4,  # Boé: town hall, social centre, Boé-Cités, visits at home
    "47157": 5,  # Marmande
    "47049": 1,  # Casseneuil
}
"""INSEE code → doors, counted from names, addresses, numbers and points."""


@pytest.fixture(scope="module")
def stored(module_database_url):
    """Every real list of sites, imported in the order of their names."""
    if not (SHARED / "data" / "sites").is_dir():
        pytest.skip("the shared lists are not here")
    engine = open_engine(make_url(module_database_url))
    territory = read_territory(ROOT / "data" / "communes", "47")
    with engine.begin() as connection:
        territories.save(connection, territory)
    for path in sorted((SHARED / "data" / "sites").iterdir()):
        arrival = import_sites.read(path, territory=territory, today=TODAY, max_bytes=10**8)
        with engine.begin() as connection:
            import_sites.apply(connection, arrival, territory=territory, accept_vanished=True)
    yield engine
    engine.dispose()


@needs_shared
def test_doors_are_those_counted_by_hand(stored):
    with stored.connect() as connection:
        sites = snapshots.read(connection).sites
    counted = {code: sum(site.code_insee == code for site in sites) for code in BY_HAND}
    assert counted == BY_HAND


@needs_shared
def test_what_is_doubtful_is_asked_and_not_merged(stored):
    """Two records of the town hall of Penne-d'Agenais have one address and points 850 m apart."""
    with stored.connect() as connection:
        sites = [site for site in snapshots.read(connection).sites if site.code_insee == "47203"]
        of_record = {key: site.id for site in sites for key in site.records}
        asked = {
            frozenset((of_record[pair.a], of_record[pair.b]))
            for pair in record_pairs.all_pairs(connection)
            if pair.same is None and pair.verdict == record_pairs.QUESTION
            if pair.a in of_record and pair.b in of_record and of_record[pair.a] != of_record[pair.b]
        }
    assert (len(sites), len(asked)) == (3, 1)


@needs_shared
def test_every_record_is_of_one_site_and_nothing_it_says_is_lost(stored):
    with stored.connect() as connection:
        snapshot, known = snapshots.read(connection), records.in_service(connection)
    members = [key for site in snapshot.sites for key in site.records]
    assert len(members) == len(set(members))
    assert set(members) <= set(known)  # others lie beyond the margin
    assert len(snapshot.sites) < len(members) * 0.9
    for site in snapshot.sites:
        listed = {(each.field, each.record): each.value for each in site.conflicts}
        for key in site.records:
            for field in ("telephone", "horaires", "adresse", "nom", "courriels", "services"):
                said, shown = getattr(known[key], field), getattr(site, field)
                held = said in ("", (), shown) or (isinstance(said, tuple) and set(said) <= set(shown))
                assert held or listed[(field, key)] == said, (site.id, field)
