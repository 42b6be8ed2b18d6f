"""Content of printed sheets: sites, hours and stops in one language, ready to be laid out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.crs import project
from geo.errors import InvalidParameter
from geo.hours.calendar import Calendar
from geo.hours.open_status import OpenState, OpenStatus, open_status_at
from geo.matching.criteria import receives_public
from geo.matching.upcoming_visits import UpcomingVisit, upcoming_visits
from geo.reach.modes import Mode
from geo.services.find_help import SearchOrigin
from geo.services.search_state import SearchState
from geo.services.snapshot_view import SnapshotView
from geo.sites.model import Site
from geo.sites.text import fold
from geo.territory.model import Commune, Grouping, TerritoryKind
from geo.wording import dates, figures, site_phrases
from geo.wording.language import N_, Language, language
from static_maps.print_hours import hours_lines
from static_maps.print_layout import (
    CardGroup,
    Chapter,
    Directory,
    DirectoryLine,
    Passing,
    PrintCard,
    PrintLink,
    PrintMetadata,
    Sheet,
    Slip,
)

DIRECTORY_NAME: Final = "annuaire"
"""Start of the directory's file name."""

SLUG_MAX: Final = 60

KINDS: Final = (TerritoryKind.COMMUNE, TerritoryKind.CANTON, TerritoryKind.EPCI)
"""Kinds of territory that have a sheet."""

NEAREST: Final = 6
"""Candidate sites of a commune's sheet: it shows as many as fit on its page."""
BEYOND: Final = 3
"""Sites outside the territory added to the sheet of a canton or an EPCI."""
STOPS: Final = {TerritoryKind.COMMUNE: 2, TerritoryKind.CANTON: 6, TerritoryKind.EPCI: 8}
"""Stops listed on a sheet."""
SOURCES_MOST: Final = 75
"""Maximum length of the list of sources, in characters."""
FEW_MINUTES: Final = 5
"""Up to these, a time from one's own town hall says less than « dans la commune »."""
NEAR_M: Final = 15_000.0
"""Metres between town halls within which a stop is nearby."""

TITLE: Final = N_("Besoin d'aide avec le numérique ?")
DIRECTORY: Final = N_("Annuaire de l'aide au numérique")
CALL: Final = N_("Vérifiez par téléphone avant de vous déplacer.")
PAGE: Final = N_("page {n} sur {of}")
INSIDE: Final = {
    TerritoryKind.CANTON: N_("Dans le canton"),
    TerritoryKind.EPCI: N_("Dans l'intercommunalité"),
}


@dataclass(frozen=True)
class Desk:
    """Input of all sheets: the data, a language, the moment, and the address of the pages.

    Attributes
    ----------
    base
        Scheme and host of the pages, without a slash at the end.
    """

    view: SnapshotView
    calendar: Calendar
    code: str
    base: str
    moment: datetime

    @property
    def _(self) -> Language:
        return language(self.code)

    @property
    def day(self) -> date:
        """The date printed on sheets."""
        return self.moment.date()

    @cached_property
    def sites(self) -> list[tuple[int, Site]]:
        """Sites open to the public, with their row in the snapshot."""
        return [(row, site) for row, site in enumerate(self.view.snapshot.sites) if receives_public(site)]

    @cached_property
    def stops(self) -> list[UpcomingVisit]:
        """Upcoming stops from the start of the day."""
        snapshot = self.view.snapshot
        morning = datetime.combine(self.day, time(), self.moment.tzinfo)
        return upcoming_visits(snapshot.sites, snapshot.territory, morning, self.calendar)

    def halls(self, communes: Sequence[Commune]) -> NDArray[np.float64]:
        """Return the town halls, shape (communes, 2), metric CRS."""
        return project(
            [c.town_hall.x for c in communes],
            [c.town_hall.y for c in communes],
            self.view.snapshot.territory.metric_crs,
        )

    def seconds(self, communes: Sequence[Commune]) -> NDArray[np.float32]:
        """Return times by car from town halls, seconds, shape (sites, communes); inf if unreachable."""
        return self.view.site_times(Mode.CAR).from_places(self.halls(communes))

    def link(
        self, asked: SearchState, text: str, *, path: str = "/", shown: SearchState | None = None
    ) -> PrintLink:
        """Return the printed link to a page in the language of the sheet."""
        full, brief = (replace(each, language=self.code) for each in (asked, shown or asked))
        host = self.base.partition("://")[2]
        return PrintLink(self.base + full.address(path), host + brief.address(path), text)


