"""Decide which records of several sources describe the same place. No I/O.

A place is one door where a resident finds this help. Two records are matched by rules over three
comparisons: their names (`matching_names`), their addresses and points, and what they share
(identifier, SIRET, telephone, e-mail, website). The verdict is either that they are the same, so
certainly that they merge without asking, or a question for a person. A score from 0 to 100 sorts
the questions; docs/matching-records.md gives the rules, and figures on pairs judged by hand.

A shared SIRET or telephone never suffices: the SIRET of a commune covers its town hall, its library
and its social centre, and lists repeat telephone numbers by mistake. A record placed at its town
hall has no distance to others.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from geo.sites.matching_candidates import candidate_pairs, closed_around, features, own_points
from geo.sites.matching_rules import (
    PairComparison,
    compare_pair,
    contradict,
    is_certain,
    is_question,
    pair_score,
    reasons,
)
from geo.sites.model import SourceRecord

PER_RECORD = 5
"""Maximum number of questions about one record; those with the best scores remain."""

MOST_COMPARED = 12
"""Of two groups about to be joined, at most this many records each are compared with each other."""


class Verdict(StrEnum):
    """What to do with a pair."""

    SAME = "same"
    """Near-certain: the records merge by themselves."""
    QUESTION = "question"
    """A person decides."""


@dataclass(frozen=True, slots=True)
class RecordMatch:
    """Two records that may describe the same place, by key, with `a < b`.

    `score` is between 0 and 100; `reasons` are short French phrases.
    """

    a: str
    b: str
    score: float
    reasons: tuple[str, ...]
    verdict: Verdict


def match_records(
    records: Sequence[SourceRecord], *, epsg: int, changed: Collection[str] | None = None
) -> list[RecordMatch]:
    """Find pairs of records that describe, or may describe, the same place; best score first.

    The verdicts do not depend on the order of the records. Records joined by the verdict "same",
    directly or through others, are one place: a pair that would join two distinct places through a
    third record is a question. Between two such groups, only the question with the best score is
    returned.

    Parameters
    ----------
    records
        Active records of all datasets.
    epsg
        Metric projection in which distances are measured.
    changed
        Keys of new or changed records: only pairs with one of them are returned.
        None returns all pairs.

    Raises
    ------
    InvalidCrs
        If `epsg` does not measure in metres.
    """
    if changed is not None:
        records = closed_around(records, changed)
    if len(records) < 2:
        return []
    compared = [features(record) for record in records]
    xy = own_points(records, epsg)

    def compare(i: int, j: int) -> PairComparison:
        metres = float(np.hypot(xy[i, 0] - xy[j, 0], xy[i, 1] - xy[j, 1]))
        return compare_pair(compared[i], compared[j], metres)

    certain: list[tuple[float, int, int, PairComparison]] = []
    questions: list[RecordMatch] = []
    for indices in candidate_pairs(compared, xy).tolist():
        i, j = sorted(indices, key=lambda index: compared[index].key)
        pair = compare(i, j)
        score = pair_score(pair)
        if is_certain(pair):
            certain.append((score, i, j, pair))
        elif is_question(pair, score):
            questions.append(_match(pair, score, Verdict.QUESTION))
    joined, refused = _without_chains(certain, compare)
    matches = joined + _limit_per_record(_once_for_each_place(questions + refused, clusters(joined)))
    if changed is not None:
        matches = [match for match in matches if match.a in changed or match.b in changed]
    return sorted(matches, key=_best_first)


def _best_first(match: RecordMatch) -> tuple[float, str, str]:
    return -match.score, match.a, match.b


def _match(pair: PairComparison, score: float, verdict: Verdict, *more: str) -> RecordMatch:
    return RecordMatch(pair.a.key, pair.b.key, score, (*reasons(pair), *more), verdict)


def _without_chains(
    certain: list[tuple[float, int, int, PairComparison]], compare: Callable[[int, int], PairComparison]
) -> tuple[list[RecordMatch], list[RecordMatch]]:
    """Return the certain pairs, and as questions those that would join two distinct places.

    Pairs are taken from the best score down, and each joins two groups of records unless a record
    of one contradicts a record of the other.
    """
    group: dict[int, list[int]] = {}
    joined, refused = [], []
    for score, i, j, pair in sorted(certain, key=lambda c: (-c[0], c[3].a.key, c[3].b.key)):
        left, right = group.setdefault(i, [i]), group.setdefault(j, [j])
        ends = itertools.product(left[:MOST_COMPARED], right[:MOST_COMPARED])
        if left is not right and any(contradict(compare(m, n)) for m, n in ends):
            refused.append(_match(pair, score, Verdict.QUESTION, "réunirait deux lieux distincts"))
            continue
        joined.append(_match(pair, score, Verdict.SAME))
        if left is not right:
            large, small = (left, right) if len(left) >= len(right) else (right, left)
            large += small
            group.update(dict.fromkeys(small, large))
    return joined, refused


def _once_for_each_place(
    questions: Iterable[RecordMatch], joined: Iterable[frozenset[str]]
) -> list[RecordMatch]:
    """Keep the best question between two groups of records, and none inside a group."""
    group = {key: min(keys) for keys in joined for key in keys}
    best: dict[tuple[str, ...], RecordMatch] = {}
    for match in sorted(questions, key=_best_first):
        ends = sorted({group.get(match.a, match.a), group.get(match.b, match.b)})
        if len(ends) == 2:
            best.setdefault(tuple(ends), match)
    return list(best.values())


def _limit_per_record(found: Iterable[RecordMatch]) -> list[RecordMatch]:
    """Drop questions about records that are already in `PER_RECORD` better ones."""
    taken: Counter[str] = Counter()
    best = []
    for match in sorted(found, key=_best_first):
        if taken[match.a] < PER_RECORD and taken[match.b] < PER_RECORD:
            taken.update((match.a, match.b))
            best.append(match)
    return best


def clusters(matches: Iterable[RecordMatch]) -> list[frozenset[str]]:
    """Return the groups of two records or more that the verdict "same" joins, in order of key."""
    linked: dict[str, set[str]] = defaultdict(set)
    for match in matches:
        if match.verdict is Verdict.SAME:
            whole = linked[match.a] | linked[match.b] | {match.a, match.b}
            for key in whole:
                linked[key] = whole
    return sorted({frozenset(group) for group in linked.values()}, key=sorted)
