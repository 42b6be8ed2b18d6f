"""Records of mediation sites, and of the issues and counts of their validation. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum

from geo.sites import standard

LOCAL_PREFIX = "ext_"
"""Prefix of our own columns, so that they cannot collide with the 32 of the standard."""

LOCAL_FIELDS: tuple[str, ...] = (
    "pass_numerique",
    "membre_reseau",
    "acces_fauteuil",
    "arrets",
    "sur_rendez_vous",
    "fermetures",
    "remarques_horaires",
    "telephone_remarque",
    "autres_telephones",
    "jeu_de_donnees",
    "position",
    "signalements",
    "fictif",
)
"""Our own columns, in export order, without their prefix."""


class Position(StrEnum):
    """Accuracy of a site's coordinates."""

    EXACTE = "exacte"
    """Coordinates given by the source, consistent with the commune."""
    ADRESSE = "adresse"
    """Placed at the house number of its address, by the address base."""
    RUE = "rue"
    """Placed on the street or in the hamlet of its address, by the address base."""
    APPROXIMATIVE = "approximative"
    """Placed at the town hall because the source has no usable coordinates."""
    INCONNUE = "inconnue"
    """Not placed, because the commune is unknown too."""

    @property
    def precise(self) -> bool:
        """Whether the coordinates are those of the door: given by the source, or of the house number."""
        return self in (Position.EXACTE, Position.ADRESSE)


class Severity(StrEnum):
    """Effect of an issue on its row."""

    REJECTED = "rejected"
    FLAGGED = "flagged"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of validation: location, value, reason and advice (in French).

    `line` is the line of the file where the record begins (CSV), the row of the sheet (XLSX), or
    the rank of the record, counted from 1 (JSON). `code` is a short stable code: "hors_commune".
    `sheet` is the name of the sheet (or JSON list) when several are read, else "".
    """

    line: int
    field: str
    value: str
    severity: Severity
    code: str
    reason: str
    advice: str = ""
    sheet: str = ""

    @property
    def full_reason(self) -> str:
        """The reason, with the sheet when several are read."""
        return f"{self.reason} Feuille « {self.sheet[:60]} »." if self.sheet else self.reason


@dataclass(frozen=True, slots=True)
class RawRow:
    """A record as a reader yields it, before validation: standard field name → text.

    Readers only translate the structure and vocabulary of their format; several values are joined
    by `|`. Local facts have the `ext_` prefix. `issues` lists what the reader repaired or could not
    translate. `sheet` is the name of the sheet (or JSON list) when several are read, else "".
    """

    line: int
    values: dict[str, str]
    issues: tuple[Issue, ...] = ()
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class ItinerantStop:
    """A stop of an itinerant site: a place, a day and hours.

    `day` is an opening_hours day selector ("Tu", "Th[1]", "2026-12-03"); `hours` an
    opening_hours time range ("09:00-12:00"). Written in one cell as `place @ day hours`.
    """

    place: str
    day: str
    hours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteValues:
    """What is known of a place of digital mediation: the standard's fields without `id`, then our own.

    Field names are those of the standard. Missing text is "", a missing number or date is None, and
    multiple values are a tuple in source order. `horaires` is always the raw string of the source.
    Coordinates are in WGS 84 degrees.
    """

    pivot: str = standard.UNKNOWN_PIVOT
    nom: str
    commune: str = ""
    code_postal: str = ""
    adresse: str = ""
    date_maj: date | None = None
    """Date of last update given by the source; None when it gives none."""
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
    """Stops of an itinerant site."""
    sur_rendez_vous: bool | None = None
    """Receives by appointment only; None when not known."""
    fermetures: tuple[str, ...] = ()
    """Closures: opening_hours date selectors ("Aug", "2026 Dec 24-2027 Jan 02"), each with an optional
    reason in double quotes."""
    remarques_horaires: tuple[str, ...] = ()
    """Sentences of the source about its hours, quoted where hours are shown."""
    telephone_remarque: str = ""
    """Remark about `telephone`: whose number, or an extension."""
    autres_telephones: tuple[str, ...] = ()
    """Other numbers (E.164), each with an optional remark in parentheses."""
    jeu_de_donnees: str = ""
    """Dataset, e.g. "france-services"; of a site, that of the record which gave it its identifier."""
    position: Position = Position.EXACTE
    signalements: tuple[str, ...] = ()
    """Codes of the record's flags, e.g. "horaires_illisibles"."""
    fictif: bool = False
    """Invented for demonstration."""

    @property
    def located(self) -> bool:
        """Whether the place has coordinates."""
        return self.latitude is not None and self.longitude is not None


