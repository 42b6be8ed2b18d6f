"""Errors that readers report about a site, in their words, until staff close them.

Personal data is not kept longer than needed. The only such field, an e-mail address given for an answer,
is erased when the report is closed, or after `EMAIL_KEPT`; a closed report is deleted after `CLOSED_KEPT`.
Both happen whenever a report is added, listed or closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from geo.errors import UnknownReport
from geo.store import sites
from geo.store.tables import site_report as table

MESSAGE_MAX: Final = 1_000
EMAIL_MAX: Final = 254
"""Longest valid address (RFC 5321)."""

EMAIL_KEPT: Final = timedelta(days=180)
CLOSED_KEPT: Final = timedelta(days=365)


class ReportSubject(StrEnum):
    """What is reported to be wrong."""

    TELEPHONE = "telephone"
    HORAIRES = "horaires"
    ADRESSE = "adresse"
    FERME = "ferme"
    """The place is permanently closed."""
    AUTRE = "autre"


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """A stored report; open while `closed_at` is None. `email` is all that is known of its sender."""

    id: int
    received_at: datetime
    site_id: str
    site_name: str
    subject: ReportSubject
    message: str
    email: str
    closed_at: datetime | None
    outcome: str


def add(
    connection: Connection,
    *,
    site_id: str,
    site_name: str,
    subject: ReportSubject,
    message: str,
    email: str = "",
) -> ErrorReport:
    """Store a report.

    Parameters
    ----------
    message
        At most `MESSAGE_MAX` characters, without NUL.
    email
        At most `EMAIL_MAX` characters; "" if no answer is wanted.
    """
    purge(connection)
    values = {
        "site_id": site_id,
        "site_name": site_name,
        "subject": subject.value,
        "message": message,
        "email": email,
    }
    return _as_report(connection.execute(insert(table).values(values).returning(table)).one())


def list_(connection: Connection, *, closed: bool = False, site_id: str = "") -> list[ErrorReport]:
    """Return open or closed reports in the order they came: all, or of a site and those merged with it."""
    purge(connection)
    wanted = table.c.closed_at.is_not(None) if closed else table.c.closed_at.is_(None)
    found = select(table).where(wanted).order_by(table.c.id)
    if site_id:
        found = found.where(table.c.site_id.in_(sites.merged_with(connection, site_id)))
    return [_as_report(row) for row in connection.execute(found)]


def find(connection: Connection, report_id: int) -> ErrorReport:
    """Return a report.

    Raises
    ------
    UnknownReport
        If none has this number.
    """
    row = connection.execute(select(table).where(table.c.id == report_id)).one_or_none()
    if row is None:
        raise _unknown(report_id)
    return _as_report(row)


def close(connection: Connection, report_id: int, *, outcome: str = "") -> ErrorReport:
    """Close a report with its outcome; its e-mail address is erased. Idempotent.

    Raises
    ------
    UnknownReport
        If none has this number.
    """
    purge(connection)
    connection.execute(
        update(table)
        .where(table.c.id == report_id, table.c.closed_at.is_(None))
        .values(closed_at=func.clock_timestamp(), outcome=outcome, email="")
    )
    return find(connection, report_id)


def counts(connection: Connection) -> dict[ReportSubject, int]:
    """Return the number of open reports by subject, including subjects without any."""
    open_ = select(table.c.subject, func.count()).where(table.c.closed_at.is_(None)).group_by(table.c.subject)
    found = {row.subject: row[1] for row in connection.execute(open_)}
    return {subject: found.get(subject.value, 0) for subject in ReportSubject}


def purge(connection: Connection) -> None:
    """Erase e-mail addresses and closed reports that are old enough."""
    now = func.clock_timestamp()
    connection.execute(
        update(table).where(table.c.email != "", table.c.received_at < now - EMAIL_KEPT).values(email="")
    )
    connection.execute(delete(table).where(table.c.closed_at < now - CLOSED_KEPT))


def _unknown(report_id: int) -> UnknownReport:
    return UnknownReport(
        f"Aucun signalement ne porte le numéro {report_id}.",
        "Leurs numéros sont donnés par : portee reports list",
    )


def _as_report(row: Row[Any]) -> ErrorReport:
    return ErrorReport(
        row.id,
        row.received_at,
        row.site_id,
        row.site_name,
        ReportSubject(row.subject),
        row.message,
        row.email,
        row.closed_at,
        row.outcome,
    )
