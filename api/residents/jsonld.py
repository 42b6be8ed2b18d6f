"""A site as schema.org linked data, for search engines: only facts its record states.

Hours are those of the seven days shown on the page, each valid on its own day; ranges by appointment
and stops elsewhere are left out. Coordinates are given only where the source gave them. Property by
property: docs/site-page.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from geo.hours.open_status import DayHours
from geo.sites.model import Site
from geo.territory.model import Territory
from geo.wording import site_phrases

CONTEXT: Final = "https://schema.org"

OFFICES: Final = frozenset(
    {
        *("MUNI", "CC", "EPCI", "CD", "DEPT", "REG", "PREF", "CFP", "CCAS", "CIAS", "CDAS"),
        *("MDS", "MDPH", "MSAP", "RFS", "DEETS", "PAD", "FT"),
    }
)
"""Kinds of structure that are an office of the State or of a local authority."""

ANY: Final = ("Organization", "Place")
"""Types of any site; an association is not a business."""

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def kinds(site: Site) -> tuple[str, ...]:
    """Return the schema.org types: a narrow one only if every kind of structure agrees."""
    kinds_of_structure = set(site.typologie)
    if kinds_of_structure == {"BIB"}:
        return ("Library",)
    if kinds_of_structure == {"LA_POSTE"}:
        return ("PostOffice",)
    if kinds_of_structure and kinds_of_structure <= OFFICES:
        return ("GovernmentOffice",)
    return ANY


def linked(site: Site, url: str, territory: Territory, days: Iterable[DayHours]) -> dict[str, Any]:
    """Return a site as JSON-LD.

    Parameters
    ----------
    url
        Address of its page, which is its identity.
    days
        The week shown on the page.
    """
    types = kinds(site)
    own = site.code_insee in territory.own_codes
    found: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": types[0] if len(types) == 1 else list(types),
        "@id": url,
        "url": url,
        "name": site.nom,
        "description": site.presentation_resume,
        "telephone": site.telephone if site_phrases.dialled(site.telephone) else "",
        "email": list(site.courriels),
        "address": _address(site),
        "geo": _point(site),
        "areaServed": {"@type": "AdministrativeArea", "name": territory.name} if own else None,
        "openingHoursSpecification": _hours(days),
        "isAccessibleForFree": _free(site),
        "amenityFeature": _wheelchair(site),
        "parentOrganization": {"@type": "Organization", "name": site.structure_parente}
        if site.structure_parente
        else None,
        "sameAs": [
            w for w in (*map(site_phrases.web, site.site_web), site_phrases.web(site.fiche_acces_libre)) if w
        ],
    }
    return {name: value for name, value in found.items() if value not in ("", None, [], {})}


def _address(site: Site) -> dict[str, str]:
    street = ", ".join(filter(None, (site.adresse, site.complement_adresse)))
    facts = {
        "streetAddress": street,
        "postalCode": site.code_postal,
        "addressLocality": site.commune,
    }
    known = {name: value for name, value in facts.items() if value}
    return {"@type": "PostalAddress", **known, "addressCountry": "FR"} if known else {}


def _point(site: Site) -> dict[str, Any] | None:
    if not site.position.precise or not site.located:
        return None
    return {"@type": "GeoCoordinates", "latitude": site.latitude, "longitude": site.longitude}


def _hours(days: Iterable[DayHours]) -> list[dict[str, str]]:
    return [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": f"{CONTEXT}/{DAYS[day.date.weekday()]}",
            "opens": f"{each.start:%H:%M}",
            "closes": f"{each.end:%H:%M}",
            "validFrom": day.date.isoformat(),
            "validThrough": day.date.isoformat(),
        }
        for day in days
        for each in day.ranges
        if not each.by_appointment and not each.stop and not day.doubtful
    ]


def _free(site: Site) -> bool | None:
    costs = set(site.frais_a_charge)
    return True if costs == {"Gratuit"} else False if costs == {"Payant"} else None


def _wheelchair(site: Site) -> list[dict[str, Any]]:
    if site.acces_fauteuil is None:
        return []
    return [
        {
            "@type": "LocationFeatureSpecification",
            "name": "Accessible en fauteuil roulant",
            "value": site.acces_fauteuil,
        }
    ]
