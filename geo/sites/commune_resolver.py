"""Find the commune of a record by weighing everything the record says about where it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from geo.crs import departement_code
from geo.sites.commune_names import (
    WrittenName,
    is_close,
    read_commune_name,
)
from geo.sites.findings import Finding
from geo.sites.location_evidence import AddressLocator, AddressMatch, Evidence, EvidenceKind, sentence
from geo.sites.model import Position
from geo.sites.place_names import PlaceNames, city_of_district
from geo.sites.places_in_text import Where, mentions, postal_tail
from geo.sites.postal_codes import PostalCode, read_postal_code
from geo.territory.former_communes import FormerCommunes
from geo.territory.model import Commune, Territory

NEAR_M: Final = 5_000
"""How far outside its commune a point is still plausible, in metres.

Boundaries are generalised and change with mergers, and a place may be in the neighbouring commune;
5 km is about the width of a French commune. Real errors are hundreds of kilometres away.
"""

LOOKED_UP_MAX: Final = 80
"""Most communes among which an address is looked up: a postal code of France has 46 at most."""

_INSEE = re.compile(r"([013-9]\d|2[AB1-9])\d{3}", re.ASCII)
_COMMUNE_PIVOT = re.compile(r"21(\d\d)\d(\d{3})\d(?:\d{5})?", re.ASCII)
_DEPARTEMENT = re.compile(r"\d{2,3}|2[ab]")


@dataclass(frozen=True, slots=True)
class ResolvedCommune:
    """The resolved location of a record; `commune` is None when it cannot be determined.

    `former` is the former commune that the record names, as written; "" if it names none.
    """

    commune: Commune | None
    name: str
    code_insee: str
    code_postal: str
    findings: tuple[Finding, ...]
    former: str = ""


@dataclass(frozen=True, slots=True)
class Clues:
    """Location information of a record: cleaned text, and its point (longitude, latitude)."""

    code_insee: str
    name: str
    code_postal: str
    address: str
    site_name: str
    point: tuple[float, float] | None
    complement: str = ""
    pivot: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """The cells of a record, parsed; `departements` are those that its codes name."""

    clues: Clues
    code: str
    name: WrittenName
    postal: PostalCode
    address_postal: str
    address_town: str
    departements: frozenset[str]

    @property
    def postal_codes(self) -> dict[str, str]:
        """Postal code → the evidence it is, in French."""
        said = {self.postal.code: f"le code postal {self.postal.code}"} if not self.postal.short else {}
        said.setdefault(self.name.postal_code, f"le code postal {self.name.postal_code} écrit dans le nom")
        said.setdefault(self.address_postal, f"le code postal {self.address_postal} de l'adresse")
        return {code: text for code, text in said.items() if code}


class CommuneResolver:
    """Resolves the commune of records among those of a territory and its neighbours.

    Built once for a whole file.

    Parameters
    ----------
    addresses
        Looks up addresses, which also distinguishes communes of one postal code; None: no address base.
    former
        Register of the former communes of the territory and its neighbours.
    """

    def __init__(
        self,
        territory: Territory,
        addresses: AddressLocator | None = None,
        former: FormerCommunes = FormerCommunes(),
    ) -> None:
        self.addresses = addresses
        self.metric_crs = territory.metric_crs
        self._names = PlaceNames(territory, former)
        self._index = self._names.index

    def resolve(self, clues: Clues) -> ResolvedCommune:
        """Find the commune of a record, with its official name and codes.

        Each thing said (INSEE code, name, postal code, address, name of the site, address base, point) gives
        its weight to the communes it may mean; the heaviest commune wins. When two weigh the same, none is
        taken. Communes of a département that no code of the record names are left out, unless the name and
        the point both say so. Everything beyond a code, or a name with its postal code or its point, is
        reported as an inference with its evidence.
        """
        if certain := self._certain(clues):
            return certain
        read = self._read(clues)
        evidence = list(self._primary(read))
        agreed = _agreed(evidence)
        if agreed is None and not self._somewhere(read, evidence):
            return self._unresolved(read, evidence, [])
        if agreed is None:
            evidence += self._secondary(read, evidence)
            tied = self._heaviest(evidence, read)
            if len(tied) != 1 or not _has(evidence, tied[0], (EvidenceKind.CODE, EvidenceKind.NAME)):
                evidence += self._looked_up(read, evidence)
                tied = self._heaviest(evidence, read)
        else:
            tied = [agreed]
        if len(tied) != 1 or self._only_a_point(read, evidence, tied[0]):
            return self._unresolved(read, evidence, tied)
        return self._resolved(read, [e for e in evidence if tied[0] in e.codes], evidence, tied[0])

    def _certain(self, clues: Clues) -> ResolvedCommune | None:
        """Return the commune if code, official name, postal code and point all say so, as mostly; or None.

        Weighing the evidence gives the same, several times slower.
        """
        commune = self._index.by_code.get(clues.code_insee)
        if commune is None or clues.name != commune.name or clues.code_postal not in commune.postal_codes:
            return None
        if clues.point is not None and not self._index.contains(commune, *clues.point):
            return None
        return ResolvedCommune(commune, commune.name, commune.code, clues.code_postal, ())

    def is_near(self, commune: Commune, longitude: float, latitude: float) -> bool:
        """Return whether a point (WGS 84 degrees) is in a commune or within `NEAR_M` of it."""
        return self._index.is_near(commune, longitude, latitude, margin_m=NEAR_M)

    def contains(self, longitude: float, latitude: float) -> bool:
        """Return whether a point (WGS 84 degrees) is in the territory or a neighbour."""
        return self._index.containing(longitude, latitude) is not None

    def address_in(self, commune: Commune | None, clues: Clues) -> AddressMatch | None:
        """Return where the address base has a record's address in its commune, or None."""
        if self.addresses is None or commune is None:
            return None
        for text in filter(None, (clues.address, clues.complement)):
            if found := self.addresses.locate(text, [commune.code]):
                return found[0]
        return None

    def _read(self, clues: Clues) -> _Read:
        code = _insee(clues.code_insee)
        name = read_commune_name(clues.name)
        postal = read_postal_code(clues.code_postal, self._index.by_postal_code.keys())
        address_postal, town = postal_tail(clues.address)
        if not address_postal:
            address_postal, town = postal_tail(clues.complement)
        named = set(postal.departements)
        if code:
            named.add(departement_code(code))
        named |= self._names.departement(name.qualifier)
        if not named:
            named |= set(_departements(name.postal_code or address_postal))
        return _Read(clues, code, name, postal, address_postal, town, frozenset(named))

    # Evidence

    def _primary(self, read: _Read) -> Iterator[Evidence]:
        """Yield what the cells of code, name and postal code say, and the point."""
        yield from self._of_code(read.code)
        yield from self._of_name(read)
        for code, said in read.postal_codes.items():
            if communes := self._index.by_postal_code.get(code):
                yield Evidence(EvidenceKind.POSTAL_CODE, frozenset(c.code for c in communes), said)
        if read.postal.short and (known := self._with_postal(read.postal.variants)):
            yield Evidence(EvidenceKind.POSTAL_CODE, known, f"le code postal « {read.clues.code_postal} »")
        if read.clues.point and (inside := self._index.containing(*read.clues.point)):
            yield Evidence(EvidenceKind.POINT, frozenset({inside.code}), "les coordonnées")

    def _of_code(self, code: str) -> Iterator[Evidence]:
        if code in self._index.by_code:
            yield Evidence(EvidenceKind.CODE, frozenset({code}), f"le code {code}")
        elif (city := city_of_district(code)) in self._index.by_code:
            yield Evidence(EvidenceKind.CODE, frozenset({city}), f"le code {code}, celui d'un arrondissement")
        elif present := self._names.present(code):
            yield Evidence(
                EvidenceKind.FORMER, frozenset({present}), f"le code {code}, celui d'une ancienne commune"
            )

    def _of_name(self, read: _Read) -> Iterator[Evidence]:
        for key in read.name.keys:
            codes, former = self._names.named(key), self._names.formerly_named(key)
            if codes:
                yield Evidence(EvidenceKind.NAME, codes, f"le nom « {read.clues.name} »")
            if former - codes:
                said = f"le nom « {read.clues.name} », celui d'une ancienne commune"
                yield Evidence(EvidenceKind.FORMER, former - codes, said)
            if codes or former:
                return

    def _with_postal(self, postal_codes: Collection[str]) -> frozenset[str]:
        found = (self._index.by_postal_code.get(code, ()) for code in postal_codes)
        return frozenset(commune.code for communes in found for commune in communes)

    def _secondary(self, read: _Read, primary: list[Evidence]) -> Iterator[Evidence]:
        """Yield what can only choose among communes that something else names already."""
        likely = _codes(
            primary, (EvidenceKind.CODE, EvidenceKind.POSTAL_CODE, EvidenceKind.POINT, EvidenceKind.FORMER)
        )
        if read.clues.point:
            yield from self._near(
                read, _codes(primary, (EvidenceKind.CODE, EvidenceKind.NAME, EvidenceKind.FORMER)), primary
            )
        yield from self._close_names(read, likely, primary)
        if codes := self._town(read, likely):
            said = f"l'adresse, qui finit par « {read.address_postal} {read.address_town} »"
            yield Evidence(EvidenceKind.ADDRESS, codes, said)
        else:
            yield from self._in_address(read, likely)
        yield from self._in_site_name(read, likely)
        if (pivot := _COMMUNE_PIVOT.fullmatch(re.sub(r"\s", "", read.clues.pivot))) and (
            code := pivot[1] + pivot[2]
        ) in likely:
            yield Evidence(
                EvidenceKind.PIVOT, frozenset({code}), "le numéro SIRET, qui est celui de la commune"
            )

    def _town(self, read: _Read, likely: frozenset[str]) -> frozenset[str]:
        """Return the communes that the words after the postal code of an address name."""
        keys = read_commune_name(read.address_town).keys
        for key in keys:
            if codes := self._names.named(key) or self._names.formerly_named(key):
                return codes
        return frozenset(
            code
            for code in (likely if keys else ())
            if any(is_close(keys[-1], name) for name in self._names.names_of(code))
        )

    def _near(self, read: _Read, codes: frozenset[str], primary: list[Evidence]) -> Iterator[Evidence]:
        inside = _codes(primary, (EvidenceKind.POINT,))
        point = read.clues.point
        by_code = self._index.by_code
        near = frozenset(c for c in codes - inside if point and self.is_near(by_code[c], *point))
        if near:
            yield Evidence(EvidenceKind.NEAR, near, "les coordonnées, qui tombent tout près")

    def _close_names(
        self, read: _Read, likely: frozenset[str], primary: list[Evidence]
    ) -> Iterator[Evidence]:
        if not read.name.keys:
            return
        key = read.name.keys[-1]
        same = _codes(primary, (EvidenceKind.NAME, EvidenceKind.FORMER))
        among = likely or (
            frozenset() if same or not read.departements else self._names.of_departements(read.departements)
        )
        close = frozenset(
            code for code in among - same if any(is_close(key, name) for name in self._names.names_of(code))
        )
        if close:
            yield Evidence(EvidenceKind.CLOSE_NAME, close, f"le nom « {read.clues.name} »")

    def _in_address(self, read: _Read, likely: frozenset[str]) -> Iterator[Evidence]:
        for text in (read.clues.address, read.clues.complement):
            for mention in mentions(text, self._names.known):
                codes = self._names.meaning(mention.name)
                if mention.where is not Where.INSIDE and codes & likely:
                    yield Evidence(EvidenceKind.ADDRESS, codes & likely, f"l'adresse « {text} »")
                elif not likely and mention.where in (Where.ALONE, Where.OFFICE):
                    yield Evidence(EvidenceKind.ADDRESS, codes, f"l'adresse « {text} »")

    def _in_site_name(self, read: _Read, likely: frozenset[str]) -> Iterator[Evidence]:
        said = f"le nom du lieu, « {read.clues.site_name} »"
        for mention in mentions(read.clues.site_name, self._names.known):
            codes = self._names.meaning(mention.name)
            if codes & likely:
                yield Evidence(EvidenceKind.SITE_NAME, codes & likely, said)
            elif mention.where is Where.OFFICE and (exact := self._names.named(mention.name)):
                yield Evidence(EvidenceKind.SITE_NAME, exact, said)

    def _looked_up(self, read: _Read, evidence: list[Evidence]) -> Iterator[Evidence]:
        """Yield where the address base has the address, among the communes that are possible."""
        every = frozenset(code for e in evidence for code in e.codes if self._possible(code, evidence, read))
        if self.addresses is None or not read.clues.address or not 0 < len(every) <= LOOKED_UP_MAX:
            return
        found = self.addresses.locate(read.clues.address, sorted(every))
        if found:
            number = found[0].position is Position.ADRESSE
            said = f"la base d'adresses, qui y connaît « {found[0].label} »"
            kind = EvidenceKind.NUMBER if number else EvidenceKind.STREET
            yield Evidence(kind, frozenset(match.commune for match in found), said)

    # Decision

    def _heaviest(self, evidence: list[Evidence], read: _Read) -> list[str]:
        """Return the commune with the greatest weight, or those that share it."""
        weights: dict[str, float] = {}
        for each in evidence:
            for code in each.codes:
                weights[code] = weights.get(code, 0.0) + each.weight
        possible = {c: round(w, 6) for c, w in weights.items() if self._possible(c, evidence, read)}
        most = max(possible.values(), default=0.0)
        return sorted(code for code, weight in possible.items() if weight == most)

    def _only_a_point(self, read: _Read, evidence: list[Evidence], code: str) -> bool:
        """Return whether a commune has only its point, while the record names an unknown place elsewhere."""
        kinds = {e.kind for e in evidence if code in e.codes}
        elsewhere = bool(_codes(evidence, (EvidenceKind.POSTAL_CODE,)))
        return kinds == {EvidenceKind.POINT} and elsewhere and bool(read.clues.name)

    def _somewhere(self, read: _Read, evidence: list[Evidence]) -> bool:
        """Return whether any commune is possible: none is when all codes are of far départements."""
        return (
            not read.departements
            or bool(self._names.of_departements(read.departements))
            or any(self._possible(code, evidence, read) for code in _codes(evidence, list(EvidenceKind)))
        )

    def _possible(self, code: str, evidence: list[Evidence], read: _Read) -> bool:
        commune = self._index.by_code[code]
        if not read.departements or commune.departement_code in read.departements:
            return True
        if not read.postal_codes.keys().isdisjoint(commune.postal_codes):
            return True
        return _has(evidence, code, (EvidenceKind.NAME,)) and _has(evidence, code, (EvidenceKind.POINT,))

    # Results

    def _unresolved(self, read: _Read, evidence: list[Evidence], tied: list[str]) -> ResolvedCommune:
        clues = read.clues
        postal = read.postal.code or read.name.postal_code or read.address_postal
        findings = list(read.postal.findings)
        if postal and not clues.code_postal:
            findings = [Finding("code_postal_deduit", "code_postal", "", postal)]
        named = not clues.name or bool(
            _codes(evidence, (EvidenceKind.NAME, EvidenceKind.FORMER, EvidenceKind.CLOSE_NAME))
        )
        padded = read.postal.short and postal not in self._index.by_postal_code
        if tied and named and not padded:  # read back with its zero, it is a code of elsewhere
            first = _ambiguous([self._index.by_code[code] for code in tied], clues)
        else:
            first = _unknown(clues)
        return ResolvedCommune(None, clues.name, read.code, postal, (first, *findings))

    def _resolved(
        self, read: _Read, mine: list[Evidence], every: list[Evidence], code: str
    ) -> ResolvedCommune:
        commune = self._index.by_code[code]
        kinds = {e.kind for e in mine}
        findings = [*self._inference(read, mine, every, commune)]
        name, former, said = commune.name, "", read.clues.name
        if said and not kinds.isdisjoint((EvidenceKind.NAME, EvidenceKind.CLOSE_NAME)):
            if said != commune.name:
                findings.append(Finding("commune_normalisee", "commune", said, commune.name))
        elif said and not _codes(every, (EvidenceKind.NAME,)):
            name, former = (commune.name, said) if EvidenceKind.FORMER in kinds else (said, "")
        postal, postal_findings = self._checked_postal(commune, read)
        return ResolvedCommune(commune, name, code, postal, (*findings, *postal_findings), former)

    def _inference(
        self, read: _Read, mine: list[Evidence], every: list[Evidence], commune: Commune
    ) -> Iterator[Finding]:
        """Yield what a reader must know of how the commune was found; nothing when code and name agree."""
        clues, kinds = read.clues, {e.kind for e in mine}
        how = sentence(mine)
        whole = f"{commune.name} ({commune.code})"
        named = _codes(every, (EvidenceKind.NAME,))
        if EvidenceKind.FORMER in kinds:
            old = clues.name if read.code in ("", commune.code) else f"{clues.name} {read.code}".strip()
            yield Finding("commune_ancienne", "commune", old, f"aujourd'hui {whole}")
        elif other := _codes(every, (EvidenceKind.CODE,)) - {commune.code} or (
            named if kinds.isdisjoint((EvidenceKind.NAME, EvidenceKind.CLOSE_NAME)) else frozenset()
        ):
            quoted = " / ".join(filter(None, (read.code, clues.name)))
            others = " ou ".join(f"{self._index.by_code[c].name} ({c})" for c in sorted(other)[:3])
            detail = f"le lieu est rattaché à {whole}, {how}, et non à {others}"
            yield Finding("commune_discordante", "code_insee" if read.code else "commune", quoted, detail)
        elif EvidenceKind.CODE in kinds:
            if clues.name and kinds.isdisjoint((EvidenceKind.NAME, EvidenceKind.CLOSE_NAME)):
                yield _unnamed(commune, clues)
            elif read.code != commune.code or _spelt_otherwise(clues.code_insee, read.code):
                yield Finding("code_insee_deduit", "code_insee", clues.code_insee, whole)
        else:
            agree = not kinds.isdisjoint((EvidenceKind.POSTAL_CODE, EvidenceKind.POINT, EvidenceKind.NEAR))
            literal = (
                bool(read.name.keys)
                and read.name.plain
                and commune.code in self._names.named(read.name.keys[0])
            )
            if literal and agree and not read.code:
                yield Finding("code_insee_deduit", "code_insee", clues.code_insee, whole)
            else:
                yield Finding("commune_deduite", "commune", clues.name, f"{whole}, {how}")
            if clues.name and not named and EvidenceKind.CLOSE_NAME not in kinds:
                yield _unnamed(commune, clues)

    def _checked_postal(self, commune: Commune, read: _Read) -> tuple[str, tuple[Finding, ...]]:
        """Check the postal code against those of the commune; fill it in when it is clear."""
        cell, given, known = read.clues.code_postal, read.postal, commune.postal_codes
        if given.short and given.code not in known:
            meant = sorted(given.variants & set(known))
            if len(meant) == 1:
                detail = f"{meant[0]} ({commune.name})"
                return meant[0], (Finding("code_postal_corrige", "code_postal", cell, detail),)
        elif given.code:
            if not known or given.code in known:
                return given.code, given.findings
            detail = f"{commune.name} a {', '.join(known)}"
            if given.code not in self._index.by_postal_code:
                detail += f" ; {given.code} n'est celui d'aucune commune, peut-être un code CEDEX"
            found = Finding("code_postal_discordant", "code_postal", given.code, detail)
            return given.code, (*given.findings, found)
        district = self._names.district_postal_code(commune, read.code, read.name.district)
        written = (code for code in (read.name.postal_code, read.address_postal, district) if code in known)
        code = next(written, known[0] if len(known) == 1 else "")
        if code:
            return code, (Finding("code_postal_deduit", "code_postal", cell, code),)
        return "", (Finding("code_postal_absent", "code_postal", cell),)


