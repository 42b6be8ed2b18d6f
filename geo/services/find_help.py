"""Who can help, near here: find the place somebody typed, then rank the sites that suit them.

Queries are neither logged nor stored: they may hold somebody's address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from geo.crs import area_of_use, project_point
from geo.errors import DatabaseUnavailable, PorteeError
from geo.hours.calendar import Calendar
from geo.hours.open_status import OpenState, OpenStatus, open_status_at
from geo.hours.weekly import Openness, parse_slot, slot_status
from geo.matching.criteria import ANYTHING, Criteria, Fit
from geo.matching.ranking import MatchResult, RankedSite, rank_sites
from geo.places import geocoder
from geo.places.ban import LICENCE, PRODUCER
from geo.places.model import Place, PlaceKind, best_first
from geo.places.place_index import CERTAIN_SCORE
from geo.reach.modes import Mode
from geo.services.snapshot_view import SnapshotView
from geo.sites.model import Site
from geo.store import addresses
from geo.store.database import Connection
from geo.wording import site_phrases
from geo.wording.language import N_, Language

GOOD_SCORE: Final = 0.75
"""Score of the best place from which the national geocoder is not queried."""

OTHER_PLACES_MAX: Final = 5
"""Other meanings of what was typed, offered beside the best one."""

TOO_FAR: Final = N_("Cet endroit est trop loin d'ici pour que nous sachions qui peut vous aider.")
NOWHERE: Final = N_(
    "Nous n'avons pas trouvé « %(text)s ». Écrivez le nom de votre commune ou son code postal."
)

_FIT_OF_OPENNESS: Final = {Openness.OPEN: Fit.YES, Openness.UNKNOWN: Fit.UNKNOWN, Openness.CLOSED: Fit.NO}


@dataclass(frozen=True, slots=True)
class FoundPlaces:
    """Places found, and where they were searched.

    Attributes
    ----------
    addresses
        True when the stored addresses were searched, False when none are stored, None when the
        database did not answer.
    attribution
        Sources besides the territory's own.
    """

    places: tuple[Place, ...]
    addresses: bool | None
    attribution: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceFinder:
    """Searches communes, postcodes and addresses.

    Attributes
    ----------
    connect
        Opens a connection to the database; raises DatabaseUnavailable.
    database_ok
        Whether the database answered when last tried: it is not tried again otherwise.
    geocoder_url
        The national geocoder; "" if it must not be queried.
    """

    view: SnapshotView
    connect: Callable[[], AbstractContextManager[Connection]]
    database_ok: bool
    geocoder_url: str = ""

    def search(self, text: str, limit: int) -> FoundPlaces:
        """Return the places that match what somebody typed, best first.

        Searches the territory, then the stored addresses if there are any and the database answers,
        then the national geocoder if it is configured and no place scores `GOOD_SCORE`.
        """
        found = self.view.place_index.search(text, limit)
        attribution: list[str] = []
        loaded: bool | None = None
        if self.database_ok:
            try:
                stored, loaded = self._stored_addresses(text, limit, found)
            except DatabaseUnavailable:
                pass
            else:
                found = found + stored
                attribution += [f"{PRODUCER} ({LICENCE})"] if stored else []
        if self.geocoder_url and max((place.score for place in found), default=0.0) < GOOD_SCORE:
            geocoded = geocoder.geocode(self.geocoder_url, text, limit, self.view.snapshot.territory)
            found = found + geocoded
            attribution += ["Géocodeur de l'État"] if geocoded else []
        return FoundPlaces(tuple(best_first(found, limit)), loaded, tuple(attribution))

    def _stored_addresses(self, text: str, limit: int, found: list[Place]) -> tuple[list[Place], bool]:
        """Return the stored addresses that match, and whether any are stored."""
        with self.connect() as connection:
            stored = addresses.search(
                connection,
                text,
                limit,
                communes=self.view.place_index.named_in(text),
                answered=bool(found) and found[0].score >= CERTAIN_SCORE,
            )
            return stored, bool(stored or addresses.about(connection))

    def by_id(self, place_id: str) -> Place:
        """Return the place with an identifier found by an earlier search.

        Raises
        ------
        UnknownPlace
            If no place has it.
        DatabaseUnavailable
            If it is an address, and the database does not answer.
        """
        if place_id.startswith("ban-"):
            with self.connect() as connection:
                return addresses.place(connection, place_id)
        if place_id.startswith("geo-"):
            return geocoder.place(place_id, self.view.snapshot.territory)
        return self.view.place_index.place(place_id)


@dataclass(frozen=True)
class HelpQuery:
    """What somebody asks for, and where they are.

    Attributes
    ----------
    text
        What was typed: an address, a commune, a postcode.
    place
        Identifier of the place chosen among those the text may mean; "" takes the best.
    position
        Longitude and latitude, degrees WGS 84, of the device.
    when
        Code of the opening hours asked for; "" for any.
    """

    text: str = ""
    place: str = ""
    position: tuple[float, float] | None = None
    wishes: Criteria = ANYTHING
    when: str = ""
    mode: Mode = Mode.CAR


@dataclass(frozen=True)
class SearchOrigin:
    """Where somebody is.

    Attributes
    ----------
    place
        The place found; None for a position given by the device.
    others
        Other places the text may mean, best first.
    problem
        Why there is no origin, in French; "" otherwise.
    """

    longitude: float | None = None
    latitude: float | None = None
    place: Place | None = None
    others: tuple[Place, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """The place in words; a postcode with its communes."""
        if self.place is None:
            return ""
        postcode = self.place.kind is PlaceKind.POSTCODE
        return f"{self.place.label} ({self.place.context})" if postcode else self.place.label

    @property
    def found(self) -> bool:
        """Whether there is an origin."""
        return self.longitude is not None


@dataclass(frozen=True)
class HelpFound:
    """The answer to a `HelpQuery`, at `moment`."""

    origin: SearchOrigin
    answer: MatchResult
    moment: datetime


def find_help(finder: PlaceFinder, query: HelpQuery) -> HelpFound:
    """Resolve where somebody is, and rank the sites that suit them by travel time."""
    view = finder.view
    origin = resolve_origin(finder, query)
    moment = view.clock()
    seconds = None
    if origin.longitude is not None and origin.latitude is not None:
        xy = project_point(origin.longitude, origin.latitude, view.snapshot.territory.metric_crs)
        seconds = view.site_times(query.mode).from_place(xy).tolist()
    open_at = _hours_fit(view, query.when, moment) if query.when else None
    return HelpFound(origin, rank_sites(view.snapshot.sites, seconds, query.wishes, open_at=open_at), moment)


def resolve_origin(finder: PlaceFinder, query: HelpQuery) -> SearchOrigin:
    """Return where times are measured from; a problem is described in the result, never raised."""
    place: Place | None = None
    others: tuple[Place, ...] = ()
    if query.position:
        longitude, latitude = query.position
    else:
        place, others = _typed_place(finder, query)
        if place is None:
            return SearchOrigin(problem=NOWHERE if query.text or query.place else "")
        longitude, latitude = place.longitude, place.latitude
    west, south, east, north = area_of_use(finder.view.snapshot.territory.metric_crs)
    if not (west <= longitude <= east and south <= latitude <= north):
        return SearchOrigin(problem=TOO_FAR)
    return SearchOrigin(longitude, latitude, place, others)


def _typed_place(finder: PlaceFinder, query: HelpQuery) -> tuple[Place | None, tuple[Place, ...]]:
    """Return the chosen place, else the best match of the text and the other matches."""
    if query.place:
        try:
            return finder.by_id(query.place), ()
        except PorteeError:
            pass  # an old link: fall back to the text
    if not query.text:
        return None, ()
    found = finder.search(query.text, OTHER_PLACES_MAX + 1).places
    return (found[0], found[1:]) if found else (None, ())


def _hours_fit(view: SnapshotView, when: str, moment: datetime) -> Callable[[Site], Fit]:
    """Return the criterion about opening hours; `when` is a slot such as "maintenant" or "samedi"."""
    slot = parse_slot(when, now=moment)
    week = view.week(slot)
    if slot.week is not None:  # "maintenant": a given quarter of an hour, not any week's
        return lambda site: _fit_now(open_status_at(site, moment, view.calendar))
    return lambda site: _FIT_OF_OPENNESS[slot_status(site, slot, week, view.calendar)]


def _fit_now(status: OpenStatus) -> Fit:
    """Open now; unknown on a public holiday for which the site gives no hours."""
    if status.state is OpenState.CLOSED:
        return Fit.NO
    return Fit.YES if status.state is OpenState.OPEN and not status.doubtful else Fit.UNKNOWN


@dataclass(frozen=True)
class ResultCard:
    """A site of the answer, with its opening status and the reasons it is shown."""

    found: RankedSite
    opening: OpenStatus

    @property
    def site(self) -> Site:
        """The site."""
        return self.found.site

    def reasons(self, _: Language, query: HelpQuery, moment: datetime, *, timed: bool) -> list[str]:
        """Return why this one: « 12 min en voiture », « gratuit », « ouvert jusqu'à 17 h »."""
        site = self.site
        reasons = []
        if timed:
            minutes = self.found.seconds / 60 if site.located else None
            reasons.append(site_phrases.journey(_, minutes, query.mode))
        reasons.append(site_phrases.cost(_, site) or _("prix inconnu"))
        if site.pass_numerique:
            reasons.append(_("accepte le Pass Numérique"))
        reasons.append(site_phrases.opening(_, self.opening, moment))
        return reasons


def result_cards(ranked: Sequence[RankedSite], moment: datetime, calendar: Calendar) -> list[ResultCard]:
    """Return sites as the list shows them."""
    return [ResultCard(each, open_status_at(each.site, moment, calendar)) for each in ranked]
