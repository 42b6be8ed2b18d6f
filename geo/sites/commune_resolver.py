"""Which commune a record speaks of, from what it says of its name, codes, address and point."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import shapely

from geo.crs import WGS84, departement_code, project, reproject
from geo.sites.findings import Finding
from geo.sites.text import comparable_text, fold
from geo.territory.model import Commune, Territory

NEAR_M: Final = 5_000
"""How far outside its commune's boundary a point is still believed, in metres.

Boundaries are generalised, mergers move them, and a place may stand on the neighbour's land; 5 km
is about the width of a French commune. The real errors lie hundreds of kilometres away.
"""

_NAME_MAX = 100
"""No French commune has a name half as long: longer text names none."""

_INSEE = re.compile(r"([013-9]\d|2[AB1-9])\d{3}", re.ASCII)
_POSTAL = re.compile(r"\d{5}", re.ASCII)
_CEDEX = re.compile(r"\bcedex\b.*", re.DOTALL)
_TRAILING_ARTICLE = re.compile(r"(.+?)\s*\(?\b(le|la|les|l')\)?$", re.DOTALL)
_SHORT = {"st": "saint", "ste": "sainte", "s/": "sur"}


@dataclass(frozen=True, slots=True)
class ResolvedCommune:
    """Where a record says it is; `commune` is None when it can't be told."""

    commune: Commune | None
    name: str
    code_insee: str
    code_postal: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Clues:
    """What a record says of where it is: cleaned text, and its point (longitude, latitude)."""

    code_insee: str
    name: str
    code_postal: str
    address: str
    site_name: str
    point: tuple[float, float] | None


class CommuneResolver:
    """Communes of a territory and its neighbours, found by code, name, postal code or point.

    Built once for a whole file.
    """

    def __init__(self, territory: Territory) -> None:
        self._by_code = territory.commune_by_code
        self._own = territory.own_codes
        self._epsg = territory.metric_crs
        self._by_name: dict[str, list[Commune]] = defaultdict(list)
        self._by_postal: dict[str, list[Commune]] = defaultdict(list)
        self._folded: dict[str, str] = {}
        for commune in sorted(self._by_code.values(), key=lambda c: c.code):
            self._folded[commune.code] = normalized_commune_name(commune.name)
            self._by_name[self._folded[commune.code]].append(commune)
            for postal in commune.postal_codes:
                self._by_postal[postal].append(commune)
        self._communes = list(self._by_code.values())
        self._tree = shapely.STRtree([c.boundary for c in self._communes])
        self._metric: dict[str, shapely.Geometry] = {}

    def resolve(self, clues: Clues) -> ResolvedCommune:
        """The commune a record is in, with its official name and codes.

        An INSEE code and a name that disagree are settled by the point, else by the postal code,
        else for the code. A missing code is found from name and postal code; a missing name from
        the code, or from a postal code that only one commune has or one of whose communes the
        address or the name of the site tells. A name the territory doesn't know is kept as
        written, beside the code of the commune that its own code, or its point together with its
        postal code, designates.
        """
        postal, postal_findings = _postal(clues.code_postal)
        code = _insee(clues.code_insee)
        by_code = self._by_code.get(code)
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
        """Whether a point (WGS 84 degrees) is inside a commune or within `NEAR_M` of it."""
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            return False
        point = shapely.Point(longitude, latitude)
        if commune.boundary.contains(point):
            return True
        if (boundary := self._metric.get(commune.code)) is None:
            boundary = reproject([commune.boundary], source=WGS84, target=self._epsg)[0]
            self._metric[commune.code] = boundary
        x, y = project(longitude, latitude, self._epsg)[0]
        return bool(boundary.distance(shapely.Point(x, y)) <= NEAR_M)  # NaN and inf are not near

    def _named(self, name: str, postal: str) -> list[Commune]:
        """Communes a name may mean: those of its postal code, else of the same département."""
        if not name or len(name) > _NAME_MAX:
            return []
        candidates = self._by_name.get(normalized_commune_name(name), [])
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
        said = f"{by_code.code} / {clues.name}"
        detail = f"le code {by_code.code} est celui de {by_code.name}"
        chosen = self._settle_conflict([by_code, *named], postal, clues)
        if chosen is not by_code:
            detail += f", le nom et le reste désignent {chosen.name}"
        return chosen, (Finding("commune_discordante", "code_insee", said, detail),)

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
        candidates = self._by_postal.get(postal, [])
        inside = self._containing(clues)
        if clues.name:  # a hamlet or a former commune: only its point can tell
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
        """Communes whose name a text holds as whole words; the longest when one holds another."""
        words = _padded_words(normalized_commune_name(text[-_NAME_MAX:] if at_end else text[:_NAME_MAX]))
        holds = words.endswith if at_end else words.__contains__
        told = [c for c in candidates if holds(_padded_words(self._folded[c.code]))]
        longest = max((len(self._folded[c.code]) for c in told), default=0)
        return [c for c in told if len(self._folded[c.code]) == longest]

    def _settle_conflict(self, candidates: list[Commune], postal: str, clues: Clues) -> Commune:
        near = self._containing_or_near(candidates, clues) or candidates
        if len(near) > 1:
            near = [c for c in near if postal in c.postal_codes] or near
        return near[0]

    def _containing_or_near(self, candidates: list[Commune], clues: Clues) -> list[Commune]:
        """Candidates that hold the point; failing that, those it is near."""
        if clues.point is None:
            return []
        point = shapely.Point(clues.point)
        return [c for c in candidates if c.boundary.contains(point)] or [
            c for c in candidates if self.is_near(c, *clues.point)
        ]

    def _containing(self, clues: Clues) -> Commune | None:
        if clues.point is None:
            return None
        hits = self._tree.query(shapely.Point(clues.point), predicate="within")
        return self._communes[int(min(hits))] if len(hits) else None

    def _is_name_of(self, commune: Commune, name: str) -> bool:
        return len(name) <= _NAME_MAX and normalized_commune_name(name) == self._folded[commune.code]

    def _official(self, commune: Commune, name: str, *, known: bool) -> tuple[str, tuple[Finding, ...]]:
        """The official spelling; a name that is no commune's is kept as written."""
        if not name:
            return commune.name, ()
        if name == commune.name or not (known or self._is_name_of(commune, name)):
            return name, ()
        return commune.name, (Finding("commune_normalisee", "commune", name, commune.name),)

    def _checked_postal(
        self, commune: Commune, postal: str, clues: Clues, findings: tuple[Finding, ...]
    ) -> tuple[str, tuple[Finding, ...]]:
        """The postal code held against the commune's; found from the commune when it has only one."""
        known = commune.postal_codes
        if not postal:
            if len(known) == 1:
                return known[0], (Finding("code_postal_deduit", "code_postal", clues.code_postal, known[0]),)
            return postal, findings
        if not known or postal in known:
            return postal, findings
        detail = f"{commune.name} a {', '.join(known)}"
        if postal not in self._by_postal:
            detail += f" ; {postal} n'est celui d'aucune commune, peut-être un code CEDEX"
        return postal, (*findings, Finding("code_postal_discordant", "code_postal", postal, detail))


