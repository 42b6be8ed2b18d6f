"""Imports of files that reach beyond the territory and its margin."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from geo.services import import_sites
from geo.sites import standard
from geo.store import imports, records, snapshots, territories
from geo.territory.margin import Margin
from tests.support.world import TERRITORY, at

NEAR, FAR = 45.0, 70.0  # the territory ends at 40 km
MARGIN = Margin(TERRITORY, 10)


@pytest.fixture
def database(fresh_engine):
    with fresh_engine.begin() as connection:
        territories.save(connection, TERRITORY)
    return fresh_engine


def record(local_id, x_km, **changes):
    point = at(x_km)
    commune = ("Ouestville", "99001", "99100") if x_km < 40 else ("", "", "")
    values = dict(zip(("commune", "code_insee", "code_postal"), commune, strict=True))
    return {
        "id": local_id,
        "nom": f"Lieu fictif {local_id}",
        "adresse": f"1 rue {local_id}",
        "latitude": f"{point.y:.6f}",
        "longitude": f"{point.x:.6f}",
        "date_maj": "2026-03-02",
        **values,
        **changes,
    }


PARIS = {"commune": "Paris", "code_insee": "75112", "code_postal": "75012"}


@pytest.fixture
def load(database, tmp_path):
    def loaded(*rows, margin=MARGIN, **options):
        path = tmp_path / "lieux.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=standard.FIELDS)
            writer.writeheader()
            writer.writerows(rows)
        arrival = import_sites.read(
            path,
            territory=TERRITORY,
            today=date(2026, 11, 2),
            max_bytes=10**6,
            dataset="essai",
            margin=margin,
        )
        with database.begin() as connection:
            return import_sites.apply(connection, arrival, territory=TERRITORY, **options)

    return loaded


def stored(database):
    with database.connect() as connection:
        return sorted(each.local_id for each in records.in_service(connection, datasets=("essai",)).values())


def shown(database, margin_km=10.0):
    with database.connect() as connection:
        return sorted(site.nom[-1] for site in snapshots.read(connection, margin_km=margin_km).sites)


def counts(outcome):
    difference = outcome.prepared.difference
    return len(difference.new), len(difference.changed), difference.unchanged, len(difference.vanished)


def test_a_record_beyond_the_margin_is_only_counted(database, load):
    outcome = load(record("a", 5), record("b", NEAR), record("c", FAR, horaires="illisibles"))
    tally = outcome.prepared.arrival.validated.tally
    assert (tally.read, tally.accepted, tally.rejected, tally.outside) == (3, 2, 0, 1)
    assert stored(database) == ["a", "b"]
    with database.connect() as connection:
        run = imports.find(connection, outcome.run_id)
        assert {issue.line for issue in imports.issues(connection, outcome.run_id)} == {2, 3}
    assert (run.read, run.accepted, run.outside, run.tally.outside) == (3, 2, 1, 1)


def test_a_record_without_a_point_is_outside_by_its_codes(database, load):
    nowhere = {"latitude": "", "longitude": ""}
    outcome = load(record("a", 5), record("p", 5, **PARIS, **nowhere), record("q", NEAR, **nowhere,
                   commune="Un hameau"))  # fmt: skip
    assert outcome.prepared.arrival.validated.tally.outside == 1
    assert stored(database) == ["a", "q"]


def test_all_stores_the_rest_which_no_snapshot_shows(database, load):
    load(record("a", 5), record("b", NEAR), record("c", FAR), margin=None)
    assert stored(database) == ["a", "b", "c"]
    assert shown(database) == ["a", "b"]
    assert shown(database, margin_km=31) == ["a", "b", "c"]
    assert shown(database, margin_km=0) == ["a"]


@pytest.mark.parametrize("listed", [True, False])
def test_what_all_stored_neither_vanishes_nor_arrives_without_it(database, load, listed):
    far = record("c", FAR)
    load(record("a", 5), far, margin=None)
    outcome = load(record("a", 5), record("d", 6), *([far] if listed else []))
    assert counts(outcome) == (1, 0, 1, 0)
    assert stored(database) == ["a", "c", "d"]


def test_a_record_that_moves_out_of_the_margin_is_retired(database, load):
    load(record("a", 5), record("b", 6), record("c", 7))
    away = record("c", FAR, commune="", code_insee="", code_postal="")
    outcome = load(record("a", 5), record("b", 6), away)
    assert counts(outcome) == (0, 0, 2, 1)
    assert stored(database) == ["a", "b"] and shown(database) == ["a", "b"]


def test_a_file_that_lies_outside_as_a_whole_changes_nothing(database, load):
    load(record("a", 5))
    outcome = load(record("c", FAR), record("d", FAR))
    assert counts(outcome) == (0, 0, 0, 0) and stored(database) == ["a"]
