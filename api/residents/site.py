"""`/lieux/{id}`: what is known and unknown of one site, since when, and the form to report an error."""

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
from api.residents.page_context import CACHE_CONTROL, PageContext, base_url, html, render
from api.residents.report_form import ERRORS, SUBJECTS, ReportForm
from api.residents.site_origins import field_origins
from api.routing import router
from api.service import AppState, app_state
from geo.errors import UnknownSite
from geo.hours.intervals import is_roaming
from geo.hours.open_status import closures, next_visits, open_status_at, week_hours
from geo.hours.parse import read_hours
from geo.matching.choices import CHOICES
from geo.matching.criteria import GROUPS
from geo.services.search_state import SearchState, read
from geo.sites import standard
from geo.sites.findings import CATALOGUE
from geo.sites.model import Site
from geo.snapshot import ClosedSite
from geo.store.reports import EMAIL_KEPT, EMAIL_MAX, MESSAGE_MAX
from geo.territory.model import Provenance
from geo.wording import site_phrases
from geo.wording.language import N_, Language
from static_maps.csp import json_block

DONE: Final = "signale"
"""Query parameter of the page shown once a report was sent."""

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
"""Label of the standard → plain words for residents."""

KNOWN: Final = {True: N_("oui"), False: N_("non"), None: N_("non précisé")}
ASK: Final = N_("non précisé : demandez en appelant")


@dataclass(frozen=True)
class Fact:
    """One fact of a site; `unknown` if the site does not say."""

    label: str
    values: tuple[str, ...]
    unknown: bool = False


def facts(_: Language, site: Site) -> list[Fact]:
    """Return the facts of a site in plain words; those that decide a visit are listed even when unknown."""

    def plain(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_(PLAIN[each]) if each in PLAIN else each for each in values)

    def listed(label: str, values: tuple[str, ...], otherwise: str = "") -> Fact:
        return Fact(label, values or ((otherwise,) if otherwise else ()), unknown=not values)

    def known(label: str, value: bool | None) -> Fact:
        return Fact(label, (_(KNOWN[value]),), unknown=value is None)

    cost = site_phrases.cost(_, site)
    found = [
        listed(_("Prix"), (cost,) if cost else (), _(ASK)),
        known(_("Accepte le Pass Numérique"), site.pass_numerique),
        known(_("Accessible en fauteuil roulant"), site.acces_fauteuil),
        listed(_("Comment on est aidé"), plain(site.modalites_accompagnement), _(ASK)),
        listed(_("Comment prendre contact"), plain(site.modalites_acces)),
        listed(_("Pour qui"), plain(site.publics_specifiquement_adresses) or (_("tout le monde"),)),
        listed(_("Aide particulière"), plain(site.prise_en_charge_specifique), _("non précisé")),
        listed(_("Lieu fixe ou itinérant"), site.itinerance),
        listed(_("Réseaux nationaux"), plain(site.dispositif_programmes_nationaux)),
        listed(_("Labels et formations"), (*site.formations_labels, *site.autres_formations_labels)),
        listed(_("Type de lieu"), tuple(standard.TYPOLOGIES.get(each, each) for each in site.typologie)),
        listed(_("Structure"), (site.structure_parente,) if site.structure_parente else ()),
    ]
    if site.membre_reseau is not None:
        found.append(known(_("Membre du réseau départemental"), site.membre_reseau))
    return [fact for fact in found if fact.values]


def doubts(site: Site) -> list[str]:
    """Return what the import found wrong in a record, in French (`geo.sites.findings`)."""
    return [
        CATALOGUE[code].reason if code in CATALOGUE else code.replace("_", " ") for code in site.signalements
    ]


def datasets_provenance(current: CurrentView, site: Site) -> dict[str, Provenance | None]:
    """Return the source of each dataset that a site has a record of, sorted by name; None if not known."""
    by_subject = {each.subject: each for each in current.view.snapshot.site_provenance}
    names = set(site.datasets)
    return {name: by_subject.get(f"Lieux « {name} »") for name in sorted(names)}


