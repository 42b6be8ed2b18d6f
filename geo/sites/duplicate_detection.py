"""Records of one place, come from several sources, recognised and proposed as duplicates; pure.

The score is the national practice's: the mean of three likenesses between 0 and 100 (name,
street, distance), proposed strictly above 83 between two datasets and strictly above 90 inside
one. What differs, and why:

- the national practice counts a missing coordinate as a perfect distance. Here a record placed
  at its town hall brings no distance at all: the mean is that of name and street alone;
- names are compared without the words every such place bears (mairie, France services, the
  name of the commune…), streets with their house number apart;
- a SIRET or a telephone in common adds a few points. It never suffices: one commune's SIRET
  covers its town hall, its library and its social centre.

Only records of one commune are compared; one attached to no commune is compared with those of
its postal code. Where they are many, only neighbours in the order of name, street, SIRET,
telephone and place are (sorted neighbourhood: Hernández and Stolfo, 1995), so that the work
grows with the records, not with their square.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from geo.crs import project
from geo.sites.model import Position, Site
from geo.sites.text import fold

BETWEEN_DATASETS = 83.0
"""Score above which two records of different datasets are proposed as one place."""

INSIDE_DATASET = 90.0
"""The same inside one dataset, whose producer seldom lists a place twice."""

SAME_SIRET = 6.0
SAME_PHONE = 3.0
"""Points added when a known SIRET, or a telephone, is common to both."""

NUMBER_GAP = 3.0
NUMBER_GAP_MOST = 30.0
"""Points a street loses for each unit between two house numbers, and the most it can lose."""

NEAR_M = 45.0
"""Distance in metres under which two points are the same place as far as a geocoder can tell."""

WHOLE_BLOCK = 40
"""Largest number of records of a commune that are all compared with each other."""

WINDOW = 12
"""In larger communes, how many followers in each order a record is compared with."""

PER_RECORD = 5
"""Most proposals a record may be part of; the best are kept."""

_DISTANCE_UNIT_M = 111.0
"""A thousandth of a degree of latitude: the national distance score is 100 / (1000 × degrees + 1)."""

_UNKNOWN_PIVOT = "00000000000000"

_ARTICLES = frozenset(
    ["a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "s", "sous", "sur"]
)

_ABBREVIATIONS = {
    "all": "allee",
    "allees": "allee",
    "av": "avenue",
    "ave": "avenue",
    "bd": "boulevard",
    "bld": "boulevard",
    "bvd": "boulevard",
    "ccas": "centre communal action sociale",
    "cc": "communaute communes",
    "che": "chemin",
    "crs": "cours",
    "dr": "docteur",
    "epn": "espace numerique",
    "fg": "faubourg",
    "gal": "general",
    "imp": "impasse",
    "laposte": "poste",
    "mal": "marechal",
    "pl": "place",
    "q": "quai",
    "r": "rue",
    "rte": "route",
    "sq": "square",
    "st": "saint",
    "ste": "sainte",
    "ville": "mairie",
    "commune": "mairie",
}

_GENERIC = frozenset(
    [
        *("agence", "antenne", "bureau", "bus", "centre", "conseiller", "conseillers", "espace"),
        *("france", "itinerante", "maison", "mairie", "multisites", "numerique", "numeriques"),
        *("point", "service", "services"),
    ]
)
"""Words so common in the names of such places that sharing them says little."""

_WORD = re.compile(r"[^\W\d_]+|\d+")
_NUMBER = re.compile(r"^0*(\d{1,4}) ?(bis|ter|quater|[abc])? ")
_POSTCODE_ON = re.compile(r" \d{5}( .*)?$")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two records that may tell of one place, by public identifier, `a` before `b`.

    `score` lies between 0 and 100; `reasons` are short French phrases with their figures.
    """

    a: str
    b: str
    score: float
    reasons: tuple[str, ...]


def _words(text: str) -> list[str]:
    """Folded words of a name or street, abbreviations spelt out, articles left out."""
    spelt = " ".join(_ABBREVIATIONS.get(word, word) for word in _WORD.findall(fold(text))).split()
    return [word for word in spelt if word not in _ARTICLES]


def _without_place(text: str, place: set[str]) -> list[str]:
    words = _words(text)
    return [word for word in words if word not in place] or words


def _distinctive_words(words: list[str]) -> str:
    """What remains of a name once the words every such place bears are left out."""
    return " ".join(word for word in words if word not in _GENERIC)


def _address(text: str) -> tuple[str, str]:
    """House number ("32bis"; "" when none) and street, without what follows a postal code."""
    text = _POSTCODE_ON.sub("", " ".join(_WORD.findall(fold(text))))
    number = ""
    if found := _NUMBER.match(text):
        number, text = f"{found[1]}{found[2] or ''}", text[found.end() :]
    return "" if number == "0" else number, " ".join(_words(text))


