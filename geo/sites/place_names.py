"""Names and codes that lead to a commune of today: its own, and those of former communes and districts."""

from __future__ import annotations

from typing import Final

from geo.sites.commune_names import listed, normalized_commune_name, significant_words
from geo.sites.text import fold
from geo.territory.commune_index import CommuneIndex
from geo.territory.former_communes import FormerCommunes
from geo.territory.model import Commune, Territory

_DISTRICTS: Final = {
    "75056": ("75101", 20, "75001"),
    "69123": ("69381", 9, "69001"),
    "13055": ("13201", 16, "13001"),
}
"""City → INSEE code of its first arrondissement, their number, postal code of the first."""

_CUTS: Final = listed("sur sous en de d du des les")
_SAINTS: Final = frozenset({"saint", "sainte"})


def city_of_district(code: str) -> str:
    """Return the INSEE code of the city of a municipal arrondissement (75112 is of 75056), or ""."""
    for city, (first, count, _) in _DISTRICTS.items():
        if code.isdecimal() and 0 <= int(code) - int(first) < count:
            return city
    return ""


class PlaceNames:
    """Looks up communes of a territory and its neighbours by the names and codes they have or had."""

    def __init__(self, territory: Territory, former: FormerCommunes) -> None:
        self.index = CommuneIndex(territory, normalized_commune_name)
        self._own: dict[str, frozenset[str]] = {
            name: frozenset(commune.code for commune in communes)
            for name, communes in self.index.by_name.items()
        }
        self._names: dict[str, list[str]] = {
            commune.code: [name] for commune, name in zip(self.index.communes, self.index.names, strict=True)
        }
        self._former: dict[str, set[str]] = {}
        self._present: dict[str, str] = {}
        for entry in former.entries:
            if entry.commune not in self._names:
                continue
            self._present.setdefault(entry.code, entry.commune)
            if entry.name and city_of_district(entry.code) != entry.commune:
                key = normalized_commune_name(entry.name)
                self._former.setdefault(key, set()).add(entry.commune)
                self._names[entry.commune].append(key)
        self._short: dict[str, set[str]] = {}
        for code, names in self._names.items():
            for short in _beginnings(names[0]):
                self._short.setdefault(short, set()).add(code)
        self._by_departement: dict[str, set[str]] = {}
        for commune in self.index.communes:
            self._by_departement.setdefault(commune.departement_code, set()).add(commune.code)
        self._departements = {
            fold(commune.departement_name): commune.departement_code for commune in self.index.communes
        }

    def named(self, key: str) -> frozenset[str]:
        """Return the communes of today with a name (as `normalized_commune_name`)."""
        return self._own.get(key, frozenset())

    def formerly_named(self, key: str) -> frozenset[str]:
        """Return the communes of today that a former commune of this name became part of."""
        return frozenset(self._former.get(key, ()))

    def known(self, key: str) -> bool:
        """Return whether a key is a name, a former name, or the beginning that people shorten a name to."""
        return key in self._own or key in self._former or key in self._short

    def meaning(self, key: str) -> frozenset[str]:
        """Return the communes that a known key may mean; shortened names only where no other has it."""
        return self.named(key) | self.formerly_named(key) or frozenset(self._short.get(key, ()))

    def present(self, code: str) -> str:
        """Return the commune of today of a former one's INSEE code, or ""."""
        return self._present.get(code, "")

    def names_of(self, code: str) -> list[str]:
        """Return the keys of a commune's name and of those of its former communes."""
        return self._names[code]

    def of_departements(self, departements: frozenset[str]) -> frozenset[str]:
        """Return the communes of some départements."""
        return frozenset().union(*(self._by_departement.get(code, ()) for code in departements))

    def departement(self, qualifier: str) -> set[str]:
        """Return the département that follows a name: « 47 », « lot et garonne »; none for other words."""
        codes = {qualifier.upper(), self._departements.get(qualifier, "")}
        return codes & self._by_departement.keys()

    @staticmethod
    def district_postal_code(commune: Commune, code: str, district: int) -> str:
        """Return the postal code of an arrondissement of a city, from its INSEE code or its number, or ""."""
        if commune.code not in _DISTRICTS:
            return ""
        first, count, postal_code = _DISTRICTS[commune.code]
        if city_of_district(code) == commune.code:
            district = int(code) - int(first) + 1
        return str(int(postal_code) + district - 1).zfill(5) if 0 < district <= count else ""


def _beginnings(name: str) -> list[str]:
    """Return the beginning of a name that ends before a preposition: "sainte livrade" of "… sur lot"."""
    words = name.split()
    cut = next((at for at, word in enumerate(words) if at and word in _CUTS), len(words))
    begun = words[:cut]
    if cut == len(words) or _SAINTS.issuperset(significant_words(" ".join(begun))):
        return []
    return [" ".join(begun)]
