"""The national standard's own files, v1 (with our `ext_` columns) and v0.1."""

from __future__ import annotations

from geo.sites import standard
from geo.sites.model import LOCAL_PREFIX, RawRow
from geo.sites.readers.content import Format, Record

_V1_ONLY = frozenset(standard.FIELDS) - {
    "id",
    "pivot",
    "nom",
    "commune",
    "code_postal",
    "code_insee",
    "adresse",
    "complement_adresse",
    "latitude",
    "longitude",
    "typologie",
    "telephone",
    "site_web",
    "horaires",
    "presentation_resume",
    "presentation_detail",
    "source",
    "structure_parente",
    "date_maj",
    "services",
    "modalites_accompagnement",
    "prise_rdv",
}


def _is_v1(columns: frozenset[str]) -> bool:
    return columns >= standard.REQUIRED and bool(columns & _V1_ONLY)


def _v1(record: Record) -> RawRow:
    kept = {
        name: text
        for name, text in record.fields.items()
        if name in standard.FIELDS or name.startswith(LOCAL_PREFIX)
    }
    return RawRow(record.line, kept, record.issues)


V1 = Format(
    "standard",
    f"Standard « Lieux de médiation numérique » v{standard.VERSION}",
    "mediation-numerique",
    _is_v1,
    _v1,
)
