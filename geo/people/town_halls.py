"""For want of a population grid: the inhabitants of a commune, all at its town hall."""

from __future__ import annotations

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
