"""Saving a partner with its agreements and sites."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from geo.errors import UnknownPartner
from geo.funding.partners import Convention, Partner, SiteLink, checked
from geo.store import partners, sites
from geo.store.database import Connection


def save_partner(
    connection: Connection,
    partner: Partner,
    conventions: Iterable[Convention],
    links: Collection[SiteLink] | None,
    *,
    actor: str,
) -> bool:
    """Save a partner in place of the one with its code; return whether it is new.

    Parameters
    ----------
    conventions
        Added to the saved ones; one with the same year and reference replaces the note.
    links
        All the sites that the partner runs or supports; None leaves them unchanged.

    Raises
    ------
    InvalidParameter
        If the partner or an agreement cannot be saved; `parameter` names the field.
    """
    checked(partner)  # before a query with a code that may not be storable
    new = not is_saved(connection, partner.code)
    partners.save(connection, partner, actor=actor)
    for convention in conventions:
        partners.save_convention(connection, convention, actor=actor)
    if links is not None:
        merged = sites.redirects(connection)
        wanted = {replace(link, site_id=merged.get(link.site_id, link.site_id)) for link in links}
        for removed in set(partners.partner_sites(connection, partner.code)) - wanted:
            partners.unlink_site(connection, removed, actor=actor)
        for link in links:
            partners.link_site(connection, link, actor=actor)
    return new


def is_saved(connection: Connection, code: str) -> bool:
    """Whether a partner is saved under a code."""
    try:
        partners.find(connection, code)
    except UnknownPartner:
        return False
    return True
