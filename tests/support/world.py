"""A tiny invented country whose answers can be counted by hand.

Département 99 is a strip of four square communes, each 10 km wide, from west to east; its
neighbour 96 has one commune, east of the last. Squares lie on the Lambert-93 plane, town halls
at their centres:

    code        99001    99002    99003    99004  |  96001
    centre x    5 km     15 km    25 km    35 km  |  45 km
    people      1 000    2 000    0        4 000  |  500
    EPCI        A        A        B        B      |  B (astride the border)
    canton      9901     9901     9902     9902   |  9601
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import shapely
from pyproj import Transformer
from shapely import MultiPolygon, Point, box

from geo.crs import LAMBERT_93, WGS84
from geo.sites.field_rules import load_rules
from geo.sites.model import VALUE_FIELDS, Position, Site, SourceRecord
from geo.sites.site_building import build_site
from geo.snapshot import Snapshot
from geo.territory.model import Commune, Grouping, Provenance, Territory, TerritoryKind

ORIGIN_X, ORIGIN_Y = 500_000.0, 6_400_000.0
SIDE = 10_000.0

_to_degrees = Transformer.from_crs(LAMBERT_93, WGS84, always_xy=True)


def at(x_km: float, y_km: float = 5.0) -> Point:
    """The WGS 84 point that lies so many kilometres east and north of the country's corner."""
    return Point(_to_degrees.transform(ORIGIN_X + x_km * 1_000, ORIGIN_Y + y_km * 1_000))


def _square(column: int) -> MultiPolygon:
    left = ORIGIN_X + column * SIDE
    square = shapely.transform(
        box(left, ORIGIN_Y, left + SIDE, ORIGIN_Y + SIDE), _to_degrees.transform, interleaved=False
    )
    return MultiPolygon([square])


def commune(column: int, code: str, name: str, people: int, epci: str, canton: str) -> Commune:
    dep = code[:2]
    return Commune(
        code=code,
        name=name,
        departement_code=dep,
        departement_name={"99": "Pays d'Essai", "96": "Voisinage"}[dep],
        postal_codes=(f"{dep}100",),
        population=people,
        epci_code=f"20000000{epci}",
        epci_name=f"CC {epci}",
        canton_code=canton,
        canton_name=f"Canton {canton}",
        arrondissement_code=f"{dep}1",
        arrondissement_name=f"Arrondissement {dep}1",
        town_hall=at(column * 10 + 5),
        boundary=_square(column),
    )


OWN = (
    commune(0, "99001", "Ouestville", 1_000, "1", "9901"),
    commune(1, "99002", "Deux-Étangs", 2_000, "1", "9901"),
    commune(2, "99003", "Désert-le-Vide", 0, "2", "9902"),
    commune(3, "99004", "Estbourg", 4_000, "2", "9902"),
)
CONTEXT = (commune(4, "96001", "Outre-Borne", 500, "2", "9601"),)


def _groupings() -> tuple[Grouping, ...]:
    found = []
    for kind in TerritoryKind:
        if kind is TerritoryKind.COMMUNE:
            continue
        members: dict[tuple[str, str], list[Commune]] = {}
        for c in OWN:
            members.setdefault(c.grouping(kind), []).append(c)
        for (code, name), cs in sorted(members.items()):
            shape = shapely.union_all([c.boundary for c in cs])
            found.append(
                Grouping(
                    kind=kind,
                    code=code,
                    name=name,
                    communes=tuple(c.code for c in cs),
                    population=sum(c.population for c in cs),
                    boundary=shape if isinstance(shape, MultiPolygon) else MultiPolygon([shape]),
                    partial=any(c.grouping(kind)[0] == code for c in CONTEXT),
                )
            )
    return tuple(found)


TERRITORY = Territory(
    code="99",
    name="Pays d'Essai",
    communes=OWN,
    groupings=_groupings(),
    context=CONTEXT,
    provenance=(Provenance("Communes", "Tests", "2026", "Licence Ouverte 2.0"),),
)


def record(local_id: str, x_km: float | None, code_insee: str = "99001", **changes: object) -> SourceRecord:
    """A valid record of a place at so many kilometres from the west (None: not located)."""
    point = at(x_km) if x_km is not None else None
    base = SourceRecord(
        local_id=local_id,
        nom=f"Lieu {local_id}",
        commune=next(c.name for c in (*OWN, *CONTEXT) if c.code == code_insee),
        code_postal=f"{code_insee[:2]}100",
        code_insee=code_insee,
        adresse="1 place de l'Exemple",
        date_maj=date(2026, 3, 2),
        latitude=point.y if point else None,
        longitude=point.x if point else None,
        services=("Aide aux démarches administratives",),
        frais_a_charge=("Gratuit",),
        jeu_de_donnees="essai",
        position=Position.EXACTE if point else Position.INCONNUE,
        fictif=True,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def as_site(*records: SourceRecord) -> Site:
    """The site of some records, with the identifier of the first."""
    first = records[0]
    return build_site(f"{first.jeu_de_donnees}--{first.local_id}", records, load_rules())


def record_of(site: Site) -> SourceRecord:
    """The only record of a site, to be stored."""
    values = {name: getattr(site, name) for name in VALUE_FIELDS}
    return SourceRecord(local_id=short(site), **values)


def site(local_id: str, x_km: float | None, code_insee: str = "99001", **changes: object) -> Site:
    """The site of one valid record (`record`)."""
    return as_site(record(local_id, x_km, code_insee, **changes))


def short(site: Site) -> str:
    """The identifier of a site without its dataset."""
    return site.id.partition("--")[2]


def snapshot(*sites: Site, version: int = 1) -> Snapshot:
    """The country with these sites."""
    return Snapshot(
        version=version,
        taken_at=datetime(2026, 11, 2, 9, 0, tzinfo=UTC),
        territory=TERRITORY,
        sites=tuple(sorted(sites, key=lambda s: s.id)),
    )