def territory_sheet(desk: Desk, kind: TerritoryKind, code: str) -> Sheet:
    """Return the sheet of a commune, a canton or an EPCI.

    Raises
    ------
    UnknownTerritory
        If no territory of that kind has the code.
    InvalidParameter
        If sheets are not made for that kind.
    """
    if kind not in KINDS:
        raise InvalidParameter(
            f"Il n'y a pas d'affiche pour un territoire de type « {kind.label} ».",
            "Choisissez une commune, un canton ou une intercommunalité.",
        )
    group = desk.view.snapshot.territory.find(code, kind)
    return _commune_sheet(desk, group) if kind is TerritoryKind.COMMUNE else _grouping_sheet(desk, group)


def _commune_sheet(desk: Desk, group: Grouping) -> Sheet:
    _ = desk._
    commune = desk.view.snapshot.territory.commune_by_code[group.code]
    seconds = desk.seconds([commune])[:, 0]
    near = sorted(
        (float(seconds[row]), fold(site.nom), row, site)
        for row, site in desk.sites
        if np.isfinite(seconds[row]) or site.code_insee == commune.code
    )[:NEAREST]

    def how_far(seconds: float, site: Site) -> tuple[str, ...]:
        here = site.code_insee == commune.code
        far = np.isfinite(seconds) and seconds > FEW_MINUTES * 60
        return (
            *((_("Dans la commune"),) if here else ()),
            *((_journey(desk, seconds),) if far or not here else ()),
        )

    cards = tuple(_card(desk, site, how_far(each, site)) for each, _name, _row, site in near)
    others = list(desk.view.snapshot.territory.commune_by_code.values())
    away = np.hypot(*(desk.halls(others) - desk.halls([commune])).T)
    around = {c.code for c, metres in zip(others, away, strict=True) if metres <= NEAR_M}
    there = SearchState(text=commune.name, place=f"commune-{commune.code}")
    return Sheet(
        about=_about(desk, [site for *_rest, site in near], timed=True),
        title=_(TITLE),
        place=commune.name,
        lead=(
            _("Ordinateur, téléphone, démarches en ligne : voici qui peut vous aider, au plus près.")
            if cards
            else _("Aucun lieu n'est connu près d'ici pour le moment.")
        ),
        groups=(CardGroup("", cards),),
        passing_title=_("Près de chez vous, à date fixe"),
        passing=_passing(desk, around, STOPS[TerritoryKind.COMMUNE]),
        link=desk.link(there, _("La liste à jour :"), shown=replace(there, text="")),
        page=_(PAGE),
        one_page=True,
    )


def _grouping_sheet(desk: Desk, group: Grouping) -> Sheet:
    _ = desk._
    territory = desk.view.snapshot.territory
    members = frozenset(group.communes)
    own = sorted(
        ((fold(s.commune), fold(s.nom), row, s) for row, s in desk.sites if s.code_insee in members),
    )
    communes = [territory.commune_by_code[code] for code in group.communes]
    seconds = desk.seconds(communes)
    nearest = seconds.min(axis=1)
    beyond = sorted(
        (float(nearest[row]), fold(site.nom), row, site)
        for row, site in desk.sites
        if site.code_insee not in members and np.isfinite(nearest[row])
    )[:BEYOND]

    def from_where(row: int) -> str:
        start = communes[int(seconds[row].argmin())].name
        return _("%(journey)s depuis %(place)s", journey=_journey(desk, float(nearest[row])), place=start)

    inside = tuple(_card(desk, site, (site.commune,)) for *_rest, site in own)
    outside = tuple(_card(desk, site, (from_where(row),)) for _s, _name, row, site in beyond)
    return Sheet(
        about=_about(desk, [site for *_rest, site in (*own, *beyond)], timed=bool(outside)),
        title=_(TITLE),
        place=_("%(name)s (canton)", name=group.name) if group.kind is TerritoryKind.CANTON else group.name,
        lead=(
            _("Ordinateur, téléphone, démarches en ligne : voici qui peut vous aider.")
            if inside
            else _("Il n'y a pas encore de lieu ici : voici les plus proches.")
        ),
        groups=(CardGroup(_(INSIDE[group.kind]), inside), CardGroup(_("Juste à côté"), outside)),
        passing_title=_("À date fixe, dans les communes"),
        passing=_passing(desk, members, STOPS[group.kind]),
        link=desk.link(SearchState(), _("Cherchez depuis votre commune :")),
        page=_(PAGE),
    )


