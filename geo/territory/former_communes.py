"""Former communes: which commune of today holds the ground of an older code.

A code of an older register belongs to a commune merged into another one (absorbed, associated or
delegated), or to one whose code changed. Municipal arrondissements of Paris, Lyon and Marseille are parts of
a commune in the same way. A commune re-established after a merger is a commune of today again and is not
listed: where an older file draws it inside another, see `geo.territory.coverage_check`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_CURRENT = "commune-actuelle"


@dataclass(frozen=True, slots=True)
class FormerCommune:
    """A former commune, or a municipal arrondissement.

    Attributes
    ----------
    code
        Its INSEE code. It equals `commune` where the commune of today took the code of this one.
    name
        Its name; "" where the register does not say.
    commune
        INSEE code of the commune of today.
    population
        Its last known municipal population (inhabitants); None where unknown.
    """

    code: str
    name: str
    commune: str
    population: int | None = None


@dataclass(frozen=True)
class FormerCommunes:
    """Register of former communes, sorted by code and commune."""

    entries: tuple[FormerCommune, ...] = ()

    @cached_property
    def _today(self) -> dict[str, str]:
        return {entry.code: entry.commune for entry in self.entries}

    @cached_property
    def codes_of(self) -> Mapping[str, tuple[str, ...]]:
        """Return the former codes of each commune of today, sorted; its own code is not among them."""
        found: dict[str, list[str]] = {}
        for entry in self.entries:
            if entry.code != entry.commune:
                found.setdefault(entry.commune, []).append(entry.code)
        return {commune: tuple(sorted(codes)) for commune, codes in found.items()}

    @cached_property
    def population(self) -> Mapping[str, int]:
        """Return the last known inhabitants of each former commune, by code."""
        return {e.code: e.population for e in self.entries if e.population is not None}

    def today(self, code: str) -> str:
        """Return the commune of today of a code; the code itself if it is not a former one."""
        return self._today.get(code, code)

    def __contains__(self, code: object) -> bool:
        return code in self._today


def read_register(
    communes: Iterable[Mapping[str, Any]], populations: Mapping[str, int], wanted: Collection[str]
) -> FormerCommunes:
    """Return the former communes of some communes of today.

    Parameters
    ----------
    communes
        Etalab's list of communes: current ones with `anciensCodes`, delegated and associated ones with
        `chefLieu`, municipal arrondissements with `commune`.
    populations
        Municipal population of delegated and associated communes, by INSEE code.
    wanted
        INSEE codes of the communes of today.
    """
    parents: dict[str, str] = {}
    parts: dict[str, Mapping[str, Any]] = {}
    current: set[str] = set()
    for record in communes:
        code = record["code"]
        if record["type"] == _CURRENT:
            current.add(code)
            parents.update(dict.fromkeys(record.get("anciensCodes", ()), code))
        elif parent := record.get("chefLieu") or record.get("commune"):
            parts[code] = record
            parents.setdefault(code, parent)
    entries = []
    for code in parents:
        commune = _current(code, parents, current)
        if commune not in wanted or (code in current and code not in parts):
            continue
        part = parts.get(code, {})
        entries.append(
            FormerCommune(code, part.get("nom", ""), commune, part.get("population", populations.get(code)))
        )
    return FormerCommunes(tuple(sorted(entries, key=lambda e: (e.code, e.commune))))


def _current(code: str, parents: Mapping[str, str], current: Collection[str]) -> str:
    """Return the current commune at the end of a chain of mergers; "" if it leads to none."""
    seen = {code}
    while code not in current:
        code = parents.get(code, "")
        if not code or code in seen:
            return ""
        seen.add(code)
    return code
