"""For want of a population grid: the inhabitants of a commune, all at its town hall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geo.crs import project
from geo.people.model import AT_TOWN_HALL, People
from geo.territory.model import Territory


def people_at_town_halls(territory: Territory) -> People:
    """One place per commune of the territory: its town hall, with its municipal population.

    Ages are not told. Within one commune every share is then 0 or 1; the label says why.
    """
    communes = territory.communes
    return People(
        commune=np.array([c.code for c in communes], dtype=np.str_),
        xy=project(
            [c.town_hall.x for c in communes], [c.town_hall.y for c in communes], territory.metric_crs
        ),
        inhabitants=np.array([c.population for c in communes], dtype=np.float64),
        aged_65=np.full(len(communes), np.nan),
        label=AT_TOWN_HALL,
    )


def with_empty(people: People, at_town_halls: People) -> People:
    """People with one more place, its town hall, for each commune in which nobody is counted.

    Such a place has no inhabitant: nothing is added to any sum, and every commune has a time.
    """
    empty = ~np.isin(at_town_halls.commune, people.commune)
    if not empty.any():
        return people
    nobody = np.zeros(int(empty.sum()))
    return replace(
        people,
        commune=np.concatenate([people.commune, at_town_halls.commune[empty]]),
        xy=np.vstack([people.xy, at_town_halls.xy[empty]]),
        inhabitants=np.concatenate([people.inhabitants, nobody]),
        aged_65=np.concatenate([people.aged_65, np.where(np.isnan(people.aged_65).all(), np.nan, nobody)]),
    )
