"""Sites: the values shown, their identifiers, those that redirect, and what became of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select, text

from geo.sites.clustering import KnownSite
from geo.sites.model import (
    VALUE_FIELDS,
    Conflict,
    ItinerantStop,
    Origin,
    Position,
    Site,
)
from geo.sites.record_json import decode, encode
from geo.store.copy_encoder import cell, copy_lines, copy_rows
from geo.store.tables import import_run, site_event, source_record
from geo.store.tables import site as table

_COLUMNS = [table.c[name] for name in VALUE_FIELDS]
_QUOTED = ", ".join(f'"{name}"' for name in VALUE_FIELDS)
_AS_READ = {
    "arrets": lambda stops: tuple(ItinerantStop(*stop) for stop in stops),
    "position": Position,
}
_DECODERS = [
    (name, _AS_READ.get(name, tuple if column.type.python_type is list else None))
    for name, column in zip(VALUE_FIELDS, _COLUMNS, strict=True)
]


@dataclass(frozen=True, slots=True)
class SiteEvent:
    """Something that became of a site.

    `kind` is "created", "merged" (into `detail["into"]`), "split", "returned", "retired" (no record left),
    "corrected", "correction_ended", "closed", "removed", "opened", "decided", "reopened" (a pair) or
    "reused"; `import_id` the import that caused it, if any.
    """

    site_id: str
    kind: str
    author: str | None = None
    import_id: int | None = None
    detail: Mapping[str, Any] | None = None
    id: int = 0
    at: datetime | None = None
    file_name: str = ""


def stored(connection: Connection, only: Collection[str] | None = None) -> dict[str, Site]:
    """Return sites that have records, by identifier, sorted: the values of their sources, closed or not.

    The records of a site are those in service that describe it.

    Parameters
    ----------
    only
        Identifiers of the sites to return; None: all.
    """
    members: dict[str, list[str]] = {}
    found = select(source_record.c.key, source_record.c.site_id).where(
        source_record.c.retired_at.is_(None), source_record.c.site_id.is_not(None)
    )
    if only is not None:
        found = found.where(source_record.c.site_id.in_(list(only)))
    for row in connection.execute(found.order_by(source_record.c.key.collate("C"))):
        members.setdefault(row.site_id, []).append(row.key)
    wanted = (
        select(table.c.id, *_COLUMNS, table.c.origins, table.c.conflicts)
        .where(table.c.retired_at.is_(None), table.c.merged_into.is_(None))
        .order_by(table.c.id.collate("C"))
    )
    if only is not None:
        wanted = wanted.where(table.c.id.in_(list(only)))
    return {row.id: _as_site(row, members.get(row.id, [])) for row in connection.execute(wanted)}


def known(connection: Connection) -> dict[str, KnownSite]:
    """Return every site ever created, by identifier, in order of creation."""
    found = select(table.c.id, table.c.rank, table.c.merged_into, table.c.retired_at)
    return {
        row.id: KnownSite(row.rank, row.merged_into, row.retired_at is not None)
        for row in connection.execute(found.order_by(table.c.rank))
    }


def bases(connection: Connection, site_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what some sites last said of their place (`geo.sites.place_change.basis`), by identifier."""
    names = ("nom", "code_insee", "commune", "longitude", "latitude", "position")
    found = select(table.c.id, *(table.c[name] for name in names)).where(table.c.id.in_(list(site_ids)))
    return {row.id: {name: getattr(row, name) for name in names} for row in connection.execute(found)}


def never_built(connection: Connection) -> bool:
    """Return whether a site has records whose values were never pooled, as after a migration."""
    found = select(table.c.id).where(
        table.c.origins.is_(None), table.c.retired_at.is_(None), table.c.merged_into.is_(None)
    )
    return connection.execute(found.limit(1)).first() is not None


def redirects(connection: Connection) -> dict[str, str]:
    """Return the identifiers that redirect, each with that of the site it now stands for."""
    found = select(table.c.id, table.c.merged_into).where(table.c.merged_into.is_not(None))
    merged = {row.id: row.merged_into for row in connection.execute(found)}

    def final(site_id: str) -> str:
        while site_id in merged:
            site_id = merged[site_id]
        return site_id

    return {site_id: final(into) for site_id, into in sorted(merged.items())}


def current_id(connection: Connection, site_id: str) -> str:
    """Return the identifier that a merged one redirects to; any other is returned as it is."""
    return redirects(connection).get(site_id, site_id)


