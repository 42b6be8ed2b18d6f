"""Detect records of several sources that describe the same place. No I/O.

The score follows the national practice: the mean of three similarities between 0 and 100 (name,
street, distance). A pair is proposed strictly above 83 between two datasets, strictly above 90
within one. Differences with the national practice:

- it counts missing coordinates as a perfect match. Here a record placed at its town hall has no
  distance score: the mean is then that of name and street;
- names are compared without words common to all such places (mairie, France services, the name
  of the commune…), and house numbers separately from streets;
- a shared SIRET or telephone number adds a few points but never suffices: the SIRET of a commune
  covers its town hall, its library and its social centre.

Only records of the same commune are compared; a record without commune is compared with those of
its postal code. In large communes, only neighbours in the sort order of name, street, SIRET,
telephone or position are compared (sorted neighbourhood method: Hernández and Stolfo, 1995), so
that the cost grows linearly with the number of records.
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
from geo.sites.model import Position, SourceRecord
from geo.sites.text import fold
from geo.wording import figures

BETWEEN_DATASETS = 83.0
"""Score above which two records of different datasets are proposed as duplicates."""

INSIDE_DATASET = 90.0
"""The same within one dataset, whose producer rarely lists a place twice."""

SAME_SIRET = 6.0
SAME_PHONE = 3.0
"""Points added when both records have the same SIRET, or the same telephone number."""

NUMBER_GAP = 3.0
NUMBER_GAP_MOST = 30.0
"""Points that a street score loses per unit between two house numbers, and at most."""

NEAR_M = 45.0
"""Distance in metres up to which two points are the same place, given the accuracy of geocoders."""

WHOLE_BLOCK = 40
"""Up to this many records in a commune, all pairs are compared."""

WINDOW = 12
"""In larger communes, a record is compared with this many followers in each sort order."""

PER_RECORD = 5
"""Maximum number of proposals with the same record; those with the best scores remain."""

_DISTANCE_UNIT_M = 111.0
"""Metres per 0.001° of latitude: the national distance score is 100 / (1000 × degrees + 1)."""

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
"""Words too common in the names of such places to be evidence of a duplicate."""

_WORD = re.compile(r"[^\W\d_]+|\d+")
_NUMBER = re.compile(r"^0*(\d{1,4}) ?(bis|ter|quater|[abc])? ")
_POSTCODE_ON = re.compile(r" \d{5}( .*)?$")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two records that may describe the same place, by key, with `a < b`.

    `score` is between 0 and 100; `reasons` are short French phrases.
    """

    a: str
    b: str
    score: float
    reasons: tuple[str, ...]


def _words(text: str) -> list[str]:
    """Return the folded words of a name or street, abbreviations expanded, without articles."""
    expanded = " ".join(_ABBREVIATIONS.get(word, word) for word in _WORD.findall(fold(text))).split()
    return [word for word in expanded if word not in _ARTICLES]


def _without_place(text: str, place: set[str]) -> list[str]:
    words = _words(text)
    return [word for word in words if word not in place] or words


def _distinctive_words(words: list[str]) -> str:
    """Return a name without the words common to all such places."""
    return " ".join(word for word in words if word not in _GENERIC)


def _address(text: str) -> tuple[str, str]:
    """Split an address into house number ("32bis", or "") and street; drop the postal code and after."""
    text = _POSTCODE_ON.sub("", " ".join(_WORD.findall(fold(text))))
    number = ""
    if found := _NUMBER.match(text):
        number, text = f"{found[1]}{found[2] or ''}", text[found.end() :]
    return "" if number == "0" else number, " ".join(_words(text))


@dataclass(frozen=True)
class _Features:
    """The compared features, one array each, in the order of the records.

    `xy` is in metres, NaN where a record has no coordinates of its own; unknown texts are "".
    `distinctive` and `complements` are the distinctive words of the name and the address complement.
    """

    xy: NDArray[np.float64]
    ids: NDArray[np.object_]
    datasets: NDArray[np.object_]
    communes: NDArray[np.object_]
    names: NDArray[np.object_]
    distinctive: NDArray[np.object_]
    complements: NDArray[np.object_]
    numbers: NDArray[np.object_]
    streets: NDArray[np.object_]
    sirets: NDArray[np.object_]
    phones: NDArray[np.object_]