def normalized_commune_name(name: str) -> str:
    """A commune's name as people may write it: no accents, case, "CEDEX", St for Saint, (Le) last."""
    words = _CEDEX.sub("", fold(comparable_text(name[:_NAME_MAX])).replace("'", " ' "))
    text = " ".join(_SHORT.get(word, word) for word in words.replace(",", " ").replace(".", " ").split())
    if match := _TRAILING_ARTICLE.fullmatch(text):
        text = f"{match[2]} {match[1]}".replace("( ", "").replace(" (", "")
    return text.replace(" ' ", "'")


def _padded_words(folded: str) -> str:
    """Folded words between spaces, elided articles apart: "mairie d'agen" holds " agen "."""
    return " " + folded.replace("'", " ") + " "


def _insee(cell: str) -> str:
    """A well-formed INSEE code; "" for anything else. A leading zero lost by a spreadsheet is put back."""
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
    """Départements a postal (or INSEE) code begins with; Corsica's 20 is 2A or 2B."""
    return ("2A", "2B") if postal.startswith("20") else (departement_code(postal),)


def _unnamed(commune: Commune, clues: Clues) -> Finding:
    return Finding("nom_commune_inconnu", "commune", clues.name, f"{commune.name} ({commune.code})")


def _unknown(clues: Clues) -> Finding:
    said = " ".join(filter(None, (clues.code_insee, clues.code_postal, clues.name)))
    return Finding("commune_inconnue", "commune", said)


def _ambiguous(candidates: Iterable[Commune], clues: Clues) -> Finding:
    names = sorted(f"{c.name} ({c.departement_code})" for c in candidates)
    shown = ", ".join(names[:8]) + ("…" if len(names) > 8 else "")
    return Finding("commune_ambigue", "commune", clues.name or clues.code_postal, shown)
