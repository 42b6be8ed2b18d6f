"""Read lists of France services sites, in the layouts of 2020 (GeoJSON), 2022 and 2024 (CSV).

The lists have neither SIRET nor date. The charter of the programme guarantees free help with
administrative procedures, so these values are set for every site.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from geo.sites import standard
from geo.sites.model import Issue, RawRow
from geo.sites.readers.content import Content, Format, Record, repaired
from geo.sites.text import fold

_DAYS = {
    "h_lundi": "Mo",
    "h_mardi": "Tu",
    "h_mercredi": "We",
    "h_jeudi": "Th",
    "h_vendredi": "Fr",
    "h_samedi": "Sa",
}
_SLOT = re.compile(r"(\d{1,2}) ?[:h] ?(\d{2})? ?[-–à] ?(\d{1,2}) ?[:h] ?(\d{2})?")
_LONGEST_DAY = 200
"""Longest cell of a day that is read, in characters."""
_CLOSED = frozenset({"", "-", "–", "ferme"})
_UNKNOWN = frozenset({"horaires non communiques", "non communique", "nc"})

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


def opening_hours(days: Mapping[str, str], *, line: int) -> tuple[str, tuple[Issue, ...]]:
    """Convert the seven day columns to one OpenStreetMap `opening_hours` string.

    Parameters
    ----------
    days
        `h_lundi` … `h_samedi` → text like « 09:00 - 12:00 / 14:00 - 17:00 »; blank or « - » when closed.
    line
        Line where the record begins, for the issues.

    Returns
    -------
    Days with equal hours grouped, e.g. "Mo-Tu,Th 09:00-12:00,14:00-17:00; We 09:00-12:00"; "" when
    all days are empty; the raw cells joined by "; " when one cannot be parsed.
    """
    cells = {name: " ".join(days.get(name, "").split())[:_LONGEST_DAY] for name in _DAYS}
    if all(fold(cell) in _CLOSED | _UNKNOWN for cell in cells.values()):
        return "", ()
    issues: list[Issue] = []
    by_hours: dict[str, list[str]] = {}
    for name, cell in cells.items():
        slots = _slots(cell)
        if slots is None:
            return "; ".join(f"{n.removeprefix('h_')} : {c}" for n, c in cells.items() if c), ()
        useful = [slot for slot in slots if slot[:5] != slot[6:]]
        if len(useful) < len(slots):
            reason = "Une plage sans durée (00:00 - 00:00) a été retirée."
            issues.append(repaired(line, name, cell, "horaire_vide", reason))
        if useful:
            by_hours.setdefault(",".join(useful), []).append(_DAYS[name])
    return "; ".join(f"{_ranges(group)} {hours}" for hours, group in by_hours.items()), tuple(issues)


@lru_cache(maxsize=4_096)
def _slots(cell: str) -> tuple[str, ...] | None:
    """Parse the slots of a day, as "09:00-12:00": () when closed, None when they cannot be parsed."""
    if fold(cell) in _CLOSED:
        return ()
    found = []
    for slot in cell.lower().split("/"):
        match = _SLOT.fullmatch(slot.strip())
        if match is None:
            return None
        hour, minute, to_hour, to_minute = match.groups("00")
        if max(int(hour), int(to_hour)) > 24 or max(minute, to_minute) > "59":
            return None
        found.append(f"{int(hour):02}:{minute}-{int(to_hour):02}:{to_minute}")
    return tuple(found)


def _ranges(days: list[str]) -> str:
    week = list(_DAYS.values())
    runs: list[list[str]] = []
    for day in days:
        if runs and week.index(runs[-1][-1]) + 1 == week.index(day):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


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
        values["horaires"], issues = opening_hours(fields, line=record.line)
        return RawRow(record.line, values, record.issues + issues)

    return translate


def _with(*columns: str) -> Callable[[Content], bool]:
    return lambda content: set(columns) <= set(content.columns)


FORMATS = (
    Format(
        "france-services",
        "Liste France services (colonnes de 2024)",
        "france-services",
        _with("id_fs", "lib_fs", "lib_com", "type_fs", "format_fs"),
        _translation(_SHAPE_2024),
    ),
    Format(
        "france-services",
        "Liste France services (colonnes de 2022)",
        "france-services",
        _with("id_fs", "lib_fs", "lib_com", "itinerance"),
        _translation(_SHAPE_2022),
    ),
    Format(
        "france-services",
        "Liste France services (colonnes de 2020)",
        "france-services",
        _with("MATRICULE", "lib_france_services", "lib_com"),
        _translation(_SHAPE_2020),
    ),
)
