"""Frozen records of mediation sites and of what an import says about them; reads no file, no SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum

from geo.sites import standard

LOCAL_PREFIX = "ext_"
"""Prefix of our own columns after the standard's 32, so that they cannot collide."""

LOCAL_FIELDS: tuple[str, ...] = (
    "pass_numerique",
    "membre_reseau",
    "acces_fauteuil",
    "arrets",
    "jeu_de_donnees",
    "position",
    "signalements",
    "fictif",
)
"""Our own columns, in export order, without their prefix."""


class Position(StrEnum):
    """How well a site is placed."""

    EXACTE = "exacte"
    """Coordinates given by the source, consistent with the commune."""
    APPROXIMATIVE = "approximative"
    """Placed at the town hall, for want of usable coordinates."""
    INCONNUE = "inconnue"
    """Not placed: the commune is not known either."""


class Severity(StrEnum):
    """What becomes of a row because of an issue."""

    REJECTED = "rejected"
    FLAGGED = "flagged"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding of validation: where, what, why, and what to do about it (in French).

    `line` is the line of the file where the record begins (CSV), the row of the sheet (XLSX), or
    the rank of the record, counted from 1 (JSON). `code` is stable and short, e.g. "hors_commune".
    """

    line: int
    field: str
    value: str
    severity: Severity
    code: str
    reason: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class RawRow:
    """A record as a reader yields it: standard field names → text, before validation.

    Readers only translate the shape and vocabulary of their format; multi-values are joined by
    `|`. Local facts use their name with the `ext_` prefix. `issues` holds what the reader itself
    had to repair or could not translate.
    """

    line: int
    values: dict[str, str]
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class ItinerantStop:
    """A stop of an itinerant site: where and when.

    `day` is an opening_hours day selector ("Tu", "Th[1]", "2026-12-03"); `hours` an
    opening_hours time range ("09:00-12:00"). Written in one cell as `place @ day hours`.
    """

    place: str
    day: str
    hours: str


@dataclass(frozen=True, slots=True)
class Site:
    """A place of digital mediation: the standard's 32 fields, then our own.

    Field names are the standard's. Empty text is "", an absent number or date is None, several
    values are a tuple in the order given. `horaires` is always the raw string of the source.
    Coordinates are WGS 84 degrees.
    """

    local_id: str
    pivot: str
    nom: str
    commune: str
    code_postal: str
    adresse: str
    date_maj: date | None
    """Last update told by the source; None when it tells none, so that no freshness is invented."""
    code_insee: str = ""
    complement_adresse: str = ""
    latitude: float | None = None
    longitude: float | None = None
    typologie: tuple[str, ...] = ()
    telephone: str = ""
    courriels: tuple[str, ...] = ()
    site_web: tuple[str, ...] = ()
    horaires: str = ""
    presentation_resume: str = ""
    presentation_detail: str = ""
    source: str = ""
    itinerance: tuple[str, ...] = ()
    structure_parente: str = ""
    services: tuple[str, ...] = ()
    publics_specifiquement_adresses: tuple[str, ...] = ()
    prise_en_charge_specifique: tuple[str, ...] = ()
    frais_a_charge: tuple[str, ...] = ()
    dispositif_programmes_nationaux: tuple[str, ...] = ()
    formations_labels: tuple[str, ...] = ()
    autres_formations_labels: tuple[str, ...] = ()
    modalites_acces: tuple[str, ...] = ()
    modalites_accompagnement: tuple[str, ...] = ()
    fiche_acces_libre: str = ""
    prise_rdv: str = ""
    pass_numerique: bool | None = None
    """Accepts the Pass Numérique; None when not known."""
    membre_reseau: bool | None = None
    """Member of the local network (Déclic 47 in Lot-et-Garonne); None when not known."""
    acces_fauteuil: bool | None = None
    """Accessible by wheelchair; None when not known."""
    arrets: tuple[ItinerantStop, ...] = ()
    """Where and when an itinerant site stops."""
    jeu_de_donnees: str = ""
    """Dataset the record belongs to, e.g. "france-services": identifiers are unique inside it."""
    position: Position = Position.EXACTE
    signalements: tuple[str, ...] = ()
    """Codes of the issues the record is kept with, e.g. "horaires_illisibles"."""
    fictif: bool = False
    """Invented for demonstration."""

    @property
    def id(self) -> str:
        """Public identifier, unique in Portée: dataset and the producer's own identifier."""
        return f"{self.jeu_de_donnees}--{self.local_id}"

    @property
    def located(self) -> bool:
        """Whether the site has a point at all."""
        return self.latitude is not None and self.longitude is not None


STORED_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Site))
"""All fields of `Site`, the ones a difference is told over."""


@dataclass(slots=True)
class Tally:
    """Counts of an import. `read == accepted + rejected`, always.

    `flagged` and `repaired` count accepted records with at least one such issue; a record may
    be both.
    """

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    flagged: int = 0
    repaired: int = 0


@dataclass(slots=True)
class Validated:
    """What validation makes of a file: sites, issues, and the counts that add up."""

    sites: list[Site] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


def standard_values(site: Site) -> Iterator[tuple[str, object]]:
    """The standard's 32 fields of a site, in order, with its public identifier as `id`."""
    for name in standard.FIELDS:
        yield name, site.id if name == "id" else getattr(site, name)