@dataclass(frozen=True)
class _Features:
    """What is compared: one array a feature, in the order of the records.

    `xy` is in metres, NaN where a record has no coordinates of its own; texts are "" where unknown.
    """

    xy: NDArray[np.float64]
    ids: NDArray[np.object_]
    datasets: NDArray[np.object_]
    communes: NDArray[np.object_]
    names: NDArray[np.object_]
    telling: NDArray[np.object_]
    inside: NDArray[np.object_]
    numbers: NDArray[np.object_]
    streets: NDArray[np.object_]
    sirets: NDArray[np.object_]
    phones: NDArray[np.object_]


def _features(sites: Sequence[Site], epsg: int) -> _Features:
    rows = []
    for s in sites:
        place = set(_words(s.commune))
        name, inside = _without_place(s.nom, place), _without_place(s.complement_adresse, place)
        siret = "" if s.pivot == _UNKNOWN_PIVOT else s.pivot
        texts = (" ".join(name), _distinctive_words(name), _distinctive_words(inside), *_address(s.adresse))
        rows.append((s.id, s.jeu_de_donnees, s.code_insee, *texts, siret, s.telephone))
    degrees = np.array([(s.longitude, s.latitude) if _has_own_point(s) else (np.nan, np.nan) for s in sites])
    xy = project(degrees[:, 0], degrees[:, 1], epsg)
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    return _Features(xy, *np.array(rows, dtype=object).T)


def _has_own_point(site: Site) -> bool:
    """Whether the coordinates tell where the place is, rather than where its town hall is."""
    return site.located and site.position is Position.EXACTE


def _blocks(sites: Sequence[Site]) -> list[NDArray[np.intp]]:
    """Records of each commune, then of each postal code that has some attached to no commune."""
    by_commune: dict[str, list[int]] = defaultdict(list)
    by_postal_code: dict[str, list[int]] = defaultdict(list)
    unattached = {site.code_postal for site in sites if not site.code_insee}
    for index, site in enumerate(sites):
        if site.code_insee:
            by_commune[site.code_insee].append(index)
        if site.code_postal in unattached and site.code_postal:
            by_postal_code[site.code_postal].append(index)
    members = [*by_commune.values(), *by_postal_code.values()]
    return [np.array(block, dtype=np.intp) for block in members if len(block) > 1]


def _candidates(sites: Sequence[Site], of: _Features) -> NDArray[np.intp]:
    """Pairs worth comparing, shape (m, 2), each once, the smaller index first."""
    found: list[NDArray[np.intp]] = []
    for block in _blocks(sites):
        if len(block) <= WHOLE_BLOCK:
            found.append(block[np.column_stack(np.triu_indices(len(block), k=1))])
            continue
        orders = (of.telling, of.names, of.streets, of.sirets, of.phones)
        sorted_blocks = [_in_order(block, column) for column in orders]
        located = block[np.isfinite(of.xy[block, 0])]
        strips = np.floor(of.xy[located, 0] / NEAR_M)
        sorted_blocks.append(located[np.lexsort((of.xy[located, 1], strips))])
        for ordered in sorted_blocks:
            found.extend(
                np.column_stack([ordered[:-step], ordered[step:]])
                for step in range(1, min(WINDOW, len(ordered) - 1) + 1)
            )
    if not found:
        return np.empty((0, 2), dtype=np.intp)
    pairs = np.sort(np.concatenate(found), axis=1)
    keys = np.unique(pairs[:, 0] * len(sites) + pairs[:, 1])
    return np.column_stack(np.divmod(keys, len(sites)))


def _in_order(block: NDArray[np.intp], column: NDArray[np.object_]) -> NDArray[np.intp]:
    """Records of a block that have a value, in its order."""
    known = [index for index in block.tolist() if column[index]]
    return np.array(sorted(known, key=column.__getitem__), dtype=np.intp)


def _word_similarity(left: NDArray[np.object_], right: NDArray[np.object_]) -> NDArray[np.float64]:
    """Share of words in common, 0 to 100, pair by pair; 0 where either text is empty."""
    scores: NDArray[np.float64] = process.cpdist(left, right, scorer=fuzz.token_set_ratio, dtype=np.float64)
    scores[(left == "") | (right == "")] = 0.0
    return scores


def _equal_and_known(
    column: NDArray[np.object_], a: NDArray[np.intp], b: NDArray[np.intp]
) -> NDArray[np.bool_]:
    common: NDArray[np.bool_] = (column[a] == column[b]) & (column[a] != "")
    return common


