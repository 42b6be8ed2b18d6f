"""Population without a grid: all inhabitants of a commune at its town hall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geo.crs import project
from geo.people.model import AT_TOWN_HALL, People
from geo.territory.model import Territory


def people_at_town_halls(territory: Territory) -> People:
    """Return one place per commune of the territory: its town hall, with the municipal population.

    Ages are unknown. Every share within one commune is then 0 or 1, which the label explains.
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
    """Add a place, its town hall, for each commune where nobody is counted.

    These places have no inhabitants, so sums do not change, but every commune has a travel time.
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
