"""Read files of the national standard: v1 (with our `ext_` columns), v0.1 and its JSON variants."""

from __future__ import annotations

from geo.sites import standard
from geo.sites.legacy import ONLY_V0, to_v1
from geo.sites.model import LOCAL_FIELDS, LOCAL_PREFIX, RawRow
from geo.sites.readers.content import Container, Content, Format, Record

_ONLY_V1 = frozenset(
    {
        "courriels",
        "itinerance",
        "publics_specifiquement_adresses",
        "prise_en_charge_specifique",
        "frais_a_charge",
        "dispositif_programmes_nationaux",
        "formations_labels",
        "autres_formations_labels",
        "modalites_acces",
        "fiche_acces_libre",
    }
)

_COLUMNS = frozenset({*standard.FIELDS, *ONLY_V0, *(f"{LOCAL_PREFIX}{name}" for name in LOCAL_FIELDS)})


_IDENTITY = frozenset({"id", "nom"})


def _is_v1(content: Content) -> bool:
    columns = set(content.columns)
    return bool(columns & _ONLY_V1 or not columns & ONLY_V0)


def _is_v0(content: Content) -> bool:
    return not _is_v1(content)


def _is_list_of_places(content: Content) -> bool:
    return _is_v0(content) and content.container is Container.JSON


def _is_conseillers(content: Content) -> bool:
    return _is_list_of_places(content) and "structureId" in content.columns


def _from_v1(record: Record) -> RawRow:
    values = {
        name: text
        for name, text in record.fields.items()
        if name in standard.FIELDS or name.startswith(LOCAL_PREFIX)
    }
    return RawRow(record.line, values, record.issues)


def _from_v0(record: Record) -> RawRow:
    values, issues = to_v1(record.fields, line=record.line)
    return RawRow(record.line, values, record.issues + issues)


V1 = Format(
    "standard",
    f"Standard « Lieux de médiation numérique » v{standard.VERSION}",
    "mediation-numerique",
    standard.REQUIRED,
    _from_v1,
    _COLUMNS,
    _IDENTITY,
    _is_v1,
)
CONSEILLERS = Format(
    "conseillers-numeriques",
    "Conseillers numériques, liste des lieux (JSON)",
    "conseillers-numeriques",
    standard.REQUIRED,
    _from_v0,
    _COLUMNS,
    _IDENTITY,
    _is_conseillers,
)
PLACES = Format(
    "data-inclusion-lieux",
    "data·inclusion, liste de lieux (JSON de 2022-2023)",
    "data-inclusion",
    standard.REQUIRED,
    _from_v0,
    _COLUMNS,
    _IDENTITY,
    _is_list_of_places,
)
V0 = Format(
    "standard-v0.1",
    "Standard « Lieux de médiation numérique » v0.1",
    "mediation-numerique",
    standard.REQUIRED,
    _from_v0,
    _COLUMNS,
    _IDENTITY,
    _is_v0,
)
FORMATS = (CONSEILLERS, PLACES, V1, V0)
