"""Source records: the versions that imports brought, those in service, and the history of each field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select, text, update
from sqlalchemy.sql.elements import ColumnElement

from geo.sites.clustering import KnownRecord
from geo.sites.difference import Difference, ImportContent, RecordChange
from geo.sites.model import SourceRecord
from geo.sites.record_json import encode, fingerprint, values_from_json, values_to_json
from geo.store.copy_encoder import cell, copy_lines
from geo.store.tables import import_record, import_run, record_version
from geo.store.tables import source_record as table

_COLUMNS = (table.c.local_id, table.c["values"])


@dataclass(frozen=True, slots=True)
class Membership:
    """A record in service and what is stored of it."""

    record: SourceRecord
    known: KnownRecord


def in_service(connection: Connection, *, datasets: Collection[str] | None = None) -> dict[str, SourceRecord]:
    """Return the records in service by key, of some datasets or (None) of all, sorted by key."""
    return _read(connection, table.c.retired_at.is_(None), datasets)


def retired(connection: Connection, *, datasets: Collection[str] | None = None) -> dict[str, SourceRecord]:
    """Return retired records by key, as they last were, sorted by key."""
    return _read(connection, table.c.retired_at.is_not(None), datasets)


def invented(connection: Connection) -> dict[str, SourceRecord]:
    """Return the records in service of invented places, by key, sorted by key."""
    return _read(
        connection, table.c.retired_at.is_(None) & table.c["values"].contains({"fictif": True}), None
    )


def memberships(connection: Connection) -> dict[str, Membership]:
    """Return the records in service by key, with the sites they belong to, sorted by key."""
    columns = (table.c.id, table.c.dataset, table.c.source, table.c.site_id, table.c.first_site_id)
    found = select(*_COLUMNS, *columns).where(table.c.retired_at.is_(None))
    result = {}
    for row in connection.execute(found.order_by(table.c.key.collate("C"))):
        record = _as_record(row)
        known = KnownRecord(row.id, row.dataset, row.local_id, row.source, row.site_id, row.first_site_id)
        result[record.key] = Membership(record, known)
    return result


def sites_of_records(connection: Connection) -> dict[str, str]:
    """Return the site of each record that has one, by key, retired records included."""
    found = select(table.c.key, table.c.site_id).where(table.c.site_id.is_not(None))
    return {row.key: row.site_id for row in connection.execute(found)}


def set_sites(connection: Connection, site_of: Mapping[str, str], founders: Mapping[str, str]) -> None:
    """Set the site of some records, by key; the first site is the one created for it, else the first joined.

    Parameters
    ----------
    founders
        Site → key of the record that it was created for.
    """
    if not site_of:
        return
    connection.execute(
        text(
            "UPDATE source_record SET site_id = given.site,"
            " first_site_id = CASE WHEN given.founds THEN given.site"
            " ELSE coalesce(first_site_id, given.site) END"
            " FROM unnest(CAST(:keys AS text[]), CAST(:sites AS text[]), CAST(:founds AS boolean[]))"
            " AS given (key, site, founds)"
            " WHERE source_record.key = given.key"
        ),
        {
            "keys": list(site_of),
            "sites": list(site_of.values()),
            "founds": [founders.get(site_id) == key for key, site_id in site_of.items()],
        },
    )


def succeed(connection: Connection, successors: Mapping[str, str]) -> None:
    """Give records the sites of those they take the place of; `successors` is old key → new key."""
    if successors:
        connection.execute(
            text(
                "UPDATE source_record SET site_id = old.site_id, first_site_id = old.first_site_id"
                " FROM unnest(CAST(:olds AS text[]), CAST(:news AS text[])) AS given (old, new)"
                " JOIN source_record old ON old.key = given.old"
                " WHERE source_record.key = given.new"
            ),
            {"olds": list(successors), "news": list(successors.values())},
        )


def leave_sites(connection: Connection, keys: Collection[str]) -> list[tuple[str, str]]:
    """Make records forget their sites, because their source now uses the identifier for another place.

    Returns
    -------
    Key and site, for each site that a record described or first described; sorted.
    """
    columns = (table.c.key, table.c.site_id, table.c.first_site_id)
    found = connection.execute(select(*columns).where(table.c.key.in_(list(keys)))).all()
    left = {(row.key, site) for row in found for site in (row.site_id, row.first_site_id) if site}
    forgotten = update(table).where(table.c.key.in_([row.key for row in found]))
    connection.execute(forgotten.values(site_id=None, first_site_id=None))
    return sorted(left)


def apply(connection: Connection, run_id: int, difference: Difference) -> list[RecordChange]:
    """Apply a difference: store new and changed records, retire vanished ones, record the history.

    A retired record that comes back has the same first import and history.

    Returns
    -------
    What was stored of changed and returned records, and what is now.
    """
    arriving = [*difference.new, *(change.after for change in difference.changed)]
    _stage(connection, ((record, values_to_json(record)) for record in arriving))
    # A new record of the difference may be a retired one, whose fields have a history.
    stored = _staged_before(connection)
    changes = [
        *(RecordChange(stored[record.key], record) for record in difference.new if record.key in stored),
        *difference.changed,
    ]
    run = {"run": run_id}
    connection.execute(
        text(
            "INSERT INTO record_change (import_id, record_key, kind)"
            " SELECT :run, i.key, CASE WHEN r.key IS NULL THEN 'new' ELSE 'returned' END"
            " FROM incoming_record i LEFT JOIN source_record r USING (key)"
            ' WHERE r.key IS NULL OR r.retired_at IS NOT NULL ORDER BY i.key COLLATE "C"'
        ),
        run,
    )
    _record_changes(connection, run_id, changes)
    connection.execute(
        text(
            "INSERT INTO source_record"
            ' (key, dataset, source, local_id, "values", first_import, last_import)'
            ' SELECT key, dataset, source, local_id, "values", :run, :run FROM incoming_record'
            ' ORDER BY key COLLATE "C"'
            ' ON CONFLICT (key) DO UPDATE SET "values" = excluded."values",'
            " last_import = :run, retired_at = NULL"
        ),
        run,
    )
    connection.execute(
        text(
            "WITH retired AS (UPDATE source_record SET retired_at = now(), last_import = :run"
            " WHERE key = ANY(:gone) AND retired_at IS NULL RETURNING key)"
            " INSERT INTO record_change (import_id, record_key, kind)"
            " SELECT :run, key, 'retired' FROM retired ORDER BY key"
        ),
        {**run, "gone": [record.key for record in difference.vanished]},
    )
    return changes


def save_content(connection: Connection, run_id: int, records: Iterable[SourceRecord]) -> None:
    """Store what an import listed, each record in its version; all must be known (`apply`)."""
    _stage(connection, ((record, values_to_json(record)) for record in records))
    connection.execute(
        text(
            'INSERT INTO record_version (record_id, sha256, "values")'
            ' SELECT r.id, i.sha256, i."values" FROM incoming_record i JOIN source_record r USING (key)'
            " ON CONFLICT (record_id, sha256) DO NOTHING"
        )
    )
    connection.execute(
        text(
            "INSERT INTO import_record (import_id, record_id, version_id)"
            " SELECT :run, r.id, v.id FROM incoming_record i JOIN source_record r USING (key)"
            " JOIN record_version v ON v.record_id = r.id AND v.sha256 = i.sha256"
        ),
        {"run": run_id},
    )


def contents(connection: Connection, run_ids: Iterable[int]) -> list[ImportContent]:
    """Return what some imports listed, in the order of their numbers."""
    wanted = sorted(run_ids)
    columns = (import_run.c.id, import_run.c.provided, import_run.c.refused)
    runs = connection.execute(select(*columns).where(import_run.c.id.in_(wanted)).order_by(import_run.c.id))
    listed: dict[int, list[SourceRecord]] = {number: [] for number in wanted}
    found = (
        select(import_record.c.import_id, table.c.local_id, record_version.c["values"])
        .join(table, table.c.id == import_record.c.record_id)
        .join(record_version, record_version.c.id == import_record.c.version_id)
        .where(import_record.c.import_id.in_(wanted))
        .order_by(import_record.c.import_id, table.c.key.collate("C"))
    )
    for row in connection.execute(found):
        listed[row.import_id].append(_as_record(row))
    return [
        ImportContent(tuple(listed[run.id]), frozenset(run.provided), frozenset(run.refused)) for run in runs
    ]


def _read(
    connection: Connection, condition: ColumnElement[bool], datasets: Collection[str] | None
) -> dict[str, SourceRecord]:
    wanted = select(*_COLUMNS).where(condition)
    if datasets is not None:
        wanted = wanted.where(table.c.dataset.in_(list(datasets)))
    found = map(_as_record, connection.execute(wanted.order_by(table.c.key.collate("C"))))
    return {record.key: record for record in found}


def _stage(connection: Connection, records: Iterable[tuple[SourceRecord, dict[str, Any]]]) -> None:
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_record (key text, dataset text, source text,"
            ' local_id text, sha256 bytea, "values" jsonb) ON COMMIT DROP'
        )
    )
    connection.execute(text("TRUNCATE incoming_record"))
    # The planner has no statistics of rows just retired or staged: without an index it may choose
    # a nested loop over both tables.
    connection.execute(text("CREATE UNIQUE INDEX IF NOT EXISTS incoming_record_key ON incoming_record (key)"))
    columns = ("key", "dataset", "source", "local_id", "sha256", "values")
    copy_lines(connection, "incoming_record", columns, _lines(records))
    connection.execute(text("ANALYZE incoming_record"))


def _lines(records: Iterable[tuple[SourceRecord, dict[str, Any]]]) -> Iterator[str]:
    for record, values in records:
        cells = (record.key, record.jeu_de_donnees, record.source, record.local_id)
        sha256 = cell(f"\\x{fingerprint(values).hex()}")
        yield "\t".join((*map(cell, cells), sha256, cell(orjson.dumps(values).decode())))


def _staged_before(connection: Connection) -> dict[str, SourceRecord]:
    staged = text("SELECT key FROM incoming_record").columns(table.c.key).subquery()
    wanted = select(*_COLUMNS).where(table.c.retired_at.is_not(None), table.c.key.in_(select(staged.c.key)))
    found = map(_as_record, connection.execute(wanted))
    return {record.key: record for record in found}


def _record_changes(connection: Connection, run_id: int, changes: Iterable[RecordChange]) -> None:
    lines = (
        "\t".join(
            (
                str(run_id),
                cell(change.after.key),
                "changed",
                cell(each.field),
                *(cell(orjson.dumps(encode(value)).decode()) for value in (each.before, each.after)),
            )
        )
        for change in changes
        for each in change.fields()
    )
    columns = ("import_id", "record_key", "kind", "field", "before", "after")
    copy_lines(connection, "record_change", columns, lines)


def _as_record(row: Any) -> SourceRecord:
    return SourceRecord(local_id=row.local_id, **values_from_json(row.values))
