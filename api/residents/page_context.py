"""Rendering of residents' pages: language, links, shell, security policy and HTTP headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from fastapi import Request
from fastapi.responses import Response
from markupsafe import Markup
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.pages import HTML
from api.rendered_snapshot import CurrentView
from api.security_headers import FRAMED_BY
from api.service import app_state
from geo.services.search_state import SearchState
from geo.wording import dates, names, site_phrases
from geo.wording.language import LANGUAGES, Language, language
from static_maps.csp import digest
from static_maps.page_shell import (
    FRENCH_ONLY,
    SERVED_PAGES,
    SHELL_FILES,
    TOKENS,
    LanguageLink,
    PageShell,
    inline_style,
    stale_notice,
    template_environment,
)

HERE: Final = Path(__file__).parent
ASSETS: Final = HERE / "assets"
STATIC: Final = "/static/pages"
"""Where `assets/` is served."""

STYLE: Final = inline_style(*SHELL_FILES, ASSETS / "pages.css")
"""Style of the shell and of these pages, written in each page to save a request on slow lines."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {digest(STYLE)}",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
    )
)
"""Scripts, styles and images from this origin, and one inline style; nothing from another host."""

CACHE_CONTROL: Final = {False: "public, max-age=60", True: "private, no-cache"}
"""Whether the address holds something about its reader → Cache-Control of the page."""


class CachedStaticFiles(StaticFiles):
    """Static files, cached permanently when their address contains a version."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return the file with its caching policy."""
        answer = super().file_response(*args, **kwargs)
        scope: Scope = args[2] if len(args) > 2 else kwargs["scope"]
        lasting = b"v=" in scope.get("query_string", b"")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return answer


@cache
def asset(name: str) -> str:
    """Return the address of a file of `assets/`, with a version that depends on its content."""
    version = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:10]
    return f"{STATIC}/{name}?v={version}"


@cache
def environment(code: str) -> jinja2.Environment:
    """Return the templates of a language, by its code."""
    spoken = language(code)
    templates = template_environment(HERE / "templates")
    templates.install_gettext_translations(spoken.translations, newstyle=True)  # type: ignore[attr-defined]
    templates.globals.update(
        L=spoken,
        asset=asset,
        tokens=TOKENS,
        phone=site_phrases.phone,
        dialled=site_phrases.dialled,
        dates=dates,
        names=names,
        ngettext=_ngettext(spoken),
        words=site_phrases,
    )
    return templates


def _ngettext(_: Language) -> Callable[..., Markup]:
    """Return the `ngettext` of templates: plural rules and digits of the language, values escaped."""

    def ngettext(one: str, several: str, count: float, **values: object) -> Markup:
        text = Markup(_.plural(one, several, count))  # noqa: S704 - a sentence of ours
        return text % {"num": _.digits(count), **values}

    return ngettext


@dataclass(frozen=True)
class PageContext:
    """Input of every residents' page: its path, the state its links carry, and the data.

    Attributes
    ----------
    path
        Path of the page, for the links to its other languages.
    asked
        The search state that links keep.
    entry
        Key of its entry in the menu; "" if it has none.
    """

    path: str
    asked: SearchState
    current: CurrentView
    entry: str = ""

    @property
    def language(self) -> Language:
        """The language of the page."""
        return language(self.asked.language)

    def link(self, path: str) -> str:
        """Return the address of another page in the same language."""
        code = self.asked.language
        return path if code == "fr" else f"{path}{'&' if '?' in path else '?'}lang={code}"

    def shell(self) -> PageShell:
        """Return the shell of the page, in its language."""
        _ = self.language
        snapshot = self.current.view.snapshot
        links = {key: path if key in FRENCH_ONLY else self.link(path) for key, path in SERVED_PAGES.items()}
        notice = ""
        if not self.current.database_ok:
            warning = _("Ces informations ne sont peut-être plus à jour.")
            notice = stale_notice(str(self.current.stale["message"]), warning)
        updated = snapshot.sites_updated
        return PageShell(
            entry=self.entry,
            links=links,
            territory=snapshot.territory.name,
            language=_.code,
            languages=tuple(
                LanguageLink(code, name, self.asked.address(self.path, language=code))
                for code, name in LANGUAGES.items()
            ),
            fictitious="sites" if snapshot.fictitious else "",
            stale_notice=notice,
            updated=dates.long_date(updated, _) if updated else "",
            style=STYLE,
            icon=asset("icon.svg"),
        )


def render(template: str, frame: PageContext, values: Mapping[str, object]) -> str:
    """Return a page of `templates/` as HTML."""
    return (
        environment(frame.asked.language)
        .get_template(template)
        .render(
            frame=frame,
            asked=frame.asked,
            shell=frame.shell(),
            snapshot=frame.current.view.snapshot,
            **values,
        )
    )


def html(
    body: str,
    *,
    status: int = 200,
    policy: str = POLICY,
    keep: str = "no-cache",
    framed: str = FRAMED_BY,
) -> Response:
    """Return a page as an HTTP response.

    Parameters
    ----------
    keep
        Its `Cache-Control`: shared caches must not store what depends on where somebody is.
    framed
        The `frame-ancestors` directive: `framed_by(http)` for a page made to be embedded.
    """
    return Response(
        body,
        status_code=status,
        media_type=HTML,
        headers={"Content-Security-Policy": policy + framed, "Cache-Control": keep},
    )


def base_url(request: Request) -> str:
    """Return the public address of the pages, without a final slash: the setting, else this request's."""
    return (app_state(request).settings.public_url or str(request.base_url)).rstrip("/")
