"""`/integrer`: generates the code that embeds the list and the map, and shows the result."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.residents import embed, oembed
from api.residents.page_context import PageContext, base_url, html, render
from api.routing import router
from api.service import app_state
from geo.matching.choices import CHOICES
from geo.services.embed_options import BOTH, LIST, MAP, Embedded, read
from geo.services.search_state import SearchState
from geo.sites.text import fold
from geo.territory.model import Territory, TerritoryKind
from geo.wording.language import N_, Language

PATH: Final = "/integrer"
LEVELS: Final = {
    TerritoryKind.EPCI: N_("Intercommunalités"),
    TerritoryKind.CANTON: N_("Cantons"),
    TerritoryKind.COMMUNE: N_("Communes"),
}
VIEW_WORDS: Final = {
    BOTH: N_("La carte et la liste"),
    LIST: N_("La liste seule"),
    MAP: N_("La carte seule"),
}
OFFERED: Final = ("prix", "pass", "fauteuil", "comment", "public", "aide")
"""Criteria groups offered by the form, besides needs and hours; an address may hold the others."""

routes = router("pages", "", described=False)


@dataclass(frozen=True, slots=True)
class Code:
    """A way to embed: its id in the page, title, use, and the text to copy."""

    id: str
    title: str
    use: str
    text: str


@routes.get(PATH)
def integrate_page(request: Request) -> Response:
    """The form, the generated code, and the result in a frame."""
    service = app_state(request)
    current = service.current()
    territory = current.view.snapshot.territory
    state, embedded, unusable = read(request.scope["query_string"], territory)
    frame = PageContext(PATH, state, current, "embed")
    _ = frame.language
    body = render(
        "integrate.html",
        frame,
        {
            "embedded": embedded,
            "levels": levels(_, territory),
            "views": VIEW_WORDS,
            "choices": CHOICES,
            "offered": OFFERED,
            "others": others(state),
            "codes": codes(_, base_url(request), territory, state, embedded),
            "title": oembed.frame_title(embedded, territory, state.language),
            "preview": embedded.address(embed.PATH, state),
            "file": embedded.address(embed.FILE, state),
            "unusable": [each.message(_) for each in unusable],
        },
    )
    return html(body)


def levels(_: Language, territory: Territory) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the territories offered: level, then code and name, sorted by name."""
    return [
        (
            _(label),
            sorted(
                ((g.code, g.name) for g in territory.groupings_of(kind)), key=lambda g: (fold(g[1]), g[0])
            ),
        )
        for kind, label in LEVELS.items()
    ]


def others(state: SearchState) -> list[tuple[str, str]]:
    """Return the parameters of the address that the form has no field for."""
    shown = {*OFFERED, "besoin", "quand", "ou"}
    return [pair for pair in state.pairs() if pair[0] not in shown]


def codes(_: Language, base: str, territory: Territory, state: SearchState, embedded: Embedded) -> list[Code]:
    """Return the ways to embed a page, the simplest first."""
    title = oembed.frame_title(embedded, territory, state.language)
    address = base + embedded.address(embed.PATH, state)
    whole = base + state.address("/")
    link = f'<a href="{escape(whole)}">{escape(title)}</a>'
    return [
        Code(
            "script",
            _("Une ligne (conseillé)"),
            _("La hauteur suit le contenu."),
            f"{script_code(base, state, embedded)}<noscript>{link}</noscript>",
        ),
        Code(
            "iframe",
            _("Un cadre"),
            _("Pour les sites qui refusent les scripts."),
            oembed.frame_code(address, title),
        ),
        Code("lien", _("Un simple lien"), _("Il marche partout, même dans un courriel."), link),
        Code(
            "oembed",
            _("L'adresse seule (oEmbed)"),
            _("Pour les éditeurs qui transforment une adresse en cadre."),
            address,
        ),
    ]


def script_code(base: str, state: SearchState, embedded: Embedded) -> str:
    """Return the script element that inserts the frame; parameters are its `data-` attributes."""
    attributes: dict[str, list[str]] = {}
    for name, value in (*embedded.pairs(), *state.pairs()):
        if name != "v":
            attributes.setdefault(name, []).append(value)
    data = "".join(f' data-{name}="{escape(" ".join(values))}"' for name, values in attributes.items())
    return f'<script src="{escape(base)}/embed.js"{data} async></script>'
