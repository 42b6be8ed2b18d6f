"""Find the commune of a record from its commune name, codes, address and coordinates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import shapely

from geo.crs import departement_code
from geo.sites.findings import Finding
from geo.sites.text import comparable_text, fold
from geo.territory.commune_index import CommuneIndex
from geo.territory.model import Commune, Territory

NEAR_M: Final = 5_000
"""How far outside its commune a point is still plausible, in metres.

Boundaries are generalised and change with mergers, and a place may be in the neighbouring commune;
5 km is about the width of a French commune. Real errors are hundreds of kilometres away.
"""

_NAME_MAX = 100
"""Longest text compared with names, in characters; no French commune has a name half as long."""

_INSEE = re.compile(r"([013-9]\d|2[AB1-9])\d{3}", re.ASCII)
_POSTAL = re.compile(r"\d{5}", re.ASCII)
_CEDEX = re.compile(r"\bcedex\b.*", re.DOTALL)
_TRAILING_ARTICLE = re.compile(r"(.+?)\s*\(?\b(le|la|les|l')\)?$", re.DOTALL)
_SHORT = {"st": "saint", "ste": "sainte", "s/": "sur"}


@dataclass(frozen=True, slots=True)
class ResolvedCommune:
    """The resolved location of a record; `commune` is None when it cannot be determined."""

    commune: Commune | None
    name: str
    code_insee: str
    code_postal: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Clues:
    """Location information of a record: cleaned text, and its point (longitude, latitude)."""

    code_insee: str
    name: str
    code_postal: str
    address: str
    site_name: str
    point: tuple[float, float] | None


class CommuneResolver:
    """Resolves the commune of records among those of a territory and its neighbours.

    Built once for a whole file.
    """

    def __init__(self, territory: Territory) -> None:
        self._index = CommuneIndex(territory, normalized_commune_name)
        self._name_by_code = dict(zip((c.code for c in self._index.communes), self._index.names, strict=True))

    def resolve(self, clues: Clues) -> ResolvedCommune:
        """Find the commune of a record, with its official name and codes.

        1. If the INSEE code is known and agrees with the name, or there is no name, take it.
        2. If code and name disagree, choose by the point, else by the postal code, else the code.
        3. Without a known code, take the commune with the name, if only one has it.
        4. Without code or name, take the commune that contains the point, else the only commune of
           the postal code, else the one of its communes named in the address or the site name.
        5. An unknown name is not corrected; code or point and postal code give the commune.
        """
        postal, postal_findings = _postal(clues.code_postal)
        code = _insee(clues.code_insee)
        by_code = self._index.by_code.get(code)
        named = self._named(clues.name, postal)
        commune, findings = (
            self._from_code(by_code, named, postal, clues)
            if by_code
            else self._from_name(code, named, postal, clues)
        )
        if commune is None:
            return ResolvedCommune(None, clues.name, code, postal, (*findings, *postal_findings))
        name, name_findings = self._official(commune, clues.name, known=bool(named))
        postal, postal_findings = self._checked_postal(commune, postal, clues, postal_findings)
        return ResolvedCommune(
            commune, name, commune.code, postal, (*findings, *name_findings, *postal_findings)
        )

    def is_near(self, commune: Commune, longitude: float, latitude: float) -> bool:
        """Return whether a point (WGS 84 degrees) is in a commune or within `NEAR_M` of it."""
        return self._index.is_near(commune, longitude, latitude, margin_m=NEAR_M)

    def _named(self, name: str, postal: str) -> list[Commune]:
        """Return the communes with a name: those of the postal code, else of the same département."""
        if not name or len(name) > _NAME_MAX:
            return []
        candidates = self._index.by_name.get(normalized_commune_name(name), [])
        if not postal:
            return candidates
        exact = [c for c in candidates if postal in c.postal_codes]
        return exact or [c for c in candidates if c.departement_code in _departements(postal)]

    def _from_code(
        self, by_code: Commune, named: list[Commune], postal: str, clues: Clues
    ) -> tuple[Commune, tuple[Finding, ...]]:
        if not clues.name or self._is_name_of(by_code, clues.name):
            return by_code, ()
        if not named:
            return by_code, (_unnamed(by_code, clues),)
        quoted = f"{by_code.code} / {clues.name}"
        detail = f"le code {by_code.code} est celui de {by_code.name}"
        chosen = self._settle_conflict([by_code, *named], postal, clues)
        if chosen is not by_code:
            detail += f", le nom et le reste désignent {chosen.name}"
        return chosen, (Finding("commune_discordante", "code_insee", quoted, detail),)

    def _from_name(
        self, code: str, named: list[Commune], postal: str, clues: Clues
    ) -> tuple[Commune | None, tuple[Finding, ...]]:
        if code:
            named = [c for c in named if c.departement_code == departement_code(code)]
        if len(named) > 1:
            named = self._containing_or_near(named, clues) or named
        if len(named) == 1:
            detail = f"{named[0].code}, {named[0].name}"
            return named[0], (Finding("code_insee_deduit", "code_insee", clues.code_insee, detail),)
        if named:
            return None, (_ambiguous(named, clues),)
        if code and departement_code(code) not in _departements(postal or code):
            return None, (_unknown(clues),)
        return self._from_postal_code(postal, clues)

    def _from_postal_code(self, postal: str, clues: Clues) -> tuple[Commune | None, tuple[Finding, ...]]:
        candidates = self._index.by_postal_code.get(postal, [])
        inside = self._index.containing(*clues.point) if clues.point else None
        if clues.name:  # a hamlet or a former commune, which only its point can locate
            if inside and inside in candidates:
                detail = f"{inside.code}, {inside.name}, par les coordonnées"
                return inside, (
                    Finding("code_insee_deduit", "code_insee", clues.code_insee, detail),
                    _unnamed(inside, clues),
                )
            return None, (_unknown(clues),)
        how = ""
        found: list[Commune] = []
        if inside and (inside in candidates or not postal):
            found, how = [inside], "par les coordonnées"
        elif len(candidates) == 1:
            found, how = candidates, f"par le code postal {postal}"
        elif candidates:
            found, how = self._mentioned_in(candidates, clues.address, at_end=True), "par l'adresse"
            if len(found) != 1:
                found, how = self._mentioned_in(candidates, clues.site_name), "par le nom du lieu"
        if len(found) == 1:
            detail = f"{found[0].name}, {how}"
            return found[0], (Finding("commune_deduite", "commune", clues.name, detail),)
        return None, (_ambiguous(candidates, clues) if candidates else _unknown(clues),)

    def _mentioned_in(
        self, candidates: Iterable[Commune], text: str, *, at_end: bool = False
    ) -> list[Commune]:
        """Return the communes with the longest name that a text contains as whole words."""
        words = _padded_words(normalized_commune_name(text[-_NAME_MAX:] if at_end else text[:_NAME_MAX]))
        contains = words.endswith if at_end else words.__contains__
        mentioned = [c for c in candidates if contains(_padded_words(self._name_by_code[c.code]))]
        longest = max((len(self._name_by_code[c.code]) for c in mentioned), default=0)
        return [c for c in mentioned if len(self._name_by_code[c.code]) == longest]

    def _settle_conflict(self, candidates: list[Commune], postal: str, clues: Clues) -> Commune:
        near = self._containing_or_near(candidates, clues) or candidates
        if len(near) > 1:
            near = [c for c in near if postal in c.postal_codes] or near
        return near[0]

    def _containing_or_near(self, candidates: list[Commune], clues: Clues) -> list[Commune]:
        """Return the candidates that contain the point, or else those near it."""
        if clues.point is None:
            return []
        point = shapely.Point(clues.point)
        return [c for c in candidates if c.boundary.contains(point)] or [
            c for c in candidates if self.is_near(c, *clues.point)
        ]

    def _is_name_of(self, commune: Commune, name: str) -> bool:
        return len(name) <= _NAME_MAX and normalized_commune_name(name) == self._name_by_code[commune.code]

    def _official(self, commune: Commune, name: str, *, known: bool) -> tuple[str, tuple[Finding, ...]]:
        """Return the official spelling of a name; unknown names are unchanged."""
        if not name:
            return commune.name, ()
        if name == commune.name or not (known or self._is_name_of(commune, name)):
            return name, ()
        return commune.name, (Finding("commune_normalisee", "commune", name, commune.name),)

    def _checked_postal(
        self, commune: Commune, postal: str, clues: Clues, findings: tuple[Finding, ...]
    ) -> tuple[str, tuple[Finding, ...]]:
        """Check the postal code against those of the commune; fill it in when there is only one."""
        known = commune.postal_codes
        if not postal:
            if len(known) == 1:
                return known[0], (Finding("code_postal_deduit", "code_postal", clues.code_postal, known[0]),)
            return postal, findings
        if not known or postal in known:
            return postal, findings
        detail = f"{commune.name} a {', '.join(known)}"
        if postal not in self._index.by_postal_code:
            detail += f" ; {postal} n'est celui d'aucune commune, peut-être un code CEDEX"
        return postal, (*findings, Finding("code_postal_discordant", "code_postal", postal, detail))


def normalized_commune_name(name: str) -> str:
    """Normalise a commune name: no accents, case or "CEDEX"; St is Saint; a final (Le) moves first."""
    words = _CEDEX.sub("", fold(comparable_text(name[:_NAME_MAX])).replace("'", " ' "))
    text = " ".join(_SHORT.get(word, word) for word in words.replace(",", " ").replace(".", " ").split())
    if match := _TRAILING_ARTICLE.fullmatch(text):
        text = f"{match[2]} {match[1]}".replace("( ", "").replace(" (", "")
    return text.replace(" ' ", "'")


def _padded_words(folded: str) -> str:
    """Return folded words between spaces, elisions split: " mairie d agen " contains " agen "."""
    return " " + folded.replace("'", " ") + " "


def _insee(cell: str) -> str:
    """Return a well-formed INSEE code, or "". A leading zero lost by a spreadsheet is restored."""
    code = cell.replace(" ", "").upper()
    code = code.zfill(5) if len(code) == 4 else code
    return code if _INSEE.fullmatch(code) else ""


def _postal(cell: str) -> tuple[str, tuple[Finding, ...]]:
    code = cell.replace(" ", "")
    if code and code == cell and _POSTAL.fullmatch(code):
        return code, ()
    padded = code.zfill(5) if len(code) == 4 else code
    if _POSTAL.fullmatch(padded):
        return padded, (Finding("code_postal_deduit", "code_postal", cell, padded),)
    return "", (Finding("code_postal_absent", "code_postal", cell),)


def _departements(postal: str) -> tuple[str, ...]:
    """Return the départements of a postal (or INSEE) code; 20 stands for 2A and 2B."""
    return ("2A", "2B") if postal.startswith("20") else (departement_code(postal),)


def _unnamed(commune: Commune, clues: Clues) -> Finding:
    return Finding("nom_commune_inconnu", "commune", clues.name, f"{commune.name} ({commune.code})")


def _unknown(clues: Clues) -> Finding:
    quoted = " ".join(filter(None, (clues.code_insee, clues.code_postal, clues.name)))
    return Finding("commune_inconnue", "commune", quoted)


def _ambiguous(candidates: Iterable[Commune], clues: Clues) -> Finding:
    names = sorted(f"{c.name} ({c.departement_code})" for c in candidates)
    shown = ", ".join(names[:8]) + ("…" if len(names) > 8 else "")
    return Finding("commune_ambigue", "commune", clues.name or clues.code_postal, shown)
