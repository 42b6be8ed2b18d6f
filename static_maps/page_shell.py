"""What surrounds every page: masthead, menu, language switch, notices and footer, with one style.

The template is `templates/shell.html`, which every page extends; its sentences are translated where
the environment has catalogues (`api.residents`), and French elsewhere. The style (`assets/tokens.css`
and `assets/shell.css`) is written in each page, and its digest stands in each page's policy: nothing
has to be fetched before the page shows, and a page that reports a failure depends on no other file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import jinja2
from markupsafe import Markup

from geo.snapshot import Snapshot
from geo.wording import dates
from static_maps.assets import OWN

TEMPLATES_FOLDER: Final = Path(__file__).parent / "templates"

SERVED_PAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "find": "/",
        "sites": "/lieux",
        "print": "/imprimer",
        "map": "/carte",
        "planner": "/planifier",
        "measures": "/mesures",
        "territories": "/territoires",
        "fund": "/fonds",
        "network": "/reseau",
        "embed": "/integrer",
        "api": "/docs",
        "accessibility": "/accessibilite",
    }
)
"""Pages the API serves: key in the menu → address. The order of the menu is the template's."""

STATIC_PAGES: Final[Mapping[str, str]] = MappingProxyType({"map": "index.html"})
"""Pages of the static site, by addresses that also work from `file://`."""

FRENCH_ONLY: Final = frozenset({"map", "planner", "measures", "territories", "fund", "network", "api"})
"""Pages that exist in French only; links from other languages say so."""

STALE_MARK: Final = Markup("<!--stale-->")
"""Where `with_stale_notice` writes in a page that is rendered once and sent many times.

Templates escape data, so no text of a page can contain it by accident.
"""


def _compact(css: str) -> str:
    """CSS without comments, line breaks and the spaces around braces, semicolons and commas."""
    text = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"\s*([{};])\s*", r"\1", text).replace(";}", "}").strip()


def inline_style(*files: Path) -> Markup:
    """Style sheets of ours as one text to write in a page."""
    return Markup("".join(_compact(file.read_text("utf-8")) for file in files))  # noqa: S704 - our own files


SHELL_FILES: Final = (OWN / "tokens.css", OWN / "shell.css")
SHELL_STYLE: Final = inline_style(*SHELL_FILES)
"""The style of what surrounds a page, as written in it."""


def style_tokens() -> Mapping[str, str]:
    """The style tokens of the light scheme: name without dashes → value, as `tokens.css` defines them."""
    root = re.search(r":root \{(.*?)\}", (OWN / "tokens.css").read_text("utf-8"), re.DOTALL)
    assert root is not None  # noqa: S101 - the file is ours
    return MappingProxyType(dict(re.findall(r"--([\w-]+): ([^;]+);", root[1])))


TOKENS: Final = style_tokens()
"""For drawings and settings that cannot read CSS."""


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """A language of the switch: code, name in that language, address, and what an unseen note adds."""

    code: str
    name: str
    address: str
    note: str = ""


ENGLISH_HOME: Final = (
    LanguageLink("fr", "Français", ""),
    LanguageLink("en", "English", "/?lang=en", "(home page)"),
)
"""The switch of pages that exist in French only: English leads to the first page."""


@dataclass(frozen=True, slots=True)
class PageShell:
    """Content of the shell of one page.

    Attributes
    ----------
    entry
        Key of its entry in the menu; "" for a page that has none.
    links
        Pages that exist where this one is: key → address.
    territory
        Name of the territory; "" when it is unknown, on a page that reports a failure.
    languages
        The switch; empty where there is one language.
    fictitious
        "sites" if sites shown are invented, "some" if something else is, "" otherwise.
    stale_notice
        HTML (`Markup`) of the notice that data may be out of date, or ""; `STALE_MARK` to decide later.
    kept_offline
        Whether the page holds the notice that the service worker shows without a network.
    framable
        Whether the page also stands in frames of ours: its landmarks are then roles, which its script
        removes there because the page around has landmarks of its own.
    updated
        Date of the most recent record, as written in the footer; "" if unknown.
    style
        Text of the page's `<style>`.
    icon
        Address of the page's icon; "" for none.
    """

    entry: str = ""
    links: Mapping[str, str] = field(default_factory=lambda: SERVED_PAGES)
    territory: str = ""
    language: str = "fr"
    languages: tuple[LanguageLink, ...] = ENGLISH_HOME
    fictitious: str = ""
    stale_notice: str = ""
    kept_offline: bool = True
    framable: bool = False
    updated: str = ""
    style: Markup = SHELL_STYLE
    icon: str = "/static/assets/favicon.svg"
    french_only: frozenset[str] = FRENCH_ONLY

    @property
    def home(self) -> str:
        """Address of the first page."""
        return self.links.get("find") or self.links["map"]


def french_shell(
    snapshot: Snapshot,
    entry: str,
    *,
    fictitious: bool = False,
    links: Mapping[str, str] = SERVED_PAGES,
    assets_url: str = "/static",
) -> PageShell:
    """The shell of a page that exists in French only.

    Parameters
    ----------
    fictitious
        Whether something else than the sites shown is invented.
    links
        `SERVED_PAGES` behind the API, `STATIC_PAGES` in a folder of files.
    """
    served = links is SERVED_PAGES
    updated = snapshot.sites_updated
    return PageShell(
        entry=entry,
        links=links,
        territory=snapshot.territory.name,
        languages=ENGLISH_HOME if served else (),
        fictitious="some" if fictitious else "sites" if snapshot.fictitious else "",
        stale_notice=STALE_MARK if served else "",
        kept_offline=served,
        updated=dates.long_date(updated) if updated else "",
        icon=f"{assets_url}/assets/favicon.svg",
    )


def stale_notice(message: str, warning: str = "Ces informations ne sont peut-être plus à jour.") -> Markup:
    """The notice that data may be out of date: a warning in the page's language, and details in French."""
    return Markup('<p class="stale" role="status">{} <span lang="fr">{}</span></p>').format(warning, message)


def with_stale_notice(page: bytes, message: str) -> bytes:
    """A rendered page with the notice that its data may be out of date."""
    return page.replace(STALE_MARK.encode(), stale_notice(message).encode(), 1)


def template_environment(*folders: Path) -> jinja2.Environment:
    """Templates of some folders, then the shared ones; they escape what they write.

    Sentences are marked for translation with `_`; without catalogues they stay French.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, TEMPLATES_FOLDER]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    return environment
