"""What every page for residents has around it: its language, its links, its policy, its state of the data."""

from __future__ import annotations

import hashlib
from base64 import b64encode
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

HERE: Final = Path(__file__).parent
ASSETS: Final = HERE / "assets"
STATIC: Final = "/static/pages"
"""Where `assets/` is served."""

STYLE: Final = Markup((ASSETS / "pages.css").read_text("utf-8"))  # noqa: S704 - a file of ours
"""Written in each page: a slow line has one question less to wait for before anything shows."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
    )
)
"""No script but files of ours, no style but the one written in the page; nothing from elsewhere."""


class CachedStaticFiles(StaticFiles):
    """Files whose address changes with their content: they may be kept for good."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, with how long it may be kept."""
        answer = super().file_response(*args, **kwargs)
        scope: Scope = args[2] if len(args) > 2 else kwargs["scope"]
        lasting = b"v=" in scope.get("query_string", b"")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return answer


@cache
def asset(name: str) -> str:
    """The address of a file of `assets/`, which changes with its content."""
    digest = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:10]
    return f"{STATIC}/{name}?v={digest}"


@cache
def _environment(code: str) -> jinja2.Environment:
    spoken = language(code)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(spoken.translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        L=spoken,
        asset=asset,
        STYLE=STYLE,
        languages=LANGUAGES,
        phone=site_phrases.phone,
        dialled=site_phrases.dialled,
        dates=dates,
        names=names,
        ngettext=_ngettext(spoken),
        words=site_phrases,
    )
    return environment


def _ngettext(_: Language) -> Callable[..., Markup]:
    """Return the `ngettext` of templates: plural rules and digits of the language, values escaped."""

    def ngettext(one: str, several: str, count: float, **values: object) -> Markup:
        text = Markup(_.plural(one, several, count))  # noqa: S704 - a sentence of ours
        return text % {"num": _.digits(count), **values}

    return ngettext


@dataclass(frozen=True)
class PageContext:
    """What surrounds a page.

    Attributes
    ----------
    path
        Path of the page, for the links to its other languages.
    asked
        The state that links keep.
    """

    path: str
    asked: SearchState
    current: CurrentView

    @property
    def language(self) -> Language:
        """The language of the page."""
        return language(self.asked.language)

    def link(self, path: str) -> str:
        """A link to another page in the same language."""
        code = self.asked.language
        return path if code == "fr" else f"{path}{'&' if '?' in path else '?'}lang={code}"


def render(template: str, frame: PageContext, values: Mapping[str, object]) -> str:
    """A page of `templates/`, as HTML."""
    return (
        _environment(frame.asked.language)
        .get_template(template)
        .render(
            frame=frame,
            asked=frame.asked,
            snapshot=frame.current.view.snapshot,
            stale=None if frame.current.database_ok else frame.current.stale["message"],
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
    """A page as an answer; what depends on where somebody is must not be kept by caches on the way.

    Parameters
    ----------
    framed
        Who may show it in a frame: `framed_by(http)` for a page made to be embedded.
    """
    return Response(
        body,
        status_code=status,
        media_type=HTML,
        headers={"Content-Security-Policy": policy + framed, "Cache-Control": keep},
    )


def base_url(request: Request) -> str:
    """Where readers find these pages, without a slash at the end: as set, else as this one asked."""
    return (app_state(request).settings.public_url or str(request.base_url)).rstrip("/")
