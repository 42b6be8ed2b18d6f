"""Read the list of structures accredited by Aidants Connect: no coordinates, often no commune."""

from __future__ import annotations

import re

from geo.sites.model import Issue, RawRow
from geo.sites.readers.content import Format, Record, repaired

_TOWN_AT_END = re.compile(r"(?P<street>.+?)[\s,]+(?P<code>\d{5})\s+(?P<town>[^\d,]+)", re.DOTALL)
_REQUIRED = frozenset({"Data pass ID", "Name", "SIRET", "Adresse", "Code postal"})
_LONGEST_ADDRESS = 300
"""Longest address split, in characters: the regular expression is slow on longer texts."""


def split_address(text: str) -> tuple[str, str, str]:
    """Split « 70 Boulevard Exemple 47000 Agen » into street, postal code and town, "" where absent."""
    flat = " ".join(text.split())
    if len(flat) <= _LONGEST_ADDRESS and (found := _TOWN_AT_END.fullmatch(flat)):
        return found["street"], found["code"], found["town"].strip()
    return flat, "", ""


def _translate(record: Record) -> RawRow:
    fields = record.fields
    issues: list[Issue] = []
    street, code_in_address, town = split_address(fields.get("Adresse", ""))
    if town:
        issues.append(
            repaired(
                record.line,
                "Adresse",
                fields["Adresse"],
                "adresse_separee",
                "L'adresse contenait le code postal et la commune : ils ont été séparés.",
            )
        )
    postal_code = _digits(fields.get("Code postal", ""))
    values = {
        "id": _digits(fields.get("Data pass ID", "")),
        "pivot": fields.get("SIRET", ""),
        "nom": fields.get("Name", "").strip(),
        # A postal code written as a number has lost its leading zero.
        "code_postal": postal_code.zfill(5) if postal_code else code_in_address,
        "commune": fields.get("commune", "").strip() or town,
        "adresse": street,
        "date_maj": fields.get("date_maj", ""),
        "source": "Aidants Connect",
        "services": "Aide aux démarches administratives",
        "dispositif_programmes_nationaux": "Aidants Connect",
    }
    return RawRow(record.line, values, (*record.issues, *issues))


def _digits(text: str) -> str:
    """Return a number without the spaces that group its digits."""
    return "".join(text.split())


FORMATS = (
    Format(
        "aidants-connect",
        "Aidants Connect, structures habilitées",
        "aidants-connect",
        _REQUIRED,
        _translate,
        _REQUIRED | {"commune", "date_maj"},
        frozenset({"Data pass ID", "Name"}),
    ),
)
