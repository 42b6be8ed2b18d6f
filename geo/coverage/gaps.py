"""Gaps: people out of reach of suitable help, where they live, and what nearer sites lack.

Communes and places are ranked by people × need × minutes beyond the threshold. Each gap comes with a
French sentence generated from its figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.coverage import equity
from geo.coverage.measure import Coverage, nearest_for_most
from geo.hours.weekly import Openness, Slot, slot_status
from geo.sites.filters import SiteFilter
from geo.sites.model import Site
from geo.territory.model import TerritoryKind
from geo.wording import figures

_FACTS: Final = {
    "pass_numerique": ("n'accepte pas le Pass numérique", "ne dit pas s'il accepte le Pass numérique"),
    "acces_fauteuil": ("n'est pas accessible en fauteuil", "ne dit pas s'il est accessible en fauteuil"),
    "membre_reseau": ("n'est pas membre du réseau", "ne dit pas s'il est membre du réseau"),
}
_OFFERS: Final = {
    "services": "ne propose pas",
    "publics_specifiquement_adresses": "ne s'adresse pas à",
    "prise_en_charge_specifique": "n'annonce pas",
    "frais_a_charge": "n'est pas annoncé",
    "formations_labels": "n'a pas le label",
    "dispositif_programmes_nationaux": "ne relève pas de",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """People of one commune, or of one place in it, who are out of reach of suitable help.

    Attributes
    ----------
    commune, name
        INSEE code and name of the commune.
    xy
        The place, metric CRS; for a commune, its place with the largest gap.
    people
        Persons farther than the question's `beyond_min`.
    minutes
        Their median time to the nearest site counted; None if half of them cannot reach any.
    gap
        Persons × need × minutes beyond, see `geo.coverage.measure`.
    nearest_site_id
        The site that is nearest for most of them; None if no site can be reached.
    unsuitable_site_id, unsuitable_min
        The nearest of all sites, if it is within `beyond_min` of the place, and its time; it is not
        suitable, or the place would not be in a gap.
    missing
        What it lacks: French phrases.
    sentence
        The gap in a French sentence.
    """

    commune: str
    name: str
    xy: tuple[float, float]
    people: float
    minutes: float | None
    gap: float
    nearest_site_id: str | None
    unsuitable_site_id: str | None
    unsuitable_min: float | None
    missing: tuple[str, ...]
    sentence: str


def gaps_of_communes(coverage: Coverage) -> tuple[Gap, ...]:
    """Return the gap of each commune with people beyond the threshold, largest first."""
    groups, of_place = coverage.frame.membership(TerritoryKind.COMMUNE)
    lacking = np.flatnonzero((coverage.gap > 0) & (of_place >= 0))
    if not len(lacking):
        return ()
    lacking = lacking[np.argsort(of_place[lacking], kind="stable")]
    rows, starts = np.unique(of_place[lacking], return_index=True)
    found = [
        _gap(coverage, places, groups[row].name)
        for row, places in zip(rows, np.split(lacking, starts[1:]), strict=True)
    ]
    return tuple(sorted(found, key=lambda g: (-g.gap, g.commune)))


def gaps_of_places(coverage: Coverage, *, limit: int = 100) -> tuple[Gap, ...]:
    """Return the largest gaps of single places (cells of the population grid), largest first."""
    groups, of_place = coverage.frame.membership(TerritoryKind.COMMUNE)
    largest = np.argsort(-coverage.gap, kind="stable")[:limit]
    return tuple(
        _gap(coverage, np.array([place]), groups[of_place[place]].name)
        for place in largest
        if coverage.gap[place] > 0
    )


def question_text(coverage: Coverage) -> str:
    """The question in French words: « en voiture · Gratuit · ouvert le samedi »."""
    question = coverage.question
    words = [question.mode.label]
    for name, values in question.filter.conditions:
        words.append(_asked(name, values))
    if question.slot:
        words.append(question.slot.label)
    if question.population == "65":
        words.append("personnes de 65 ans ou plus")
    return " · ".join(words)


def _gap(coverage: Coverage, places: NDArray[np.intp], name: str) -> Gap:
    """Return the gap of some places of one commune, all beyond the threshold."""
    frame, sites = coverage.frame, coverage.frame.snapshot.sites
    people = coverage.people[places]
    median = equity.quantile(coverage.seconds[places].astype(np.float64), people, 0.5)
    worst = int(places[coverage.gap[places].argmax()])
    nearest = nearest_for_most(coverage.nearest[places], people)
    unsuitable = _unsuitable(coverage, worst)
    gap = Gap(
        commune=str(frame.people.commune[worst]),
        name=name,
        xy=(float(frame.people.xy[worst, 0]), float(frame.people.xy[worst, 1])),
        people=float(people.sum()),
        minutes=median / 60 if median is not None and np.isfinite(median) else None,
        gap=float(coverage.gap[places].sum()),
        nearest_site_id=sites[nearest].id if nearest is not None else None,
        unsuitable_site_id=sites[unsuitable[0]].id if unsuitable else None,
        unsuitable_min=unsuitable[1] if unsuitable else None,
        missing=tuple(_missing(coverage, sites[unsuitable[0]])) if unsuitable else (),
        sentence="",
    )
    return _with_sentence(coverage, gap)


def _unsuitable(coverage: Coverage, place: int) -> tuple[int, float] | None:
    """Return the nearest of all sites and its minutes, if it is within the threshold of a place."""
    seconds = coverage.frame.times(coverage.question.mode)[:, place]
    if not len(seconds):
        return None
    row = int(seconds.argmin())
    near = float(seconds[row])
    return (row, near / 60) if near <= coverage.question.beyond_min * 60 else None


def _missing(coverage: Coverage, site: Site) -> Iterator[str]:
    """Yield what a site lacks to suit a question, as French phrases."""
    question = coverage.question
    for name, values in question.filter.conditions:
        if not SiteFilter(((name, values),)).matches(site):
            yield _lacking(site, name, values)
    if question.slot:
        openness = slot_status(site, question.slot, coverage.frame.week)
        if openness is not Openness.OPEN:
            yield _closed(question.slot, openness)


def _closed(slot: Slot, openness: Openness) -> str:
    return f"n'est pas {slot.label}" if openness is Openness.CLOSED else "ne dit pas ses horaires"


def _lacking(site: Site, name: str, values: tuple[str, ...]) -> str:
    if name in _FACTS:
        refused, unknown = _FACTS[name]
        return unknown if getattr(site, name) is None else refused
    wanted = " ou ".join(f"« {value} »" for value in values)
    return f"{_OFFERS.get(name, f'ne répond pas au critère {name} :')} {wanted}"


def _asked(name: str, values: tuple[str, ...]) -> str:
    yes = values == ("true",)
    if name in _FACTS and yes:
        return {
            "pass_numerique": "Pass numérique accepté",
            "acces_fauteuil": "accessible en fauteuil",
            "membre_reseau": "membre du réseau",
        }[name]
    return " ou ".join(values) if name in _OFFERS else f"{name} : {' ou '.join(values)}"


def _with_sentence(coverage: Coverage, gap: Gap) -> Gap:
    question, sites = coverage.question, coverage.frame.snapshot
    fitting = "qui convient" if question.filter or question.slot else "d'aide numérique"
    text = (
        f"{gap.name} : {figures.people(gap.people)} à plus de {figures.minutes(question.beyond_min)} "
        f"{question.mode.label} d'un lieu {fitting}."
    )
    if gap.nearest_site_id is None:
        text += f" Aucun lieu {fitting} ne peut être atteint."
    else:
        site = sites.site(gap.nearest_site_id)
        where = f" ({site.commune})" if site.commune else ""
        away = (
            "n'est atteint que de certains"
            if gap.minutes is None
            else f"est à {figures.minutes(gap.minutes)}"
        )
        text += f" Le plus proche, « {site.nom} »{where}, {away}."
    if gap.unsuitable_site_id and gap.missing:
        site = sites.site(gap.unsuitable_site_id)
        reasons = " et ".join(gap.missing)
        text += f" « {site.nom} », à {figures.minutes(gap.unsuitable_min)}, {reasons}."
    return replace(gap, sentence=text)
