"""Pairs of records that may be one place, and the decisions about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select
from sqlalchemy.dialects.postgresql import insert

from geo.errors import UnknownSite
from geo.sites.duplicate_detection import Proposal
from geo.store.tables import duplicate as table
from geo.store.tables import site

BY_HAND = "déclaré à la main"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A pair of records by public identifier, `a` before `b`, and its decision.

    `same` is None until it is decided. If it is true, `hidden` is the record that is not shown.
    """

    a: str
    b: str
    score: float
    reasons: tuple[str, ...]
    same: bool | None = None
    hidden: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


def propose(connection: Connection, proposals: Iterable[Proposal]) -> None:
    """Store proposed pairs; those already decided are not changed."""
    rows = [
        {"a": p.a, "b": p.b, "score": p.score, "reasons": list(p.reasons)}
        for p in sorted(proposals, key=lambda p: (p.a, p.b))
    ]
    if not rows:
        return
    proposed = insert(table)
    connection.execute(
        proposed.on_conflict_do_update(
            index_elements=[table.c.a, table.c.b],
            set_={"score": proposed.excluded.score, "reasons": proposed.excluded.reasons},
            where=table.c.same.is_(None),
        ),
        rows,
    )


def decide(connection: Connection, a: str, b: str, same: bool, by: str) -> None:
    """Decide whether two records are one place; if so, `b` is no longer shown and `a` stays.

    A pair that was not proposed may be decided too; a later decision replaces the earlier one.

    Raises
    ------
    UnknownSite
        If one of them is not in service, or both are the same record.
    """
    known = connection.scalars(select(site.c.id).where(site.c.id.in_([a, b]), site.c.retired_at.is_(None)))
    missing = sorted({a, b} - set(known))
    if missing:
        raise UnknownSite(f"Aucun lieu en service ne porte l'identifiant « {missing[0]} ».")
    if a == b:
        raise UnknownSite(f"Les deux identifiants sont le même : « {a} ».", "Donnez ceux de deux fiches.")
    first, second = sorted((a, b))
    decision = {
        "same": same,
        "hidden": b if same else None,
        "decided_by": by,
        "decided_at": func.now(),
    }
    unproposed = insert(table).values(a=first, b=second, score=100.0, reasons=[BY_HAND], **decision)
    connection.execute(unproposed.on_conflict_do_update(index_elements=[table.c.a, table.c.b], set_=decision))


def listed(connection: Connection, undecided_only: bool = True) -> list[Duplicate]:
    """Return pairs whose records are both in service, highest score first."""
    one, other = site.alias("one"), site.alias("other")
    names = ("a", "b", "score", "reasons", "same", "hidden", "decided_by", "decided_at")
    found = (
        select(*(table.c[name] for name in names))
        .join(one, and_(one.c.id == table.c.a, one.c.retired_at.is_(None)))
        .join(other, and_(other.c.id == table.c.b, other.c.retired_at.is_(None)))
        .order_by(table.c.score.desc(), table.c.a.collate("C"), table.c.b.collate("C"))
    )
    if undecided_only:
        found = found.where(table.c.same.is_(None))
    return [
        Duplicate(r.a, r.b, r.score, tuple(r.reasons), r.same, r.hidden, r.decided_by, r.decided_at)
        for r in connection.execute(found)
    ]


def hidden_duplicates(decided: Iterable[Duplicate]) -> set[str]:
    """Return the records to leave out so that one remains for each place.

    Being one place is transitive: of three records linked two by two, one is shown, whatever the order
    of decisions: the first by identifier among those that no decision hides.
    """
    pairs = [pair for pair in decided if pair.same]
    hidden = {pair.hidden for pair in pairs}
    left_out: set[str] = set()
    for place in _places(pairs):
        shown = min(place, key=lambda site_id: (site_id in hidden, site_id))
        left_out |= place - {shown}
    return left_out


def _places(pairs: Collection[Duplicate]) -> list[set[str]]:
    """Return the connected components of the pairs."""
    linked: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        linked[pair.a].add(pair.b)
        linked[pair.b].add(pair.a)
    places, seen = [], set[str]()
    for start in sorted(linked):
        if start in seen:
            continue
        place, ahead = {start}, [start]
        while ahead:
            for neighbour in linked[ahead.pop()] - place:
                place.add(neighbour)
                ahead.append(neighbour)
        seen |= place
        places.append(place)
    return places