def is_known(value: object) -> bool:
    """Return whether the value of a field is known: neither None, nor empty."""
    return value is not None and value not in ("", ())


VALUE_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(SiteValues))
"""All fields of `SiteValues`, which an import compares and a site shows."""


LIST_FIELDS: frozenset[str] = standard.MULTIVALUED | {
    *("signalements", "fermetures", "remarques_horaires", "autres_telephones"),
}
"""Fields whose value is a tuple of texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord(SiteValues):
    """What a source says about a place. `local_id` is the source's own identifier of it."""

    local_id: str

    @property
    def key(self) -> str:
        """Identifier of the record, unique in Portée: dataset, the source's identifier, source.

        "data-inclusion--1234@dora"; without a source, "france-services--1234".
        """
        return record_key(self.jeu_de_donnees, self.local_id, self.source)


def record_key(dataset: str, local_id: str, source: str) -> str:
    """Return the key of the record that a source lists under its own identifier in a dataset."""
    escaped = local_id.replace("%", "%25").replace("@", "%40")
    key = f"{dataset}--{escaped}"
    return f"{key}@{source}" if source else key


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the shown value of a field comes from.

    Attributes
    ----------
    records
        Keys of the records that hold the value; several for a list joined from several records.
    rule
        Name of the rule that chose it (`geo.sites.field_rules`), or "correction".
    day
        Day of the value: the latest `date_maj` of these records, or the day of the correction.
    correction
        Number of the correction, if the value is one.
    """

    field: str
    records: tuple[str, ...]
    rule: str
    day: date | None = None
    correction: int | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that a record holds and that is not the one shown."""

    field: str
    value: object
    record: str
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(SiteValues):
    """What people see: one place, described by a cluster of source records.

    Attributes
    ----------
    id
        Public identifier, which stays while records come, go, merge and split.
    records
        Keys of its source records, sorted.
    origins
        Where each shown value comes from, in the order of the fields.
    conflicts
        Values of its records that are not shown.
    """

    id: str
    records: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def datasets(self) -> tuple[str, ...]:
        """Return the datasets that its records come from, sorted."""
        return tuple(sorted({key.partition("--")[0] for key in self.records})) or (self.jeu_de_donnees,)

    def origin(self, field: str) -> Origin | None:
        """Return where the value of a field comes from; None if no record and no correction gives one.

        `origins` is not filled for a site of one record without corrections, whose values all come
        from it.
        """
        for each in self.origins:
            if each.field == field:
                return each
        if len(self.records) == 1 and is_known(getattr(self, field)):
            return Origin(field, self.records, "only", self.date_maj)
        return None


@dataclass(slots=True)
class Tally:
    """Counts of an import. Invariant: `read == accepted + rejected + outside`.

    `flagged` and `repaired` count the accepted records with at least one such issue; a record may
    be both.
    """

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    flagged: int = 0
    repaired: int = 0
    outside: int = 0
    """Beyond the territory and its margin: not stored, and without findings."""


@dataclass(slots=True)
class Validated:
    """Result of the validation of a file: records, issues and counts."""

    records: list[SourceRecord] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    outside: set[str] = field(default_factory=set)
    """Keys of the records beyond the territory and its margin."""


def standard_values(site: Site) -> Iterator[tuple[str, object]]:
    """Yield the standard's 32 fields of a site, in order, with its public identifier as `id`."""
    for name in standard.FIELDS:
        yield name, site.id if name == "id" else getattr(site, name)
