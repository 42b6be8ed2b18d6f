"""Identifiers: the numbers of structures (SIRET, SIREN, RNA, RIDET), and those of rows of our exports."""

from __future__ import annotations

import re

from stdnum.fr import siren, siret

from geo.sites import standard
from geo.sites.findings import Finding
from geo.sites.text import fold

_NOT_WORDS = re.compile(r"[^a-z0-9]+")
_SEPARATORS = re.compile(r"[\s.\-_/]")
_RNA = re.compile(r"W[0-9A-Z]\d{8}", re.ASCII)
_RIDET = re.compile(r"[0-9A-Z]{9,10}", re.ASCII)


def parse_pivot(cell: str, *, pacific: bool = False) -> tuple[str, tuple[Finding, ...]]:
    """Parse the identifier of a structure; return `standard.UNKNOWN_PIVOT` when absent or invalid.

    SIRET and SIREN must pass the Luhn check (SIRETs of La Poste follow another rule, which stdnum
    implements); an RNA is W and nine characters. `pacific` also accepts the numbers of New
    Caledonia and French Polynesia, which have no check digit.

    A missing number is only a repair, because whole national lists have none. An invalid one is
    flagged, because someone must correct it.
    """
    compact = _SEPARATORS.sub("", cell).upper()
    if not compact:
        return standard.UNKNOWN_PIVOT, (Finding("pivot_absent", "pivot", cell),)
    if compact != standard.UNKNOWN_PIVOT and not _is_valid(compact, pacific=pacific):
        return standard.UNKNOWN_PIVOT, (Finding("pivot_invalide", "pivot", cell, _fault(compact)),)
    if compact != cell:
        return compact, (Finding("pivot_normalise", "pivot", cell),)
    return compact, ()


def _is_valid(number: str, *, pacific: bool) -> bool:
    if _RNA.fullmatch(number) or (pacific and _RIDET.fullmatch(number)):
        return True
    if not (number.isascii() and number.isdigit()) or not int(number):
        return False
    return bool(siret.is_valid(number) if len(number) == 14 else siren.is_valid(number))


def _fault(number: str) -> str:
    if not (number.isascii() and number.isdigit()):
        return "ce n'est ni un SIRET, ni un SIREN, ni un RNA"
    if len(number) not in (9, 14):
        return f"il a {len(number)} chiffres au lieu de 14 (SIRET) ou 9 (SIREN)"
    return "son chiffre de contrôle est faux"


def source_suffix(source: str) -> str:
    """Return what is added to the identifier of a site when another source uses the same: "--dora", or ""."""
    words = _NOT_WORDS.sub("-", fold(source)).strip("-")
    return f"--{words}" if words else ""


def local_id_in(site_id: str, *, dataset: str, source: str, exported: bool) -> str:
    """Return the source's own identifier in the identifier of a row.

    "data-inclusion--42" is "42" in the dataset "data-inclusion"; so is "data-inclusion--42--dora" in our own
    exports (`exported`), where it says that another source has a 42.
    """
    local_id = site_id.removeprefix(f"{dataset}--")
    suffix = source_suffix(source)
    shortened = local_id.removesuffix(suffix) if exported and suffix else local_id
    return shortened or local_id
