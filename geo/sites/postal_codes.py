"""Read postal codes as files hold them: « 47000.0 », « F-47000 », « 4700 » for 47000 or 04700."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from geo.crs import departement_code
from geo.sites.findings import Finding

_WHOLE = re.compile(r"\d{5}", re.ASCII)
_SHORT = re.compile(r"\d{4}", re.ASCII)
_INSIDE = re.compile(r"(?<!\d)\d{5}(?!\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PostalCode:
    """A postal code, "" without a usable one.

    `short` says that a digit is missing: `code` is then the cell with a zero in front, and `variants` are the
    known codes it may be. `departements` are those it may lie in.
    """

    code: str = ""
    short: bool = False
    variants: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()

    @property
    def departements(self) -> frozenset[str]:
        """INSEE codes of the départements it may lie in."""
        codes = {self.code, *self.variants} - {""}
        return frozenset(dep for code in codes for dep in departements_of(code))


def departements_of(postal_code: str) -> tuple[str, ...]:
    """Return the départements of a postal code; 20 stands for 2A and 2B."""
    return ("2A", "2B") if postal_code.startswith("20") else (departement_code(postal_code),)


def read_postal_code(cell: str, known: Collection[str]) -> PostalCode:
    """Read a cell. With four digits, a zero may be lost in front, or any digit anywhere.

    Parameters
    ----------
    known
        Postal codes of the territory and its neighbours, to which a digit that is missing may lead.
    """
    code = cell.replace(" ", "").removesuffix(".0")
    if _SHORT.fullmatch(code):
        padded = f"0{code}"
        longer = {code[:at] + digit + code[at:] for at in range(5) for digit in "0123456789"}
        variants = frozenset(longer.intersection(known) - {padded} if padded not in known else {padded})
        return PostalCode(
            padded, True, variants, (Finding("code_postal_deduit", "code_postal", cell, padded),)
        )
    if not _WHOLE.fullmatch(code):
        inside = _INSIDE.search(cell)
        code = inside[0] if inside else ""
    if not code:
        return PostalCode(findings=(Finding("code_postal_absent", "code_postal", cell),))
    if code == cell:
        return PostalCode(code)
    return PostalCode(code, findings=(Finding("code_postal_deduit", "code_postal", cell, code),))
