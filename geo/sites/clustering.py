"""Group records into sites, and give each group its stable identifier. No I/O here.

Groups are a pure function of the links between records, whatever the order in which records arrived.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from geo.sites.identifiers import source_suffix


@dataclass(frozen=True, slots=True)
class Link:
    """Two records, by key, that are one place. `weight` orders links: decisions before scores."""

    a: str
    b: str
    weight: float


def group(
    keys: Iterable[str], links: Iterable[Link], apart: Iterable[tuple[str, str]] = ()
) -> list[tuple[str, ...]]:
    """Group linked records, never joining two that were decided to be different places.

    Links are followed by descending weight, then by key; one that would join two records of `apart`,
    directly or through others, is not followed. Without `apart`, groups are the connected components.

    Returns
    -------
    Sorted groups of sorted keys; each key is in one group.
    """
    members = {key: [key] for key in keys}
    root = {key: key for key in members}
    barred: dict[str, set[str]] = defaultdict(set)
    for a, b in apart:
        barred[a].add(b)
        barred[b].add(a)
    for link in sorted(links, key=lambda each: (-each.weight, each.a, each.b)):
        if link.a not in root or link.b not in root:
            continue
        one, other = sorted((root[link.a], root[link.b]))
        if one == other or any(root.get(key) == other for key in barred[one]):
            continue
        for key in members[other]:
            root[key] = one
        members[one] += members.pop(other)
        barred[one] |= barred.pop(other, set())
    return sorted(tuple(sorted(each)) for each in members.values())


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """What is stored of a record: its rank of arrival, and the sites it belongs and first belonged to.

    Both are None for a record that has no site yet.
    """

    rank: int
    dataset: str
    local_id: str
    source: str
    site: str | None = None
    first_site: str | None = None


@dataclass(frozen=True, slots=True)
class KnownSite:
    """What is stored of a site: its rank of creation, the site it was merged into, whether it is retired."""

    rank: int
    merged_into: str | None = None
    retired: bool = False


@dataclass(slots=True)
class Assignment:
    """Identifier of each group, and what becomes of the identifiers that sites had.

    Attributes
    ----------
    ids
        Identifier of each group, in the order of the groups.
    merged
        Identifier that no group has any more → the one that now stands for it.
    retired
        Identifiers of sites none of whose records is left.
    founders
        Identifier of each new site → key of the record that it is created for.
    """

    ids: list[str] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)
    retired: list[str] = field(default_factory=list)
    founders: dict[str, str] = field(default_factory=dict)


def assign(
    groups: Sequence[tuple[str, ...]],
    records: Mapping[str, KnownRecord],
    sites: Mapping[str, KnownSite],
    exported: Mapping[str, str] = MappingProxyType({}),
) -> Assignment:
    """Give each group of records its identifier: the one it has, or else a new one.

    A site follows the oldest record among those it was created for; if none is left, the group with
    most of its records, of equal ones that which has no other identifier. A group that several sites
    would follow has the identifier of the oldest that is not merged; the others redirect to it. A
    record that leaves a merged site gets the identifier it had before back.

    Parameters
    ----------
    groups
        Groups of keys of records (`group`).
    records
        What is stored of each of these records.
    sites
        All sites ever created.
    exported
        Identifier that the site of a record has in the export that it comes from, by key. A new site
        has it too if nothing else does.
    """
    claims = _claims(groups, records, sites)
    result = Assignment(ids=[""] * len(groups))
    taken = set(sites)
    for index, claiming in claims.items():
        result.ids[index] = min(claiming, key=lambda each: (bool(sites[each].merged_into), sites[each].rank))
        for site in claiming:
            if site != result.ids[index]:
                result.merged[site] = result.ids[index]
    new = sorted(
        (index for index, each in enumerate(result.ids) if not each),
        key=lambda index: min(records[key].rank for key in groups[index]),
    )
    for index in new:
        for key in sorted(groups[index], key=lambda key: records[key].rank):
            name = exported.get(key)
            if name in names_for(records[key]) and name not in taken:
                result.ids[index], result.founders[name] = name, key
                taken.add(name)
                break
    for index in new:
        if not result.ids[index]:
            first = min(groups[index], key=lambda key: records[key].rank)
            result.ids[index] = _new_id(records[first], taken)
            result.founders[result.ids[index]] = first
            taken.add(result.ids[index])
    claimed = {site for claiming in claims.values() for site in claiming}
    result.retired = [
        site for site, known in sites.items() if site not in claimed and known.merged_into is None
    ]
    return result


def _claims(
    groups: Sequence[tuple[str, ...]], records: Mapping[str, KnownRecord], sites: Mapping[str, KnownSite]
) -> dict[int, list[str]]:
    """Return the identifiers of the sites that follow each group, by index of the group."""
    founders: dict[str, tuple[int, int]] = {}
    present: dict[str, Counter[int]] = defaultdict(Counter)
    for index, keys in enumerate(groups):
        for key in keys:
            record = records[key]
            if record.first_site is not None:
                founder = (record.rank, index)
                founders[record.first_site] = min(founders.get(record.first_site, founder), founder)
            if record.site is not None:
                present[record.site][index] += 1
    claims: dict[int, list[str]] = defaultdict(list)
    for site in sites.keys() & founders.keys():
        claims[founders[site][1]].append(site)
    named = set(claims)
    for site in present.keys() - founders.keys():
        if sites[site].merged_into is None:
            counted = present[site]
            rank = {index: (-counted[index], index in named, groups[index]) for index in counted}
            claims[min(rank, key=rank.__getitem__)].append(site)
    return claims


NAMES_TRIED: Final = 9
"""Variants of an identifier that are tried before a long one."""


def names_for(record: KnownRecord) -> list[str]:
    """Return the identifiers that a site created for a record may have, the first free one preferred."""
    base = f"{record.dataset}--{record.local_id}"
    named = f"{base}{source_suffix(record.source)}"
    return list(dict.fromkeys((base, named, *(f"{named}--{n}" for n in range(2, NAMES_TRIED + 1)))))


def _new_id(record: KnownRecord, taken: Collection[str]) -> str:
    """Return a public identifier for a new site, different from all that were ever used."""
    names = names_for(record)
    free = [name for name in names if name not in taken]
    return free[0] if free else f"{names[0]}--record-{record.rank}"