def _features(sites: Sequence[SourceRecord], epsg: int) -> _Features:
    rows = []
    for s in sites:
        place = set(_words(s.commune))
        name, complement = _without_place(s.nom, place), _without_place(s.complement_adresse, place)
        siret = "" if s.pivot == _UNKNOWN_PIVOT else s.pivot
        texts = (
            " ".join(name),
            _distinctive_words(name),
            _distinctive_words(complement),
            *_address(s.adresse),
        )
        rows.append((s.key, s.jeu_de_donnees, s.code_insee, *texts, siret, s.telephone))
    degrees = np.array([(s.longitude, s.latitude) if _has_own_point(s) else (np.nan, np.nan) for s in sites])
    xy = project(degrees[:, 0], degrees[:, 1], epsg)
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    return _Features(xy, *np.array(rows, dtype=object).T)


def _has_own_point(site: SourceRecord) -> bool:
    """Return whether the coordinates are those of the place itself, not of its town hall."""
    return site.located and site.position is Position.EXACTE


def _blocks(sites: Sequence[SourceRecord]) -> list[NDArray[np.intp]]:
    """Group record indices by commune, then by postal code where some record has no commune."""
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


def _candidates(sites: Sequence[SourceRecord], features: _Features) -> NDArray[np.intp]:
    """Return the pairs to compare, shape (m, 2), without repetitions, smaller index first."""
    found: list[NDArray[np.intp]] = []
    for block in _blocks(sites):
        if len(block) <= WHOLE_BLOCK:
            found.append(block[np.column_stack(np.triu_indices(len(block), k=1))])
            continue
        sort_keys = (
            features.distinctive,
            features.names,
            features.streets,
            features.sirets,
            features.phones,
        )
        sorted_blocks = [_sorted_by(block, column) for column in sort_keys]
        # Positions are sorted along strips NEAR_M wide, so that near points follow each other.
        located = block[np.isfinite(features.xy[block, 0])]
        strips = np.floor(features.xy[located, 0] / NEAR_M)
        sorted_blocks.append(located[np.lexsort((features.xy[located, 1], strips))])
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


def _sorted_by(block: NDArray[np.intp], column: NDArray[np.object_]) -> NDArray[np.intp]:
    """Return the records of a block that have a value in a column, sorted by it."""
    known = [index for index in block.tolist() if column[index]]
    return np.array(sorted(known, key=column.__getitem__), dtype=np.intp)


