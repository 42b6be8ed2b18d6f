"""The immutable state that every query reads: territory, sites, population, roads. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geo.crs import project
from geo.errors import UnknownSite
from geo.people.model import Indicator, People
from geo.people.town_halls import people_at_town_halls, with_empty
from geo.reach.graph import GraphMetadata, provenance_of
from geo.sites.model import Site
from geo.territory.margin import MARGIN_KM
from geo.territory.model import Provenance, Territory
from geo.wording import dates


@dataclass(frozen=True)
class ClosedSite:
    """A site that a correction closes: since when, until when (None: for good), and why."""

    site: Site
    since: date
    until: date | None
    reason: str


@dataclass(frozen=True)
class Snapshot:
    """Territory and sites at one version of the database.

    `sites` holds the sites shown, sorted by identifier: closed and retired ones are left out.
    `version` increases by one with each change of the database.
    """

    version: int
    taken_at: datetime
    territory: Territory
    sites: tuple[Site, ...] = ()
    site_provenance: tuple[Provenance, ...] = field(default=())
    roads: GraphMetadata | None = None
    """Road graph used for travel times; None when they are estimated."""
    grid: People | None = None
    """Population grid; None when residents are counted at their town hall."""
    indicators: tuple[Indicator, ...] = ()
    closed: Mapping[str, ClosedSite] = field(default_factory=dict)
    """Sites that are closed, by identifier."""
    redirects: Mapping[str, str] = field(default_factory=dict)
    """Identifiers of merged sites, each with that of the site that stands for it."""
    questions: tuple[tuple[str, str], ...] = ()
    """Pairs of sites that may be one place, by identifier, which nobody has decided; sorted."""
    margin_km: float = MARGIN_KM
    """How far outside the territory its sites are, at most, in kilometres."""
    changes_on: date | None = None
    """First later day on which the sites shown change by themselves; None: none."""

    @property
    def fictitious(self) -> bool:
        """Whether any site is invented, which every page must then say."""
        return any(s.fictif for s in self.sites)

    @property
    def sites_updated(self) -> date | None:
        """Latest `date_maj` of the sites, or None when no site has one."""
        return max((s.date_maj for s in self.sites if s.date_maj), default=None)

    @cached_property
    def site_xy(self) -> NDArray[np.float64]:
        """Site coordinates in the metric CRS of the territory, shape (n, 2); NaN where not located."""
        if not self.sites:
            return np.empty((0, 2))
        degrees = np.array([(s.longitude, s.latitude) for s in self.sites], dtype=np.float64)
        xy = project(degrees[:, 0], degrees[:, 1], self.territory.metric_crs)
        xy[~np.isfinite(xy).all(axis=1)] = np.nan
        return xy

    @cached_property
    def _site_by_id(self) -> dict[str, Site]:
        return {s.id: s for s in self.sites}

    @cached_property
    def commune_of_site(self) -> Mapping[str, str]:
        """INSEE code of the commune of each site by identifier: closed ones, and merged identifiers too."""
        found = {site.id: site.code_insee for site in (*self.sites, *(c.site for c in self.closed.values()))}
        merged = {old: found[site_id] for old, site_id in self.redirects.items() if site_id in found}
        return {**merged, **found}

    def current_id(self, site_id: str) -> str:
        """Return the identifier that a merged one redirects to; any other is returned as it is."""
        return self.redirects.get(site_id, site_id)

    def site(self, site_id: str) -> Site:
        """Return the site with a public identifier, or the one that a merged site redirects to.

        Raises
        ------
        UnknownSite
            If no site shown has it.
        """
        stands_for = self.current_id(site_id)
        try:
            return self._site_by_id[stands_for]
        except KeyError:
            if closed := self.closed.get(stands_for):
                raise UnknownSite(
                    f"Le lieu « {closed.site.nom} » est fermé depuis le {dates.long_date(closed.since)}.",
                    f"Il rouvre après le {dates.long_date(closed.until)}."
                    if closed.until
                    else "Cherchez-en un autre dans la même commune.",
                ) from None
            raise UnknownSite(
                f"Aucun lieu ne porte l'identifiant « {site_id} ».",
                "Il a pu être retiré ; cherchez-le par son nom ou sa commune.",
            ) from None

    @cached_property
    def people(self) -> People:
        """Population by place: the grid if there is one, else the town halls.

        A commune without inhabitants in the grid is represented by its town hall, with zero people.
        """
        at_town_halls = people_at_town_halls(self.territory)
        return at_town_halls if self.grid is None else with_empty(self.grid, at_town_halls)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Sources of all data in the snapshot: territory first, then sites, population and roads."""
        grid = self.grid.provenance if self.grid else None
        return (
            *self.territory.provenance,
            *self.site_provenance,
            *([grid] if grid else []),
            *(indicator.provenance for indicator in self.indicators),
            *([provenance_of(self.roads)] if self.roads else []),
        )
