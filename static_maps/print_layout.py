"""Printed documents for people who do not search the web: poster sheet, directory, orientation slip.

Each is a record of sentences already in its language; this module only lays them out. Nothing is
asked of a clock or of settings: the day is one of the facts, and the same facts give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from io import BytesIO
from typing import Any, Final

import segno

from static_maps.page_shell import TOKENS
from static_maps.typeset import typeset

LEAST_CARDS: Final = 1
"""Sites a one-page sheet keeps, however little room the rest leaves."""

LINK_MOST: Final = 400
"""Characters of an address beyond which its code would be too fine for a telephone to read."""

_CUT: Final = {
    "name": 90,
    "phone": 24,
    "reason": 60,
    "hours": 110,
    "address": 130,
    "note": 160,
    "place": 90,
    "shown": 80,
    "sources": 140,
}
"""Characters shown of each part, so that no record takes the room of the others."""
_HOURS_LINES: Final = 5
_BREAKS: Final = re.compile(r"[ \t-\r\u2028\u2029]+")
"""White space but the no-break kinds, which hold hours together."""


@dataclass(frozen=True)
class PrintMetadata:
    """What every paper says of itself.

    Attributes
    ----------
    day
        Date of creation, printed on the document.
    call
        That one calls before going.
    notice
        « Données de démonstration » and what it means; "" for true data.
    footer
        When it was made, and from what.
    """

    language: str
    day: date
    call: str
    notice: str
    footer: str


@dataclass(frozen=True)
class PrintLink:
    """An address of the web, as a code to photograph and as words.

    Attributes
    ----------
    address
        Whole, as the code holds it.
    shown
        Short enough to be read and typed.
    caption
        What to do with it, and what it leads to.
    """

    address: str
    shown: str
    caption: str


@dataclass(frozen=True)
class PrintCard:
    """A site: whom to call, how far, when, where.

    Attributes
    ----------
    phone
        As it is written in its country; "" where none is known: `no_phone` is printed instead.
    reasons
        How far, at what cost, with what pass: each a few words.
    hours
        One line for each rule.
    """

    name: str
    phone: str
    no_phone: str
    reasons: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    address: str = ""
    note: str = ""


@dataclass(frozen=True)
class Passing:
    """A dated stop of an itinerant site."""

    when: str
    place: str
    name: str
    phone: str = ""


@dataclass(frozen=True)
class CardGroup:
    """Cards under one heading."""

    title: str
    cards: tuple[PrintCard, ...]


@dataclass(frozen=True)
class Sheet:
    """The sheet of a territory.

    Attributes
    ----------
    one_page
        Show of the first group as many cards as one page holds, nearest first.
    page
        « page {n} sur {of} », with those two marks.
    """

    about: PrintMetadata
    title: str
    place: str
    lead: str
    groups: tuple[CardGroup, ...]
    passing_title: str
    passing: tuple[Passing, ...]
    link: PrintLink
    page: str
    one_page: bool = False


@dataclass(frozen=True)
class DirectoryLine:
    """A commune of the directory's table.

    Attributes
    ----------
    chapter
        Code of the chapter it sends to: its own, or that of the nearest site's commune.
    where
        How many sites it has, or the nearest one.
    own
        Whether it has any.
    """

    name: str
    chapter: str
    where: str
    own: bool


@dataclass(frozen=True)
class Chapter:
    """The sites of one commune; `code` is what entries send to."""

    code: str
    name: str
    cards: tuple[PrintCard, ...]


@dataclass(frozen=True)
class Directory:
    """All sites of a département, and where each commune goes."""

    about: PrintMetadata
    title: str
    place: str
    lead: str
    entries_title: str
    entries_head: tuple[str, str, str]
    entries: tuple[DirectoryLine, ...]
    chapters_title: str
    chapters: tuple[Chapter, ...]
    beyond_title: str
    beyond: tuple[Chapter, ...]
    passing_title: str
    passing_none: str
    passing: tuple[Passing, ...]
    link: PrintLink
    page: str


@dataclass(frozen=True)
class Slip:
    """What is handed to one person about one site: lines to write on, nothing about the person.

    Attributes
    ----------
    opens
        How the site stands, or when it opens next.
    lines
        What is to be written by hand: the words of each line, each followed by dots.
    """

    about: PrintMetadata
    title: str
    card: PrintCard
    opens: str
    hours_title: str
    link: PrintLink
    lines: tuple[tuple[str, ...], ...]


def sheet_pdf(sheet: Sheet) -> bytes:
    """Write a sheet: a tagged PDF on A4, black on white, nothing below 14 points."""
    content = {
        **_told(sheet),
        "least": LEAST_CARDS,
        "groups": [{"title": g.title, "cards": [_card(c) for c in g.cards]} for g in sheet.groups],
        "passing": [_passing(p) for p in sheet.passing],
        "link": _link(sheet.link),
    }
    return typeset("sheet", content, day=sheet.about.day)


def directory_pdf(directory: Directory) -> bytes:
    """Write a directory: a tagged PDF on A4, with a table of communes that sends to pages."""
    content = {
        **_told(directory),
        "entries": [
            {**asdict(e), "name": _cut(e.name, "place"), "where": _cut(e.where, "note")}
            for e in directory.entries
        ],
        "chapters": [_chapter(c) for c in directory.chapters],
        "beyond": [_chapter(c) for c in directory.beyond],
        "passing": [_passing(p) for p in directory.passing],
        "link": _link(directory.link),
    }
    return typeset("directory", content, day=directory.about.day)


def slip_pdf(slip: Slip) -> bytes:
    """Write a slip: a tagged PDF of one page on A5."""
    content = {
        **_told(slip),
        "opens": _cut(slip.opens, "hours"),
        "card": _card(slip.card),
        "link": _link(slip.link),
    }
    return typeset("slip", content, day=slip.about.day)


def qr_svg(address: str) -> str:
    """An address as a QR code, in SVG, with the quiet margin readers need; "" for one too long."""
    if len(address) > LINK_MOST:
        return ""
    drawn = BytesIO()
    segno.make_qr(address, error="m").save(drawn, kind="svg", border=4, xmldecl=False, light=TOKENS["paper"])
    return drawn.getvalue().decode()


def _told(facts: Sheet | Directory | Slip) -> dict[str, Any]:
    about = facts.about
    return {
        **asdict(facts),
        "about": {
            "language": about.language,
            "created": {"year": about.day.year, "month": about.day.month, "day": about.day.day},
            "call": about.call,
            "notice": about.notice,
            "footer": _cut(about.footer, "sources"),
        },
    }


def _card(card: PrintCard) -> Mapping[str, Any]:
    return {
        "name": _cut(card.name, "name"),
        "phone": _cut(card.phone, "phone"),
        "no_phone": card.no_phone,
        "reasons": [_cut(each, "reason") for each in card.reasons],
        "hours": [_cut(each, "hours") for each in _few(card.hours)],
        "address": _cut(card.address, "address"),
        "note": _cut(card.note, "note"),
    }


def _few(lines: tuple[str, ...]) -> tuple[str, ...]:
    return lines if len(lines) <= _HOURS_LINES else (*lines[: _HOURS_LINES - 1], "…")


def _chapter(chapter: Chapter) -> Mapping[str, Any]:
    return {"code": chapter.code, "name": chapter.name, "cards": [_card(c) for c in chapter.cards]}


def _passing(passing: Passing) -> Mapping[str, Any]:
    return {
        "when": passing.when,
        "place": _cut(passing.place, "place"),
        "name": _cut(passing.name, "name"),
        "phone": _cut(passing.phone, "phone"),
    }


def _link(link: PrintLink) -> Mapping[str, Any]:
    return {"svg": qr_svg(link.address), "shown": _cut(link.shown, "shown"), "caption": link.caption}


def _cut(text: str, part: str) -> str:
    """A text on one line, no longer than its part may be; what is cut ends with an ellipsis."""
    plain = _BREAKS.sub(" ", text).strip()
    most = _CUT[part]
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"
