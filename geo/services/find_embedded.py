"""Sites that an embedded page lists: those of its territory, else the nearest to its town hall."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from geo.crs import project_point
from geo.matching.ranking import RankedSite, rank_sites
from geo.places.place_index import commune_place_id
from geo.services.embed_options import Embedded
from geo.services.find_help import HelpFound, PlaceFinder, find_help
from geo.services.search_state import PAGE, SearchState
from geo.sites.model import Site
from geo.snapshot import Snapshot
from geo.territory.model import Commune, Grouping, Territory


@dataclass(frozen=True)
class EmbeddedHelp:
    """What an embedded page lists.

    Attributes
    ----------
    seat
        Commune from whose town hall the sites are sorted, where none of the territory suits; else None.
    """

    found: HelpFound
    seat: Commune | None = None


def find_embedded(finder: PlaceFinder, state: SearchState, embedded: Embedded) -> EmbeddedHelp:
    """Return the sites of the territory that suit, as long as the reader gives no place.

    Where none suits, or the territory has none, these are the nearest ones to its town hall, across
    borders. Once the reader gives a place, these are the nearest ones to it.
    """
    found = find_help(finder, state)
    if embedded.territory is None or found.origin.found:
        return EmbeddedHelp(found)
    inside = bounded(found, embedded.territory)
    if inside.answer.fits or inside.answer.maybes:
        return EmbeddedHelp(inside)
    seat = seat_of(embedded.territory, finder.view.snapshot.territory)
    nearest = find_help(finder, replace(state, text="", place=commune_place_id(seat.code)))
    origin = replace(nearest.origin, problem=found.origin.problem)
    return EmbeddedHelp(replace(nearest, origin=origin), seat)


def bounded(found: HelpFound, area: Grouping) -> HelpFound:
    """Return the sites of the communes of a territory only."""
    codes = frozenset(area.communes)

    def within(ranked: Iterable[RankedSite]) -> tuple[RankedSite, ...]:
        return tuple(each for each in ranked if each.site.code_insee in codes)

    answer = found.answer
    inside = replace(
        answer,
        fits=within(answer.fits),
        maybes=within(answer.maybes),
        nearly=within(answer.nearly),
        freed=None,
    )
    return replace(found, answer=inside)


def seat_of(area: Grouping, territory: Territory) -> Commune:
    """Return the commune whose town hall stands for a territory: the most populous, then the lower code."""
    communes = (territory.commune_by_code[code] for code in area.communes)
    return min(communes, key=lambda commune: (-commune.population, commune.code))


def lasting_sites(snapshot: Snapshot, state: SearchState, area: Grouping | None) -> list[Site]:
    """Return the sites of a file that stays valid for months: those of a territory that suit, by commune.

    Where there is none, these are the nearest ones to its town hall as the crow flies, at most `PAGE`.
    """
    found = rank_sites(snapshot.sites, None, state.wishes)
    possible = (*found.fits, *found.maybes)
    if area is None:
        return [each.site for each in possible]
    codes = frozenset(area.communes)
    inside = [each.site for each in possible if each.site.code_insee in codes]
    if inside:
        return inside
    seat = seat_of(area, snapshot.territory).town_hall
    x, y = project_point(seat.x, seat.y, snapshot.territory.metric_crs)
    metres = np.hypot(*(snapshot.site_xy - (x, y)).T)
    located = (each for each in possible if each.site.located)
    return [each.site for each in sorted(located, key=lambda each: metres[each.row])[:PAGE]]