def _agreed(evidence: Iterable[Evidence]) -> str | None:
    """Return the commune that the cells agree on, or None.

    Code and name agree whatever the rest; without a code, name and postal code do unless the point lies in
    another commune.
    """
    listed = list(evidence)
    code, named = _codes(listed, (EvidenceKind.CODE,)), _codes(listed, (EvidenceKind.NAME,))
    if code:
        return next(iter(code & named), None)
    both = named & _codes(listed, (EvidenceKind.POSTAL_CODE,))
    inside = _codes(listed, (EvidenceKind.POINT,))
    return next(iter(both)) if len(both) == 1 and inside <= both else None


def _codes(evidence: Iterable[Evidence], kinds: Collection[EvidenceKind]) -> frozenset[str]:
    return frozenset(code for e in evidence if e.kind in kinds for code in e.codes)


def _has(evidence: Iterable[Evidence], code: str, kinds: Collection[EvidenceKind]) -> bool:
    return any(e.kind in kinds and code in e.codes for e in evidence)


def _insee(cell: str) -> str:
    """Return a well-formed INSEE code, or "". What spreadsheets do to one is undone: "1004", "47323.0"."""
    code = cell.replace(" ", "").upper().removesuffix(".0")
    code = code.zfill(5) if len(code) == 4 else code
    return code if _INSEE.fullmatch(code) else ""


def _spelt_otherwise(cell: str, code: str) -> bool:
    return cell.replace(" ", "").upper() != code


def _departements(postal: str) -> tuple[str, ...]:
    """Return the départements of a postal (or INSEE) code; 20 stands for 2A and 2B."""
    if not postal:
        return ()
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
