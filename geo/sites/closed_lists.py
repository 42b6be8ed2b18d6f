"""Values of the standard's closed lists: recognised whatever their accents, case and spaces."""

from __future__ import annotations

from functools import lru_cache

from geo.sites import standard
from geo.sites.findings import Finding
from geo.sites.text import comparable_text, fold

_CACHED_MAX = 1_000
"""Cells longer than this are not remembered: no honest cell of labels is."""

_SYNONYMS = {
    "typologie": {"PE": "FT"},
    "formations_labels": {standard.ETAPES_NUMERIQUES_STRICT: standard.ETAPES_NUMERIQUES},
}
"""Official spellings of another age or of the schema's own pattern: read without a word."""


def _letters(text: str) -> str:
    return fold(text).replace(" ", "")


_BY_LETTERS = {
    field: {
        **{_letters(old): new for old, new in _SYNONYMS.get(field, {}).items()},
        **{_letters(label): label for label in labels},
    }
    for field, labels in standard.ENUMERATIONS.items()
}
_EXACT = {
    field: {**{label: label for label in labels}, **_SYNONYMS.get(field, {})}
    for field, labels in standard.ENUMERATIONS.items()
}


def parse_labels(field: str, cell: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Labels of a closed list that a cell holds, in their official spelling, each once.

    Parameters
    ----------
    field
        One of `standard.ENUMERATIONS`.
    cell
        Labels joined by `|`; a semicolon is accepted and reported.
    """
    return _read(field, cell) if len(cell) <= _CACHED_MAX else _read.__wrapped__(field, cell)


@lru_cache(maxsize=16_384)
def _read(field: str, cell: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    if not cell:
        return (), ()
    exact, by_letters = _EXACT[field], _BY_LETTERS[field]
    findings: list[Finding] = []
    tokens = cell.split(standard.SEPARATOR)
    if ";" in cell:
        findings.append(Finding("separateur_corrige", field, cell))
        tokens = [part for token in tokens for part in token.split(";")]
    found: dict[str, None] = {}
    for token in tokens:
        if label := exact.get(token):
            found[label] = None
            continue
        if not (text := comparable_text(token)):
            continue
        if label := exact.get(text) or by_letters.get(_letters(text)):
            found[label] = None
            findings.append(Finding("valeur_normalisee", field, token, f"« {label} »"))
        else:
            accepted = " ; ".join(f"« {value} »" for value in standard.ENUMERATIONS[field])
            findings.append(
                Finding("valeur_inconnue", field, token, advice=f"Valeurs acceptées : {accepted}.")
            )
    return tuple(found), tuple(findings)
