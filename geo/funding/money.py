"""Sums of money in whole cents (`int`), parsed from French text and formatted.

Never floats: a sum is parsed exactly, or refused with the reason.
"""

from __future__ import annotations

import re
from typing import Final

from geo.errors import InvalidParameter
from geo.wording import figures

MAX_CENTS: Final = 10**13
"""Largest sum of an entry, in cents: a hundred billion euros, well within a `bigint`."""

_SPACES: Final = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"
_NUMBER: Final = re.compile(
    rf"(?P<euros>[0-9]{{1,3}}(?:[{_SPACES}][0-9]{{3}})+|[0-9]+)(?:[.,](?P<cents>[0-9]+))?"
)
_CLOSED: Final = str.maketrans("", "", _SPACES)
_CURRENCY: Final = re.compile(rf"[{_SPACES}]*(?:€|EUR|euros?)$", re.IGNORECASE)


def parse(text: str, *, parameter: str = "amount") -> int:
    """Parse a sum written the French way or plainly, to cents: « 1 234,56 € », 1234.5, 0,01.

    Spaces may separate thousands; a comma or a point separates cents, two digits at most.

    Raises
    ------
    InvalidParameter
        If the text is not a sum, is negative or zero, has fractions of a cent, or exceeds `MAX_CENTS`.
    """
    amount = text.strip()
    if amount.startswith(("-", "\N{MINUS SIGN}")):
        raise _refused(
            amount, "est négatif", "Un montant est positif : pour corriger, annulez l'écriture.", parameter
        )
    number = _NUMBER.fullmatch(amount) or _NUMBER.fullmatch(_CURRENCY.sub("", amount))
    if number is None:
        raise _refused(
            amount, "n'est pas un montant", "Écrivez par exemple 1 234,56 €, 1234.56 ou 0,01.", parameter
        )
    decimals = number["cents"] or ""
    if len(decimals) > 2:
        raise _refused(
            amount,
            "a plus de deux décimales",
            "Virgule ou point ne séparent que les centimes ; les milliers, une espace ou rien.",
            parameter,
        )
    euros = number["euros"].translate(_CLOSED).lstrip("0")
    if len(euros) > len(str(MAX_CENTS)):
        raise _too_much(amount, parameter)
    return checked(int(euros or "0") * 100 + int(decimals.ljust(2, "0")), parameter=parameter)


def checked(amount_cents: int, *, parameter: str = "amount") -> int:
    """Return the sum if an entry may have it: a whole number of cents, 1 to `MAX_CENTS`.

    Raises
    ------
    InvalidParameter
        If it may not have it.
    """
    if type(amount_cents) is not int:
        raise _refused(
            repr(amount_cents),
            "n'est pas un nombre entier de centimes",
            "Donnez le montant en centimes, sans virgule.",
            parameter,
        )
    if amount_cents <= 0:
        raise _refused(
            figures.euros(amount_cents),
            "n'est pas positif",
            "Le plus petit montant est de 0,01 € ; pour corriger, annulez l'écriture.",
            parameter,
        )
    if amount_cents > MAX_CENTS:
        raise _too_much(figures.euros(amount_cents), parameter)
    return amount_cents


def plain(amount_cents: int) -> str:
    """Format a sum for spreadsheets and programs: 1234.56, in euros."""
    euros, cents = divmod(abs(amount_cents), 100)
    return f"{'-' if amount_cents < 0 else ''}{euros}.{cents:02d}"


def _refused(amount: str, reason: str, advice: str, parameter: str) -> InvalidParameter:
    return InvalidParameter(f"Le montant « {amount} » {reason}.", advice, parameter=parameter)


def _too_much(amount: str, parameter: str) -> InvalidParameter:
    most = figures.euros(MAX_CENTS)
    return _refused(amount, f"dépasse {most}", "Vérifiez qu'il est bien en euros.", parameter)
