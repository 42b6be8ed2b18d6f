"""Parse values of the standard's closed lists, ignoring accents, case and spaces."""

from __future__ import annotations

from functools import lru_cache

from geo.sites import standard
from geo.sites.findings import Finding
from geo.sites.text import comparable_text, fold

_CACHED_MAX = 1_000
"""Longest cell cached, in characters: a hostile file must not fill the memory."""

_SYNONYMS = {
    "typologie": {"PE": "FT"},
    "formations_labels": {standard.ETAPES_NUMERIQUES_STRICT: standard.ETAPES_NUMERIQUES},
}
"""Former official spellings, and those of the schema's pattern: accepted without a finding."""


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
    """Parse the labels of a cell into their official spelling, without repetitions.

    Parameters
    ----------
    field
        One of `standard.ENUMERATIONS`.
    cell
        Labels joined by `|`; semicolons are accepted and give a finding.
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