def territory_directory(desk: Desk) -> Directory:
    """Return the directory of the territory: every site, and the nearest one of each commune."""
    _ = desk._
    territory = desk.view.snapshot.territory
    by_commune: dict[str, list[Site]] = defaultdict(list)
    for _row, site in desk.sites:
        by_commune[site.code_insee or f"?{site.commune}"].append(site)
    chapters: list[Chapter] = []
    beyond: list[Chapter] = []
    for code, sites in by_commune.items():
        known = territory.commune_by_code.get(code)
        name = known.name if known else sites[0].commune or _("Commune inconnue")
        if known and code not in territory.own_codes:
            name = f"{name} ({known.departement_name})"
        cards = tuple(_card(desk, site, ()) for site in sorted(sites, key=lambda s: fold(s.nom)))
        chapter = Chapter(code, name, cards)
        (beyond if known and code not in territory.own_codes else chapters).append(chapter)
    return Directory(
        about=_about(desk, [site for _row, site in desk.sites], timed=True),
        title=_(DIRECTORY),
        place=territory.name,
        lead=_("Tous les lieux qui aident avec un ordinateur, un téléphone ou une démarche en ligne."),
        entries_title=_("Où aller, commune par commune"),
        entries_head=(_("Commune"), _("Le lieu le plus proche"), _("Page")),
        entries=tuple(_entries(desk, by_commune)),
        chapters_title=_("Les lieux"),
        chapters=tuple(sorted(chapters, key=lambda c: fold(c.name))),
        beyond_title=_("De l'autre côté de la limite du département"),
        beyond=tuple(sorted(beyond, key=lambda c: fold(c.name))),
        passing_title=_("À date fixe, dans les communes"),
        passing_none=_("Aucun passage n'est annoncé."),
        passing=_passing(desk, None, len(desk.stops)),
        link=desk.link(SearchState(), _("La liste à jour :")),
        page=_(PAGE),
    )


def _entries(desk: Desk, by_commune: Mapping[str, Sequence[Site]]) -> Iterable[DirectoryLine]:
    """Yield every commune with its page, or with the nearest site if it has none."""
    _ = desk._
    territory = desk.view.snapshot.territory
    communes = sorted(territory.communes, key=lambda c: (fold(c.name), c.code))
    rows = [row for row, _site in desk.sites]
    seconds = desk.seconds(communes)[rows] if rows else np.empty((0, len(communes)))
    for column, commune in enumerate(communes):
        if commune.code in by_commune:
            count = len(by_commune[commune.code])
            yield DirectoryLine(
                commune.name, commune.code, _.ngettext("%(num)s lieu", "%(num)s lieux", count), own=True
            )
            continue
        times = seconds[:, column]
        best = int(times.argmin()) if times.size else -1
        if best < 0 or not np.isfinite(times[best]):
            yield DirectoryLine(commune.name, "", _("Aucun lieu connu"), own=False)
            continue
        site = desk.sites[best][1]
        parts = (_journey(desk, float(times[best])), site.commune, _phone(site), site.nom)
        where = " · ".join(each for each in parts if each)
        yield DirectoryLine(commune.name, site.code_insee or f"?{site.commune}", where, own=False)


def site_slip(desk: Desk, site: Site, origin: SearchOrigin, mode: Mode) -> Slip:
    """Return the slip of one site.

    Only the commune of the origin is printed, never an address: it may be somebody's.
    """
    _ = desk._
    reasons: tuple[str, ...] = ()
    if origin.longitude is not None and origin.latitude is not None:
        territory = desk.view.snapshot.territory
        xy = project([origin.longitude], [origin.latitude], territory.metric_crs)[0]
        row = desk.view.row_of[site.id]
        seconds = float(desk.view.site_times(mode).from_place((float(xy[0]), float(xy[1])))[row])
        if np.isfinite(seconds):
            reasons = (site_phrases.journey(_, seconds / 60, mode),)
            start = territory.commune_by_code.get(origin.place.commune) if origin.place else None
            if start:
                reasons = (_("%(journey)s depuis %(place)s", journey=reasons[0], place=start.name),)
    card = _card(desk, site, reasons)
    if site.acces_fauteuil:
        card = replace(card, reasons=(*card.reasons, _("Accessible en fauteuil roulant")))
    return Slip(
        about=_about(desk, [site], timed=bool(reasons)),
        title=_("Je vous conseille d'aller ici :"),
        card=card,
        opens=figures.capital(_stands(_, open_status_at(site, desk.moment, desk.calendar), desk.moment)),
        hours_title=_("Horaires"),
        link=desk.link(SearchState(), _("Horaires et détails :"), path=site_phrases.site_path(site)),
        lines=(
            (_("Rendez-vous le"), _("à")),
            (_("Demander"),),
            (_("Documents à apporter"),),
            ("",),
        ),
    )


