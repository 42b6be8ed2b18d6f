"""The headline of a coverage in French: its figures, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.coverage import equity
from geo.coverage.export import undecided_sentences
from geo.coverage.gaps import Gap
from geo.coverage.measure import Coverage
from geo.wording import figures
from geo.wording.language import FRENCH, french_count
from static_maps import charts

WORST_SHARE: Final = 0.1
SENTENCES_MAX: Final = 10
"""Gaps that the page describes in a sentence; the table lists them all."""


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
    half = figures.percent(charts.access_share(curve, 0.5)) if curve else ""
    return HeadlineFigures(
        headline=_headline(coverage, beyond),
        beyond=figures.count(beyond),
        share=figures.percent(float(1 - beyond / whole) if whole else None),
        median=figures.seconds(median),
        worst=figures.seconds(worst),
        gini=figures.decimal(gini),
        lorenz=f"la moitié la moins bien servie en a {half}" if curve else "",
        gaps_title="Les dix plus grands écarts" if len(found) > SENTENCES_MAX else "Les écarts",
        doubts=tuple(_doubts(coverage)),
    )


def _headline(coverage: Coverage, beyond: float) -> str:
    question = coverage.question
    fitting = "qui convient" if question.filter or question.slot else "d'aide numérique"
    where = f"à plus de {figures.minutes(question.beyond_min)} d'un lieu {fitting}"
    if not coverage.people.sum():
        return "La population chargée ne compte personne"
    if not beyond:
        return f"Personne n'est {where}"
    return f"{figures.capital(figures.people(beyond))} {FRENCH.plural('est', 'sont', beyond)} {where}"


def _doubts(coverage: Coverage) -> Iterator[str]:
    u = coverage.uncertainty
    if not u.sites:
        yield "Aucun lieu ne répond à la question."
        return
    yield f"Ils reposent sur {coverage.site_range.sentence}."
    yield from (f"{sentence}." for sentence in undecided_sentences(coverage))
    if u.stale == u.sites:
        yield "Aucun lieu n'a été vérifié depuis six mois : à vérifier avant de décider."
    elif u.stale:
        checked = french_count(
            "%(num)s lieu n'a pas été vérifié depuis six mois",
            "%(num)s lieux n'ont pas été vérifiés depuis six mois",
            u.stale,
        )
        without = FRENCH.plural("sans lui", "sans eux", u.stale)
        yield f"{checked}{_moved(u.share, u.share_without_stale, without)}."
    if u.approximate:
        placed = french_count(
            "%(num)s lieu n'est placé qu'à la mairie",
            "%(num)s lieux ne sont placés qu'à la mairie",
            u.approximate,
        )
        without = FRENCH.plural("sans lui", "sans eux", u.approximate)
        yield f"{placed}{_moved(u.share, u.share_without_approximate, without)}."
    if u.unlocated:
        yield french_count(
            "%(num)s lieu sans position n'est pas compté.",
            "%(num)s lieux sans position ne sont pas comptés.",
            u.unlocated,
        )
    if u.hours_unknown:
        unknown = french_count(
            "%(num)s lieu ne dit pas ses horaires",
            "%(num)s lieux ne disent pas leurs horaires",
            u.hours_unknown,
        )
        if coverage.question.slot:
            opened = FRENCH.plural("s'il était ouvert", "s'ils étaient ouverts", u.hours_unknown)
            yield f"{unknown}{_moved(u.share, u.share_if_unknown_open, opened)}."
        else:
            lends = FRENCH.plural("lui", "leur", u.hours_unknown)
            yield f"{unknown} ; l'offre {lends} prête la moyenne des autres."
    if not (u.stale or u.approximate or u.unlocated or u.hours_unknown):
        yield "Tous ont été vérifiés récemment, ont une position et des horaires."


def _moved(share: float | None, other: float | None, case: str) -> str:
    """Say how far the share within reach moves in another case."""
    if share is None or other is None:
        return ""
    now, then = figures.percent(share), figures.percent(other)
    if now == then:
        return f" ; {case}, la part à portée ne change pas"
    return f" ; {case}, {then} des habitants seraient à portée au lieu de {now}"
