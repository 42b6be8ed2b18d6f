"""Decide whether sites, or records of them, are one place: one by one, or many by a rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from geo.errors import ContradictoryDecision, InvalidParameter, UnknownSite
from geo.services.site_register import SiteChanges, rebuild
from geo.sites.place_change import basis
from geo.store import imports, record_pairs, records, sites, snapshots
from geo.store.database import Connection
from geo.store.record_pairs import RecordPair
from geo.store.records import Membership
from geo.store.sites import SiteEvent


@dataclass(frozen=True)
class Decision:
    """What a decision changed; `shown` is the site that both are, or None if they are different."""

    changes: SiteChanges
    shown: str | None


def decide(connection: Connection, a: str, b: str, *, same: bool, by: str, epsg: int) -> Decision:
    """Decide whether two sites or records are one place, inside the caller's transaction.

    Decided to be one, they share a site and pool their values; the older identifier stays, the other
    redirects. Decided to be different, no record of one will be joined with a record of the other.
    A pair that was not proposed may be decided too; a later decision replaces the earlier one.

    Parameters
    ----------
    a, b
        Each the identifier of a site, or the key of a record.
    by
        Who decides, for the history.

    Raises
    ------
    UnknownSite
        If one of them is not in service, or both are the same.
    ContradictoryDecision
        If other records of their sites were decided to be different; the caller rolls back.
    """
    imports.wait_for_turn(connection)
    members = records.memberships(connection)
    first, second = _keys_of_both(connection, members, a, b)
    pairs = [(one, other) for one in first for other in second]
    facts = {key: basis(members[key].record) for key in (*first, *second)}
    record_pairs.decide(connection, pairs[:1] if same else pairs, same=same, by=by, basis=facts)
    if same:
        record_pairs.clear_different(connection, pairs)
    before = members[first[0]].known.site
    changes = rebuild(connection, epsg=epsg, author=by, rematch=False)
    site_of = records.sites_of_records(connection)
    if same:
        _require_joined(connection, site_of, first[0], second[0])
    shown = site_of[first[0]] if same else None
    detail = {"a": first[0], "b": second[0], "same": same}
    sites.record_events(
        connection,
        [
            SiteEvent(site_id, "decided", by, None, detail)
            for site_id in sorted({site_of[first[0]], site_of[second[0]], before or site_of[first[0]]})
        ],
    )
    snapshots.publish(connection)
    return Decision(changes, shown)


def _require_joined(connection: Connection, site_of: Mapping[str, str], a: str, b: str) -> None:
    """Require that two records have one site: decisions that others are different may hold them apart."""
    both = {site_of[a], site_of[b]}
    if len(both) == 1:
        return
    for pair in record_pairs.all_pairs(connection):
        if pair.same is False and {site_of[pair.a], site_of[pair.b]} == both:
            raise ContradictoryDecision(
                f"« {a} » et « {b} » ne peuvent être un même lieu : leurs lieux ont aussi les fiches "
                f"« {pair.a} » et « {pair.b} », qui ont été déclarées différentes.",
                f"Reprenez d'abord cette décision : portee sites undecide {pair.a} {pair.b}",
            )


@dataclass(frozen=True)
class BulkDecision:
    """The pairs that a rule decided, and what it changed."""

    pairs: tuple[RecordPair, ...]
    changes: SiteChanges


def decide_all(
    connection: Connection,
    *,
    same: bool,
    by: str,
    epsg: int,
    min_score: float = 0.0,
    max_score: float = 100.0,
    dry_run: bool = False,
) -> BulkDecision:
    """Decide all pairs that wait and whose score lies between two limits, inside the caller's transaction.

    Decisions made one by one stay: records decided to be different are not joined through others.

    Parameters
    ----------
    min_score, max_score
        Limits of the score (0 to 100), included.
    dry_run
        Return what would change, and store nothing.

    Raises
    ------
    InvalidParameter
        If no score lies between the limits.
    """
    if not 0 <= min_score <= max_score <= 100:
        raise InvalidParameter(
            f"Aucun score n'est entre {min_score:g} et {max_score:g}.",
            "Donnez deux limites entre 0 et 100, la plus petite d'abord.",
            parameter="min_score",
        )
    imports.wait_for_turn(connection)
    pairs = [pair for pair in open_questions(connection) if min_score <= pair.score <= max_score]
    with connection.begin_nested() as savepoint:
        members = records.memberships(connection)
        facts = {key: basis(members[key].record) for pair in pairs for key in (pair.a, pair.b)}
        record_pairs.decide(connection, [(pair.a, pair.b) for pair in pairs], same=same, by=by, basis=facts)
        changes = rebuild(connection, epsg=epsg, author=by, rematch=False)
        if dry_run:
            savepoint.rollback()
    if pairs and not dry_run:
        _record_decisions(connection, "decided", [(pair.a, pair.b) for pair in pairs], by, same=same)
        snapshots.publish(connection)
    return BulkDecision(tuple(pairs), changes)


def undecide(connection: Connection, a: str, b: str, *, by: str, epsg: int) -> BulkDecision:
    """Take back what was decided about two sites or records: they are matched as if it never was.

    Parameters
    ----------
    a, b
        As for `decide`.

    Raises
    ------
    UnknownSite
        If one of them is not in service, or nothing was decided about them.
    """
    imports.wait_for_turn(connection)
    members = records.memberships(connection)
    first, second = (set(keys) for keys in _keys_of_both(connection, members, a, b))
    pairs = [
        pair
        for pair in record_pairs.all_pairs(connection)
        if pair.same is not None
        and ((pair.a in first and pair.b in second) or (pair.a in second and pair.b in first))
    ]
    if not pairs:
        raise UnknownSite(
            f"Rien n'a été décidé sur « {a} » et « {b} ».",
            "Les décisions sont données par portee sites duplicates --all.",
        )
    keys = [(pair.a, pair.b) for pair in pairs]
    record_pairs.reopen(connection, keys)
    changes = rebuild(connection, epsg=epsg, author=by)
    _record_decisions(connection, "undecided", keys, by)
    snapshots.publish(connection)
    return BulkDecision(tuple(pairs), changes)


def open_questions(connection: Connection) -> list[RecordPair]:
    """Return the pairs that wait for a decision and whose records are in different sites, best first.

    Sites of which two records were decided to be different are no question.
    """
    site_of = records.sites_of_records(connection)
    pairs = record_pairs.all_pairs(connection)
    apart = {frozenset((site_of[pair.a], site_of[pair.b])) for pair in pairs if pair.same is False}
    return [
        pair
        for pair in pairs
        if pair.same is None
        and pair.verdict == record_pairs.QUESTION
        and site_of[pair.a] != site_of[pair.b]
        and frozenset((site_of[pair.a], site_of[pair.b])) not in apart
    ]


def _record_decisions(
    connection: Connection, kind: str, pairs: Iterable[tuple[str, str]], by: str, **detail: bool
) -> None:
    """Append to the history of the sites that the records of some pairs now describe."""
    site_of = records.sites_of_records(connection)
    sites.record_events(
        connection,
        [
            SiteEvent(site_id, kind, by, None, {"a": a, "b": b, **detail})
            for a, b in pairs
            for site_id in sorted({site_of[a], site_of[b]})
        ],
    )


def _keys_of_both(
    connection: Connection, members: Mapping[str, Membership], a: str, b: str
) -> tuple[list[str], list[str]]:
    """Return the keys of the records that two names mean, none of them twice.

    A record means itself, a site its records; an identifier that was merged means those that it had.

    Raises
    ------
    UnknownSite
        If one means none, or both mean the same.
    """
    redirects = sites.redirects(connection)

    def keys_of(name: str) -> list[str]:
        if name in members:
            return [name]
        site_id = redirects.get(name, name)
        of_site = [key for key, member in members.items() if member.known.site == site_id]
        if not of_site:
            raise UnknownSite(
                f"Aucun lieu en service ne porte l'identifiant « {name} ».",
                "Donnez l'identifiant d'un lieu, ou celui d'une de ses fiches.",
            )
        own = [key for key in of_site if members[key].known.first_site == name]
        return own if name in redirects and own else of_site

    first, second = keys_of(a), keys_of(b)
    if len(first) > len(second):
        first = [key for key in first if key not in second]
    else:
        second = [key for key in second if key not in first]
    if not first or not second:
        raise UnknownSite(f"Les deux identifiants sont le même lieu : « {a} ».", "Donnez-en deux autres.")
    return first, second