def site_page(
    service: AppState, current: CurrentView, state: SearchState, site: Site, url: str, form: ReportForm
) -> str:
    """Return the page of a site as HTML.

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
    frame = PageContext(site_phrases.site_path(site), state, current)
    _ = frame.language
    calendar = current.view.calendar
    days = week_hours(site, today, calendar)
    fresh, old = site_phrases.freshness(_, site, moment)
    territory = view.snapshot.territory
    provenances = datasets_provenance(current, site)
    values = {
        "site": site,
        "url": url,
        "opening": _sentence(site_phrases.opening(_, open_status_at(site, moment, calendar), moment)),
        "does": tuple(_(PLAIN.get(each, each)) for each in site.services),
        "facts": facts(_, site),
        "days": timetable.week(_, days, today),
        "hours_known": bool(site.horaires or site.arrets) and timetable.has_known_day(days),
        "place_unknown": is_roaming(site) and bool(site.horaires) and not site.arrets,
        "closures": tuple(map(_sentence, site_phrases.announced_closures(site, today))),
        "quotes": (*read_hours(site.horaires).unread, *site.remarques_horaires),
        "exceptions": timetable.exceptions(_, closures(site, today, today + timetable.AHEAD, calendar)),
        "visits": timetable.visits(_, next_visits(site, moment, calendar, timetable.VISITS)),
        "mails": [(each, f"mailto:{quote(each, safe='@')}") for each in site.courriels if "@" in each],
        "beyond": bool(site.code_insee) and site.code_insee not in territory.own_codes,
        "doubts": doubts(site),
        "fresh": _sentence(fresh),
        "old": old,
        "provenances": provenances,
        "origins": field_origins(
            _, site, {name: each.producer for name, each in provenances.items() if each is not None}
        ),
        "linked": json_block(linked(site, url, territory, days)),
        "back": _back(state, site),
        "map_address": f"{_around(state, site).address('/lieux/carte')}#{quote(site.id, safe='')}",
        "form": form,
        "action": f"{state.address(f'{site_phrases.site_path(site)}/signaler')}#signaler",
        "subjects": SUBJECTS,
        "errors": ERRORS,
        "message_max": MESSAGE_MAX,
        "email_max": EMAIL_MAX,
        "email_days": EMAIL_KEPT.days,
    }
    return render("site.html", frame, values)


def unknown_site_page(current: CurrentView, state: SearchState, site_id: str) -> str:
    """Return the page shown for an identifier that no active site has."""
    local = site_id.partition("--")[2] or site_id
    likely = " ".join(re.findall(r"[^\W\d_]{3,}", local))[:100]
    return render("unknown_site.html", PageContext("/lieux", state, current), {"likely": likely})


def closed_site_page(current: CurrentView, state: SearchState, closed: ClosedSite) -> str:
    """Return the page of a site that is closed: since when, until when, why, and where to look instead."""
    site = closed.site
    nearby = replace(state, text=" ".join(filter(None, (site.code_postal, site.commune))))
    values = {"site": site, "closed": closed, "nearby": nearby.address("/")}
    return render("closed_site.html", PageContext("/lieux", state, current), values)


def _back(state: SearchState, site: Site) -> str:
    """Return the address of the list that led to the site, at its entry; "" without a list."""
    if not (state.anywhere or state.chosen() or state.wishes.words):
        return ""
    return f"{state.address('/')}#{quote(site.id, safe='')}"


def _around(state: SearchState, site: Site) -> SearchState:
    """Return the state of the map: that of the list, or else around the site's commune."""
    if state.anywhere:
        return state
    return replace(state, text=" ".join(filter(None, (site.code_postal, site.commune))))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


routes = router("pages", "", described=False)


@routes.get("/lieux/{site_id:path}/signaler")
def form_address(request: Request, site_id: str) -> Response:
    """Redirect a reader who reloads the address of the form to the form."""
    state, _ = read(request.scope["query_string"])
    address = state.address(f"/lieux/{quote(site_id, safe='')}")
    return RedirectResponse(f"{address}#signaler", 303)


@routes.get("/lieux/{site_id:path}")
def one_site(request: Request, site_id: str) -> Response:
    """The page of a site; one that was merged redirects to the site that stands for it.

    A closed site has a page that says so, with status 410 if it is closed for good; an unknown
    identifier one with status 404.
    """
    service = app_state(request)
    current = service.current()
    state, _ = read(request.scope["query_string"])
    snapshot = current.view.snapshot
    stands_for = snapshot.redirects.get(site_id, site_id)
    if closed := snapshot.closed.get(stands_for):
        return html(closed_site_page(current, state, closed), status=200 if closed.until else 410)
    try:
        site = snapshot.site(site_id)
    except UnknownSite:
        return html(unknown_site_page(current, state, site_id), status=404)
    if site.id != site_id:
        query = request.scope["query_string"].decode("ascii", "replace")
        return RedirectResponse(site_phrases.site_path(site) + (f"?{query}" if query else ""), 301)
    url = base_url(request) + site_phrases.site_path(site)
    done = request.query_params.get(DONE) == "1"
    page = site_page(service, current, state, site, url, ReportForm(done=done))
    return html(page, keep=CACHE_CONTROL[done or bool(state.pairs())])
