"""Repair the cells of a record whose text was decoded wrongly or has HTML entities."""

from __future__ import annotations

import re
from dataclasses import replace

from geo.sites.findings import Finding
from geo.sites.model import LOCAL_PREFIX
from geo.sites.mojibake import repair_mojibake, unescape_entities
from geo.sites.readers.content import Record

_OWN = f"{LOCAL_PREFIX}jeu_de_donnees"
_SUSPECT = re.compile("[&\ufffd\x80-\x9fÂÃ]|[^\x00-\x7fÀ-ÿ]|[^\x00-\x7f]{2}")
"""Text without any of these signs has nothing to repair; most records have none."""


def with_readable_text(record: Record) -> Record:
    """Return a record whose cells are repaired, with an issue for each repair and each failure.

    Records of our own exports stay as they are: their text was repaired, or written so, before.
    """
    if record.fields.get(_OWN, "").strip() or not _SUSPECT.search("\n".join(record.fields.values())):
        return record
    fields, issues = dict(record.fields), list(record.issues)
    for column, cell in record.fields.items():
        text, found = _readable(cell)
        issues.extend(Finding(code, column, cell).to_issue(record.line) for code in found)
        fields[column] = text
    return replace(record, fields=fields, issues=tuple(issues))


def _readable(cell: str) -> tuple[str, list[str]]:
    """Return a repaired cell, and the codes of its findings."""
    plain = unescape_entities(cell)
    text, unreadable = repair_mojibake(plain)
    found = {
        "entites_html": plain != cell,
        "accents_repares": text != plain,
        "accents_illisibles": unreadable,
    }
    return text, [code for code, holds in found.items() if holds]
