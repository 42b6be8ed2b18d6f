"""Frozen records of a territory; reads no file, no SQL.

Geometries are shapely, in WGS 84 (EPSG:4326), longitude first. INSEE codes are text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from shapely import MultiPolygon, Point

from geo.crs import metric_crs
from geo.errors import UnknownTerritory


class TerritoryKind(StrEnum):
    """Levels of results, from the commune to the whole territory."""

    COMMUNE = "commune"
    CANTON = "canton"
    EPCI = "epci"
    ARRONDISSEMENT = "arrondissement"
    DEPARTEMENT = "departement"

    @property
    def label(self) -> str:
        """Return the French label shown to users."""
        return _LABELS[self]


_LABELS = {
    TerritoryKind.COMMUNE: "commune",
    TerritoryKind.CANTON: "canton",
    TerritoryKind.EPCI: "intercommunalité",
    TerritoryKind.ARRONDISSEMENT: "arrondissement",
    TerritoryKind.DEPARTEMENT: "département",
}


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the territory or of its neighbours.

    `population` is the municipal population (inhabitants). `town_hall` is where residents are
    counted while no finer population is loaded. Codes that do not apply are empty strings.
    """

    code: str
    name: str
    departement_code: str
    departement_name: str
    postal_codes: tuple[str, ...]
    population: int
    epci_code: str
    epci_name: str
    canton_code: str
    canton_name: str
    arrondissement_code: str
    arrondissement_name: str
    town_hall: Point
    boundary: MultiPolygon

    def grouping(self, kind: TerritoryKind) -> tuple[str, str]:
        """Return code and name of the commune's grouping of this kind; "" if there is none."""
        return {
            TerritoryKind.COMMUNE: (self.code, self.name),
            TerritoryKind.CANTON: (self.canton_code, self.canton_name),
            TerritoryKind.EPCI: (self.epci_code, self.epci_name),
            TerritoryKind.ARRONDISSEMENT: (self.arrondissement_code, self.arrondissement_name),
            TerritoryKind.DEPARTEMENT: (self.departement_code, self.departement_name),
        }[kind]


@dataclass(frozen=True, slots=True)
class Grouping:
    """A group of communes; its boundary is dissolved from theirs.

    `partial` is true when the body has further communes outside the territory (an EPCI astride
    two départements): population and boundary are then those of the inner part only.
    """

    kind: TerritoryKind
    code: str
    name: str
    communes: tuple[str, ...]
    population: int
    boundary: MultiPolygon
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """Source of a set of facts, as shown in every answer."""

    subject: str
    producer: str
    vintage: str
    licence: str
    retrieved: date | None = None


@dataclass(frozen=True)
class Territory:
    """A département: its communes, their groupings, and its neighbours' communes as context.

    All tuples are sorted by code, so that two runs give the same bytes.
    """

    code: str
    name: str
    communes: tuple[Commune, ...]
    groupings: tuple[Grouping, ...]
    context: tuple[Commune, ...] = ()
    provenance: tuple[Provenance, ...] = ()

    @property
    def metric_crs(self) -> int:
        """Return the EPSG code of the metric CRS of this territory."""
        return metric_crs(self.code)

    @cached_property
    def commune_by_code(self) -> dict[str, Commune]:
        """Return all communes by INSEE code, neighbours included."""
        return {c.code: c for c in (*self.context, *self.communes)}

    @cached_property
    def own_codes(self) -> frozenset[str]:
        """Return the INSEE codes of the territory's own communes."""
        return frozenset(c.code for c in self.communes)

    @cached_property
    def _grouping_by_key(self) -> dict[tuple[TerritoryKind, str], Grouping]:
        return {(g.kind, g.code): g for g in self.groupings}

    def groupings_of(self, kind: TerritoryKind) -> Iterator[Grouping]:
        """Yield the groupings of one kind; for `TerritoryKind.COMMUNE`, each commune as a grouping."""
        if kind is TerritoryKind.COMMUNE:
            for c in self.communes:
                yield Grouping(kind, c.code, c.name, (c.code,), c.population, c.boundary)
        else:
            yield from (g for g in self.groupings if g.kind is kind)

    def find(self, code: str, kind: TerritoryKind | None = None) -> Grouping:
        """Return the commune or grouping with a code, communes first unless `kind` is given.

        Raises
        ------
        UnknownTerritory
            If no commune or grouping of the territory has the code.
        """
        if kind in (None, TerritoryKind.COMMUNE) and code in self.own_codes:
            c = self.commune_by_code[code]
            return Grouping(TerritoryKind.COMMUNE, c.code, c.name, (c.code,), c.population, c.boundary)
        kinds = [kind] if kind else [k for k in TerritoryKind if k is not TerritoryKind.COMMUNE]
        for each in kinds:
            if found := self._grouping_by_key.get((each, code)):
                return found
        raise UnknownTerritory(
            f"Aucun territoire ne porte le code « {code} ».",
            "Donnez un code INSEE de commune (47001), d'EPCI, de canton, d'arrondissement ou de département.",
        )
