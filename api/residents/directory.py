"""`/lieux`: all sites, or those that match words, by commune, with a link per letter. No scripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.rendered_snapshot import CurrentView
from api.residents.page_context import PageContext, html, render
from api.routing import router
from api.service import app_state
from geo.matching.criteria import Criteria
from geo.matching.text_search import SiteSearch
from geo.services.search_state import SearchState, read
from geo.sites.model import Site
from geo.sites.text import fold

PATH: Final = "/lieux"


@dataclass(frozen=True)
class DirectoryCommune:
    """A commune of the directory and its sites, by name."""

    name: str
    sites: tuple[Site, ...]

    @property
    def letter(self) -> str:
        """The letter of its entry: « É » counts as E, what is not a letter as #."""
        first = fold(self.name)[:1].upper()
        return first if first.isascii() and first.isalpha() else "#"


def entries(sites: Iterable[Site]) -> tuple[DirectoryCommune, ...]:
    """Return the communes that have a site, sorted by name; sites without commune have an empty name."""
    found: dict[tuple[str, str], list[Site]] = {}
    for site in sites:
        found.setdefault((fold(site.commune), site.code_insee), []).append(site)
    return tuple(
        DirectoryCommune(members[0].commune, tuple(sorted(members, key=lambda s: (fold(s.nom), s.id))))
        for _, members in sorted(found.items())
    )


def by_letter(found: Iterable[DirectoryCommune]) -> dict[str, list[DirectoryCommune]]:
    """Group entries by letter, in order."""
    letters: dict[str, list[DirectoryCommune]] = {}
    for entry in found:
        letters.setdefault(entry.letter, []).append(entry)
    return letters


def directory_page(current: CurrentView, state: SearchState) -> str:
    """Render the directory: sites of the territory first, then those of its neighbours."""
    snapshot = current.view.snapshot
    own_codes = snapshot.territory.own_codes
    rows = current.view.rows(SiteSearch(words=state.wishes.words))
    found = [snapshot.sites[row] for row in rows]
    beyond = [s for s in found if s.code_insee and s.code_insee not in own_codes]
    nowhere = [s for s in found if not s.code_insee and not s.commune]
    apart = {s.id for s in (*beyond, *nowhere)}
    own = [s for s in found if s.id not in apart]
    values = {
        "letters": by_letter(entries(own)),
        "beyond": entries(beyond),
        "nowhere": sorted(nowhere, key=lambda s: (fold(s.nom), s.id)),
        "count": len(own),
        "found_any": bool(found),
    }
    return render("directory.html", PageContext(PATH, state, current, "sites"), values)


routes = router("pages", "", described=False)


@routes.get(PATH)
def directory(request: Request) -> Response:
    """The directory page."""
    state, _ = read(request.scope["query_string"])
    # The page never shows where somebody is: only the words and the language are used.
    state = SearchState(wishes=Criteria(words=state.wishes.words), language=state.language)
    page = directory_page(app_state(request).current(), state)
    return html(page, keep="public, max-age=60")
