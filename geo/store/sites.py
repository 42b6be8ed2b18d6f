"""Store of site records: read those in service, apply a difference, record the history of each field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import astuple
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, case, func, select, text
from sqlalchemy.sql.elements import ColumnElement

from geo.sites.difference import Difference, RecordChange
from geo.sites.model import STORED_FIELDS, ItinerantStop, Position, Site
from geo.store.copy_encoder import copy_rows
from geo.store.tables import site as table

_COLUMNS = [table.c[name] for name in STORED_FIELDS]
_QUOTED = ", ".join(f'"{name}"' for name in STORED_FIELDS)
_AS_READ = {
    "arrets": lambda stops: tuple(ItinerantStop(*stop) for stop in stops),
    "position": Position,
}
_BY_RANK = [
    _AS_READ.get(name, tuple if column.type.python_type is list else None)
    for name, column in zip(STORED_FIELDS, _COLUMNS, strict=True)
]


def active(connection: Connection) -> list[Site]:
    """Return every record in service, duplicates included, sorted by public identifier."""
    found = connection.execute(
        select(*_COLUMNS).where(table.c.retired_at.is_(None)).order_by(table.c.id.collate("C"))
    )
    return [_as_site(row) for row in found]


def current(
    connection: Connection, *, datasets: Collection[str], departements: Collection[str] | None = None
) -> dict[str, Site]:
    """Return records in service of some datasets, by public identifier.

    Parameters
    ----------
    departements
        Only those of these départements; None: all. A record without a commune code belongs to the
        département of its postal code, as in `geo.sites.difference`.
    """
    wanted = select(*_COLUMNS).where(table.c.retired_at.is_(None), table.c.jeu_de_donnees.in_(list(datasets)))
    if departements is not None:
        wanted = wanted.where(_departement().in_(list(departements)))
    return {site.id: site for site in map(_as_site, connection.execute(wanted))}


def retired(connection: Connection, *, datasets: Collection[str]) -> dict[str, Site]:
    """Return retired records of some datasets, as they last were, by public identifier."""
    wanted = select(*_COLUMNS).where(
        table.c.retired_at.is_not(None), table.c.jeu_de_donnees.in_(list(datasets))
    )
    return {site.id: site for site in map(_as_site, connection.execute(wanted))}


def apply(connection: Connection, run_id: int, difference: Difference) -> None:
    """Apply a difference: store new and changed records, retire vanished ones, record the history.

    A retired record that comes back has the same first import and history.
    """
    arriving = [*difference.new, *(change.after for change in difference.changed)]
    _stage(connection, arriving)
    # A new record of the difference may be a retired one, whose fields have a history.
    stored = {site.id: site for site in _staged_before(connection)}
    changes = [
        *(RecordChange(stored[site.id], site) for site in difference.new if site.id in stored),
        *difference.changed,
    ]
    run = {"run": run_id}
    connection.execute(
        text(
            "INSERT INTO site_change (import_id, site_id, kind)"
            " SELECT :run, i.id, CASE WHEN s.id IS NULL THEN 'new' ELSE 'returned' END"
            " FROM incoming_site i LEFT JOIN site s USING (id)"
            " WHERE s.id IS NULL OR s.retired_at IS NOT NULL ORDER BY i.id"
        ),
        run,
    )
    _record_changes(connection, run_id, changes)
    replaced = ", ".join(f'"{name}" = excluded."{name}"' for name in STORED_FIELDS)
    connection.execute(
        text(
            f"INSERT INTO site (id, {_QUOTED}, first_import, last_import)"  # noqa: S608 - names of columns
            f" SELECT id, {_QUOTED}, :run, :run FROM incoming_site"
            f" ON CONFLICT (id) DO UPDATE SET {replaced}, last_import = :run, retired_at = NULL"
        ),
        run,
    )
    connection.execute(
        text(
            "WITH retired AS (UPDATE site SET retired_at = now(), last_import = :run"
            " WHERE id = ANY(:gone) AND retired_at IS NULL RETURNING id)"
            " INSERT INTO site_change (import_id, site_id, kind)"
            " SELECT :run, id, 'retired' FROM retired ORDER BY id"
        ),
        {**run, "gone": [site.id for site in difference.vanished]},
    )


def _stage(connection: Connection, sites: Iterable[Site]) -> None:
    columns = f"SELECT id, {_QUOTED} FROM site WITH NO DATA"  # noqa: S608 - names of columns
    connection.execute(
        text(f"CREATE TEMPORARY TABLE IF NOT EXISTS incoming_site ON COMMIT DROP AS {columns}")
    )
    connection.execute(text("TRUNCATE incoming_site"))
    # The planner has no statistics of rows just retired or staged: without an index it may choose
    # a nested loop over both tables.
    connection.execute(text("CREATE UNIQUE INDEX IF NOT EXISTS incoming_site_id ON incoming_site (id)"))
    copy_rows(connection, "incoming_site", ("id", *STORED_FIELDS), ((s.id, *_as_row(s)) for s in sites))
    connection.execute(text("ANALYZE incoming_site"))


def _staged_before(connection: Connection) -> Iterator[Site]:
    staged = text("SELECT id FROM incoming_site").columns(table.c.id).subquery()
    wanted = select(*_COLUMNS).where(table.c.retired_at.is_not(None), table.c.id.in_(select(staged.c.id)))
    return map(_as_site, connection.execute(wanted))


def _record_changes(connection: Connection, run_id: int, changes: Iterable[RecordChange]) -> None:
    rows = (
        (run_id, change.after.id, "changed", each.field, _as_json(each.before), _as_json(each.after))
        for change in changes
        for each in change.fields()
    )
    copy_rows(connection, "site_change", ("import_id", "site_id", "kind", "field", "before", "after"), rows)


def _as_row(site: Site) -> Iterator[object]:
    for name in STORED_FIELDS:
        value = getattr(site, name)
        if name == "arrets":
            yield _as_json(value)
        elif name == "position":
            yield value.value
        else:
            yield list(value) if isinstance(value, tuple) else value


def _as_site(row: Row[Any]) -> Site:
    values: list[Any] = [v if read is None else read(v) for v, read in zip(row, _BY_RANK, strict=True)]
    return Site(*values)


def _as_json(value: object) -> Jsonb:
    def plain(part: object) -> object:
        if isinstance(part, ItinerantStop):
            return list(astuple(part))
        if isinstance(part, tuple):
            return [plain(each) for each in part]
        return part.isoformat() if isinstance(part, date) else part

    return Jsonb(plain(value))


def _departement() -> ColumnElement[str]:
    """SQL of `geo.crs.departement_code`."""
    code = case((table.c.code_insee != "", table.c.code_insee), else_=table.c.code_postal)
    return case((func.left(code, 2).in_(["97", "98"]), func.left(code, 3)), else_=func.left(code, 2))