def _about(desk: Desk, sites: Sequence[Site], *, timed: bool) -> PrintMetadata:
    """Return what every sheet says: its date, its sources, its reservations."""
    _ = desk._
    footer = [_("Imprimé le %(date)s.", date=dates.long_date(desk.day, _))]
    if timed and desk.view.travel.graph is None:
        footer.append(_("Les temps de trajet sont estimés à vol d'oiseau."))
    sources = sorted({site.source for site in sites if site.source}, key=fold)
    if sources:
        footer.append(_("Source : %(sources)s", sources=_listed(sources)))
    notice = ""
    if desk.view.snapshot.fictitious:
        notice = _("Données de démonstration") + _(" : les lieux et les numéros montrés sont inventés.")
    return PrintMetadata(desk.code, desk.day, _(CALL), notice, " ".join(footer))


def _listed(sources: Sequence[str]) -> str:
    """Return the sources, cut at `SOURCES_MOST` characters; the first is always whole."""
    text = sources[0]
    for each in sources[1:]:
        if len(text) + len(each) > SOURCES_MOST:
            return f"{text}…"
        text = f"{text}, {each}"
    return text


def _card(desk: Desk, site: Site, reasons: tuple[str, ...]) -> PrintCard:
    _ = desk._
    facts = [*reasons, figures.capital(site_phrases.cost(_, site))]
    if site.pass_numerique:
        facts.append(_("Accepte le Pass Numérique"))
    if site.telephone and site.telephone_remarque:
        facts.append(_("Téléphone : %(remark)s", remark=site.telephone_remarque))
    town = f"{site.code_postal} {site.commune}".strip()
    return PrintCard(
        name=site.nom,
        phone=_phone(site),
        no_phone=_("Téléphone inconnu"),
        reasons=tuple(each for each in facts if each),
        hours=hours_lines(_, site, desk.moment, desk.calendar),
        address=", ".join(each for each in (site.adresse, site.complement_adresse, town) if each),
    )


def _phone(site: Site) -> str:
    return site_phrases.phone(site.telephone) if site_phrases.dialled(site.telephone) else ""


def _journey(desk: Desk, seconds: float) -> str:
    return site_phrases.journey(desk._, seconds / 60 if np.isfinite(seconds) else None, Mode.CAR)


def _passing(desk: Desk, communes: Iterable[str] | None, most: int) -> tuple[Passing, ...]:
    """Return the next stops in some communes, or in all; the first of each place before any second."""
    wanted = None if communes is None else set(communes)
    seen: dict[tuple[str, str], int] = defaultdict(int)
    ranked: list[tuple[int, datetime, int, UpcomingVisit]] = []
    for stop in desk.stops:
        if wanted is None or stop.commune in wanted:
            ranked.append((seen[stop.site.id, stop.place], stop.start, len(ranked), stop))
            seen[stop.site.id, stop.place] += 1
    chosen = sorted(ranked)[:most]
    return tuple(_passing_of(desk._, stop) for *_rank, stop in sorted(chosen, key=lambda each: each[1:3]))


def _passing_of(_: Language, stop: UpcomingVisit) -> Passing:
    return Passing(
        when=figures.capital(
            _(
                "%(day)s, de %(start)s à %(end)s",
                day=dates.weekday_date(stop.start.date(), _, year=False),
                start=dates.time_of_day(stop.start, _),
                end=dates.time_of_day(stop.end, _),
            )
        ),
        place=stop.place,
        name=stop.site.nom,
        phone=_phone(stop.site),
    )


def _stands(_: Language, found: OpenStatus, moment: datetime) -> str:
    """Return the opening status of a site, dated so that it stays true when the sheet is read."""
    if found.state is OpenState.CLOSED and found.opens is not None:
        text = _(
            "ouvre le %(day)s à %(hour)s",
            day=dates.weekday_date(found.opens.date(), _, year=False),
            hour=dates.time_of_day(found.opens, _),
        )
        if found.stop is not None:
            text = _("%(said)s (%(place)s)", said=text, place=found.stop.place)
        return _("%(said)s, sur rendez-vous", said=text) if found.appointment else text
    text = site_phrases.opening(_, found, moment)
    if found.state is OpenState.OPEN:
        return _("le %(day)s : %(said)s", day=dates.weekday_date(moment.date(), _, year=False), said=text)
    return text


def slug(name: str) -> str:
    """Return a name as part of a file name: letters, digits and hyphens, at most `SLUG_MAX`."""
    return "-".join(re.findall(r"[a-z0-9]+", fold(name)))[:SLUG_MAX].strip("-") or "portee"
