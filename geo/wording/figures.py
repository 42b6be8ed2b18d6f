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


def minutes_range(low: float, high: float, _: Language = FRENCH) -> str:
    """Write a range of travel times: « 15 à 30 min », « 45 min à 1 h »."""
    shown = _.digits(low) if low >= 1 and high < 59.5 else minutes(low, _)
    return _("%(low)s à %(high)s", low=shown, high=minutes(high, _))


def seconds(value: float | None, _: Language = FRENCH) -> str:
    """Write a travel time given in seconds; a dash for None (nobody to measure), infinity is unreachable."""
    return NO_FIGURE if value is None else minutes(value / 60, _)


def duration(value: float, _: Language = FRENCH) -> str:
    """Write how long something lasts, in seconds, in the largest unit that it fills twice: « 3 minutes »."""
    whole = max(0, int(value))
    if whole >= 2 * 86_400:
        return _.ngettext("%(num)s jour", "%(num)s jours", whole // 86_400)
    if whole >= 2 * 3_600:
        return _.ngettext("%(num)s heure", "%(num)s heures", whole // 3_600)
    if whole >= 120:
        return _.ngettext("%(num)s minute", "%(num)s minutes", whole // 60)
    return _.ngettext("%(num)s seconde", "%(num)s secondes", whole)


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


def euros(cents: float | Decimal | None, _: Language = FRENCH) -> str:
    """Write a sum of money given in cents: « 1 250 € », « 12,50 € », "€1,250"; a dash for None."""
    if cents is None:
        return NO_FIGURE
    cents = int(round_half_up(float(cents)))
    text = euro_digits(abs(cents), _)
    sign = "\N{MINUS SIGN}" if cents < 0 else ""
    return f"{sign}{text}{_SPACE}€" if _.code == SOURCE else f"{sign}€{text}"


def euro_digits(cents: int, _: Language = FRENCH) -> str:
    """Write the digits of a sum of money for a column whose unit is €: « 1 250 », « 12,50 »."""
    whole, rest = divmod(cents, 100)
    return _.digits(whole) + (f"{_.decimal_mark}{rest:02}" if rest else "")


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
    """Write a figure that is no whole number: « 0,041 », « 0,25 », « 2,4 », « 120 »; a dash for None.

    Two significant digits below one (three decimals at most), one decimal below a hundred, none above.
    A figure that would round to zero reads « moins de 0,001 ».
    """
    if value is None or not isfinite(value):
        return NO_FIGURE
    if 0 < value < 0.0005:
        return _("moins de %(figure)s", figure=_.digits(0.001, 3))
    return _trimmed(value, _decimals(value), _)


def round_decimal(value: float) -> float:
    """Round a figure to the digits that `decimal` writes."""
    return round_half_up(value, _decimals(value))


def whole_minutes(value: float) -> int:
    """Round a travel time to what `minutes` writes: zero stands for less than a minute."""
    return 0 if value < 1 else int(round_half_up(value))


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
    return _("%(first)s et %(last)s", first=", ".join(words[:-1]), last=words[-1])


def capital(text: str) -> str:
    """Begin a sentence with a capital letter."""
    return text[:1].upper() + text[1:]


def _decimals(value: float) -> int:
    size = abs(value)
    return 0 if size >= 100 else 1 if size >= 1 else 2 if size >= 0.1 else 3


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
