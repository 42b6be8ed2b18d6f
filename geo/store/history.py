"""History of records: the changes of one, and all records as of a past change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from geo.errors import UnknownSite
from geo.sites import standard
from geo.sites.model import ItinerantStop, Position, Site
from geo.store import sites
from geo.store.tables import import_run, site, site_change

_FROM_JSON: Final[dict[str, Callable[[Any], object]]] = {
    "date_maj": date.fromisoformat,
    "latitude": float,
    "longitude": float,
    "position": Position,
    "arrets": lambda stops: tuple(ItinerantStop(*stop) for stop in stops),
    "signalements": tuple,
    **dict.fromkeys(standard.MULTIVALUED, tuple),
}
"""Field → how to decode its value from the stored JSON; other fields need no decoding."""


@dataclass(frozen=True, slots=True)
class SiteChange:
    """One fact of a record's history.

    `kind` is "new", "changed", "retired" or "returned"; only a change has `field`, `before` and `after`.
    """

    id: int
    site_id: str
    at: datetime
    import_id: int
    file_name: str
    kind: str
    field: str | None = None
    before: object = None
    after: object = None


def last_change(connection: Connection) -> int:
    """Return the number of the latest change; 0 before any."""
    return connection.scalar(select(func.max(site_change.c.id))) or 0


def history(connection: Connection, site_id: str) -> list[SiteChange]:
    """Return all changes of a record, in service or not, oldest first.

    Raises
    ------
    UnknownSite
        If no import ever contained a record with this identifier.
    """
    found = connection.execute(
        select(site_change, import_run.c.file_name)
        .join(import_run, import_run.c.id == site_change.c.import_id)
        .where(site_change.c.site_id == site_id)
        .order_by(site_change.c.id)
    )
    changes = [
        SiteChange(
            row.id,
            row.site_id,
            row.changed_at,
            row.import_id,
            row.file_name,
            row.kind,
            row.field,
            *((_value(row.field, row.before), _value(row.field, row.after)) if row.field else ()),
        )
        for row in found
    ]
    if not changes:
        raise UnknownSite(
            f"Aucun lieu, en service ou retiré, n'a jamais porté l'identifiant « {site_id} ».",
            "Cherchez-le par son nom ou sa commune.",
        )
    return changes


def sites_as_of(connection: Connection, last_change: int) -> list[Site]:
    """Return every record in service just after a change, duplicates included.

    Starts from the present records and undoes later changes, latest first. Consistent only inside a
    REPEATABLE READ transaction, such as that of `geo.store.dated_snapshots.read`.

    Parameters
    ----------
    last_change
        Number of the last change included; 0: the state before any.

    Returns
    -------
    Records sorted by public identifier, equal to what `geo.store.sites.active` returned then.
    """
    in_service = {record.id: record for record in sites.active(connection)}
    datasets = connection.scalars(select(site.c.jeu_de_donnees).distinct()).all()
    known = sites.retired(connection, datasets=datasets) | in_service
    shown = set(in_service)
    past: dict[str, dict[str, Any]] = {}
    columns = (site_change.c.site_id, site_change.c.kind, site_change.c.field, site_change.c.before)
    later = select(*columns).where(site_change.c.id > last_change).order_by(site_change.c.id.desc())
    for row in connection.execute(later):
        if row.kind == "changed":
            past.setdefault(row.site_id, {})[row.field] = row.before
        elif row.kind == "retired":
            shown.add(row.site_id)
        else:  # it was new, or had returned
            shown.discard(row.site_id)
    return [_as_it_was(known[site_id], past.get(site_id, {})) for site_id in sorted(shown)]


def _as_it_was(record: Site, past: dict[str, Any]) -> Site:
    return replace(record, **{name: _value(name, kept) for name, kept in past.items()}) if past else record


def _value(field: str, kept: Any) -> Any:
    """Decode a field's value from the stored JSON."""
    read = _FROM_JSON.get(field)
    return kept if kept is None or read is None else read(kept)
