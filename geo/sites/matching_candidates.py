"""Choose the pairs of records worth comparing, at a cost that grows linearly. No I/O.

Only records of the same commune are compared; a record without commune is compared with those of
its postal code; two records with one identifier are compared wherever they are. In large communes,
only neighbours in the sort order of name, address, SIRET, contacts or position are compared (sorted
neighbourhood method: Hernández and Stolfo, 1995).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.crs import project
from geo.sites.matching_addresses import Address, parse_address, units
from geo.sites.matching_names import PlaceName, parse_name
from geo.sites.model import SourceRecord
from geo.sites.standard import UNKNOWN_PIVOT
from geo.sites.text import fold

WHOLE_BLOCK = 40
"""Up to this many records in a commune, all pairs are compared."""

WINDOW = 12
"""In larger communes, a record is compared with this many followers in each sort order."""

NEAR_M = 150.0
"""Distance in metres up to which records of one kind are compared, or of one street; of any kind, half."""

WITH_MORE_M = 400.0
"""Distance in metres up to which records with one name or street are compared, whatever their number."""

_STRIP_M = 45.0
_LONG_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])"
)
"""Identifiers unique in the world: UUID, and those of MongoDB."""

_PREFIXED_ID = re.compile(r"(?P<origin>[\w-]*\w)(--|_)(?P<id>\w+)")
"""Identifiers that name their origin: « France-Services_268 », « france-services--268 »."""


_SHARED_DOMAINS = frozenset(
    [
        *("", "france-services.gouv.fr", "facebook.com", "fr-fr.facebook.com", "instagram.com", "linktr.ee"),
        *(
            "gmail.com",
            "laposte.net",
            "laposte.fr",
            "orange.fr",
            "wanadoo.fr",
            "free.fr",
            "sfr.fr",
            "yahoo.fr",
        ),
        *("hotmail.fr", "hotmail.com", "outlook.fr", "outlook.com", "live.fr", "sites.google.com"),
    ]
)
"""Domains of many unrelated places."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is compared of one record."""

    key: str
    dataset: str
    source: str
    commune: str
    postal_code: str
    name: PlaceName
    complement: PlaceName
    units: frozenset[str]
    address: Address
    siret: str
    phones: frozenset[str]
    emails: frozenset[str]
    sites: frozenset[str]
    domains: frozenset[str]
    world_ids: frozenset[str]
    source_ids: frozenset[tuple[str, str]]


def _world_ids(record: SourceRecord) -> frozenset[str]:
    """Return the identifiers unique in the world that an identifier contains."""
    return frozenset(_LONG_ID.findall(record.local_id.lower()))


def _source_ids(record: SourceRecord) -> frozenset[tuple[str, str]]:
    """Return the identifier with each of its origins: source, dataset, and the prefix that names one."""
    found = {(fold(origin), record.local_id) for origin in (record.source, record.jeu_de_donnees) if origin}
    if prefixed := _PREFIXED_ID.fullmatch(record.local_id):
        found.add((fold(prefixed["origin"]), prefixed["id"]))
    return frozenset(found)


def features(record: SourceRecord) -> Features:
    """Compute what is compared of a record."""
    commune = record.commune
    return Features(
        key=record.key,
        dataset=record.jeu_de_donnees,
        source=fold(record.source),
        commune=record.code_insee,
        postal_code=record.code_postal,
        name=parse_name(record.nom, commune),
        complement=parse_name(record.complement_adresse, commune),
        units=units(f"{record.adresse} {record.complement_adresse}"),
        address=parse_address(record.adresse, commune),
        siret="" if record.pivot == UNKNOWN_PIVOT else record.pivot,
        phones=frozenset(_numbers(record)),
        emails=frozenset(map(str.casefold, record.courriels)),
        sites=frozenset(url.rstrip("/").casefold() for url in record.site_web),
        domains=frozenset(map(_domain, (*record.courriels, *record.site_web))) - _SHARED_DOMAINS,
        world_ids=_world_ids(record),
        source_ids=_source_ids(record),
    )


def _numbers(record: SourceRecord) -> Iterable[str]:
    """Yield the telephone numbers of a record, without their remarks."""
    for number in (record.telephone, *record.autres_telephones):
        if number:
            yield number.partition(" ")[0]


def _domain(contact: str) -> str:
    """Return the internet domain of an e-mail or web address."""
    return contact.casefold().rpartition("@")[2].rpartition("//")[2].partition("/")[0].removeprefix("www.")


def own_points(records: Sequence[SourceRecord], epsg: int) -> NDArray[np.float64]:
    """Return the metric coordinates of records, shape (n, 2).

    NaN where a record has none of its own: a point at the town hall or in the street is not its door.
    """
    degrees = np.array(
        [
            (r.longitude, r.latitude) if r.located and r.position.precise else (np.nan, np.nan)
            for r in records
        ],
        dtype=np.float64,
    ).reshape(-1, 2)
    xy = project(degrees[:, 0], degrees[:, 1], epsg)
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    return xy


def closed_around(records: Sequence[SourceRecord], changed: Collection[str]) -> list[SourceRecord]:
    """Return the records whose matches a change may affect.

    All those of the communes of the changed records; communes that a record without commune may
    belong to (by postal code) count as one. Records that share an identifier bring their communes.
    """
    group: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while group.setdefault(key, key) != key:
            key = group[key]
        return key

    unattached = {r.code_postal for r in records if not r.code_insee}
    seen: dict[Hashable, Hashable] = {}
    places = [("commune", r.code_insee) if r.code_insee else ("postal", r.code_postal) for r in records]
    for record, place in zip(records, places, strict=True):
        if record.code_postal in unattached:
            group[root(place)] = root(("postal", record.code_postal))
        for token in (*_world_ids(record), *_source_ids(record)):
            group[root(place)] = root(seen.setdefault(token, place))
    touched = {root(place) for r, place in zip(records, places, strict=True) if r.key in changed}
    return [r for r, place in zip(records, places, strict=True) if root(place) in touched]


