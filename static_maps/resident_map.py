"""The map of sites for residents: the answer to a search, or all sites in one file to embed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import jinja2

from geo.hours.calendar import Calendar
from geo.hours.open_status import open_status_at
from geo.matching.choices import GROUP_NAMES
from geo.matching.ranking import RankedSite
from geo.services.embed_options import BOTH, Embedded
from geo.services.find_embedded import lasting_sites
from geo.services.find_help import HelpFound, ResultCard
from geo.services.search_state import SearchState
from geo.sites.model import Site
from geo.snapshot import Snapshot
from geo.wording import dates, names, site_phrases
from geo.wording.language import Language, language
from static_maps.coverage_map import WrittenPage
from static_maps.page_data import hours, stops
from static_maps.page_shell import PageShell
from static_maps.settings import MapSettings
from static_maps.sites_map import MapOrigin, MapTexts, MapView, Pin, sites_map


def help_map(
    snapshot: Snapshot,
    found: HelpFound,
    state: SearchState,
    embedded: Embedded,
    *,
    calendar: Calendar,
    outline: bytes,
    settings: MapSettings,
    shell: PageShell,
    templates: jinja2.Environment,
) -> WrittenPage:
    """Draw the answer to a search on a map.

    Parameters
    ----------
    outline
        The territory's boundaries, see `static_maps.sites_map.outline_json`.
    shell
        What surrounds the map on its page.
    templates
        Environment with the translations of the shell.
    """
    _ = language(state.language)
    ranked = bool(state.anywhere or state.chosen() or state.wishes.words or embedded.view == BOTH)
    answer = found.answer
    listed = state.count if ranked else 0

    def pins_of(sites: Iterable[RankedSite], *, first: int | None = None, sure: bool = True) -> list[Pin]:
        return _pins(_, found, state, calendar, sites, first=first, sure=sure)

    pins = [
        *pins_of(answer.fits[:listed], first=1),
        *pins_of(answer.fits[listed:]),
        *pins_of(answer.maybes, sure=False),
        *pins_of(answer.nearly, sure=False),
    ]
    origin = found.origin
    where = (
        MapOrigin(
            (origin.longitude, origin.latitude),
            origin.place.label if origin.place else _("votre position"),
        )
        if origin.longitude is not None and origin.latitude is not None
        else None
    )
    return sites_map(
        snapshot,
        pins,
        words=map_texts(_, embedded, snapshot.territory.name, where.name if where else ""),
        settings=settings,
        outline=outline,
        origin=where,
        view=initial_view(state, embedded),
        back=state.address("/"),
        accent=embedded.accent,
        shell=shell,
        templates=templates,
    )


def one_file(
    snapshot: Snapshot,
    state: SearchState,
    embedded: Embedded,
    *,
    outline: bytes,
    settings: MapSettings,
    address: str = "",
) -> WrittenPage:
    """Draw the map of a territory's sites in one HTML file that requests nothing but tiles.

    A territory without a site that suits gets the nearest ones (`lasting_sites`). The file stays valid
    for months: it shows the hours of a site, not whether it is open now.

    Parameters
    ----------
    outline
        The territory's boundaries, see `static_maps.sites_map.outline_json`.
    address
        Where the service answers, for links to it; "" for none.
    """
    sites = lasting_sites(snapshot, state, embedded.territory)
    _ = language(state.language)
    words = map_texts(_, embedded, snapshot.territory.name)
    if snapshot.sites_updated:
        lead = _(
            "Choisissez un lieu pour voir son numéro de téléphone. Informations du %(date)s.",
            date=dates.long_date(snapshot.sites_updated, _),
        )
        words = replace(words, lead=lead)
    return sites_map(
        snapshot,
        lasting_pins(_, sites, address),
        words=words,
        settings=settings,
        outline=outline,
        view=initial_view(state, embedded),
        back=f"{address}{state.address('/')}" if address else "",
        accent=embedded.accent,
        sealed=True,
    )


def initial_view(state: SearchState, embedded: Embedded) -> MapView | None:
    """Return the first view of the map given by the options; None once there is an origin."""
    if embedded.centre is None or state.anywhere:
        return None
    return MapView(embedded.centre, embedded.zoom)


def map_texts(_: Language, embedded: Embedded, territory: str, place: str = "") -> MapTexts:
    """Return the texts of a map in a language."""
    area = embedded.territory.name if embedded.territory else territory
    return MapTexts(
        language=_.code,
        title=embedded.title
        or (
            _("Aide au numérique près %(of_place)s : la carte", of_place=names.of_place(place, _))
            if place
            else _("Aide au numérique sur la carte : %(area)s", area=area)
        ),
        lead=_("Choisissez un lieu pour voir son numéro de téléphone."),
        back=_("Voir la liste"),
        map_label=_(
            "Carte des lieux, %(area)s. Flèches pour se déplacer, plus et moins pour agrandir ou réduire.",
            area=area,
        ),
        no_script=_("La carte demande JavaScript. La liste dit la même chose."),
        demonstration=_("Données de démonstration : les lieux et les numéros montrés sont inventés."),
        listed=_("Les premiers de la liste"),
        fits=_("Un autre lieu qui convient"),
        place=_("Un lieu"),
        maybe=_("À vérifier par téléphone"),
        several=_("%n lieux ici : agrandir"),
        origin=_("Vous cherchez près de : %s"),
        zoom_in=_("Agrandir la carte"),
        zoom_out=_("Réduire la carte"),
        close=_("Fermer"),
        call=_("Appeler %s"),
        no_phone=_("Téléphone inconnu"),
        details=_("Horaires et détails"),
        directions=_("Itinéraire"),
        wheel=_("Pour agrandir la carte : Ctrl et la molette"),
        fingers=_("Deux doigts pour déplacer la carte"),
    )


def _pins(
    _: Language,
    found: HelpFound,
    state: SearchState,
    calendar: Calendar,
    sites: Iterable[RankedSite],
    *,
    first: int | None = None,
    sure: bool = True,
) -> list[Pin]:
    """Return the located sites as pins, numbered from `first` as in the list."""
    pins = []
    for row, each in enumerate(sites):
        site = each.site
        if site.longitude is None or site.latitude is None:
            continue
        card = ResultCard(each, open_status_at(site, found.moment, calendar))
        notes = []
        if site.position in site_phrases.POSITIONS:
            notes.append(_(site_phrases.POSITIONS[site.position]))
        if each.unknown:
            notes.append(_("À demander en appelant : %(what)s.", what=_named(_, each.unknown)))
        if each.missing:
            notes.append(_("Ne convient pas pour : %(what)s.", what=_named(_, each.missing)))
        path = site_phrases.site_path(site)
        pins.append(
            Pin(
                id=site.id,
                name=site.nom,
                at=(site.longitude, site.latitude),
                phone=site_phrases.phone(site.telephone),
                dial=site_phrases.dialled(site.telephone),
                why=" · ".join(card.reasons(_, state, found.moment, timed=found.origin.found)),
                notes=tuple(notes),
                address=postal_address(site),
                page=path if _.code == "fr" else f"{path}?lang={_.code}",
                way=(site_phrases.directions(site) or ("", ""))[1],
                rank=None if first is None else first + row,
                sure=sure,
            )
        )
    return pins


def lasting_pins(_: Language, sites: Iterable[Site], address: str = "") -> list[Pin]:
    """Return sites as pins of a file that stays valid for months: without what depends on the day.

    Parameters
    ----------
    address
        Where the service answers, for links to the pages of sites; "" for none.
    """
    return [
        Pin(
            id=site.id,
            name=site.nom,
            at=(site.longitude, site.latitude),
            phone=site_phrases.phone(site.telephone),
            dial=site_phrases.dialled(site.telephone),
            why=site_phrases.cost(_, site) or _("prix inconnu"),
            hours=(*hours(site), *stops(site)) or (_("horaires inconnus"),),
            notes=(_(site_phrases.POSITIONS[site.position]),)
            if site.position in site_phrases.POSITIONS
            else (),
            address=postal_address(site),
            page=address + site_phrases.site_path(site) if address else "",
            way=(site_phrases.directions(site) or ("", ""))[1],
        )
        for site in sites
        if site.longitude is not None and site.latitude is not None
    ]


def postal_address(site: Site) -> str:
    """Return a postal address on one line."""
    town = f"{site.code_postal} {site.commune}".strip()
    return ", ".join(each for each in (site.adresse, town) if each)


def _named(_: Language, groups: Iterable[str]) -> str:
    return ", ".join(_(GROUP_NAMES[name]) for name in groups)
