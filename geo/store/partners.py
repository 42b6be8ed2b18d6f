"""Store of partners, their conventions and sites; every write is recorded in the audit."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, select
from sqlalchemy.dialects.postgresql import insert

from geo.errors import InUse, UnknownSite
from geo.funding import partners as domain
from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole, unknown_partner
from geo.store import audit, sites
from geo.store.tables import action, convention, ledger_entry, partner, partner_site, pass_event, site

_FIELDS = tuple(field.name for field in fields(Partner))


def save(connection: Connection, wanted: Partner, *, actor: str) -> None:
    """Save a partner; one of the same code is updated, with its conventions, sites and money unchanged.

    Raises
    ------
    InvalidParameter
        If it is invalid (`geo.funding.partners.checked`).
    """
    values = asdict(domain.checked(wanted))
    before = connection.execute(select(partner).where(partner.c.code == wanted.code).with_for_update())
    known = before.one_or_none()
    if known is not None and _as_partner(known) == wanted:
        return
    upsert = insert(partner).values(values)
    connection.execute(upsert.on_conflict_do_update(index_elements=[partner.c.code], set_=values))
    previous = None if known is None else asdict(_as_partner(known))
    audit.record(connection, actor, "partner.save", f"partner/{wanted.code}", previous, values)


def find(connection: Connection, code: str) -> Partner:
    """Return the partner that has a code.

    Raises
    ------
    UnknownPartner
        If none has.
    """
    row = connection.execute(select(partner).where(partner.c.code == code)).one_or_none()
    if row is None:
        raise unknown_partner(code)
    return _as_partner(row)


def list_(connection: Connection, *, members_on: date | None = None) -> list[Partner]:
    """Return all partners, or members of the network on a day, by code."""
    found = connection.execute(select(partner).order_by(partner.c.code.collate("C")))
    known = [_as_partner(row) for row in found]
    return known if members_on is None else [p for p in known if p.is_member(members_on)]


def remove(connection: Connection, code: str, *, actor: str) -> None:
    """Delete a partner, with its conventions and links to sites.

    Raises
    ------
    UnknownPartner
        If none has this code.
    InUse
        If the ledger, passes or actions name it.
    """
    known = find(connection, code)
    for table in (ledger_entry, pass_event, action):
        if connection.execute(select(table.c.reference).where(table.c.partner_code == code).limit(1)).first():
            raise InUse(
                f"Le partenaire « {known.name} » a des écritures, des pass ou des actions.",
                "Donnez-lui plutôt une date de sortie du réseau.",
            )
    bound = {
        "conventions": [asdict(each) for each in conventions(connection, code)],
        "sites": [asdict(each) for each in partner_sites(connection, code)],
    }
    for table in (convention, partner_site):
        connection.execute(delete(table).where(table.c.partner_code == code))
    connection.execute(delete(partner).where(partner.c.code == code))
    audit.record(connection, actor, "partner.remove", f"partner/{code}", {**asdict(known), **bound}, None)


def save_convention(connection: Connection, wanted: Convention, *, actor: str) -> None:
    """Save a convention; one of the same partner, year and reference gets the new note.

    Raises
    ------
    UnknownPartner
        If its partner is unknown.
    InvalidParameter
        If it is invalid.
    """
    domain.checked_convention(wanted)
    find(connection, wanted.partner_code)
    known = [c for c in conventions(connection, wanted.partner_code) if _key(c) == _key(wanted)]
    if known == [wanted]:
        return
    upsert = insert(convention).values(asdict(wanted))
    keys = [convention.c.partner_code, convention.c.year, convention.c.reference]
    connection.execute(upsert.on_conflict_do_update(index_elements=keys, set_={"note": wanted.note}))
    before = asdict(known[0]) if known else None
    audit.record(connection, actor, "convention.save", _subject(wanted), before, asdict(wanted))


def conventions(connection: Connection, code: str | None = None) -> list[Convention]:
    """Return conventions of one partner, or all, by partner, year and reference."""
    found = select(convention).order_by(
        convention.c.partner_code.collate("C"), convention.c.year, convention.c.reference.collate("C")
    )
    if code is not None:
        found = found.where(convention.c.partner_code == code)
    return [Convention(r.partner_code, r.year, r.reference, r.note) for r in connection.execute(found)]


def link_site(connection: Connection, link: SiteLink, *, actor: str) -> None:
    """Link a partner to a site that it runs or supports. Idempotent.

    A merged identifier is linked as the one that it redirects to.

    Raises
    ------
    UnknownPartner, UnknownSite
        If one of the two is unknown.
    """
    find(connection, link.partner_code)
    link = replace(link, site_id=sites.current_id(connection, link.site_id))
    if link in partner_sites(connection, link.partner_code):
        return
    if connection.scalar(select(site.c.id).where(site.c.id == link.site_id)) is None:
        raise UnknownSite(
            f"Aucun lieu ne porte l'identifiant « {link.site_id} ».",
            "Les identifiants : portee sites list",
        )
    linked = insert(partner_site).values(asdict(link)).on_conflict_do_nothing()
    if connection.execute(linked.returning(partner_site.c.role)).first():
        audit.record(connection, actor, "partner.link_site", _linked(link), None, asdict(link))


def unlink_site(connection: Connection, link: SiteLink, *, actor: str) -> None:
    """Remove the link of a partner to a site, and to those merged with it. Idempotent."""
    table = partner_site.c
    among = table.site_id.in_(sites.merged_with(connection, link.site_id))
    mine = (table.partner_code == link.partner_code, among, table.role == link.role)
    if connection.execute(delete(partner_site).where(*mine)).rowcount:
        audit.record(connection, actor, "partner.unlink_site", _linked(link), asdict(link), None)


def partner_sites(connection: Connection, code: str | None = None) -> list[SiteLink]:
    """Return the sites that one partner, or all, run or support, by partner and site.

    Links to merged identifiers are links to the site that stands for them, listed once.
    """
    table = partner_site.c
    found = select(partner_site).order_by(
        table.partner_code.collate("C"), table.site_id.collate("C"), table.role
    )
    if code is not None:
        found = found.where(table.partner_code == code)
    current = sites.redirects(connection)
    links = {
        SiteLink(row.partner_code, current.get(row.site_id, row.site_id), SiteRole(row.role))
        for row in connection.execute(found)
    }
    return sorted(links, key=lambda link: (link.partner_code, link.site_id, link.role))


def _key(wanted: Convention) -> tuple[int, str]:
    return wanted.year, wanted.reference


def _subject(wanted: Convention) -> str:
    return f"convention/{wanted.partner_code}/{wanted.year}/{wanted.reference}"


def _linked(link: SiteLink) -> str:
    return f"partner_site/{link.partner_code}/{link.site_id}/{link.role}"


def _as_partner(row: Row[Any]) -> Partner:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Partner(**{**values, "kind": PartnerKind(row.kind)})