def merged_with(connection: Connection, site_id: str) -> set[str]:
    """Return the identifiers of the site that one leads to: its own and those that redirect to it."""
    merged = redirects(connection)
    current = merged.get(site_id, site_id)
    return {current, *(old for old, into in merged.items() if into == current)}


def save(connection: Connection, sites: Iterable[Site]) -> None:
    """Store the values of some sites; a site that was retired or merged is in service again."""
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_site ON COMMIT DROP AS"  # noqa: S608 - columns
            f" SELECT id, {_QUOTED}, origins, conflicts FROM site WITH NO DATA"
        )
    )
    connection.execute(text("TRUNCATE incoming_site"))
    rows = ((site.id, *_as_row(site), *_provenance(site)) for site in sites)
    copy_rows(connection, "incoming_site", ("id", *VALUE_FIELDS, "origins", "conflicts"), rows)
    columns = (*VALUE_FIELDS, "origins", "conflicts")
    replaced = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
    connection.execute(
        text(
            f"INSERT INTO site (id, {_QUOTED}, origins, conflicts)"  # noqa: S608 - names of columns
            f' SELECT id, {_QUOTED}, origins, conflicts FROM incoming_site ORDER BY id COLLATE "C"'
            f" ON CONFLICT (id) DO UPDATE SET {replaced}, retired_at = NULL, merged_into = NULL"
        )
    )


def merge(connection: Connection, merged: Mapping[str, str]) -> None:
    """Make identifiers redirect to those of other sites."""
    if merged:
        connection.execute(
            text(
                "UPDATE site SET merged_into = given.target, retired_at = NULL"
                " FROM unnest(CAST(:ids AS text[]), CAST(:into AS text[])) AS given (id, target)"
                " WHERE site.id = given.id"
            ),
            {"ids": list(merged), "into": list(merged.values())},
        )


def retire(connection: Connection, site_ids: Iterable[str]) -> list[str]:
    """Retire sites that have no record left; return those that were in service, sorted."""
    found = connection.execute(
        text(
            "UPDATE site SET retired_at = now() WHERE id = ANY(CAST(:ids AS text[]))"
            " AND retired_at IS NULL AND merged_into IS NULL RETURNING id"
        ),
        {"ids": list(site_ids)},
    )
    return sorted(row.id for row in found)


def record_events(connection: Connection, events: Iterable[SiteEvent]) -> None:
    """Append to the history of sites, in the order given; `id` and `at` are set by the store."""
    lines = (
        "\t".join(
            (
                *map(cell, (event.site_id, event.kind, event.author, event.import_id)),
                cell(_json(dict(event.detail or {}))),
            )
        )
        for event in events
    )
    copy_lines(connection, "site_event", ("site_id", "kind", "author", "import_id", "detail"), lines)


def events(connection: Connection, site_ids: Iterable[str] | None = None) -> list[SiteEvent]:
    """Return what became of some sites, or (None) of all, oldest first."""
    found = (
        select(site_event, import_run.c.file_name)
        .outerjoin(import_run, import_run.c.id == site_event.c.import_id)
        .order_by(site_event.c.id)
    )
    if site_ids is not None:
        found = found.where(site_event.c.site_id.in_(list(site_ids)))
    return [
        SiteEvent(
            row.site_id, row.kind, row.author, row.import_id, row.detail, row.id, row.at, row.file_name or ""
        )
        for row in connection.execute(found)
    ]


def _as_row(site: Site) -> Iterator[object]:
    for name in VALUE_FIELDS:
        value = getattr(site, name)
        if name == "arrets":
            yield _json(encode(value))
        elif name == "position":
            yield value.value
        else:
            yield list(value) if isinstance(value, tuple) else value


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _provenance(site: Site) -> tuple[str, str]:
    origins = [
        [each.field, list(each.records), each.rule, encode(each.day), each.correction]
        for each in site.origins
    ]
    conflicts = [[each.field, encode(each.value), each.record, encode(each.day)] for each in site.conflicts]
    return _json(origins), _json(conflicts)


def _as_site(row: Any, members: list[str]) -> Site:
    values: dict[str, Any] = {
        name: value if decoder is None or value is None else decoder(value)
        for (name, decoder), value in zip(_DECODERS, row[1:], strict=False)
    }
    return Site(
        id=row.id,
        records=tuple(members),
        origins=tuple(
            Origin(field, tuple(records), rule, _day(day), correction)
            for field, records, rule, day, correction in row.origins or ()
        ),
        conflicts=tuple(
            Conflict(field, decode(field, value), record, _day(day))
            for field, value, record, day in row.conflicts
        ),
        **values,
    )


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
