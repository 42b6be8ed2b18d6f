"""`/`: one field, then who can help, soonest reached first, with a telephone number to tap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.places import find_place, find_places
from api.rendered_snapshot import CurrentView
from api.residents.choices import CHOICES, GROUP_NAMES, choice_label
from api.residents.page_context import PageContext, base_url, html, render
from api.residents.search_state import PAGE, SearchState, UnusableValue, read
from api.routing import router
from api.service import AppState, app_state
from geo.crs import area_of_use, project_point
from geo.errors import PorteeError
from geo.hours.calendar import Calendar
from geo.hours.open_status import OpenState, OpenStatus, open_status_at
from geo.hours.weekly import Openness, parse_slot, slot_status
from geo.matching.criteria import Fit
from geo.matching.ranking import MatchResult, RankedSite, rank_sites
from geo.places.model import Place, PlaceKind
from geo.services.snapshot_view import SnapshotView
from geo.sites.model import Site
from geo.wording import site_phrases
from geo.wording.language import N_, Language

PATH: Final = "/"
MAYBES: Final = 5
"""Sites that do not tell all, listed after those that fit."""
OTHERS: Final = 5
"""Other meanings of what was typed, offered beside the best."""

_FITS: Final = {Openness.OPEN: Fit.YES, Openness.UNKNOWN: Fit.UNKNOWN, Openness.CLOSED: Fit.NO}

TOO_FAR: Final = N_("Cet endroit est trop loin d'ici pour que nous sachions qui peut vous aider.")
NOWHERE: Final = N_(
    "Nous n'avons pas trouvé « %(text)s ». Écrivez le nom de votre commune ou son code postal."
)


@dataclass(frozen=True)
class SearchOrigin:
    """Where somebody is.

    Attributes
    ----------
    place
        The place found; None for a position given as such.
    others
        Other places the words may mean, best first.
    problem
        Why there is none, in French; "" otherwise.
    """

    longitude: float | None = None
    latitude: float | None = None
    place: Place | None = None
    others: tuple[Place, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """The place in words; a postcode with the communes it stands for."""
        if self.place is None:
            return ""
        postcode = self.place.kind is PlaceKind.POSTCODE
        return f"{self.place.label} ({self.place.context})" if postcode else self.place.label

    @property
    def found(self) -> bool:
        """Whether a place is known."""
        return self.longitude is not None


@dataclass(frozen=True)
class ResultCard:
    """A site as the list shows it."""

    found: RankedSite
    opening: OpenStatus

    @property
    def site(self) -> Site:
        """The site."""
        return self.found.site

    def reasons(self, _: Language, asked: SearchState, moment: datetime, *, timed: bool) -> list[str]:
        """Why this one: « 12 min en voiture », « gratuit », « ouvert jusqu'à 17 h »."""
        site = self.site
        reasons = []
        if timed:
            minutes = self.found.seconds / 60 if site.located else None
            reasons.append(site_phrases.journey(_, minutes, asked.mode))
        reasons.append(site_phrases.cost(_, site) or _("prix inconnu"))
        if site.pass_numerique:
            reasons.append(_("accepte le Pass Numérique"))
        reasons.append(site_phrases.opening(_, self.opening, moment))
        return reasons


@dataclass(frozen=True)
class Results:
    """What is known of a request: where, what, and who can help."""

    asked: SearchState
    origin: SearchOrigin
    answer: MatchResult
    moment: datetime

    def cards(self, found: Sequence[RankedSite], calendar: Calendar) -> list[ResultCard]:
        """Sites as the list shows them."""
        return [ResultCard(each, open_status_at(each.site, self.moment, calendar)) for each in found]