def candidate_pairs(records: Sequence[Features], xy: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the pairs to compare, shape (m, 2), without repetitions, smaller index first."""
    found = [*_of_blocks(records, xy)]
    if found:
        pairs = np.concatenate(found)
        codes = np.array([r.commune for r in records], dtype=object)[pairs]
        pairs = pairs[(codes[:, 0] == codes[:, 1]) | (codes == "").any(axis=1)]
        pairs = pairs[_worth_it(records, xy, pairs)]
    else:
        pairs = np.empty((0, 2), dtype=np.intp)
    shared = np.array(list(_of_shared_ids(records)), dtype=np.intp).reshape(-1, 2)
    pairs = np.sort(np.concatenate([pairs, shared]), axis=1)
    keys = np.unique(pairs[:, 0] * len(records) + pairs[:, 1])
    return np.column_stack(np.divmod(keys, len(records)))


def _blocks(records: Sequence[Features]) -> list[list[int]]:
    """Group indices by commune, and by postal code where some record has no commune."""
    by_commune: dict[str, list[int]] = defaultdict(list)
    by_postal_code: dict[str, list[int]] = defaultdict(list)
    unattached = {r.postal_code for r in records if not r.commune}
    for index, record in enumerate(records):
        if record.commune:
            by_commune[record.commune].append(index)
        if record.postal_code in unattached and record.postal_code:
            by_postal_code[record.postal_code].append(index)
    return [block for block in (*by_commune.values(), *by_postal_code.values()) if len(block) > 1]


def _of_blocks(records: Sequence[Features], xy: NDArray[np.float64]) -> Iterable[NDArray[np.intp]]:
    for block in _blocks(records):
        if len(block) <= WHOLE_BLOCK:
            yield np.array(block, dtype=np.intp)[np.column_stack(np.triu_indices(len(block), k=1))]
            continue
        for ordered in _sorted_blocks(block, records, xy):
            for step in range(1, min(WINDOW, len(ordered) - 1) + 1):
                yield np.column_stack([ordered[:-step], ordered[step:]])


def _sorted_blocks(
    block: list[int], records: Sequence[Features], xy: NDArray[np.float64]
) -> Iterable[NDArray[np.intp]]:
    """Yield the records of a large block in each sort order; equal ones by key, whatever their order."""
    block = sorted(block, key=lambda index: records[index].key)
    columns: list[dict[int, Hashable]] = [
        {i: records[i].name.words for i in block},
        {i: records[i].name.text for i in block},
        {i: (records[i].address.words, sorted(records[i].address.numbers)) for i in block},
        {i: records[i].siret for i in block},
        {i: min(records[i].phones, default="") for i in block},
        {i: min(records[i].emails, default="") for i in block},
    ]
    for column in columns:
        known = [index for index in block if column[index]]
        yield np.array(sorted(known, key=column.__getitem__), dtype=np.intp)  # type: ignore[arg-type]
    # Positions are sorted along strips, so that near points follow each other.
    located = np.array(block, dtype=np.intp)
    located = located[np.isfinite(xy[located, 0])]
    strips = np.floor(xy[located, 0] / _STRIP_M)
    yield located[np.lexsort((xy[located, 1], strips))]


def _of_shared_ids(records: Sequence[Features]) -> Iterable[tuple[int, int]]:
    by_id: dict[Hashable, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        for token in (*record.world_ids, *record.source_ids):
            by_id[token].append(index)
    for indices in by_id.values():
        indices.sort(key=lambda index: records[index].key)
        for step in range(1, min(WINDOW, len(indices) - 1) + 1):
            yield from zip(indices[:-step], indices[step:], strict=True)


def _codes(values: Iterable[Hashable]) -> NDArray[np.intp]:
    """Number equal values alike; empty ones get a negative number of their own."""
    numbers: dict[Hashable, int] = {}
    listed = [numbers.setdefault(value, len(numbers)) if value else -1 for value in values]
    return np.array(listed, dtype=np.intp)


def _worth_it(
    records: Sequence[Features], xy: NDArray[np.float64], pairs: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Return which pairs share enough to be one place: a street, a name or a point, and no distance."""
    a, b = pairs[:, 0], pairs[:, 1]
    metres = np.hypot(*(xy[a] - xy[b]).T)

    def equal(values: Iterable[Hashable]) -> NDArray[np.bool_]:
        codes = _codes(values)
        same: NDArray[np.bool_] = (codes[a] == codes[b]) & (codes[a] >= 0)
        return same

    street = equal(r.address.words[0] if r.address.words else "" for r in records)
    street |= equal(r.address.words[-1] if r.address.words else "" for r in records)
    number = equal(r.address.numbers for r in records)
    numbered = np.array([len(r.address.numbers) for r in records])
    other_number = ~number & (numbered[a] == 1) & (numbered[b] == 1)
    name = equal(r.name.words for r in records)
    kind = equal(
        (r.name.services, r.name.hosts) if r.name.anchored or r.name.services else "" for r in records
    )
    near_by = ~(metres > WITH_MORE_M)
    worth: NDArray[np.bool_] = (
        (street & number)
        | (near_by & (name | (street & ~other_number)))
        | ((metres <= NEAR_M) & (street | kind))
        | (metres <= NEAR_M / 2)
    )
    return worth
