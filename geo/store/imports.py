"""Import runs, and the issues that validation found in each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text, update

from geo.errors import UnknownImport
from geo.sites.import_run import ImportRun
from geo.sites.model import Issue, Severity
from geo.store.copy_encoder import copy_rows
from geo.store.tables import import_issue, import_run

LOCK = 47_0002
"""Key of the advisory lock that imports queue for."""

_RUN_FIELDS = tuple(f.name for f in fields(ImportRun))
_LISTS = ("datasets", "provided", "refused")
_ISSUE_FIELDS = ("line", "field", "value", "severity", "code", "reason", "advice")


def wait_for_turn(connection: Connection) -> None:
    """Wait until no other import is storing; the lock is held until the transaction ends.

    If the process dies, the lock is released with its connection.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def record(connection: Connection, run: ImportRun, issues: Iterable[Issue]) -> int:
    """Record a run with its issues, in the order given; return its number."""
    values = {name: getattr(run, name) for name in _RUN_FIELDS if name != "id"}
    values |= {
        "file_name": _storable(run.file_name),
        "detail": dict(run.detail),
        **{name: list(getattr(run, name)) for name in _LISTS},
    }
    run_id = connection.execute(insert(import_run).values(values).returning(import_run.c.id)).scalar_one()
    copy_rows(
        connection,
        "import_issue",
        ("import_id", "rank", *_ISSUE_FIELDS),
        (
            (
                run_id,
                rank,
                issue.line,
                _storable(issue.field),
                _storable(issue.value),
                issue.severity.value,
                issue.code,
                _storable(issue.full_reason),
                _storable(issue.advice),
            )
            for rank, issue in enumerate(issues)
        ),
    )
    return int(run_id)


def count(connection: Connection) -> int:
    """Return the number of runs."""
    return connection.execute(select(func.count()).select_from(import_run)).scalar_one()


def runs(connection: Connection, *, limit: int | None = None, offset: int = 0) -> list[ImportRun]:
    """Return runs, latest first."""
    found = select(import_run).order_by(import_run.c.id.desc()).limit(limit).offset(offset)
    return [_as_run(row) for row in connection.execute(found)]


def find(connection: Connection, run_id: int) -> ImportRun:
    """Return the run that has a number.

    Raises
    ------
    UnknownImport
        If none has.
    """
    row = connection.execute(select(import_run).where(import_run.c.id == run_id)).one_or_none()
    if row is None:
        raise UnknownImport(
            f"Aucun import ne porte le numéro {run_id}.", "La liste des imports donne leurs numéros."
        )
    return _as_run(row)


def replayed(connection: Connection, datasets: Collection[str]) -> list[ImportRun]:
    """Return the imports of some datasets that were not undone, oldest first."""
    found = (
        select(import_run)
        .where(
            import_run.c.kind == "import",
            import_run.c.undone_by.is_(None),
            import_run.c.datasets.overlap(list(datasets)),
        )
        .order_by(import_run.c.id)
    )
    return [_as_run(row) for row in connection.execute(found)]


def has_undone(connection: Connection, datasets: Collection[str]) -> bool:
    """Return whether an import of some datasets is undone."""
    found = select(import_run.c.id).where(
        import_run.c.kind == "import",
        import_run.c.undone_by.is_not(None),
        import_run.c.datasets.overlap(list(datasets)),
    )
    return connection.execute(found.limit(1)).first() is not None


def first_real(connection: Connection, *, besides: int) -> int | None:
    """Return the first import that stands and listed a record that is not invented, other than one."""
    found = text(
        "SELECT min(r.id) FROM import_run r WHERE r.kind = 'import' AND r.undone_by IS NULL"
        " AND r.id <> :besides AND EXISTS (SELECT FROM import_record i"
        " JOIN record_version v ON v.id = i.version_id"
        """ WHERE i.import_id = r.id AND NOT v."values" @> '{"fictif": true}')"""
    )
    number: int | None = connection.scalar(found, {"besides": besides})
    return number


def add_detail(connection: Connection, run_id: int, name: str, value: object) -> None:
    """Set one member of the detail of a run."""
    run = find(connection, run_id)
    changed = update(import_run).where(import_run.c.id == run_id)
    connection.execute(changed.values(detail={**run.detail, name: value}))


def move_detail(connection: Connection, name: str, run_id: int, to_run_id: int) -> None:
    """Move one member of the detail of a run to another run."""
    detail = dict(find(connection, run_id).detail)
    add_detail(connection, to_run_id, name, detail.pop(name))
    connection.execute(update(import_run).where(import_run.c.id == run_id).values(detail=detail))


def set_undone(connection: Connection, run_id: int, by: int | None) -> None:
    """Record that an operation was undone by another one, or (None) that it stands again."""
    connection.execute(update(import_run).where(import_run.c.id == run_id).values(undone_by=by))


def issue_count(connection: Connection, run_id: int) -> int:
    """Return the number of issues of a run."""
    counted = select(func.count()).select_from(import_issue).where(import_issue.c.import_id == run_id)
    return connection.execute(counted).scalar_one()


def issues(connection: Connection, run_id: int, *, limit: int | None = None, offset: int = 0) -> list[Issue]:
    """Return issues of a run, in the order they were found."""
    found = (
        select(*(import_issue.c[name] for name in _ISSUE_FIELDS))
        .where(import_issue.c.import_id == run_id)
        .order_by(import_issue.c.rank)
        .limit(limit)
        .offset(offset)
    )
    return [
        Issue(r.line, r.field, r.value, Severity(r.severity), r.code, r.reason, r.advice)
        for r in connection.execute(found)
    ]


def _as_run(row: Row[Any]) -> ImportRun:
    values = {name: getattr(row, name) for name in _RUN_FIELDS}
    return ImportRun(**values | {name: tuple(values[name]) for name in _LISTS})


def _storable(said: str) -> str:
    """Replace characters that PostgreSQL cannot store: an issue may quote any content of the file."""
    visible = said.replace("\x00", "\N{SYMBOL FOR NULL}")
    return visible.encode("utf-8", "replace").decode("utf-8")
