"""Read lists of France services sites, in the layouts of 2020 (GeoJSON), 2022 and 2024 (CSV).

The lists have neither SIRET nor date. The charter of the programme guarantees free help with
administrative procedures, so these values are set for every site.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from geo.hours.day_cells import WeekCells, read_week
from geo.hours.parse import format_stop
from geo.hours.remarks import read_remark
from geo.hours.written_stops import read_stops
from geo.sites import standard
from geo.sites.findings import Finding, shorten
from geo.sites.model import LOCAL_PREFIX, Issue, RawRow
from geo.sites.readers.content import Format, Record, repaired
from geo.sites.text import fold

_DAYS = {
    "h_lundi": "Mo",
    "h_mardi": "Tu",
    "h_mercredi": "We",
    "h_jeudi": "Th",
    "h_vendredi": "Fr",
    "h_samedi": "Sa",
}
_CONSTANTS = {
    "pivot": standard.UNKNOWN_PIVOT,
    "source": "ANCT",
    "typologie": "RFS",
    "services": "Aide aux démarches administratives",
    "dispositif_programmes_nationaux": "France Services",
    "frais_a_charge": "Gratuit",
}


@dataclass(frozen=True)
class _ColumnLayout:
    columns: Mapping[str, str]
    """Standard field → column."""
    group: str
    label: str
    comment: str
    itinerance: Callable[[Mapping[str, str]], str]
    appointment: str = ""


_SINCE_2022 = {
    "id": "id_fs",
    "nom": "lib_fs",
    "commune": "lib_com",
    "code_postal": "code_postal",
    "code_insee": "insee_com",
    "adresse": "adresse",
    "complement_adresse": "complement_adresse",
    "latitude": "latitude",
    "longitude": "longitude",
    "telephone": "telephone",
    "courriels": "mail",
}
_IN_2020 = {
    "id": "MATRICULE",
    "nom": "lib_france_services",
    "commune": "lib_com",
    "code_postal": "code_postal",
    "code_insee": "insee_com",
    "adresse": "ADRESSE",
    "complement_adresse": "COMPLEMENT.D.ADRESSE",
    "latitude": "LATITUDE",
    "longitude": "LONGITUDE",
    "telephone": "TELEPHONE",
    "courriels": "CONTACT.MAIL",
}


def _itinerance_2020(fields: Mapping[str, str]) -> str:
    if fields.get("ITINERANCE", "").strip() == "Oui":
        return "Itinérant"
    return "Fixe" if fields.get("categorie", "").strip() in ("FS", "Antenne") else ""


def _itinerance_2022(fields: Mapping[str, str]) -> str:
    return {"Oui": "Itinérant", "Non": "Fixe"}.get(fields.get("itinerance", "").strip(), "")


def _itinerance_2024(fields: Mapping[str, str]) -> str:
    # The list of 2022 calls « itinérant » every site of Lot-et-Garonne that this one calls « Multisites ».
    kind = fold(fields.get("format_fs", ""))
    if kind.startswith("fixe"):
        return "Fixe"
    return "Itinérant" if kind.startswith(("itinerant", "bus", "multisites")) else ""


_SHAPE_2020 = _ColumnLayout(_IN_2020, "Groupe", "Labellisation", "Commentaire.horaires", _itinerance_2020)
_SHAPE_2022 = _ColumnLayout(_SINCE_2022, "groupe", "labellisation", "commentaire", _itinerance_2022)
_SHAPE_2024 = _ColumnLayout(
    _SINCE_2022, "groupe_fs", "labellisation_fs", "commentaire", _itinerance_2024, "prise_rdv"
)


def opening_hours(days: Mapping[str, str], *, line: int) -> tuple[WeekCells, tuple[Issue, ...]]:
    """Read the day columns, `h_lundi` to `h_samedi`; issues report slots without length.

    `line` is the line where the record begins.
    """
    week = read_week({code: days.get(name, "") for name, code in _DAYS.items()})
    reason = "Une plage sans durée (00:00 - 00:00) a été retirée."
    column_of = {code: name for name, code in _DAYS.items()}
    issues = [
        repaired(line, column_of[code], days.get(column_of[code], ""), "horaire_vide", reason)
        for code in week.empty_slots
    ]
    return week, tuple(issues)


def hours_facts(
    comment: str, week: WeekCells, itinerance: str, *, line: int
) -> tuple[dict[str, str], tuple[Issue, ...]]:
    """Read what the comment says about hours: appointments, closures, stops; and quote the rest.

    Returns
    -------
    Local fields (`ext_sur_rendez_vous`, `ext_fermetures`, `ext_remarques_horaires`, `ext_arrets`),
    and an issue for each value inferred.
    """
    remark = read_remark(comment)
    stops = read_stops(comment, week.slots) if itinerance == "Itinérant" else ()
    facts = {
        "sur_rendez_vous": "oui" if remark.by_appointment else "",
        "fermetures": standard.SEPARATOR.join(remark.closures),
        "remarques_horaires": standard.SEPARATOR.join(
            quote.replace(standard.SEPARATOR, "/") for quote in remark.quotes
        ),
        "arrets": standard.SEPARATOR.join(map(format_stop, stops)),
    }
    said = {
        "sur_rendez_vous": "sur rendez-vous",
        "fermetures": f"fermetures {facts['fermetures']}",
        "arrets": f"arrêts {facts['arrets']}",
    }
    issues = [
        Finding("remarque_lue", f"{LOCAL_PREFIX}{name}", comment, shorten(said[name])).to_issue(line)
        for name in said
        if facts[name]
    ]
    return {f"{LOCAL_PREFIX}{name}": text for name, text in facts.items() if text}, tuple(issues)


def _translation(shape: _ColumnLayout) -> Callable[[Record], RawRow]:
    def translate(record: Record) -> RawRow:
        fields = record.fields
        values = dict(_CONSTANTS)
        for name, column in shape.columns.items():
            values[name] = fields.get(column, "").strip()
        if values["nom"] and "france service" not in fold(values["nom"]):
            values["nom"] = f"France services {values['nom']}"
        values["courriels"] = "|".join(part for part in re.split(r"[\s;,/|]+", values["courriels"]) if part)
        values["itinerance"] = shape.itinerance(fields)
        if group := fields.get(shape.group, "").strip():
            values["structure_parente"] = f"Groupe France services {group}"
        values["autres_formations_labels"] = fields.get(shape.label, "").strip()
        remarks = [fields.get(shape.comment, "").strip()]
        # The list says whether one can book, not where, but the standard's field holds a URL.
        if shape.appointment and fields.get(shape.appointment, "").strip() == "Oui":
            remarks.append("Prise de rendez-vous possible.")
        values["presentation_detail"] = " ".join(remark for remark in remarks if remark)
        week, issues = opening_hours(fields, line=record.line)
        values["horaires"] = week.expression
        facts, found = hours_facts(remarks[0], week, values["itinerance"], line=record.line)
        return RawRow(record.line, values | facts, record.issues + issues + found)

    return translate


def _read_columns(shape: _ColumnLayout) -> frozenset[str]:
    itinerance = (
        {"ITINERANCE", "categorie"} if shape is _SHAPE_2020 else {"itinerance", "type_fs", "format_fs"}
    )
    own = {shape.group, shape.label, shape.comment, shape.appointment} - {""}
    return frozenset({*shape.columns.values(), *_DAYS, *own, *itinerance})


_NAMES = frozenset({"id_fs", "lib_fs"})
_NAMES_2020 = frozenset({"MATRICULE", "lib_france_services"})

FORMATS = (
    Format(
        "france-services",
        "Liste France services (colonnes de 2024)",
        "france-services",
        _NAMES | {"lib_com", "type_fs", "format_fs"},
        _translation(_SHAPE_2024),
        _read_columns(_SHAPE_2024),
        _NAMES,
    ),
    Format(
        "france-services",
        "Liste France services (colonnes de 2022)",
        "france-services",
        _NAMES | {"lib_com", "itinerance"},
        _translation(_SHAPE_2022),
        _read_columns(_SHAPE_2022),
        _NAMES,
    ),
    Format(
        "france-services",
        "Liste France services (colonnes de 2020)",
        "france-services",
        _NAMES_2020 | {"lib_com"},
        _translation(_SHAPE_2020),
        _read_columns(_SHAPE_2020),
        _NAMES_2020,
    ),
)
