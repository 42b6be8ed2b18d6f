"""Build the sites anew from the records in service: match, group, identify, choose values, store.

The sites are a function of the records, of the decisions about pairs, and of the identifiers that
sites had: whoever changes one of these calls `rebuild` in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from geo import gc_pause
from geo.errors import SnapshotUnavailable
from geo.sites.clustering import Assignment, KnownRecord, KnownSite, Link, assign, group, names_for
from geo.sites.field_rules import FieldRules, load_rules
from geo.sites.matching_records import match_records
from geo.sites.model import SourceRecord
from geo.sites.place_change import basis, place_change
from geo.sites.site_building import build_sites
from geo.store import imports, record_pairs, records, sites, snapshots, territories
from geo.store.database import Connection
from geo.store.record_pairs import RecordPair
from geo.store.records import Membership
from geo.store.sites import SiteEvent

DECIDED_WEIGHT: Final = 1_000.0
"""Weight of a decided link: above any score."""


@dataclass(frozen=True)
class SiteChanges:
    """What a rebuild changed, by identifier of sites, and the pairs that wait for a decision.

    Attributes
    ----------
    merged
        Identifier that now redirects → the site that stands for it.
    reopened
        Pairs whose decision was taken back, with the reason.
    """

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    merged: Mapping[str, str] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    questions: tuple[RecordPair, ...] = ()
    reopened: tuple[tuple[RecordPair, str], ...] = ()


@gc_pause.gc_disabled()
def rebuild(
    connection: Connection,
    *,
    epsg: int,
    run_id: int | None = None,
    author: str | None = None,
    rules: FieldRules | None = None,
    rematch: bool = True,
    exported: Mapping[str, str] = MappingProxyType({}),
) -> SiteChanges:
    """Build all sites anew inside the caller's transaction, and store what changed.

    Parameters
    ----------
    epsg
        Metric projection in which distances are measured.
    run_id, author
        Import or person that causes it, for the history.
    rematch
        Compare the records with each other again; not needed if only decisions changed.
    exported
        See `geo.sites.clustering.assign`.
    """
    members = records.memberships(connection)
    in_service = {key: member.record for key, member in members.items()}
    reopened = _reopen(connection, in_service, epsg)
    before = record_pairs.all_pairs(connection)
    if rematch:
        record_pairs.replace_undecided(connection, find_pairs(list(in_service.values()), epsg=epsg))
    pairs = record_pairs.all_pairs(connection) if rematch else before
    groups = groups_of(in_service, pairs)
    known = sites.known(connection)
    assigned = assign(groups, _known_records(connection, members, known, epsg), known, exported)
    wanted = build_sites(groups, assigned.ids, in_service, rules or load_rules())
    stored = sites.stored(connection)
    changed = [site for site_id, site in wanted.items() if stored.get(site_id) != site]
    never_built = sites.never_built(connection)
    sites.save(connection, wanted.values() if never_built else changed)
    newly_merged = {old: new for old, new in assigned.merged.items() if known[old].merged_into != new}
    sites.merge(connection, newly_merged)
    retired = sites.retire(connection, assigned.retired)
    site_of = {key: site for keys, site in zip(groups, assigned.ids, strict=True) for key in keys}
    moved = {key: site for key, site in site_of.items() if members[key].known.site != site}
    records.set_sites(connection, moved, assigned.founders)
    asked_before = {(pair.a, pair.b) for pair in before}
    created = tuple(sorted(set(assigned.ids) - known.keys()))
    sites.record_events(
        connection,
        [
            SiteEvent(site_id, kind, author, run_id, detail)
            for site_id, kind, detail in (
                *((site_id, "created", {}) for site_id in created),
                *((old, "merged", {"into": new}) for old, new in sorted(newly_merged.items())),
                *((site_id, *_return(known[site_id])) for site_id in _returning(assigned, known)),
                *((site_id, "retired", {}) for site_id in retired),
                *(
                    (site_of[pair.a], "reopened", {"a": pair.a, "b": pair.b, "reason": reason})
                    for pair, reason in reopened
                ),
            )
        ],
    )
    return SiteChanges(
        created=created,
        changed=tuple(sorted(site.id for site in changed if site.id in known)),
        merged=newly_merged,
        retired=tuple(retired),
        questions=tuple(
            pair
            for pair in pairs
            if pair.same is None
            and pair.verdict == record_pairs.QUESTION
            and (pair.a, pair.b) not in asked_before
            and site_of[pair.a] != site_of[pair.b]
        ),
        reopened=reopened,
    )


def build_migrated(connection: Connection) -> bool:
    """Build the sites of a database of an older version, inside the caller's transaction.

    Migrations make sites without pooling the values of their records; until then, each shows those of
    one record.

    Returns
    -------
    Whether there were any. Without a territory, they are left for the first import.
    """
    if not sites.never_built(connection):
        return False
    try:
        epsg = territories.load(connection).metric_crs
    except SnapshotUnavailable:
        return False
    imports.wait_for_turn(connection)
    rebuild(connection, epsg=epsg)
    snapshots.publish(connection)
    return True


def groups_of(in_service: Iterable[str], pairs: Iterable[RecordPair]) -> list[tuple[str, ...]]:
    """Return the groups of records that are one place, by key."""
    links, apart = [], []
    for pair in pairs:
        if pair.joins:
            links.append(Link(pair.a, pair.b, DECIDED_WEIGHT if pair.same else pair.score))
        elif pair.same is False:
            apart.append((pair.a, pair.b))
    return group(in_service, links, apart)


def find_pairs(in_service: Sequence[SourceRecord], *, epsg: int) -> list[RecordPair]:
    """Return the pairs of records that are, or may be, one place."""
    return [
        RecordPair(found.a, found.b, found.score, found.reasons, found.verdict.value)
        for found in match_records(in_service, epsg=epsg)
    ]


def _known_records(
    connection: Connection, members: Mapping[str, Membership], known: Mapping[str, KnownSite], epsg: int
) -> dict[str, KnownRecord]:
    """Return what is stored of the records in service.

    A record without a site takes over the site that its dataset's identifier had, if no record
    describes it any more and it was the same place: a source may change its name, or take back an
    identifier that it had used for another place. Of several records, the oldest does.
    """
    found = {key: member.known for key, member in members.items()}
    orphans = {key: each for key, each in found.items() if each.site is None}
    if not orphans:
        return found
    described = {each.site for each in found.values()}
    named = {key: [name for name in names_for(each) if name in known] for key, each in orphans.items()}
    free = {
        name
        for names in named.values()
        for name in names
        if known[name].merged_into is None and name not in described
    }
    bases = sites.bases(connection, free)
    for key in sorted(orphans, key=lambda key: orphans[key].rank):
        facts = basis(members[key].record)
        for name in named[key]:
            if name in free and place_change(bases[name], facts, epsg=epsg) is None:
                found[key] = replace(found[key], site=name, first_site=name)
                free.discard(name)
                break
    return found


def _reopen(
    connection: Connection, in_service: Mapping[str, SourceRecord], epsg: int
) -> tuple[tuple[RecordPair, str], ...]:
    """Take back the decisions about records that no longer describe the same place.

    Decisions of an older database do not say what they were about: what the records say now.
    """
    decided = [pair for pair in record_pairs.all_pairs(connection) if pair.same is not None]
    unfounded = [(pair.a, pair.b) for pair in decided if pair.basis is None]
    facts = {key: basis(in_service[key]) for pair in unfounded for key in pair}
    record_pairs.set_basis(connection, unfounded, facts)
    found = []
    for pair in decided:
        if pair.basis is None:
            continue
        for key in (pair.a, pair.b):
            if reason := place_change(pair.basis[key], basis(in_service[key]), epsg=epsg):
                found.append((pair, reason))
                break
    record_pairs.reopen(connection, [(pair.a, pair.b) for pair, _ in found])
    return tuple(found)


def _returning(assigned: Assignment, known: Mapping[str, KnownSite]) -> list[str]:
    """Return the sites that were merged or retired and are shown again."""
    return [
        site_id
        for site_id in assigned.ids
        if site_id in known and (known[site_id].merged_into or known[site_id].retired)
    ]


def _return(site: KnownSite) -> tuple[str, dict[str, str]]:
    return ("split", {"from": site.merged_into}) if site.merged_into else ("returned", {})
