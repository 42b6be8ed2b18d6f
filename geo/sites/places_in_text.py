"""Find the communes that a site's name or address names, but not those that only name a street.

In « Agence postale de Montayral, 90 avenue de Fumel » the place is at Montayral: the avenue leads to Fumel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from geo.sites.commune_names import listed, normalized_commune_name

TEXT_MAX: Final = 300
"""Longest text searched, in characters."""

WORDS_MAX: Final = 9
"""Longest name searched, in words."""

_STREETS: Final = listed(
    """
    allee allees all avenue av ave boulevard bd bld boul boulevards carrefour chaussee chemin che chem ch
    cheminement cite clos cote cour cours crs degre descente domaine esplanade faubourg fg fbg galerie impasse
    imp levee lotissement lot mail montee parc parvis passage place placette pl plaine pont porte promenade
    prom quai residence res rocade rond rondpoint route rte rue r ruelle ruette sentier sente square sq
    traverse venelle villa voie zone za zac zi zae
    """
)
_LINKS: Final = listed("a au aux d de des du en et l la le les vers")
_SEGMENTS: Final = re.compile(r"\s*(?:[,;:()\n|–—]|\s-\s)\s*")
_POSTAL_TAIL: Final = re.compile(r"(?<!\d)(?:[Ff]-?)?(\d{5})(?!\d)[\s,]*([^\d,;()|]*)")
_OFFICE: Final = re.compile(
    r"\b(?:mairie|hotel de ville|centre ville|le bourg|bourg|commune|ville|village|municipalite|ccas|"
    r"agence postale|bureau de poste|la poste|mediatheque|bibliotheque|france services?)"
    r"(?: communale?| municipale?| intercommunale?)? (du |des |de |d )?(?=\S)"
)
_ARTICLE_OF: Final = {"du ": "le ", "des ": "les "}
_COMMON: Final = frozenset({"bourg", "le bourg", "la mairie", "le village", "la poste", "la ville"})
"""What addresses say everywhere, though communes have such names too."""


class Where(StrEnum):
    """How a text names a commune, the most certain first."""

    OFFICE = "office"
    """After « mairie de », « agence postale de »…"""
    ALONE = "alone"
    """As a whole part of the text, between commas."""
    END = "end"
    """At the end of a part."""
    INSIDE = "inside"
    """Elsewhere, after « de », « d' », « à »…: a name without one may be a person's (Nicole)."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a text: the name as known to the caller, and where it stands."""

    name: str
    where: Where


def postal_tail(address: str) -> tuple[str, str]:
    """Return the last postal code in an address and the words after it: « 8 rue X 47600 Nérac ».

    The words are those up to the next comma or figure; ("", "") without a postal code.
    """
    found = list(_POSTAL_TAIL.finditer(address[-TEXT_MAX:]))
    return (found[-1][1], found[-1][2].strip()) if found else ("", "")


def mentions(text: str, known: Callable[[str], bool]) -> Iterator[Mention]:
    """Yield the known names in a text that are not part of a street's name, longest first in each part.

    A name right after a kind of street and « de », « d' »… is a street's, and so is one after « de » in a
    part that has a kind of street before: « rue de la gare de Nérac ».

    Parameters
    ----------
    known
        Whether a key (as `normalized_commune_name`) is a name.
    """
    for part in _SEGMENTS.split(text[:TEXT_MAX]):
        key = normalized_commune_name(part)
        if key in _COMMON:
            continue
        if known(key):
            yield Mention(key, Where.ALONE)
            continue
        words = key.split()
        yield from _after_office(key, known)
        taken = [False] * len(words)
        for size in range(min(WORDS_MAX, len(words)), 0, -1):
            for start in range(len(words) - size + 1):
                name = " ".join(words[start : start + size])
                if any(taken[start : start + size]) or not known(name):
                    continue
                taken[start : start + size] = [True] * size
                if _names_a_street(words[:start]):
                    continue
                if start + size == len(words):
                    yield Mention(name, Where.END)
                elif start and words[start - 1] in _LINKS:
                    yield Mention(name, Where.INSIDE)


def _after_office(key: str, known: Callable[[str], bool]) -> Iterator[Mention]:
    for office in _OFFICE.finditer(key):
        if _names_a_street(key[: office.start()].split()):
            continue
        words = (_ARTICLE_OF.get(office[1] or "", "") + key[office.end() :]).split()
        for size in range(min(WORDS_MAX, len(words)), 0, -1):
            if known(name := " ".join(words[:size])):
                yield Mention(name, Where.OFFICE)
                break


def _names_a_street(before: list[str]) -> bool:
    """Return whether the words before a name make it a street's name."""
    linked = bool(before) and before[-1] in _LINKS
    rest = list(before)
    while rest and rest[-1] in _LINKS:
        rest.pop()
    if rest and rest[-1] in _STREETS:
        return True
    return linked and not _STREETS.isdisjoint(rest)