def _word_similarity(left: NDArray[np.object_], right: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the token set ratio of each pair of texts, 0 to 100; 0 where either is empty."""
    scores: NDArray[np.float64] = process.cpdist(left, right, scorer=fuzz.token_set_ratio, dtype=np.float64)
    scores[(left == "") | (right == "")] = 0.0
    return scores


def _equal_and_known(
    column: NDArray[np.object_], a: NDArray[np.intp], b: NDArray[np.intp]
) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = (column[a] == column[b]) & (column[a] != "")
    return equal


def _number_gaps(left: NDArray[np.object_], right: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the difference of two house numbers; 0 where either is missing."""

    def value(number: str) -> float:
        return float(number.rstrip("abceiqrstu")) if number else np.nan

    gaps = np.array([value(n) for n in left]) - np.array([value(n) for n in right])
    return np.where(np.isfinite(gaps), np.abs(gaps), 0.0)


def _name_scores(features: _Features, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the similarity of each pair of names, 0 to 100.

    The best of three: the distinctive words of both names; those of one name and the other's
    address complement (which may hold « Mission locale »); the whole names, as the mean of the
    token sort and token set ratios, so that extra words count by half.
    """
    names, distinctive, complements = features.names, features.distinctive, features.complements
    whole = process.cpdist(names[a], names[b], scorer=fuzz.token_sort_ratio, dtype=np.float64)
    best: NDArray[np.float64] = np.maximum.reduce(
        [
            (whole + _word_similarity(names[a], names[b])) / 2,
            _word_similarity(distinctive[a], distinctive[b]),
            _word_similarity(complements[a], distinctive[b]),
            _word_similarity(distinctive[a], complements[b]),
        ]
    )
    return best


def find_duplicates(
    sites: Sequence[SourceRecord], *, epsg: int, changed: Collection[str] | None = None
) -> list[Proposal]:
    """Find pairs of records that may describe the same place, best score first.

    Parameters
    ----------
    sites
        Active records of all datasets.
    epsg
        Metric projection in which distances are measured.
    changed
        Keys of new or changed records: only pairs with one of them are compared.
        None compares all pairs.

    Raises
    ------
    InvalidCrs
        If `epsg` does not measure in metres.
    """
    if len(sites) < 2:
        return []
    features = _features(sites, epsg)
    pairs = _candidates(sites, features)
    if changed is not None:
        is_changed = np.fromiter((site.key in changed for site in sites), dtype=np.bool_, count=len(sites))
        pairs = pairs[is_changed[pairs].any(axis=1)]
    communes = features.communes[pairs]
    pairs = pairs[(communes[:, 0] == communes[:, 1]) | (communes == "").any(axis=1)]
    return _limit_per_record(_scored(features, pairs[:, 0], pairs[:, 1]))


def _scored(features: _Features, a: NDArray[np.intp], b: NDArray[np.intp]) -> list[Proposal]:
    """Score the pairs (a[i], b[i]); return a proposal for each pair above its threshold."""
    metres = np.hypot(*(features.xy[a] - features.xy[b]).T)
    is_measured = np.isfinite(metres)
    street = _word_similarity(features.streets[a], features.streets[b])
    number_gaps = _number_gaps(features.numbers[a], features.numbers[b])
    street -= np.minimum(NUMBER_GAP * number_gaps, NUMBER_GAP_MOST)
    same_address = _equal_and_known(features.numbers, a, b) & (street == 100.0)
    nearness = np.where(metres <= NEAR_M, 100.0, 100.0 / (1.0 + metres / _DISTANCE_UNIT_M))
    nearness = np.where(same_address, 100.0, nearness)
    # The mean is over three scores where there is a distance, else over name and street.
    has_nearness = is_measured | same_address
    place = street + np.where(has_nearness, nearness, 0.0)
    same_siret, same_phone = _equal_and_known(features.sirets, a, b), _equal_and_known(features.phones, a, b)
    bonus = SAME_SIRET * same_siret + SAME_PHONE * same_phone
    same_dataset = features.datasets[a] == features.datasets[b]
    threshold = np.where(same_dataset, INSIDE_DATASET, BETWEEN_DATASETS)

    # Name scores are the most expensive: compute them only where a perfect one would suffice.
    possible = np.flatnonzero((100.0 + place) / (2.0 + has_nearness) + bonus > threshold)
    name = np.zeros(len(a))
    name[possible] = _name_scores(features, a[possible], b[possible])
    score = np.minimum((name + place) / (2.0 + has_nearness) + bonus, 100.0)

    found = []
    for k in possible[score[possible] > threshold[possible]].tolist():
        first, second = sorted((features.ids[a[k]], features.ids[b[k]]))
        same_name = features.names[a[k]] == features.names[b[k]]
        reasons = [
            "même nom" if same_name else f"noms proches à {figures.percent(float(name[k]) / 100)}",
            _address_reason(street[k], bool(same_address[k])),
            *([f"à {figures.distance(float(metres[k]))}"] if is_measured[k] else []),
            *(["même SIRET"] if same_siret[k] else []),
            *(["même téléphone"] if same_phone[k] else []),
        ]
        found.append(Proposal(first, second, round(float(score[k]), 1), tuple(reasons)))
    return found


def _address_reason(street: float, same_address: bool) -> str:
    if same_address:
        return "même adresse"
    return "même rue" if street == 100 else f"adresses proches à {figures.percent(street / 100)}"


def _limit_per_record(found: list[Proposal]) -> list[Proposal]:
    """Sort proposals by score and drop those of records already in `PER_RECORD` better ones."""
    taken: Counter[str] = Counter()
    best = []
    for proposal in sorted(found, key=lambda p: (-p.score, p.a, p.b)):
        if taken[proposal.a] < PER_RECORD and taken[proposal.b] < PER_RECORD:
            taken.update((proposal.a, proposal.b))
            best.append(proposal)
    return best
