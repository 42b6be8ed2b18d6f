"""Data of a map page: territory, access and sites as values that JSON can hold.

The page's script shows them as text, never as HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, Final

import shapely

from geo.coverage.measure import Coverage, TerritoryCoverage
from geo.hours.intervals import is_roaming
from geo.hours.parse import day_selector, read_hours
from geo.lru_cache import LruCache
from geo.sites.model import Site
from geo.territory.model import Commune, Territory, TerritoryKind
from geo.territory.simplify import simplified
from geo.territory.tiling import polygons_of
from geo.wording import dates, figures, names, site_phrases
from geo.wording.hours import closure_text, hours_lines
from static_maps import style
from static_maps.topology import SCALE, topology


def page_data(coverage: Coverage, *, tolerance_m: float) -> dict[str, Any]:
    """Return everything that the script of a map page needs.

    Parameters
    ----------
    tolerance_m
        Largest distance between drawn and true boundaries, in metres.

    Returns
    -------
    Values that JSON can hold. Coordinates are WGS 84, longitude first, in units of 1/`SCALE`
    degree; times are whole minutes (0: less than one); `time` and `within` are texts.
    """
    snapshot, question = coverage.frame.snapshot, coverage.question
    territory = snapshot.territory
    rows = {kind: coverage.by_territory(kind) for kind in style.GROUPING_LABELS}
    ids = {site.id for site in snapshot.sites}
    shares = [(at, m) for at, m in enumerate(question.minutes) if m in style.SHARES_MIN]
    return {
        "scale": SCALE,
        "territory": {
            "code": territory.code,
            "name": territory.name,
            "of_name": names.of_place(territory.name),
        },
        "fictitious": snapshot.fictitious,
        "outline": outline(territory, tolerance_m),
        "communes": [_commune(c) for c in territory.communes],
        "groupings": {
            kind.value: [list(territory.find(row.code, kind).communes) for row in found]
            for kind, found in rows.items()
            if kind is not TerritoryKind.COMMUNE
        },
        "access": {
            kind.value: [_access(row, [at for at, _ in shares]) for row in found]
            for kind, found in rows.items()
        },
        "levels": {kind.value: label for kind, label in style.GROUPING_LABELS.items()},
        "minutes": [m for _, m in shares],
        "beyond_min": question.beyond_min,
        "sites": [_site(s, territory) for s in snapshot.sites],
        "redirects": {old: site_id for old, site_id in sorted(snapshot.redirects.items()) if site_id in ids},
        "classes": [
            {"up_to": c.up_to_min if isfinite(c.up_to_min) else None, "colour": c.colour, "label": c.label}
            for c in style.CLASSES
        ],
        "unknown": {"colour": style.UNKNOWN_COLOUR, "label": style.UNKNOWN_LABEL},
    }


def outline(territory: Territory, tolerance_m: float) -> dict[str, Any]:
    """Return the boundaries of communes, and of each neighbour département as one shape.

    Those of the territories last drawn stay in memory, since most changes of the data leave them as they are.
    """
    key = (id(territory), tolerance_m)
    _, found = _OUTLINES.get_or_compute(key, lambda: (territory, _outline(territory, tolerance_m)))
    return found


_OUTLINES: Final[LruCache[tuple[Territory, dict[str, Any]]]] = LruCache(4)
"""Each with its territory, so that no other one gets its `id`."""


def _outline(territory: Territory, tolerance_m: float) -> dict[str, Any]:
    around: dict[str, list[Commune]] = {}
    for commune in territory.context:
        around.setdefault(commune.departement_code, []).append(commune)
    neighbours = sorted(around.items())
    shapes = [c.boundary for c in territory.communes]
    shapes += [polygons_of(shapely.union_all([c.boundary for c in cs])) for _, cs in neighbours]
    drawn = simplified(shapes, epsg=territory.metric_crs, tolerance_m=tolerance_m)
    shared = topology(drawn)
    own = len(territory.communes)
    return {
        "arcs": shared.arcs,
        "communes": shared.shapes[:own],
        "neighbours": [
            {"code": code, "name": cs[0].departement_name, "shape": shape}
            for (code, cs), shape in zip(neighbours, shared.shapes[own:], strict=True)
        ],
    }


def _commune(commune: Commune) -> dict[str, Any]:
    return {
        "code": commune.code,
        "name": commune.name,
        "postal": commune.postal_codes,
        "people": commune.population,
        "at": units(commune.town_hall.x, commune.town_hall.y),
    }


def _access(row: TerritoryCoverage, shares: Sequence[int]) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "people": row.population,
        "sites": row.site_count,
        "nearest": row.nearest_site_id,
        "minutes": None if row.median_min is None else figures.whole_minutes(row.median_min),
        "time": figures.reach_minutes(row.median_min),
        "within": [figures.percent(row.share_within[at]) for at in shares],
        "beyond": round(row.people_beyond),
    }


def _site(site: Site, territory: Territory) -> dict[str, Any]:
    """Return the facts that the map shows about a site; unknown facts are omitted."""
    facts: dict[str, Any] = {
        "id": site.id,
        "name": site.nom,
        "at": units(site.longitude, site.latitude) if site.located else None,
        "phone": site_phrases.phone(site.telephone) if site.telephone else "",
        "dial": site_phrases.dialled(site.telephone),
        "phone_note": site.telephone_remarque,
        "phones": [list(each) for each in site_phrases.other_numbers(site)],
        "hours": hours(site),
        "address": [line for line in (site.adresse, site.complement_adresse) if line],
        "town": f"{site.code_postal} {site.commune}".strip(),
        "services": site.services,
        "cost": site.frais_a_charge,
        "access": site.modalites_acces,
        "web": site.site_web[:1],
        "book": site.prise_rdv,
        "stops": stops(site),
        "wheelchair": site.acces_fauteuil,
        "pass": site.pass_numerique,
        "flags": flags(site),
        "updated": dates.long_date(site.date_maj) if site.date_maj else "",
        "rough": not site.position.precise,
        "beyond": bool(site.code_insee) and site.code_insee not in territory.own_codes,
    }
    return {k: v for k, v in facts.items() if v not in (None, "", (), [], False) or k == "wheelchair"}


def hours(site: Site) -> tuple[str, ...]:
    """Return opening hours as French lines, closures and remarks included; none when nothing is known.

    The weekly hours of an itinerant site whose stops are known are left out: `stops` gives those.
    """
    reading = read_hours(site.horaires)
    roaming = is_roaming(site)
    lines: list[str] = []
    if site.sur_rendez_vous:
        lines.append("sur rendez-vous uniquement")
    if roaming and reading.expression and not site.arrets:
        lines.append("lieu itinérant : demandez où il sera")
    if reading.expression and not (roaming and site.arrets):
        lines += hours_lines(reading.expression)
    lines += map(closure_text, site.fermetures)
    lines += [f"« {part} »" for part in (*reading.unread, *site.remarques_horaires)]
    return tuple(lines)


def stops(site: Site) -> tuple[str, ...]:
    """Return the stops of an itinerant site as French lines."""
    return tuple(
        f"{stop.place} : {' '.join(hours_lines(f'{day_selector(stop.day)} {stop.hours}'))}"
        for stop in site.arrets
    )


def flags(site: Site) -> tuple[str, ...]:
    """Return warnings about the record, in French."""
    found = []
    if label := style.POSITION_LABELS.get(site.position):
        found.append(label)
    if not (read_hours(site.horaires).expression or site.sur_rendez_vous):
        found.append(style.HOURS_UNKNOWN)
    return tuple(found)


def units(longitude: float | None, latitude: float | None) -> list[int] | None:
    """Return a point in units of 1/`SCALE` degree, longitude first; None without a position."""
    if longitude is None or latitude is None:
        return None
    return [round(longitude * SCALE), round(latitude * SCALE)]