def _number_gaps(left: NDArray[np.object_], right: NDArray[np.object_]) -> NDArray[np.float64]:
    """Units between two house numbers; 0 where either has none."""

    def value(number: str) -> float:
        return float(number.rstrip("abceiqrstu")) if number else np.nan

    gaps = np.array([value(n) for n in left]) - np.array([value(n) for n in right])
    return np.where(np.isfinite(gaps), np.abs(gaps), 0.0)


def _name_scores(of: _Features, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float64]:
    """Likeness of two names, 0 to 100.

    The best of: the telling words of both; those of one against the other's address complement
    (« Mission locale », written there); the whole names, order and extra words counted by half.
    """
    whole = process.cpdist(of.names[a], of.names[b], scorer=fuzz.token_sort_ratio, dtype=np.float64)
    best: NDArray[np.float64] = np.maximum.reduce(
        [
            (whole + _word_similarity(of.names[a], of.names[b])) / 2,
            _word_similarity(of.telling[a], of.telling[b]),
            _word_similarity(of.inside[a], of.telling[b]),
            _word_similarity(of.telling[a], of.inside[b]),
        ]
    )
    return best


def find_duplicates(
    sites: Sequence[Site], *, epsg: int, changed: Collection[str] | None = None
) -> list[Proposal]:
    """Pairs of records that may tell of one place, best first.

    Parameters
    ----------
    sites
        Records in service, of all datasets.
    epsg
        Metric projection in which distances are measured.
    changed
        Public identifiers of the records that are new or have changed: only pairs with one of
        them are looked at. None: all.

    Raises
    ------
    InvalidCrs
        If `epsg` does not measure in metres.
    """
    if len(sites) < 2:
        return []
    of = _features(sites, epsg)
    pairs = _candidates(sites, of)
    if changed is not None:
        fresh = np.fromiter((site.id in changed for site in sites), dtype=np.bool_, count=len(sites))
        pairs = pairs[fresh[pairs].any(axis=1)]
    communes = of.communes[pairs]
    pairs = pairs[(communes[:, 0] == communes[:, 1]) | (communes == "").any(axis=1)]
    a, b = pairs[:, 0], pairs[:, 1]

    metres = np.hypot(*(of.xy[a] - of.xy[b]).T)
    measured = np.isfinite(metres)
    street = _word_similarity(of.streets[a], of.streets[b])
    street -= np.minimum(NUMBER_GAP * _number_gaps(of.numbers[a], of.numbers[b]), NUMBER_GAP_MOST)
    door = _equal_and_known(of.numbers, a, b) & (street == 100.0)
    near = np.where(metres <= NEAR_M, 100.0, 100.0 / (1.0 + metres / _DISTANCE_UNIT_M))
    near = np.where(door, 100.0, near)
    counted = measured | door
    place = street + np.where(counted, near, 0.0)
    siret, phone = _equal_and_known(of.sirets, a, b), _equal_and_known(of.phones, a, b)
    bonus = SAME_SIRET * siret + SAME_PHONE * phone
    threshold = np.where(of.datasets[a] == of.datasets[b], INSIDE_DATASET, BETWEEN_DATASETS)

    possible = np.flatnonzero((100.0 + place) / (2.0 + counted) + bonus > threshold)
    name = np.zeros(len(pairs))
    name[possible] = _name_scores(of, a[possible], b[possible])
    score = np.minimum((name + place) / (2.0 + counted) + bonus, 100.0)
    kept = possible[score[possible] > threshold[possible]]

    found = []
    for k in kept.tolist():
        first, second = sorted((of.ids[a[k]], of.ids[b[k]]))
        same_name = of.names[a[k]] == of.names[b[k]]
        said = [
            "même nom" if same_name else f"noms proches à {name[k]:.0f} %",
            _address_reason(street[k], bool(door[k])),
            *([_distance_reason(metres[k])] if measured[k] else []),
            *(["même SIRET"] if siret[k] else []),
            *(["même téléphone"] if phone[k] else []),
        ]
        found.append(Proposal(first, second, round(float(score[k]), 1), tuple(said)))
    return _limit_per_record(found)


def _address_reason(street: float, door: bool) -> str:
    if door:
        return "même adresse"
    return "même rue" if street == 100 else f"adresses proches à {street:.0f} %"


def _distance_reason(metres: float) -> str:
    return f"à {metres:.0f} m" if metres < 1_000 else f"à {metres / 1_000:.1f} km".replace(".", ",")


def _limit_per_record(found: list[Proposal]) -> list[Proposal]:
    """The best proposals, none of whose records is in more than `PER_RECORD` of them."""
    taken: Counter[str] = Counter()
    kept = []
    for proposal in sorted(found, key=lambda p: (-p.score, p.a, p.b)):
        if taken[proposal.a] < PER_RECORD and taken[proposal.b] < PER_RECORD:
            taken.update((proposal.a, proposal.b))
            kept.append(proposal)
    return kept
