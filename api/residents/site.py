"""`/lieux/{id}`: all that is known of one site, what is not, since when, and where to say it is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.rendered_snapshot import CurrentView
from api.residents import timetable
from api.residents.jsonld import linked
from api.residents.page_context import PageContext, base_url, html, render
from api.residents.report_form import ERRORS, SUBJECTS, ReportForm
from api.routing import router
from api.service import AppState, app_state
from geo.errors import UnknownSite
from geo.hours.open_status import closures, next_visits, open_status_at, week_hours
from geo.matching.choices import CHOICES
from geo.matching.criteria import GROUPS
from geo.services.search_state import SearchState, read
from geo.sites import standard
from geo.sites.findings import CATALOGUE
from geo.sites.model import Site
from geo.store.reports import EMAIL_KEPT, EMAIL_MAX, MESSAGE_MAX
from geo.territory.model import Provenance
from geo.wording import site_phrases
from geo.wording.language import N_, Language
from static_maps.csp import json_block

DONE: Final = "signale"
"""Name in the address once a report was sent."""

PLAIN: Final[Mapping[str, str]] = {
    label: CHOICES[group].labels[code]
    for group in ("besoin", "public", "aide", "contact", "programme")
    for code, label in GROUPS[group].labels.items()
} | {
    label: CHOICES["comment"].labels[code]
    for label, code in zip(
        standard.MODALITES_ACCOMPAGNEMENT, ("seul", "accompagne", "atelier", "distance"), strict=True
    )
}
"""Label of the standard → the plain words that residents choose it by."""

KNOWN: Final = {True: N_("oui"), False: N_("non"), None: N_("non précisé")}
ASK: Final = N_("non précisé : demandez en appelant")


@dataclass(frozen=True)
class Fact:
    """What a site says about one thing; `unknown`: that it says nothing."""

    label: str
    values: tuple[str, ...]
    unknown: bool = False


def facts(_: Language, site: Site) -> list[Fact]:
    """What a site says of itself, in plain words; what decides a visit is told even when it is unknown."""

    def plain(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_(PLAIN[each]) if each in PLAIN else each for each in values)

    def told(label: str, values: tuple[str, ...], otherwise: str = "") -> Fact:
        return Fact(label, values or ((otherwise,) if otherwise else ()), unknown=not values)

    def known(label: str, value: bool | None) -> Fact:
        return Fact(label, (_(KNOWN[value]),), unknown=value is None)

    cost = site_phrases.cost(_, site)
    found = [
        told(_("Prix"), (cost,) if cost else (), _(ASK)),
        known(_("Accepte le Pass Numérique"), site.pass_numerique),
        known(_("Accessible en fauteuil roulant"), site.acces_fauteuil),
        told(_("Comment on est aidé"), plain(site.modalites_accompagnement), _(ASK)),
        told(_("Comment prendre contact"), plain(site.modalites_acces)),
        told(_("Pour qui"), plain(site.publics_specifiquement_adresses) or (_("tout le monde"),)),
        told(_("Aide particulière"), plain(site.prise_en_charge_specifique), _("non précisé")),
        told(_("Lieu fixe ou itinérant"), site.itinerance),
        told(_("Réseaux nationaux"), plain(site.dispositif_programmes_nationaux)),
        told(_("Labels et formations"), (*site.formations_labels, *site.autres_formations_labels)),
        told(_("Type de lieu"), tuple(standard.TYPOLOGIES.get(each, each) for each in site.typologie)),
        told(_("Structure"), (site.structure_parente,) if site.structure_parente else ()),
    ]
    if site.membre_reseau is not None:
        found.append(known(_("Membre du réseau départemental"), site.membre_reseau))
    return [fact for fact in found if fact.values]


def doubts(site: Site) -> list[str]:
    """What the import found wrong in a record, as `geo.sites.findings` words it, in French."""
    return [
        CATALOGUE[code].reason if code in CATALOGUE else code.replace("_", " ") for code in site.signalements
    ]


def dataset_provenance(current: CurrentView, site: Site) -> Provenance | None:
    """The source of the dataset a site belongs to."""
    subject = f"Lieux « {site.jeu_de_donnees} »"
    return next((each for each in current.view.snapshot.site_provenance if each.subject == subject), None)


def site_page(
    service: AppState, current: CurrentView, asked: SearchState, site: Site, url: str, form: ReportForm
) -> str:
    """The page of a site, as HTML.

    Parameters
    ----------
    asked
        The list it was reached from, if any.
    url
        Its stable address, scheme and host included.
    form
        The form to report an error, as it stands.
    """
    view = current.view
    moment = view.clock()
    today = moment.date()
    frame = PageContext(site_phrases.site_path(site), asked, current)
    _ = frame.language
    calendar = current.view.calendar
    days = week_hours(site, today, calendar)
    fresh, old = site_phrases.freshness(_, site, moment)
    territory = view.snapshot.territory
    values = {
        "site": site,
        "url": url,
        "opening": _sentence(site_phrases.opening(_, open_status_at(site, moment, calendar), moment)),
        "does": tuple(_(PLAIN.get(each, each)) for each in site.services),
        "facts": facts(_, site),
        "days": timetable.week(_, days, today),
        "hours_known": bool(site.horaires or site.arrets) and timetable.has_known_day(days),
        "exceptions": timetable.exceptions(_, closures(site, today, today + timetable.AHEAD, calendar)),
        "visits": timetable.visits(_, next_visits(site, moment, calendar, timetable.VISITS)),
        "mails": [(each, f"mailto:{quote(each, safe='@')}") for each in site.courriels if "@" in each],
        "beyond": bool(site.code_insee) and site.code_insee not in territory.own_codes,
        "doubts": doubts(site),
        "fresh": _sentence(fresh),
        "old": old,
        "provenance": dataset_provenance(current, site),
        "linked": json_block(linked(site, url, territory, days)),
        "back": _back(asked, site),
        "map_address": f"{_around(asked, site).address('/lieux/carte')}#{quote(site.id, safe='')}",
        "form": form,
        "action": f"{asked.address(f'{site_phrases.site_path(site)}/signaler')}#signaler",
        "subjects": SUBJECTS,
        "errors": ERRORS,
        "message_max": MESSAGE_MAX,
        "email_max": EMAIL_MAX,
        "email_days": EMAIL_KEPT.days,
    }
    return render("site.html", frame, values)


def unknown_site_page(current: CurrentView, asked: SearchState, site_id: str) -> str:
    """The page of an identifier that no site in service bears."""
    local = site_id.partition("--")[2] or site_id
    likely = " ".join(re.findall(r"[^\W\d_]{3,}", local))[:100]
    return render("unknown_site.html", PageContext("/lieux", asked, current), {"likely": likely})


def _back(asked: SearchState, site: Site) -> str:
    """The address of the list a site was reached from, at its place in it; "" without one."""
    if not (asked.anywhere or asked.chosen() or asked.wishes.words):
        return ""
    return f"{asked.address('/')}#{quote(site.id, safe='')}"


def _around(asked: SearchState, site: Site) -> SearchState:
    """The state the map opens in: the list's own, or else around the site's commune."""
    if asked.anywhere:
        return asked
    return replace(asked, text=" ".join(filter(None, (site.code_postal, site.commune))))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


KEPT: Final = {False: "public, max-age=60", True: "private, no-cache"}
"""Whether the address tells more than the site → how long the page may be kept, and by whom."""

routes = router("pages", "", described=False)


@routes.get("/lieux/{site_id:path}/signaler")
def form_address(request: Request, site_id: str) -> Response:
    """Where a reader lands who asks again for the address a form was sent to: the form."""
    asked, _ = read(request.scope["query_string"])
    address = asked.address(f"/lieux/{quote(site_id, safe='')}")
    return RedirectResponse(f"{address}#signaler", 303)


@routes.get("/lieux/{site_id:path}")
def one_site(request: Request, site_id: str) -> Response:
    """The page of a site, or one that says it is not known, with status 404."""
    service = app_state(request)
    current = service.current()
    asked, _ = read(request.scope["query_string"])
    try:
        site = current.view.snapshot.site(site_id)
    except UnknownSite:
        return html(unknown_site_page(current, asked, site_id), status=404)
    url = base_url(request) + site_phrases.site_path(site)
    done = request.query_params.get(DONE) == "1"
    page = site_page(service, current, asked, site, url, ReportForm(done=done))
    return html(page, keep=KEPT[done or bool(asked.pairs())])
