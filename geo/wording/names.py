"""Names of places after a preposition in French: « d'Agen », « du Passage », « aux Mas », « à La Réole ».

French contracts a preposition with the articles « Le » and « Les » of a name, keeps « La » and « L' » apart,
and elides « de » before a vowel or a mute h. English has none of it: there the name is returned as it stands
and the sentence of the catalogue says "of" or "at".
"""

from __future__ import annotations

import re
from typing import Final

from geo.wording.language import FRENCH, SOURCE, Language

_ARTICLE: Final = re.compile(r"(?P<article>Le|Les)\s+(?=\S)")
_VOWELS: Final = "aàâäeéèêëiîïoôöœuùûü"
_ASPIRATED: Final = re.compile(r"h(a(?!b)|o(l|n|ud|uil)|e(ndi|rsi|sdi))", re.IGNORECASE)
"""First letters of names whose h is aspirated: « de Hautefort », « de Honfleur ».

INSEE's lists do not say it; this follows the usage of the larger towns. All others elide: « d'Houeillès ».
"""
_STREETS: Final = {
    **dict.fromkeys(
        ("rue", "place", "route", "ruelle", "cité", "résidence", "côte", "promenade", "traverse", "voie"),
        "la ",
    ),
    **dict.fromkeys(("avenue", "impasse", "allée", "esplanade", "hameau"), "l'"),
    **dict.fromkeys(("chemin", "boulevard", "cours", "quai", "square", "passage", "sentier"), "le "),
    **dict.fromkeys(("allées", "quais"), "les "),
}
_OF: Final = {"la ": "de la ", "l'": "de l'", "le ": "du ", "les ": "des "}
_AT: Final = {"la ": "à la ", "l'": "à l'", "le ": "au ", "les ": "aux "}


def of_place(name: str, _: Language = FRENCH) -> str:
    """Write « de » before the name of a place or an address: « d'Agen », « du Mas-d'Agenais »."""
    if _.code != SOURCE:
        return name
    if name[:1].isdigit():
        return f"du {name}"
    if article := _ARTICLE.match(name):
        return ("du " if article["article"] == "Le" else "des ") + name[article.end() :]
    if article_of_street := _street(name):
        return f"{_OF[article_of_street]}{name[0].lower()}{name[1:]}"
    return f"d'{name}" if _elided(name) else f"de {name}"


def at_place(name: str, _: Language = FRENCH) -> str:
    """Write « à » before the name of a place or an address: « à Agen », « au Passage », « à La Réole »."""
    if _.code != SOURCE:
        return name
    if name[:1].isdigit():
        return f"au {name}"
    if article := _ARTICLE.match(name):
        return ("au " if article["article"] == "Le" else "aux ") + name[article.end() :]
    if article_of_street := _street(name):
        return f"{_AT[article_of_street]}{name[0].lower()}{name[1:]}"
    return f"à {name}"


def _street(name: str) -> str:
    """Return the article of the kind of street that an address begins with; "" for other names."""
    first, _space, rest = name.partition(" ")
    return _STREETS.get(first.lower(), "") if rest[:1].isalpha() else ""


def _elided(name: str) -> bool:
    first, second = name[:1].lower(), name[1:2].lower()
    if first == "h":
        return not _ASPIRATED.match(name)
    if first == "y":
        return second not in _VOWELS or second == "e"
    return bool(first) and first in _VOWELS
