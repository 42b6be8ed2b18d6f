"""What a record says about where it is: each statement names communes, with a weight.

Weights follow what is reliable in French lists of places: an INSEE code and a name are chosen from lists, a
point is geocoded from the address and fails as a whole, a postal code covers several communes. Two statements
that agree outweigh one that does not; a code outweighs a name, if nothing else decides.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

from geo.sites.model import Position


class EvidenceKind(IntEnum):
    """Kinds of evidence, in the order in which they are listed to readers."""

    CODE = 1
    NAME = 2
    FORMER = 3
    CLOSE_NAME = 4
    POSTAL_CODE = 5
    ADDRESS = 6
    SITE_NAME = 7
    NUMBER = 8
    STREET = 9
    POINT = 10
    NEAR = 11
    PIVOT = 12


WEIGHTS: Final = {
    EvidenceKind.CODE: 4.0,
    EvidenceKind.NAME: 3.9,
    EvidenceKind.FORMER: 3.5,
    EvidenceKind.CLOSE_NAME: 2.0,
    EvidenceKind.POSTAL_CODE: 1.6,
    EvidenceKind.ADDRESS: 1.8,
    EvidenceKind.SITE_NAME: 1.5,
    EvidenceKind.NUMBER: 1.4,
    EvidenceKind.STREET: 1.0,
    EvidenceKind.POINT: 2.5,
    EvidenceKind.NEAR: 1.7,
    EvidenceKind.PIVOT: 0.8,
}
"""Weight of each kind. A commune that contains the point has `POINT`, one near it only `NEAR`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement: the INSEE codes of the communes it may mean, and what it is, in French.

    `said` completes « d'après … »: "le nom « Ville de Nérac »".
    """

    kind: EvidenceKind
    codes: frozenset[str]
    said: str

    @property
    def weight(self) -> float:
        """Weight of the statement for each of its communes."""
        return WEIGHTS[self.kind]


@dataclass(frozen=True, slots=True)
class AddressMatch:
    """An address found in an address base: WGS 84 degrees, and the commune it is in.

    `position` is `ADRESSE` for a house number, `RUE` for a street or a hamlet; `label` is what was found.
    """

    commune: str
    longitude: float
    latitude: float
    position: Position
    label: str


class AddressLocator(Protocol):
    """Looks addresses up in an address base."""

    def locate(self, address: str, communes: Collection[str]) -> list[AddressMatch]:
        """Return where an address may be within some communes (INSEE codes), at most one match each.

        Only matches of the best accuracy are returned: streets only when no commune has the house number.
        """
        ...


def sentence(evidence: Collection[Evidence]) -> str:
    """Return « d'après le nom « Nérac » et le code postal 47600 »."""
    said = list(dict.fromkeys(e.said for e in sorted(evidence, key=lambda e: e.kind)))
    listed = ", ".join(said[:-1]) + " et " + said[-1] if len(said) > 1 else "".join(said)
    return f"d'après {listed}"
