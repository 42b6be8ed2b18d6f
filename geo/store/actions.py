"""Actions as they are kept: by reference, each write told in the audit."""

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
"""Key of the advisory lock that writers of actions wait for: what is compared still holds when written."""

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
    """What saving actions came to; the three sum to those given."""

    new: int
    changed: int
    unchanged: int


def action_references(connection: Connection, departement: str) -> ActionReferences:
    """Communes of a département, partners and sites that actions may name; sites retired since too."""
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
    """Keep an action; whether anything was written: the very same again writes nothing.

    Raises
    ------
    InvalidAction
        If it cannot be kept as it is; all that is wrong is told.
    DuplicateReference
        If another is kept under its reference, and it may not replace it.
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
    """Keep several actions, all or none; the very same as those kept write nothing.

    Raises
    ------
    InvalidAction
        If one cannot be kept as it is; all that is wrong with any is told, `line` being its rank from 1.
    DuplicateReference
        If one reference is borne by two of them that differ, or by another one that is kept and
        may not be replaced.
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
    """The action that bears a reference.

    Raises
    ------
    UnknownAction
        If none does.
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
    """Actions by day, then reference; an action is of the year it begins in."""
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
    """Keep an action no longer; the audit tells what it was.

    Raises
    ------
    UnknownAction
        If none bears this reference.
    """
    connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    gone = find(connection, reference)
    connection.execute(delete(table).where(table.c.reference == reference))
    audit.record(connection, actor, "action.remove", _subject(gone), action_to_dict(gone), None)


def action_to_dict(action: Action) -> dict[str, Any]:
    """An action as JSON has it."""
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
