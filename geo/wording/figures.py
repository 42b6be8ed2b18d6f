"""Figures as text: travel times, distances, shares, sums of money, counts. The rules are in docs/wording.md.

`static_maps/assets/figures.js` follows the same rules in the browser; a test runs both over one table.
A number and its unit are held together by a no-break space, thousands by a narrow one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import floor, isfinite, isinf, isnan
from typing import Final

from geo.wording.language import FRENCH, N_, SOURCE, Language, round_half_up

NO_FIGURE: Final = "—"
"""Stands where there is no figure."""
UNKNOWN: Final = N_("inconnu")
UNKNOWN_TIME: Final = N_("temps inconnu")
OUT_OF_REACH: Final = N_("hors d'atteinte")

_SPACE: Final = "\N{NO-BREAK SPACE}"
_HAIR: Final = 1e-9
"""Per cent that sums of floats may be off."""


def minutes(value: float | None, _: Language = FRENCH) -> str:
    """Write a travel time in minutes: « 12 min », « 1 h 05 », « moins d'une minute ».

    None is unknown (« temps inconnu »), infinity is unreachable (« hors d'atteinte »).
    """
    if value is None or isnan(value):
        return _(UNKNOWN_TIME)
    if isinf(value):
        return _(OUT_OF_REACH)
    if value < 1:
        return _("moins d'une minute")
    hours, rest = divmod(int(round_half_up(value)), 60)
    if not hours:
        return f"{rest}{_SPACE}min"
    return f"{hours}{_SPACE}h" + (f"{_SPACE}{rest:02}" if rest else "")


def reach_minutes(value: float | None, _: Language = FRENCH) -> str:
    """Write a travel time of coverage, where None means that no site can be reached."""
    return minutes(float("inf") if value is None else value, _)


def seconds(value: float | None, _: Language = FRENCH) -> str:
    """Write a travel time given in seconds, by the rule of `reach_minutes`."""
    return reach_minutes(None if value is None else value / 60, _)


def minutes_change(value: float | None, _: Language = FRENCH) -> str:
    """Write by how much a mean time changes: « +1,5 min », « −0,4 min », « 0 min »; a dash for None."""
    if value is None or not isfinite(value):
        return NO_FIGURE
    return f"{signed(value, _)}{_SPACE}min"


def distance(metres: float | None, _: Language = FRENCH) -> str:
    """Write a distance: « 40 m », « 350 m », « 1,5 km », « 12 km »; a dash for None.

    Below 100 m to 10 m, below 1 km to 50 m, below 10 km to 100 m, whole kilometres above.
    """
    if metres is None or not isfinite(metres):
        return NO_FIGURE
    if metres < 10:
        least = f"10{_SPACE}m"
        return _("moins de %(figure)s", figure=least)
    step = 10 if metres < 100 else 50
    rounded = int(round_half_up(metres / step)) * step
    if rounded < 1000:
        return f"{rounded}{_SPACE}m"
    return f"{decimal_km(metres / 1000, _)}{_SPACE}km"


def decimal_km(kilometres: float, _: Language = FRENCH) -> str:
    """Write the digits of a length in kilometres: one decimal below ten, none above."""
    return _trimmed(kilometres, 1 if round_half_up(kilometres, 1) < 10 else 0, _)


def percent(share: float | None, _: Language = FRENCH) -> str:
    """Write a fraction in whole per cent: « 42 % », « moins de 1 % », « plus de 99 % »; a dash for None."""
    if share is None or not isfinite(share):
        return NO_FIGURE
    return _percent(share * 100, int(round_half_up(share * 100)), _)


def percents(values: Sequence[float], _: Language = FRENCH) -> list[str]:
    """Write the parts of one whole in whole per cent that sum to 100.

    Largest remainders (Hamilton's method): each part is rounded down, and the points that are missing go to
    the parts that lost most. A part below half a per cent is served last, because it reads « moins de 1 % »
    everywhere else. Parts of nothing are dashes.
    """
    return [
        NO_FIGURE if whole is None else _percent(exact, whole, _)
        for exact, whole in zip(_exact(values), whole_percents(values), strict=True)
    ]


def whole_percents(values: Sequence[float]) -> list[int] | list[None]:
    """Share parts of one whole out in whole per cent that sum to 100; None each when they are all zero."""
    exact = _exact(values)
    if not any(exact):
        return [None] * len(values)
    shares = [floor(each + _HAIR) for each in exact]
    order = sorted(
        range(len(exact)), key=lambda at: (exact[at] < 0.5, -(exact[at] - shares[at]), -exact[at], at)
    )
    for at in order[: 100 - sum(shares)]:
        shares[at] += 1
    return shares


def euros(cents: int | None, _: Language = FRENCH) -> str:
    """Write a sum of money given in cents: « 1 250 € », « 12,50 € », "€1,250"; a dash for None."""
    if cents is None:
        return NO_FIGURE
    whole, rest = divmod(abs(cents), 100)
    text = _.digits(whole) + (f"{_.decimal_mark}{rest:02}" if rest else "")
    sign = "\N{MINUS SIGN}" if cents < 0 else ""
    return f"{sign}{text}{_SPACE}€" if _.code == SOURCE else f"{sign}€{text}"


def count(value: float | None, _: Language = FRENCH) -> str:
    """Write a whole number, thousands apart: « 333 602 », "333,602"; a dash for None."""
    if value is None or not isfinite(value):
        return NO_FIGURE
    return _.digits(value)


def people(value: float, _: Language = FRENCH) -> str:
    """Write a number of persons: « 1 240 personnes », « moins d'une personne », « aucune personne »."""
    if value <= 0:
        return _("aucune personne")
    if round_half_up(value) < 1:
        return _("moins d'une personne")
    return _.ngettext("%(num)s personne", "%(num)s personnes", value)


def decimal(value: float | None, _: Language = FRENCH) -> str:
    """Write a figure: two decimals below ten, one below a hundred, none above; a dash for None.

    A figure that would round to zero reads « moins de 0,01 ».
    """
    if value is None or not isfinite(value):
        return NO_FIGURE
    if 0 < value < 0.005:
        return _("moins de %(figure)s", figure=_.digits(0.01, 2))
    return _trimmed(value, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0, _)


def exact(value: float, _: Language = FRENCH) -> str:
    """Write a number with all its digits, ten significant at most: a setting, a weight, a class bound."""
    if not isfinite(value):
        return NO_FIGURE
    # Ten significant digits: more would show the noise of binary fractions.
    digits = format(Decimal(f"{abs(value):.10g}"), "f")
    decimals = len(digits.partition(".")[2])
    return _trimmed(value, decimals, _)


def signed(value: float, _: Language = FRENCH) -> str:
    """Write a change with its sign and at most one decimal: « +1,5 », « −2 », « 0 »."""
    text = _trimmed(value, 1, _)
    return f"+{text}" if round_half_up(value, 1) > 0 else text


def file_size(octets: float, _: Language = FRENCH) -> str:
    """Write the size of a file: « 350 ko », « 1,5 Mo »."""
    unit = "o" if _.code == SOURCE else "B"
    if octets < 1_000_000:
        return f"{_.digits(octets / 1_000)}{_SPACE}k{unit}"
    return f"{_trimmed(octets / 1_000_000, 1, _)}{_SPACE}M{unit}"


def listed(words: Sequence[str], _: Language = FRENCH) -> str:
    """Join words as a sentence does: « Agen, Nérac et Marmande »."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {_('et')} {words[-1]}"


def capital(text: str) -> str:
    """Begin a sentence with a capital letter."""
    return text[:1].upper() + text[1:]


def _trimmed(value: float, decimals: int, _: Language) -> str:
    text = _.digits(value, decimals)
    return text.rstrip("0").rstrip(_.decimal_mark) if decimals else text


def _percent(exact_percent: float, whole: int, _: Language) -> str:
    if whole == 0 and exact_percent > 0:
        return _("moins de %(figure)s", figure=_sign(1, _))
    if whole == 100 and exact_percent < 100 - _HAIR:
        return _("plus de %(figure)s", figure=_sign(99, _))
    return _sign(whole, _)


def _sign(whole: int, _: Language) -> str:
    return f"{_.digits(whole)}{_SPACE}%" if _.code == SOURCE else f"{_.digits(whole)}%"


def _exact(values: Sequence[float]) -> list[float]:
    total = sum(values)
    return [100 * value / total if total else 0.0 for value in values]
