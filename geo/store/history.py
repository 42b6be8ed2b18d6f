"""History of records: the changes of one, and all records as of a past change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from geo.errors import UnknownSite
from geo.sites.field_rules import load_rules
from geo.sites.model import Site, SourceRecord
from geo.sites.record_json import decode
from geo.sites.site_building import build_site
from geo.store import records, sites
from geo.store.tables import import_run, record_change, site_event, source_record


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """One fact of a record's history.

    `kind` is "new", "changed", "retired" or "returned"; only a change has `field`, `before` and `after`.
    """

    id: int
    record: str
    at: datetime
    import_id: int
    file_name: str
    kind: str
    field: str | None = None
    before: object = None
    after: object = None


def last_change(connection: Connection) -> int:
    """Return the number of the latest change; 0 before any."""
    return connection.scalar(select(func.max(record_change.c.id))) or 0


def history(connection: Connection, site_id: str) -> list[RecordHistory]:
    """Return all changes of the records of a site, oldest first.

    Its records are those that describe it or first described it, and those that last did when retired;
    those whose source then used the identifier for another place, until it did.

    Raises
    ------
    UnknownSite
        If no site ever had this identifier.
    """
    of_site = source_record.c.site_id == site_id, source_record.c.first_site_id == site_id
    described = set(connection.scalars(select(source_record.c.key).where(or_(*of_site))))
    left = _places_left(connection)
    keys = described | {key for key, places in left.items() if any(site_id in each for _, each in places)}
    found = connection.execute(
        select(record_change, import_run.c.file_name)
        .join(import_run, import_run.c.id == record_change.c.import_id)
        .where(record_change.c.record_key.in_(keys))
        .order_by(record_change.c.id)
    )
    changes = [
        RecordHistory(
            row.id,
            row.record_key,
            row.changed_at,
            row.import_id,
            row.file_name,
            row.kind,
            row.field,
            *((decode(row.field, row.before), decode(row.field, row.after)) if row.field else ()),
        )
        for row in found
        if _described(site_id, row, left.get(row.record_key, []), described)
    ]
    if not changes:
        raise UnknownSite(
            f"Aucun lieu, en service ou retiré, n'a jamais porté l'identifiant « {site_id} ».",
            "Cherchez-le par son nom ou sa commune.",
        )
    return changes


def _places_left(connection: Connection) -> dict[str, list[tuple[int, set[str]]]]:
    """Return, by key of record, the imports that used it for another place, with the sites it then left."""
    found: dict[str, dict[int, set[str]]] = {}
    reused = select(site_event).where(site_event.c.kind == "reused").order_by(site_event.c.id)
    for row in connection.execute(reused):
        found.setdefault(row.detail["record"], {}).setdefault(row.import_id, set()).add(row.site_id)
    return {key: sorted(places.items(), key=lambda each: each[0]) for key, places in found.items()}


def _described(
    site_id: str, change: Row[Any], left: Iterable[tuple[int, set[str]]], described: Collection[str]
) -> bool:
    """Return whether a record described a site after a change of it."""
    for import_id, sites_left in left:
        if change.import_id < import_id:
            return site_id in sites_left
    return change.record_key in described


def sites_as_of(connection: Connection, last_change: int) -> list[Site]:
    """Return every site that had a record in service just after a change, with the values of then.

    Starts from the present records and undoes later changes, latest first. A record describes the site
    that it describes now. Consistent only inside a REPEATABLE READ transaction, such as that of
    `geo.store.dated_snapshots.read`.

    Parameters
    ----------
    last_change
        Number of the last change included; 0: the state before any.

    Returns
    -------
    Sites sorted by identifier.
    """
    current = records.in_service(connection)
    known = records.retired(connection) | current
    in_service = set(current)
    past: dict[str, dict[str, Any]] = {}
    names = ("record_key", "kind", "field", "before")
    later = (
        select(*(record_change.c[name] for name in names))
        .where(record_change.c.id > last_change)
        .order_by(record_change.c.id.desc())
    )
    for row in connection.execute(later):
        if row.kind == "changed":
            past.setdefault(row.record_key, {})[row.field] = row.before
        elif row.kind == "retired":
            in_service.add(row.record_key)
        else:  # it was new, or had returned
            in_service.discard(row.record_key)
    redirects = sites.redirects(connection)
    site_of = records.sites_of_records(connection)
    members: dict[str, list[SourceRecord]] = {}
    for key in sorted(in_service):
        site_id = redirects.get(site_of[key], site_of[key])
        members.setdefault(site_id, []).append(_as_it_was(known[key], past.get(key, {})))
    rules = load_rules()
    return [build_site(site_id, members[site_id], rules) for site_id in sorted(members)]


def _as_it_was(record: SourceRecord, past: dict[str, Any]) -> SourceRecord:
    values = {name: decode(name, value) for name, value in past.items()}
    return replace(record, **values) if past else record
