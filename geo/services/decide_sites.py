"""Decide whether sites, or records of them, are one place."""

from __future__ import annotations

from dataclasses import dataclass

from geo.errors import UnknownSite
from geo.services.site_register import SiteChanges, rebuild
from geo.sites.place_change import basis
from geo.store import imports, record_pairs, records, sites, snapshots
from geo.store.database import Connection
from geo.store.sites import SiteEvent


@dataclass(frozen=True)
class Decision:
    """What a decision changed; `shown` is the site that both are, or None if they are different."""

    changes: SiteChanges
    shown: str | None


def decide(connection: Connection, a: str, b: str, *, same: bool, by: str, epsg: int) -> Decision:
    """Decide whether two sites or records are one place, inside the caller's transaction.

    Decided to be one, they share a site and pool their values; the older identifier stays, the other
    redirects. Decided to be different, no record of one will be joined with a record of the other.
    A pair that was not proposed may be decided too; a later decision replaces the earlier one.

    Parameters
    ----------
    a, b
        Each the identifier of a site, or the key of a record.
    by
        Who decides, for the history.

    Raises
    ------
    UnknownSite
        If one of them is not in service, or both are the same.
    """
    imports.wait_for_turn(connection)
    members = records.memberships(connection)
    redirects = sites.redirects(connection)

    def keys_of(name: str) -> list[str]:
        if name in members:
            return [name]
        site_id = redirects.get(name, name)
        found = [key for key, member in members.items() if member.known.site == site_id]
        if not found:
            raise UnknownSite(
                f"Aucun lieu en service ne porte l'identifiant « {name} ».",
                "Donnez l'identifiant d'un lieu, ou celui d'une de ses fiches.",
            )
        return found

    first, second = keys_of(a), keys_of(b)
    pairs = [(one, other) for one in first for other in second if one != other]
    if set(first) == set(second) or not pairs:
        raise UnknownSite(f"Les deux identifiants sont le même lieu : « {a} ».", "Donnez-en deux autres.")
    if same:
        pairs = pairs[:1]
    facts = {key: basis(members[key].record) for key in (*first, *second)}
    record_pairs.decide(connection, pairs, same=same, by=by, basis=facts)
    if same:
        record_pairs.clear_different(connection, [(one, other) for one in first for other in second])
    before = members[first[0]].known.site
    changes = rebuild(connection, epsg=epsg, author=by, rematch=False)
    site_of = records.sites_of_records(connection)
    shown = site_of[first[0]] if same else None
    detail = {"a": first[0], "b": second[0], "same": same}
    sites.record_events(
        connection,
        [
            SiteEvent(site_id, "decided", by, None, detail)
            for site_id in sorted({site_of[first[0]], site_of[second[0]], before or site_of[first[0]]})
        ],
    )
    snapshots.publish(connection)
    return Decision(changes, shown)
