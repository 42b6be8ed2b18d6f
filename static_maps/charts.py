"""Charts as inline SVG: pure functions from figures to text, with their words for who cannot see them.

Colours, type and sizes are attributes, so that a chart needs no style sheet and looks the same on
a page and in a report. Text is escaped; nothing in a chart is code.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from geo.coverage.equity import Lorenz, TimeClass
from geo.wording import figures
from static_maps.page_shell import TOKENS

INK: Final = TOKENS["ink"]
SOFT: Final = TOKENS["soft"]
RULE: Final = TOKENS["rule"]
DEEP: Final = TOKENS["deep"]
FONT: Final = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif"

_WIDTH: Final = 400
_BAR: Final = 26
_LABEL: Final = 118
_NUMBER: Final = 104
_CURVE_POINTS: Final = 120
"""Points a curve is drawn with at most: a pixel or two each."""


def histogram(classes: Sequence[TimeClass], colours: Sequence[str], *, identifier: str) -> str:
    """People by class of travel time, as horizontal bars.

    Parameters
    ----------
    classes
        As `geo.coverage.equity.by_time` gives them; those of nobody out of reach are left out.
    colours
        One for each class, as the map's.
    identifier
        Of the chart in its page: its title and description are named after it.
    """
    shown = [
        (c, colour) for c, colour in zip(classes, colours, strict=True) if c.people or c.above_min < np.inf
    ]
    longest = max((c.people for c, _ in shown), default=0)
    room = _WIDTH - _LABEL - _NUMBER
    shares = figures.percents([c.people for c, _ in shown])
    parts = []
    for row, ((each, colour), share) in enumerate(zip(shown, shares, strict=True)):
        middle = row * _BAR + _BAR / 2
        length = room * each.people / longest if longest else 0
        parts.append(_text(_LABEL - 8, middle + 4, each.label, anchor="end", fill=SOFT))
        parts.append(
            f'<rect x="{_LABEL}" y="{_figure(middle - 9)}" width="{_figure(length)}" height="18" rx="2" '
            f'fill="{colour}" stroke="{INK}" stroke-opacity=".45" stroke-width=".7"/>'
        )
        parts.append(_text(_LABEL + length + 6, middle + 4, f"{figures.count(each.people)} · {share}"))
    parts.append(_line(_LABEL, 0, _LABEL, len(shown) * _BAR))
    sentences = [f"{c.label} : {figures.people(c.people)}" for c, _ in shown]
    return _svg(
        identifier,
        "Personnes par temps de trajet jusqu'au lieu le plus proche",
        " ; ".join(sentences) + ".",
        (_WIDTH, len(shown) * _BAR),
        parts,
    )


def lorenz_curve(curve: Lorenz, *, identifier: str) -> str:
    """How accessible supply is spread over people, worst served first, beside an even spread."""
    left, top, side = 46, 8, 300
    points = _thinned(curve)
    drawn = " ".join(f"{_figure(left + x * side)},{_figure(top + (1 - y) * side)}" for x, y in points)
    parts = []
    for quarter in range(5):
        share = quarter / 4
        across, up = left + share * side, top + (1 - share) * side
        parts += [_line(across, top, across, top + side), _line(left, up, left + side, up)]
        parts.append(_text(across, top + side + 16, figures.percent(share), anchor="middle", fill=SOFT))
        parts.append(_text(left - 6, up + 4, figures.percent(share), anchor="end", fill=SOFT))
    parts.append(f'<polygon points="{drawn} {left + side},{top}" fill="{DEEP}" fill-opacity=".12"/>')
    parts.append(
        f'<line x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}" stroke="{SOFT}" '
        'stroke-width="1.5" stroke-dasharray="5 4"/>'
    )
    parts.append(f'<polyline points="{drawn}" fill="none" stroke="{DEEP}" stroke-width="2.5"/>')
    parts.append(_text(left + side * 0.4, top + side * 0.5, "partage égal", anchor="end", fill=SOFT))
    parts.append(
        _text(
            left + side / 2,
            top + side + 36,
            "habitants, des moins bien servis aux mieux servis",
            anchor="middle",
        )
    )
    parts.append(_text(left, top + side + 54, "↑ part de l'aide accessible", fill=INK))
    halves = (
        "La moitié des habitants la moins bien servie a {} de l'aide accessible ; le dixième, {}.".format(
            *(figures.percent(access_share(curve, share)) for share in (0.5, 0.1))
        )
    )
    return _svg(
        identifier,
        "Courbe de Lorenz de l'aide accessible",
        halves,
        (left + side + 20, top + side + 62),
        parts,
    )


def access_share(curve: Lorenz, share: float) -> float:
    """Share of all access that goes to the worst-served share of people."""
    return float(np.interp(share, curve.people, curve.access))


def _thinned(curve: Lorenz) -> list[tuple[float, float]]:
    if len(curve.people) <= _CURVE_POINTS:
        return list(zip(curve.people.tolist(), curve.access.tolist(), strict=True))
    across = np.linspace(0, 1, _CURVE_POINTS)
    return list(zip(across.tolist(), np.interp(across, curve.people, curve.access).tolist(), strict=True))


def _svg(
    identifier: str, title: str, description: str, size: tuple[float, float], parts: Sequence[str]
) -> str:
    name = escape(identifier)
    width, height = map(_figure, size)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        f'aria-labelledby="{name}-titre {name}-texte" font-family="{escape(FONT)}" font-size="12">'
        f'<title id="{name}-titre">{escape(title)}</title>'
        f'<desc id="{name}-texte">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = INK) -> str:
    return (
        f'<text x="{_figure(x)}" y="{_figure(y)}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = f'x1="{_figure(x1)}" y1="{_figure(y1)}" x2="{_figure(x2)}" y2="{_figure(y2)}"'
    return f'<line {ends} stroke="{RULE}"/>'


def _figure(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
