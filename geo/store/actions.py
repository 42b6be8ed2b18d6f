"""Store of actions, keyed by reference; each write is recorded in the audit."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Text, delete, extract, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from geo.errors import DuplicateReference, InvalidAction, UnknownAction
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action, ActionReferences, check
from geo.store import audit
from geo.store.copy_encoder import copy_rows
from geo.store.tables import action as table
from geo.store.tables import commune, partner, site

LOCK: Final = 47_0007
"""Key of the advisory lock that writers of actions queue for: what is compared still holds when written."""

ISSUES_TOLD: Final = 5

_FIELDS: Final = (
    "reference",
    "kind",
    "day",
    "until",
    "title",
    "commune",
    "partner_code",
    "site_id",
    "amount_cents",
    "measures",
    "fictif",
)


@dataclass(frozen=True, slots=True)
class SaveCounts:
    """How many actions a save wrote or left unchanged; the three sum to those given."""

    new: int
    changed: int
    unchanged: int


def action_references(connection: Connection, departement: str) -> ActionReferences:
    """Return the communes of a département, partners and sites (retired ones too) that actions may name."""
    own = select(commune.c.code).where(commune.c.departement_code == departement)
    return ActionReferences(
        communes=frozenset(connection.scalars(own)),
        partners=frozenset(connection.scalars(select(partner.c.code))),
        sites=frozenset(connection.scalars(select(site.c.id))),
    )


def save(
    connection: Connection,
    action: Action,
    *,
    kinds: Kinds,
    known: ActionReferences,
    actor: str,
    replace: bool = False,
) -> bool:
    """Save an action; return whether anything was written. Saving the same again writes nothing.

    Raises
    ------
    InvalidAction
        If it is invalid; the error lists every fault.
    DuplicateReference
        If another action has its reference, and may not be replaced.
    """
    saved = save_all(connection, [action], kinds=kinds, known=known, actor=actor, replace=replace)
    return not saved.unchanged


def save_all(
    connection: Connection,
    actions: Sequence[Action],
    *,
    kinds: Kinds,
    known: ActionReferences,
    actor: str,
    replace: bool = False,
) -> SaveCounts:
    """Save several actions, all or none; those already stored unchanged are not written.

    Raises
    ------
    InvalidAction
        If any is invalid; the error lists every fault of each, with `line` its rank from 1.
    DuplicateReference
        If two different ones share a reference, or a stored action has it and may not be replaced.
    """
    issues = [i for line, a in enumerate(actions, start=1) for i in check(a, kinds, known, line=line)]
    if issues:
        listed = " ; ".join(f"{i.field} « {i.value} » : {i.reason}" for i in issues[:ISSUES_TOLD])
        more = f" ; et {len(issues) - ISSUES_TOLD} autres" if len(issues) > ISSUES_TOLD else ""
        raise InvalidAction(
            f"L'action ne peut être enregistrée : {listed}{more}", issues[0].advice, issues=issues
        )
    wanted: dict[str, Action] = {}
    for each in actions:
        if wanted.setdefault(each.reference, each) != each:
            raise _taken(each.reference)
    connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    before = {a.reference: a for a in _of_references(connection, wanted)}
    changed = [r for r, a in before.items() if a != wanted[r]]
    if changed and not replace:
        raise _taken(changed[0])
    written = [a for r, a in wanted.items() if before.get(r) != a]
    connection.execute(delete(table).where(table.c.reference.in_(changed)))
    copy_rows(connection, "action", _FIELDS, map(_row, written))
    audit.record_all(
        connection,
        actor,
        (
            (
                "action.save",
                _subject(a),
                action_to_dict(before[a.reference]) if a.reference in before else None,
                action_to_dict(a),
            )
            for a in written
        ),
    )
    new = len(written) - len(changed)
    return SaveCounts(new, len(changed), len(actions) - len(written))


def find(connection: Connection, reference: str) -> Action:
    """Return the action that has a reference.

    Raises
    ------
    UnknownAction
        If none has.
    """
    row = connection.execute(select(table).where(table.c.reference == reference)).one_or_none()
    if row is None:
        raise UnknownAction(
            f"Aucune action ne porte la référence « {reference} ».", "Les références : portee actions list"
        )
    return _as_action(row)


def list_(
    connection: Connection,
    *,
    kind: str | None = None,
    year: int | None = None,
    communes: Collection[str] | None = None,
    partner_code: str | None = None,
) -> list[Action]:
    """Return actions by day, then reference; an action belongs to the year it begins in."""
    found = select(table).order_by(table.c.day, table.c.reference.collate("C"))
    if kind is not None:
        found = found.where(table.c.kind == kind)
    if year is not None:
        found = found.where(extract("year", table.c.day) == year)
    if communes is not None:
        found = found.where(table.c.commune == func.any(literal(sorted(communes), ARRAY(Text))))
    if partner_code is not None:
        found = found.where(table.c.partner_code == partner_code)
    return [_as_action(row) for row in connection.execute(found)]


def remove(connection: Connection, reference: str, *, actor: str) -> None:
    """Delete an action; the audit keeps what it was.

    Raises
    ------
    UnknownAction
        If none has this reference.
    """
    connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    gone = find(connection, reference)
    connection.execute(delete(table).where(table.c.reference == reference))
    audit.record(connection, actor, "action.remove", _subject(gone), action_to_dict(gone), None)


def action_to_dict(action: Action) -> dict[str, Any]:
    """Return an action as JSON."""
    values = {name: getattr(action, name) for name in _FIELDS}
    return {
        **values,
        "day": action.day.isoformat(),
        "until": action.until.isoformat() if action.until else None,
        "measures": dict(action.measures),
    }


def _of_references(connection: Connection, references: Iterable[str]) -> list[Action]:
    among = func.any(literal(list(references), ARRAY(Text)))
    return [_as_action(row) for row in connection.execute(select(table).where(table.c.reference == among))]


def _row(action: Action) -> tuple[object, ...]:
    values = [getattr(action, name) for name in _FIELDS]
    values[_FIELDS.index("measures")] = json.dumps(dict(action.measures), ensure_ascii=False)
    return tuple(values)


def _as_action(row: Row[Any]) -> Action:
    return Action(**{name: getattr(row, name) for name in _FIELDS})


def _subject(action: Action) -> str:
    return f"action/{action.reference}"


def _taken(reference: str) -> DuplicateReference:
    return DuplicateReference(
        f"Une autre action porte déjà la référence « {reference} ».",
        "Donnez une autre référence, ou demandez qu'elle remplace celle qui est enregistrée.",
    )
