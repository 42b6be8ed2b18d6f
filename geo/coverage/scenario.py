"""Scenarios: sites opened, closed, moved or given other hours, without changing stored data.

Edits have a JSON form, one object each, distinguished by `action`:

    {"action": "open", "name": "…", "longitude": 0.6, "latitude": 44.2, "services": ["…"], …}
    {"action": "close", "site": "dataset--id"}
    {"action": "move", "site": "dataset--id", "longitude": 0.6, "latitude": 44.2}
    {"action": "hours", "site": "dataset--id", "horaires": "Sa 09:00-12:00"}

Coordinates are WGS 84 degrees. All fields and the effect of each edit: docs/scenarios.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import count
from math import isfinite
from typing import Any, ClassVar, Final

import numpy as np
import shapely

from geo.crs import WGS84, project, reproject
from geo.errors import InvalidScenario
from geo.hours.parse import is_readable
from geo.sites import standard
from geo.sites.model import Position, Site
from geo.sites.position import NOT_AT_ITS_COORDINATES
from geo.sites.text import clean_text
from geo.snapshot import Snapshot
from geo.territory.model import Commune, Territory
from geo.wording import figures
from geo.wording.language import french_count

DATASET: Final = "scenario"
"""Dataset name of sites opened by a scenario."""

MARGIN_M: Final = 50_000
"""How far outside the territory a site may be placed, metres: beyond that it serves nobody inside."""

EDITS_MAX: Final = 200
"""Largest number of edits in a scenario."""

NAME_MAX: Final = 200
"""Longest name of an opened site, characters."""

_BOOLEANS: Final = ("pass_numerique", "membre_reseau", "acces_fauteuil")
_QUOTED_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Open:
    """Open a new site at a point; omitted fields are unknown.

    Fields have the names and values of the national standard.
    """

    action: ClassVar[str] = "open"

    name: str
    longitude: float
    latitude: float
    horaires: str = ""
    typologie: tuple[str, ...] = ()
    itinerance: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    publics_specifiquement_adresses: tuple[str, ...] = ()
    prise_en_charge_specifique: tuple[str, ...] = ()
    frais_a_charge: tuple[str, ...] = ()
    dispositif_programmes_nationaux: tuple[str, ...] = ()
    formations_labels: tuple[str, ...] = ()
    modalites_acces: tuple[str, ...] = ()
    modalites_accompagnement: tuple[str, ...] = ()
    pass_numerique: bool | None = None
    membre_reseau: bool | None = None
    acces_fauteuil: bool | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """Close an existing site."""

    action: ClassVar[str] = "close"

    site: str


@dataclass(frozen=True, slots=True)
class Move:
    """Move an existing site to a point."""

    action: ClassVar[str] = "move"

    site: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Hours:
    """Give an existing site other opening hours (OpenStreetMap syntax)."""

    action: ClassVar[str] = "hours"

    site: str
    horaires: str


Edit = Open | Close | Move | Hours

_KINDS: Final[dict[str, type[Edit]]] = {kind.action: kind for kind in (Open, Close, Move, Hours)}
_NEEDED: Final = {
    "open": ("name", "longitude", "latitude"),
    "close": ("site",),
    "move": ("site", "longitude", "latitude"),
    "hours": ("site", "horaires"),
}


def parse_edits(value: object, snapshot: Snapshot) -> tuple[Edit, ...]:
    """Parse edits from JSON and check them against a snapshot.

    Parameters
    ----------
    value
        A list of objects, as decoded from JSON.
    snapshot
        State whose sites are edited; new positions must be in its territory or within `MARGIN_M`.

    Raises
    ------
    InvalidScenario
        Listing all errors, each with the rank of its edit (from 1) and its field.
    """
    if not isinstance(value, list):
        raise InvalidScenario(
            "Les modifications d'un scénario sont une liste ; reçu : " + _quoted(value) + ".",
            'Écrivez une liste d\'objets, par exemple [{"action": "close", "site": "…"}].',
        )
    if len(value) > EDITS_MAX:
        raise InvalidScenario(
            f"Ce scénario compte {len(value)} modifications ; {EDITS_MAX} au plus sont admises.",
            "Partagez-le en plusieurs scénarios.",
        )
    in_service = {site.id: site.id for site in snapshot.sites}
    in_service |= {old: new for old, new in snapshot.redirects.items() if new in in_service}
    area = _BuildableArea(snapshot.territory)
    problems: list[str] = []
    edits: list[tuple[int, Edit]] = []
    for rank, each in enumerate(value, start=1):
        reader = _EditReader(each, in_service, area)
        edit = reader.edit()
        problems += [f"modification {rank}, {problem}" for problem in reader.problems]
        if edit is not None:
            edits.append((rank, edit))
    problems += _contradictions(edits)
    if problems:
        errors = french_count("une erreur", "%(num)s erreurs", len(problems))
        raise InvalidScenario(
            f"Ce scénario a {errors} : {' ; '.join(problems)}.",
            "Corrigez chacune de ces modifications, ou retirez-la.",
        )
    return tuple(edit for _, edit in edits)


def edits_to_json(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """Return the JSON form of edits, without unknown fields; `parse_edits` reads it back."""
    return [{"action": edit.action, **dict(_known_fields(edit))} for edit in edits]


def apply(snapshot: Snapshot, edits: Iterable[Edit]) -> Snapshot:
    """Return a new snapshot with the edits applied.

    Opened sites get the identifiers "scenario--1", "scenario--2"… in the order of their edits. Opened
    and moved sites have an exact position and belong to the commune whose boundary contains it; if
    there is none, their commune is unknown. The version number does not change, so caches of answers
    must also be keyed by the edits.

    Raises
    ------
    UnknownSite
        If an edit names a site that is not in the snapshot.
    """
    sites = {site.id: site for site in snapshot.sites}
    numbers = (str(n) for n in count(1) if f"{DATASET}--{n}" not in sites)
    opened: list[Site] = []
    for edit in edits:
        if isinstance(edit, Open):
            opened.append(_opened(edit, next(numbers), snapshot.territory))
            continue
        site = sites.get(snapshot.current_id(edit.site)) or snapshot.site(edit.site)
        if isinstance(edit, Close):
            del sites[site.id]
        elif isinstance(edit, Move):
            sites[site.id] = _moved(site, edit, snapshot.territory)
        else:
            flags = tuple(flag for flag in site.signalements if flag != "horaires_illisibles")
            sites[site.id] = replace(site, horaires=edit.horaires, signalements=flags)
    after = sorted([*sites.values(), *opened], key=lambda site: site.id)
    return replace(snapshot, sites=tuple(after))


class _EditReader:
    """Parses one edit and collects its errors."""

    def __init__(self, value: object, in_service: Mapping[str, str], area: _BuildableArea) -> None:
        self._value: Mapping[Any, Any] = value if isinstance(value, dict) else {}
        self._in_service = in_service
        self._area = area
        self.problems: list[str] = []
        if not isinstance(value, dict):
            self._error("action", f"un objet est attendu ; reçu : {_quoted(value)}")

    def edit(self) -> Edit | None:
        """Return the edit, or None if it has errors."""
        if self.problems:
            return None
        action = self._value.get("action")
        kind = _KINDS.get(action) if isinstance(action, str) else None
        if kind is None:
            self._error("action", f"{_quoted(action)} n'est pas l'une de : {', '.join(_KINDS)}")
            return None
        known = [field.name for field in fields(kind)]
        for name in self._value:
            if name not in ("action", *known):
                near = get_close_matches(str(name), known, n=1)
                hint = f" ; vouliez-vous dire « {near[0]} » ?" if near else ""
                self._error(str(name)[:_QUOTED_MAX], f"ce champ n'existe pas pour « {kind.action} »{hint}")
        for name in _NEEDED[kind.action]:
            if self._value.get(name) is None:
                self._error(name, "il manque")
        values = {name: self._read(name, self._value[name]) for name in known if self._given(name)}
        if "longitude" in values:
            self._check_place(values["longitude"], values.get("latitude"))
        return None if self.problems else kind(**values)

    def _given(self, name: str) -> bool:
        return self._value.get(name) is not None

    def _read(self, name: str, value: object) -> Any:
        if name in standard.ENUMERATIONS:
            return self._labels(name, value)
        if name in _BOOLEANS:
            return self._boolean(name, value)
        if name in ("longitude", "latitude"):
            return self._coordinate(name, value)
        if not isinstance(value, str):
            self._error(name, f"un texte est attendu ; reçu : {_quoted(value)}")
            return ""
        return {"name": self._name, "site": self._site, "horaires": self._hours}[name](value)

    def _name(self, value: str) -> str:
        name, _ = clean_text(value)
        if not name:
            self._error("name", "un nom est attendu")
        if len(name) > NAME_MAX:
            self._error("name", f"{len(name)} caractères ; {NAME_MAX} au plus sont admis")
        return name

    def _site(self, value: str) -> str:
        """Return the identifier of the site in service, which a merged identifier redirects to."""
        if value not in self._in_service:
            self._error("site", f"aucun lieu en service ne porte l'identifiant {_quoted(value)}")
        return self._in_service.get(value, value)

    def _hours(self, value: str) -> str:
        if not is_readable(value):
            self._error(
                "horaires",
                f"{_quoted(value)} ne se lit pas ; écrivez par exemple « Mo-Fr 09:00-12:00; Sa 09:00-12:00 »",
            )
        return value

    def _labels(self, name: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._error(name, f"une liste de textes est attendue ; reçu : {_quoted(value)}")
            return ()
        accepted = standard.ENUMERATIONS[name]
        if len(value) > len(accepted):
            self._error(name, f"{len(value)} valeurs ; le standard n'en a que {len(accepted)}")
            return ()
        for each in value:
            if each not in accepted:
                near = get_close_matches(each[:_QUOTED_MAX], accepted, n=1) or accepted
                listed = ", ".join(f"« {label} »" for label in near)
                self._error(name, f"{_quoted(each)} n'est pas une valeur du standard, comme {listed}")
        return tuple(dict.fromkeys(value))

    def _boolean(self, name: str, value: object) -> bool | None:
        if isinstance(value, bool):
            return value
        self._error(name, f"true ou false est attendu ; reçu : {_quoted(value)}")
        return None

    def _coordinate(self, name: str, value: object) -> float | None:
        bound = 180 if name == "longitude" else 90
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= bound:
            return float(value)
        self._error(name, f"un nombre entre -{bound} et {bound} est attendu ; reçu : {_quoted(value)}")
        return None

    def _check_place(self, longitude: float | None, latitude: float | None) -> None:
        if longitude is None or latitude is None:
            return
        if not self._area.contains(longitude, latitude):
            self._error(
                "longitude",
                f"le point ({longitude:g}, {latitude:g}) est à plus de {figures.distance(MARGIN_M)} du "
                "territoire (longitude d'abord, puis latitude)",
            )

    def _error(self, field: str, why: str) -> None:
        self.problems.append(f"champ « {field} » : {why}")


def _contradictions(edits: Iterable[tuple[int, Edit]]) -> Iterator[str]:
    """Yield errors for edits of one site that contradict each other: two of a kind, or any with a closing."""
    of_site: dict[str, list[tuple[int, Edit]]] = defaultdict(list)
    for rank, edit in edits:
        if not isinstance(edit, Open):
            of_site[edit.site].append((rank, edit))
    for site, several in of_site.items():
        for place, (rank, edit) in enumerate(several):
            for earlier, other in several[:place]:
                if edit.action == other.action or Close.action in (edit.action, other.action):
                    yield (
                        f"modification {rank}, champ « site » : la modification {earlier} porte déjà sur "
                        f"{_quoted(site)} et la contredit"
                    )
                    break


class _BuildableArea:
    """Where sites may be opened or moved: the territory and `MARGIN_M` around it."""

    def __init__(self, territory: Territory) -> None:
        self._crs = territory.metric_crs
        self._boundaries = np.array([commune.boundary for commune in territory.communes])

    def contains(self, longitude: float, latitude: float) -> bool:
        """Return whether a WGS 84 point lies in the area."""
        if shapely.intersects_xy(self._boundaries, longitude, latitude).any():
            return True
        x, y = project(longitude, latitude, self._crs)[0]
        if not (isfinite(x) and isfinite(y)):
            return False
        near = self._tree.query(shapely.Point(x, y), predicate="dwithin", distance=MARGIN_M)
        return bool(near.size)

    @cached_property
    def _tree(self) -> shapely.STRtree:
        # Reprojected at most once for all the edits of a scenario, and not at all in most of them.
        return shapely.STRtree(reproject(self._boundaries, source=WGS84, target=self._crs))


def _known_fields(edit: Edit) -> Iterator[tuple[str, Any]]:
    for field in fields(edit):
        value = getattr(edit, field.name)
        if value is not None and value not in ("", ()):
            yield field.name, list(value) if isinstance(value, tuple) else value


def _opened(edit: Open, number: str, territory: Territory) -> Site:
    facts = {name: getattr(edit, name) for name in (*standard.ENUMERATIONS, *_BOOLEANS, "horaires")}
    return Site(
        id=f"{DATASET}--{number}",
        nom=edit.name,
        adresse="",
        date_maj=None,
        latitude=edit.latitude,
        longitude=edit.longitude,
        jeu_de_donnees=DATASET,
        **_commune_fields(_commune_at(territory, edit.longitude, edit.latitude)),
        **facts,
    )


def _moved(site: Site, edit: Move, territory: Territory) -> Site:
    """Return the site at its new position, without its address, which was that of the old one."""
    commune = _commune_at(territory, edit.longitude, edit.latitude)
    stays = commune is not None and commune.code == site.code_insee
    return replace(
        site,
        latitude=edit.latitude,
        longitude=edit.longitude,
        position=Position.EXACTE,
        signalements=tuple(flag for flag in site.signalements if flag not in NOT_AT_ITS_COORDINATES),
        adresse="",
        complement_adresse="",
        **({} if stays else _commune_fields(commune)),
    )


def _commune_fields(commune: Commune | None) -> dict[str, Any]:
    if commune is None:
        return {"commune": "", "code_insee": "", "code_postal": ""}
    only = commune.postal_codes[0] if len(commune.postal_codes) == 1 else ""
    return {"commune": commune.name, "code_insee": commune.code, "code_postal": only}


def _commune_at(territory: Territory, longitude: float, latitude: float) -> Commune | None:
    """Return the commune that contains a point; on a border, the territory's own, then the lower code."""
    communes = (*territory.communes, *territory.context)
    boundaries = np.array([commune.boundary for commune in communes])
    found = np.flatnonzero(shapely.intersects_xy(boundaries, longitude, latitude))
    return communes[found[0]] if len(found) else None


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text, _ = clean_text(text[: _QUOTED_MAX + 1])
    return f"« {text[:_QUOTED_MAX]}… »" if len(text) > _QUOTED_MAX else f"« {text} »"
