"""`/lieux/carte`: what the list says, on a map; alone or in a frame beside the list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.rendered_snapshot import CurrentView
from api.residents.choices import GROUP_NAMES
from api.residents.embed_params import BOTH, Embedded, read
from api.residents.find import KEPT, ResultCard, Results, search
from api.residents.page_context import html
from api.residents.search_state import SearchState
from api.routing import router
from api.security_headers import framed_by
from api.service import AppState, app_state
from geo.hours.open_status import open_status_at
from geo.matching.ranking import RankedSite
from geo.services.snapshot_view import SnapshotView
from geo.sites.model import Position, Site
from geo.wording import names, site_phrases
from geo.wording.language import Language, language
from static_maps.coverage_map import WrittenPage
from static_maps.page_data import hours
from static_maps.sites_map import MapOrigin, MapTexts, MapView, Pin, sites_map

PATH: Final = "/lieux/carte"

routes = router("pages", "", described=False)


@routes.get(PATH)
def map_page(request: Request) -> Response:
    """The sites of a request on a map."""
    service = app_state(request)
    current = service.current()
    asked, embedded, _ = read(request.scope["query_string"], current.view.snapshot.territory)
    drawn = draw(service, current, asked, embedded)
    return html(
        drawn.html,
        policy=drawn.security_policy,
        keep=KEPT[asked.anywhere],
        framed=framed_by(service.http),
    )


def draw(service: AppState, current: CurrentView, asked: SearchState, embedded: Embedded) -> WrittenPage:
    """Draw the map of a request."""
    view, rendered = current.view, current.rendered
    results = embedded.bounded(search(service, view, asked))
    _ = language(asked.language)
    ranked = bool(asked.anywhere or asked.chosen() or asked.wishes.words or embedded.view == BOTH)
    found = results.answer
    listed = asked.count if ranked else 0
    pins = [
        *_pins(_, results, view, found.fits[:listed], first=1),
        *_pins(_, results, view, found.fits[listed:]),
        *_pins(_, results, view, found.maybes, sure=False),
        *_pins(_, results, view, found.nearly, sure=False),
    ]
    origin = results.origin
    where = (
        MapOrigin(
            (origin.longitude, origin.latitude),
            origin.place.label if origin.place else _("votre position"),
        )
        if origin.longitude is not None and origin.latitude is not None
        else None
    )
    return sites_map(
        view.snapshot,
        pins,
        words=map_texts(_, embedded, view.snapshot.territory.name, where.name if where else ""),
        settings=rendered.map_settings,
        outline=rendered.site_map_outline,
        origin=where,
        view=initial_view(asked, embedded),
        back=asked.address("/"),
        accent=embedded.accent,
    )


def initial_view(asked: SearchState, embedded: Embedded) -> MapView | None:
    """Where the map first looks: what the address says, until somebody says where they are."""
    if embedded.centre is None or asked.anywhere:
        return None
    return MapView(embedded.centre, embedded.zoom)


def map_texts(_: Language, embedded: Embedded, territory: str, place: str = "") -> MapTexts:
    """The sentences of a map, in the language of its reader."""
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
    results: Results,
    view: SnapshotView,
    found: Iterable[RankedSite],
    *,
    first: int | None = None,
    sure: bool = True,
) -> list[Pin]:
    """Sites that have a place, as the list tells them; numbered from `first` as the list is."""
    pins = []
    asked = results.asked
    for row, each in enumerate(found):
        site = each.site
        if site.longitude is None or site.latitude is None:
            continue
        card = ResultCard(each, open_status_at(site, results.moment, view.calendar))
        notes = []
        if site.position is Position.APPROXIMATIVE:
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
                why=" · ".join(card.reasons(_, asked, results.moment, timed=results.origin.found)),
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
    """Sites as a file kept for months tells them: what is always true, not who is open now.

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
            hours=hours(site) or (_("horaires inconnus"),),
            notes=(_(site_phrases.POSITIONS[site.position]),)
            if site.position is Position.APPROXIMATIVE
            else (),
            address=postal_address(site),
            page=address + site_phrases.site_path(site) if address else "",
            way=(site_phrases.directions(site) or ("", ""))[1],
        )
        for site in sites
        if site.longitude is not None and site.latitude is not None
    ]


def postal_address(site: Site) -> str:
    """A postal address on one line."""
    town = f"{site.code_postal} {site.commune}".strip()
    return ", ".join(each for each in (site.adresse, town) if each)


def _named(_: Language, groups: Iterable[str]) -> str:
    return ", ".join(_(GROUP_NAMES[name]) for name in groups)
