"""The headline of a coverage in French: its figures, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np

from geo.coverage import equity, gaps
from geo.coverage.gaps import Gap
from geo.coverage.measure import Coverage
from static_maps import charts, map_phrases

WORST_SHARE: Final = 0.1
GAPS_TOLD: Final = 10
"""Gaps told in sentences on the page; the table has them all."""


@dataclass(frozen=True, slots=True)
class HeadlineFigures:
    """The headline, as text.

    Attributes
    ----------
    doubts
        Sentences: how sure the figures are, and how far they move without doubtful records.
    """

    headline: str
    beyond: str
    share: str
    median: str
    worst: str
    gini: str
    lorenz: str
    gaps_title: str
    doubts: tuple[str, ...]


def headline_figures(coverage: Coverage, found: Sequence[Gap]) -> HeadlineFigures:
    """The headline of a coverage and of its gaps."""
    people, whole = coverage.people, coverage.people.sum()
    seconds = coverage.seconds.astype(np.float64)
    beyond = float(people[coverage.beyond].sum())
    median = equity.quantile(seconds, people, 0.5)
    worst = equity.worst_served(seconds, people, WORST_SHARE, worst_is_highest=True)
    gini = equity.gini(coverage.supply, people)
    curve = coverage.lorenz()
    half = charts.percent(charts.access_share(curve, 0.5)) if curve else ""
    return HeadlineFigures(
        headline=_headline(coverage, beyond),
        beyond=map_phrases.integer(beyond),
        share=charts.percent(float(1 - beyond / whole)) if whole else "—",
        median="—" if median is None else format_minutes(_minutes(median)),
        worst="—" if worst is None else format_minutes(_minutes(worst)),
        gini="—" if gini is None else decimal(gini),
        lorenz=f"la moitié la moins bien servie en a {half}" if curve else "",
        gaps_title="Les dix plus grands écarts" if len(found) > GAPS_TOLD else "Les écarts",
        doubts=tuple(_doubts(coverage)),
    )


def format_minutes(minutes: float | None) -> str:
    """« 12 min »; « hors d'atteinte » for None."""
    return equity.OUT_OF_REACH if minutes is None else f"{map_phrases.integer(minutes)}\u00a0min"


def decimal(number: float) -> str:
    """A figure with a comma: two decimals below ten, one below a hundred, none above."""
    digits = 2 if abs(number) < 10 else 1 if abs(number) < 100 else 0
    text = f"{number:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if digits else text).replace(".", ",")


def _headline(coverage: Coverage, beyond: float) -> str:
    question = coverage.question
    fitting = "qui convient" if question.filter or question.slot else "d'aide numérique"
    where = f"à plus de {question.beyond_min} min d'un lieu {fitting}"
    if not coverage.people.sum():
        return "La population chargée ne compte personne"
    if not beyond:
        return f"Personne n'est {where}"
    said = gaps.format_people(beyond)
    return f"{said[0].upper()}{said[1:]} {'sont' if round(beyond) > 1 else 'est'} {where}"


def _doubts(coverage: Coverage) -> Iterator[str]:
    u = coverage.uncertainty
    if not u.sites:
        yield "Aucun lieu ne répond à la question."
        return
    yield f"Ils reposent sur {_count(u.sites, 'lieu', 'lieux')}."
    if u.stale == u.sites:
        yield "Aucune fiche n'a été vérifiée depuis six mois : à vérifier avant de décider."
    elif u.stale:
        told = _count(u.stale, "fiche n'a pas été vérifiée", "fiches n'ont pas été vérifiées")
        without = "sans elles" if u.stale > 1 else "sans elle"
        yield f"{told} depuis six mois{_moved(u.share, u.share_without_stale, without)}."
    if u.approximate:
        told = _count(u.approximate, "lieu n'est placé", "lieux ne sont placés")
        without = "sans eux" if u.approximate > 1 else "sans lui"
        yield f"{told} qu'à la mairie{_moved(u.share, u.share_without_approximate, without)}."
    if u.unlocated:
        told = _count(
            u.unlocated, "lieu sans position n'est pas compté", "lieux sans position ne sont pas comptés"
        )
        yield f"{told}."
    if u.hours_unknown:
        told = _count(u.hours_unknown, "lieu ne dit pas ses horaires", "lieux ne disent pas leurs horaires")
        several = u.hours_unknown > 1
        if coverage.question.slot:
            opened = "s'ils étaient ouverts" if several else "s'il était ouvert"
            yield f"{told}{_moved(u.share, u.share_if_unknown_open, opened)}."
        else:
            yield f"{told} ; l'offre {'leur' if several else 'lui'} prête la moyenne des autres."
    if not (u.stale or u.approximate or u.unlocated or u.hours_unknown):
        yield "Tous ont une fiche récente, une position et des horaires."


def _count(number: int, one: str, many: str) -> str:
    return f"{map_phrases.integer(number)} {many if number > 1 else one}"


def _moved(share: float | None, other: float | None, if_so: str) -> str:
    """How far the share within reach moves in another case."""
    if share is None or other is None:
        return ""
    if charts.percent(share) == charts.percent(other):
        return f" ; {if_so}, la part à portée ne change pas"
    now = charts.percent(share)
    return f" ; {if_so}, {charts.percent(other)} des habitants seraient à portée au lieu de {now}"


def _minutes(seconds: float) -> float | None:
    return seconds / 60 if isfinite(seconds) else None
