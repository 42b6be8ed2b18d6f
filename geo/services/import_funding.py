"""The loading of a file of money, passes or actions: read, try, then keep all of it or nothing.

As `geo.services.import_sites` for sites: reading touches nothing but the file, `apply` runs in the caller's
transaction. What is kept under a reference stays: the same row again changes nothing, another one
is refused, unless partners, conventions or actions may be replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from geo import gc_pause
from geo.errors import (
    ClosedPeriod,
    DuplicateReference,
    InsufficientFunds,
    NoRule,
    PorteeError,
    RefusedPasses,
    UnknownEntry,
    UnknownPartner,
)
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action, ActionReferences
from geo.funding.ledger import Commitment, Contribution, Payment
from geo.funding.passes import Event
from geo.funding.row_reader import FundingRow, Reading, refused
from geo.funding.row_records import Record, RowReferences, record_key
from geo.funding.template_columns import Template
from geo.sites.model import Issue, Severity
from geo.store import actions, known_references, ledger, partners, passes
from geo.store.database import Connection
from geo.territory.model import Territory

TRIALS_MAX: Final = 50_000
"""Events above which the row that makes the books refuse a whole file is not looked for."""


@dataclass(frozen=True)
class ImportedFunding:
    """Outcome of an import; `read == accepted + rejected` and, of what is stored,
    `accepted == new + changed + unchanged`.

    `kept`: whether the store now holds it; nothing of a file with a row rejected is.
    """

    reading: Reading
    accepted: int
    rejected: int
    issues: tuple[Issue, ...]
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: bool = False


@dataclass(frozen=True, slots=True)
class _SavedRows:
    new: int = 0
    changed: int = 0
    issues: tuple[Issue, ...] = ()


def row_references(connection: Connection, territory: Territory, kinds: Kinds) -> RowReferences:
    """What rows may speak of; sites retired since included."""
    found = passes.pass_references(connection, territory)
    return RowReferences(territory, found.partners, found.sites, found.orders, kinds)


def prepare(
    connection: Connection, reading: Reading, known: RowReferences, *, actor: str, replace: bool = False
) -> ImportedFunding:
    """What keeping a file would come to; parameters as `apply`. Nothing is kept."""
    return _tried(connection, reading, known, actor, replace, keep=False)


def apply(
    connection: Connection, reading: Reading, known: RowReferences, *, actor: str, replace: bool = False
) -> ImportedFunding:
    """Keep all rows of a file inside the caller's transaction; nothing when one is rejected.

    Parameters
    ----------
    actor
        Name of the token, or of whoever runs the command: the audit has it.
    replace
        Let partners, conventions and actions take the place of those kept under the same reference.
    """
    return _tried(connection, reading, known, actor, replace, keep=True)


def _tried(
    connection: Connection, reading: Reading, known: RowReferences, actor: str, replace: bool, *, keep: bool
) -> ImportedFunding:
    accepted = reading.read - reading.rejected
    if reading.rejected:
        return ImportedFunding(reading, accepted, reading.rejected, tuple(reading.issues))
    with gc_pause.gc_disabled(), connection.begin_nested() as savepoint:
        saved = _save(connection, reading.template, reading.rows, known, actor, replace)
        if saved.issues or not keep:
            savepoint.rollback()
    if saved.issues:
        rejected = len({issue.line for issue in saved.issues})
        return ImportedFunding(reading, reading.read - rejected, rejected, saved.issues)
    unchanged = accepted - saved.new - saved.changed
    return ImportedFunding(reading, accepted, 0, (), saved.new, saved.changed, unchanged, keep)


def _save(
    connection: Connection,
    template: Template,
    rows: Sequence[FundingRow],
    known: RowReferences,
    actor: str,
    replace: bool,
) -> _SavedRows:
    if template.kind in ("contributions", "commitments", "payments"):
        return _post(connection, template, rows, actor)
    if template.kind == "pass-events":
        return _record(connection, template, rows, actor)
    if template.action_kind:
        return _act(connection, template, rows, known, actor, replace)
    kept, replaceable, save = _STORES[template.kind]
    found = _compared(template, rows, kept(connection), replace and replaceable)
    issues = [_taken(template, row, replaceable) for row in found.taken]
    for row in (*found.new, *found.changed):
        try:
            with connection.begin_nested():
                save(connection, row.record, actor)
        except PorteeError as problem:
            name = template.key[-1]
            issues.append(
                refused(row.line, template, problem, name, str(record_key(template, row.record)[-1]))
            )
    return _SavedRows(len(found.new), len(found.changed), tuple(issues))


@dataclass(slots=True)
class _ComparedRows:
    """Rows against what is kept under their references; those that say the same are in none."""

    new: list[FundingRow] = field(default_factory=list)
    changed: list[FundingRow] = field(default_factory=list)
    taken: list[FundingRow] = field(default_factory=list)


def _compared(
    template: Template, rows: Sequence[FundingRow], kept: Sequence[Record], may_change: bool
) -> _ComparedRows:
    before = {record_key(template, record): record for record in kept}
    found = _ComparedRows()
    for row in rows:
        known = before.get(record_key(template, row.record))
        if known is None:
            found.new.append(row)
        elif known != row.record:
            (found.changed if may_change else found.taken).append(row)
    return found


def _act(
    connection: Connection,
    template: Template,
    rows: Sequence[FundingRow],
    known: RowReferences,
    actor: str,
    replace: bool,
) -> _SavedRows:
    found = _compared(template, rows, actions.list_(connection), replace)
    if found.taken:
        return _SavedRows(issues=tuple(_taken(template, row, replaceable=True) for row in found.taken))
    spoken = ActionReferences(known.territory.own_codes, known.partners, known.sites)
    wanted = [row.record for row in (*found.new, *found.changed) if isinstance(row.record, Action)]
    actions.save_all(connection, wanted, kinds=known.kinds, known=spoken, actor=actor, replace=replace)
    return _SavedRows(len(found.new), len(found.changed))


def _post(connection: Connection, template: Template, rows: Sequence[FundingRow], actor: str) -> _SavedRows:
    orders = [row.record for row in rows if isinstance(row.record, Contribution | Commitment | Payment)]
    already = known_references.posted_references(connection, [order.reference for order in orders])
    outcomes = ledger.try_all(connection, orders, actor=actor)
    issues = []
    for row, order, outcome in zip(rows, orders, outcomes, strict=True):
        if isinstance(outcome, PorteeError):
            name = next((name for kind, name in _AT_FAULT.items() if isinstance(outcome, kind)), "reference")
            issues.append(refused(row.line, template, outcome, name, order.reference))
    return _SavedRows(len(orders) - len(already), 0, tuple(issues))


def _record(connection: Connection, template: Template, rows: Sequence[FundingRow], actor: str) -> _SavedRows:
    """Record events; where the books refuse them, the first row after which they do is looked for."""
    commitment_of = {row.record.reference: row.commitment for row in rows if isinstance(row.record, Event)}

    def post(connection: Connection, event: Event, cents: int) -> int:
        return passes.paid_from(commitment_of[event.reference], actor)(connection, event, cents)

    def refusal(count: int) -> PorteeError | None:
        """Why the first rows are refused; None, and they are kept, when they are not."""
        events = [row.record for row in rows[:count] if isinstance(row.record, Event)]
        try:
            recorded.append(passes.record(connection, events, actor, post).new)
        except PorteeError as problem:
            return problem
        return None

    recorded: list[int] = []
    problem = refusal(len(rows))
    if problem is None:
        return _SavedRows(recorded[-1])
    line_of = {row.record.reference: row.line for row in rows if isinstance(row.record, Event)}
    named = problem.reference if isinstance(problem, RefusedPasses) else ""
    if named in line_of:
        return _SavedRows(issues=(refused(line_of[named], template, problem, "reference", named),))
    accepted, rejected = 0, len(rows)  # counts of first rows that are, and that are not
    while rejected - accepted > 1 and len(rows) <= TRIALS_MAX:
        half = (accepted + rejected) // 2
        with connection.begin_nested() as trial:
            trouble = refusal(half)
            trial.rollback()
        if trouble is None:
            accepted = half
        else:
            rejected, problem = half, trouble
    row = rows[rejected - 1]
    name = next((name for kind, name in _AT_FAULT.items() if isinstance(problem, kind)), "count")
    return _SavedRows(
        issues=(refused(row.line, template, problem, name, str(record_key(template, row.record)[-1])),)
    )


def _taken(template: Template, row: FundingRow, replaceable: bool) -> Issue:
    advice = (
        "Pour qu'elle prenne sa place : --replace."
        if replaceable
        else "Donnez une autre référence : ce qui est enregistré ne se réécrit pas."
    )
    return Issue(
        row.line,
        template.heading(template.key[-1]),
        str(record_key(template, row.record)[-1]),
        Severity.REJECTED,
        "reference_prise",
        "Autre chose est enregistré sous cette référence.",
        advice,
    )


_AT_FAULT: Final[Mapping[type[PorteeError], str]] = {
    UnknownPartner: "partner",
    UnknownEntry: "commitment",
    InsufficientFunds: "amount",
    ClosedPeriod: "day",
    NoRule: "day",
    DuplicateReference: "reference",
}
"""Column that shows why the ledger refuses a row."""


def _save_partner(connection: Connection, record: Any, actor: str) -> None:
    partners.save(connection, record, actor=actor)


def _save_link(connection: Connection, record: Any, actor: str) -> None:
    partners.link_site(connection, record, actor=actor)


def _save_convention(connection: Connection, record: Any, actor: str) -> None:
    partners.save_convention(connection, record, actor=actor)


def _save_order(connection: Connection, record: Any, actor: str) -> None:
    passes.order(connection, record, actor)


_Store = tuple[Callable[[Connection], Sequence[Record]], bool, Callable[[Connection, Any, str], None]]
"""Reads all that is kept of a kind, whether it may be replaced, and keeps one."""

_STORES: Final[Mapping[str, _Store]] = {
    "partners": (partners.list_, True, _save_partner),
    "partner-sites": (partners.partner_sites, False, _save_link),
    "conventions": (partners.conventions, True, _save_convention),
    "pass-orders": (passes.orders, False, _save_order),
}
