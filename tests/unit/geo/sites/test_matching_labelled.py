"""Real records matched, against pairs judged by hand before any rule was written.

The labels (tests/data/labelled-pairs.csv) name records by dataset and identifier. Half of them is
held out: the rules were written with the other half in view.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import pytest

from geo.crs import LAMBERT_93
from geo.services.import_sites import read
from geo.settings import Settings
from geo.sites.matching_records import clusters, match_records
from geo.territory.files import read_territory
from tests.support.shared import SHARED, needs_shared

LABELS = Path(__file__).parents[3] / "data" / "labelled-pairs.csv"
FILES = {
    "aidants-connect-47-2023-01.json": "aidants-connect",
    "conseillers-numeriques-lieux-47-2022-12.json": "conseillers-numeriques",
    "conseillers-numeriques-lieux-departements-voisins-2022-12.json": "conseillers-numeriques",
    "data-inclusion-lieux-47-2023-02.json": "data-inclusion",
    "france-services-47-2020-10.geojson": "france-services-2020",
    "france-services-47-2022-12.csv": "france-services-2022",
    "france-services-47-2024-08.csv": "france-services",
    "france-services-departements-voisins-2024-08.csv": "france-services",
}
HARD = {
    "near-other-door",
    "same-building-other-service",
    "same-name-other-town",
    "same-operator",
    "same-phone-other-place",
    "same-siret-other-door",
    "two-offices",
}
TRIVIAL = "fs-vintage"

APART = ("apart", 0.0)
Pair = tuple[tuple[str, str], tuple[str, str]]


def labels() -> list[dict[str, str]]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pair_of(row: dict[str, str]) -> Pair:
    return (row["dataset_a"], row["id_a"]), (row["dataset_b"], row["id_b"])


@lru_cache(maxsize=1)
def verdicts() -> dict[Pair, tuple[str, float]]:
    """The verdict on each labelled pair, with its score, all records of all files together.

    Two records of one group are "same", directly or through others; a question between two groups
    counts for all their records.
    """
    territory = read_territory(Settings().territory_dir, "47")
    records = [
        replace(record, jeu_de_donnees=dataset)
        for name, dataset in FILES.items()
        for record in read(
            SHARED / "data" / "sites" / name,
            territory=territory,
            today=date(2026, 11, 23),
            max_bytes=10_000_000,
        ).validated.records
    ]
    names = {record.key: (record.jeu_de_donnees, record.local_id) for record in records}
    known = set(names.values())
    assert {end for row in labels() for end in pair_of(row)} <= known, "a label names no record"
    keys = {name: key for key, name in names.items()}
    found = match_records(records, epsg=LAMBERT_93)
    group = {key: min(members) for members in clusters(found) for key in members}
    best: dict[frozenset[str], float] = {}
    for match in found:
        best.setdefault(frozenset(group.get(key, key) for key in (match.a, match.b)), match.score)
    by_pair = {}
    for row in labels():
        ends = frozenset(group.get(key, key) for key in (keys[end] for end in pair_of(row)))
        if ends in best:
            by_pair[pair_of(row)] = ("same" if len(ends) == 1 else "question", best[ends])
    return by_pair


def confusion(held: str) -> Counter[tuple[str, str]]:
    """Counts of (label, verdict) in one half; the verdict is "apart" for a pair that is not returned."""
    found = verdicts()
    return Counter(
        (row["label"], found.get(pair_of(row), APART)[0]) for row in labels() if row["held"] == held
    )


def test_the_labels_are_many_hard_and_mostly_not_trivial():
    rows = labels()
    kinds = Counter(row["kind"] for row in rows)
    assert len(rows) == len({pair_of(row) for row in rows}) >= 300
    assert sum(kinds[kind] for kind in HARD) >= 100
    assert {row["label"] for row in rows if row["kind"] in HARD} == {"different"}
    assert kinds[TRIVIAL] <= 30
    assert all(pair_of(row) == tuple(sorted(pair_of(row))) for row in rows)


def test_the_held_half_is_chosen_by_the_stated_hash():
    for row in labels():
        digest = sha256(min(row["id_a"], row["id_b"]).encode()).hexdigest()
        assert row["held"] == ("yes" if int(digest[0], 16) % 2 else "no")
    halves = Counter(row["held"] for row in labels())
    assert min(halves.values()) >= 0.4 * sum(halves.values())


@needs_shared
@pytest.mark.parametrize("held", ["no", "yes"])
def test_no_pair_of_two_places_merges_by_itself(held):
    counts = confusion(held)
    assert counts["different", "same"] == 0
    assert counts["unsure", "same"] == 0


@needs_shared
@pytest.mark.parametrize("held", ["no", "yes"])
def test_the_same_doors_are_found(held):
    counts = confusion(held)
    same = {verdict: counts["same", verdict] for verdict in ("same", "question", "apart")}
    assert (same["same"] + same["question"]) / sum(same.values()) >= 0.95
    assert same["same"] / sum(same.values()) >= 0.7, "too much is left to a person"


@needs_shared
def test_few_questions_are_about_two_places():
    counts = confusion("no") + confusion("yes")
    asked = {label: counts[label, "question"] for label in ("same", "different", "unsure")}
    assert asked["different"] / sum(asked.values()) <= 0.15


@needs_shared
def test_a_higher_score_is_more_often_the_same_place():
    shares = []
    for low, high in ((75, 85), (85, 95), (95, 101)):
        found = [
            row["label"] == "same"
            for row in labels()
            if row["label"] != "unsure" and low <= verdicts().get(pair_of(row), APART)[1] < high
        ]
        shares.append(sum(found) / len(found))
    assert shares == sorted(shares) and shares[-1] == 1
