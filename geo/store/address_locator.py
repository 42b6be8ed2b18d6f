"""Look up the addresses of records in the stored address base."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, func, select

from geo.places.address_matching import CommuneStreets, FoundStreet, KnownStreet
from geo.sites.location_evidence import AddressMatch
from geo.sites.model import Position
from geo.store.tables import address_file, address_number, address_street

STREET_ONLY: Final = 0.9
"""Factor of a match without the house number, against one that has it in another commune."""

AS_GOOD: Final = 0.01
"""Matches in several communes within this of the best are equally likely."""


class AddressBase:
    """Addresses of the stored base, as `geo.sites.location_evidence.AddressLocator`.

    Streets are read once for each commune asked about, house numbers for each street that is found.

    Parameters
    ----------
    connection
        Open as long as addresses are looked up.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._communes: dict[str, CommuneStreets] = {}

    def locate(self, address: str, communes: Collection[str]) -> list[AddressMatch]:
        """Return where an address may be within some communes (INSEE codes), at most one match each."""
        self._load([code for code in communes if code not in self._communes])
        found = [match for code in communes if (match := self._communes[code].find(address))]
        rated = [self._match(each) for each in found]
        best = max((quality for quality, _ in rated), default=0.0)
        return [match for quality, match in rated if quality >= best - AS_GOOD]

    def _load(self, communes: Collection[str]) -> None:
        table = address_street
        if not communes:
            return
        rows = self._connection.execute(
            select(
                *(table.c[name] for name in ("id", "name", "kind", "words", "postcode", "commune")),
                table.c.commune_name,
                func.ST_X(table.c.point).label("longitude"),
                func.ST_Y(table.c.point).label("latitude"),
            )
            .where(table.c.commune.in_(communes))
            .order_by(table.c.id)
        )
        streets: dict[str, list[KnownStreet]] = {code: [] for code in communes}
        names: dict[str, str] = {}
        for row in rows:
            town = f"{row.postcode} {row.commune_name}".strip()
            names[row.commune] = row.commune_name
            streets[row.commune].append(
                KnownStreet(
                    row.id, row.name, row.kind, row.words, town, row.commune, row.longitude, row.latitude
                )
            )
        for code, known in streets.items():
            self._communes[code] = CommuneStreets(known, names.get(code, ""))

    def _match(self, found: FoundStreet) -> tuple[float, AddressMatch]:
        """Return the match of a street, at its house number if it has it, and its quality."""
        street, numbers = found.street, self._numbers(found)
        label = f"{street.name}, {street.town}"
        if exact := numbers.get(found.repetition):
            shown = f"{found.number} {found.repetition}".strip()
            return found.score, AddressMatch(street.commune, *exact, Position.ADRESSE, f"{shown} {label}")
        # Without the « bis », its number is nearer than the middle of the street.
        point = numbers.get("") or next(iter(numbers.values()), (street.longitude, street.latitude))
        return found.score * STREET_ONLY, AddressMatch(street.commune, *point, Position.RUE, label)

    def _numbers(self, found: FoundStreet) -> dict[str, tuple[float, float]]:
        """Return repetition → longitude and latitude of the houses that have the number."""
        if found.number is None:
            return {}
        table = address_number
        rows = self._connection.execute(
            select(table.c.repetition, func.ST_X(table.c.point), func.ST_Y(table.c.point))
            .where(table.c.street == found.street.id, table.c.number == found.number)
            .order_by(table.c.repetition)
        )
        return {repetition: (x, y) for repetition, x, y in rows}


def locator(connection: Connection) -> AddressBase | None:
    """Return the address base to look addresses up in, or None when none is loaded."""
    loaded = connection.scalar(select(func.count()).select_from(address_file))
    return AddressBase(connection) if loaded else None