def resolve_origin(service: AppState, view: SnapshotView, asked: SearchState) -> SearchOrigin:
    """Where the request measures from; a problem is told, never raised."""
    epsg = view.snapshot.territory.metric_crs
    west, south, east, north = area_of_use(epsg)
    place: Place | None = None
    others: tuple[Place, ...] = ()
    if asked.position:
        longitude, latitude = asked.position
    else:
        if asked.place:
            try:
                place = find_place(service, view, asked.place)
            except PorteeError:
                place = None
        if place is None and asked.text:
            found = find_places(service, view, asked.text, OTHERS + 1)
            place, others = (found[0], tuple(found[1:])) if found else (None, ())
        if place is None:
            return SearchOrigin(problem=NOWHERE if asked.text or asked.place else "")
        longitude, latitude = place.longitude, place.latitude
    if not (west <= longitude <= east and south <= latitude <= north):
        return SearchOrigin(problem=TOO_FAR)
    return SearchOrigin(longitude, latitude, place, others)


def search(service: AppState, view: SnapshotView, asked: SearchState) -> Results:
    """Answer a request: what the list, the map, the sheets of paper and the embedded page all show."""
    origin = resolve_origin(service, view, asked)
    moment = view.clock()
    seconds = None
    if origin.longitude is not None and origin.latitude is not None:
        xy = project_point(origin.longitude, origin.latitude, view.snapshot.territory.metric_crs)
        seconds = view.site_times(asked.mode).from_place(xy).tolist()
    found = rank_sites(view.snapshot.sites, seconds, asked.wishes, open_at=_hours(view, asked, moment))
    return Results(asked, origin, found, moment)


def _hours(view: SnapshotView, asked: SearchState, moment: datetime) -> Callable[[Site], Fit] | None:
    if not asked.when:
        return None
    slot = parse_slot(asked.when, now=moment)
    week = view.week(slot)
    if slot.week is not None:
        return lambda site: _now(open_status_at(site, moment, view.calendar))
    return lambda site: _FITS[slot_status(site, slot, week, view.calendar)]


def _now(found: OpenStatus) -> Fit:
    """Open now; perhaps not on a public holiday its hours say nothing of."""
    if found.state is OpenState.CLOSED:
        return Fit.NO
    return Fit.YES if found.state is OpenState.OPEN and not found.doubtful else Fit.UNKNOWN


def find_page(
    service: AppState,
    current: CurrentView,
    asked: SearchState,
    unusable: Sequence[UnusableValue] = (),
    base: str = "",
) -> str:
    """The page of a request, as HTML; `base` is scheme and host of its address."""
    view = current.view
    results = search(service, view, asked)
    frame = PageContext(PATH, asked, current)
    calendar = view.calendar
    found = results.answer
    shown = found.fits[: asked.count]
    room = MAYBES if found.fits else asked.count
    values = {
        "results": results,
        "choices": CHOICES,
        "group_names": GROUP_NAMES,
        "words_of": choice_label,
        "cards": results.cards(shown, calendar),
        "maybes": results.cards(found.maybes[:room], calendar),
        "nearly": results.cards(found.nearly, calendar),
        "more": replace(asked, count=min(asked.count + PAGE * 2, 200)) if has_more(found, asked) else None,
        "unusable": [each.said(frame.language) for each in unusable],
        "map_address": asked.address("/lieux/carte"),
        "base": base,
        "by_road": view.travel.graph is not None,
    }
    return render("find.html", frame, values)


def has_more(found: MatchResult, asked: SearchState) -> bool:
    """Whether some sites found are not listed yet."""
    return asked.count < 200 and (
        len(found.fits) > asked.count or (not found.fits and len(found.maybes) > asked.count)
    )


routes = router("pages", "", described=False)


@routes.get(PATH)
def home(request: Request) -> Response:
    """The page that answers « qui peut m'aider, près d'ici ? »."""
    service = app_state(request)
    asked, unusable = read(request.scope["query_string"])
    return html(
        find_page(service, service.current(), asked, unusable, base_url(request)), keep=KEPT[asked.anywhere]
    )


KEPT: Final = {False: "public, max-age=60", True: "private, no-cache"}
"""Whether a place was asked → how long the page may be kept, and by whom."""
