"""Read commune names as people write them: « Ville de Nérac », « 47600 NERAC CEDEX », « St-Mars s/ Lot »."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from geo.sites.text import comparable_text, fold


def listed(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


NAME_MAX: Final = 100
"""Longest text compared with names, in characters; no French commune has a name half as long."""

SIMILAR: Final = 0.85
"""Minimum optimal-string-alignment similarity of a misspelt name: one letter in seven."""

SIMILAR_MIN: Final = 5
"""Minimum length of a name that may be misspelt, in characters."""

_CEDEX = re.compile(r"\bcedex\b.*", re.DOTALL)
_SUR = re.compile(r"\s*(?:\bs)?\s*/\s*(?:s\b)?\s*")
_TRAILING_ARTICLE = re.compile(r"(.+?)\s*\(?\b(le|la|les|l)\s?\)?$", re.DOTALL)
_PUNCTUATION: Final = str.maketrans(",.;'_", "     ")
_WRITTEN_OUT: Final = {
    **{"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"},
    **{"s": "sur", "ss": "sous", "lez": "les", "&": "et"},
}
_LINKS: Final = listed("a au aux d de des du en et l la le les sous sur")
_SAINTS: Final = frozenset({"saint", "sainte", "saints", "saintes"})

_POSTAL = re.compile(r"(?<!\d)(?:f ?)?(\d{5})(?!\d)")
_PARENTHESIS = re.compile(r"\s*\(([^()]*)\)?")
_LAST_NUMBER = re.compile(r"(.*\D)\s+(\d{2,3}|2[ab])", re.DOTALL)
_DISTRICT = re.compile(
    r"(paris|lyon|marseille) ?(\d{1,2}) ?(?:er|ere|e|eme|nd|nde)?(?: arr(?:ondissement|dt|t)?)?\.?"
)
_PREFIX = re.compile(
    r"(?:la |l')?(?:ville|mairie|hotel de ville|municipalite|ccas|commune(?: nouvelle| deleguee| associee)?)"
    r"(?: de la commune| de la ville)? (?:(du|des) |de |d[' ])(?=.)"
)
_ARTICLE_OF: Final = {"du": "le ", "des": "les "}


@dataclass(frozen=True, slots=True)
class WrittenName:
    """A commune name taken apart.

    `keys` are the names it may be (as `normalized_commune_name`), the most literal first. `plain` says that
    the first differs from what is written by case, accents, hyphens or CEDEX only. `postal_code` is one
    written in the cell, `qualifier` what follows the name (« (47) », « Lot-et-Garonne »), folded, and
    `district` the number of a municipal arrondissement of Paris, Lyon or Marseille; "" or 0 without one.
    """

    keys: tuple[str, ...] = ()
    plain: bool = True
    postal_code: str = ""
    qualifier: str = ""
    district: int = 0


def normalized_commune_name(name: str) -> str:
    """Normalise a commune name: no accents, case, hyphens, "CEDEX"; St is Saint; a final (Le) moves first."""
    words = _SUR.sub(" sur ", _CEDEX.sub("", fold(comparable_text(name[:NAME_MAX]))).translate(_PUNCTUATION))
    parts = words.split()
    text = " ".join(
        word if word == "s" and not 0 < at < len(parts) - 1 else _WRITTEN_OUT.get(word, word)
        for at, word in enumerate(parts)
    )
    if match := _TRAILING_ARTICLE.fullmatch(text):
        text = f"{match[2]} {match[1]}".replace("( ", "").replace(" (", "")
    return text


@lru_cache(maxsize=8_192)
def read_commune_name(cell: str) -> WrittenName:
    """Take a commune cell apart; text beyond `NAME_MAX` characters makes it no name at all."""
    if not cell or len(cell) > NAME_MAX:
        return WrittenName()
    literal = normalized_commune_name(cell)
    text = _CEDEX.sub("", fold(comparable_text(cell))).strip()
    plain = " ".join(text.translate(_PUNCTUATION).split()) == literal
    postal_code = ""
    if found := _POSTAL.search(text):
        postal_code = found[1]
        text = f"{text[: found.start()]} {text[found.end() :]}".strip(" ,;:")
    if district := _DISTRICT.fullmatch(text.strip()):
        return WrittenName((district[1],), False, postal_code, "", int(district[2]))
    text, qualifier = _without_qualifier(text)
    keys = [literal, normalized_commune_name(text)]
    if prefix := _PREFIX.match(text):
        keys.append(normalized_commune_name(_ARTICLE_OF.get(prefix[1] or "", "") + text[prefix.end() :]))
    return WrittenName(tuple(dict.fromkeys(filter(None, keys))), plain, postal_code, qualifier)


def _without_qualifier(text: str) -> tuple[str, str]:
    """Split what follows a name from it: « nerac (47) », « nerac, lot et garonne », « nerac 47 »."""
    if (found := _PARENTHESIS.search(text)) and found.start() and found[1].strip(" '") not in _LINKS:
        return f"{text[: found.start()]} {text[found.end() :]}".strip(), found[1].strip()
    name, comma, rest = text.partition(",")
    if comma and name.strip() and rest.strip(" '") not in _LINKS:
        return name.strip(), rest.strip()
    if found := _LAST_NUMBER.fullmatch(text):
        return found[1].strip(), found[2]
    return text, ""


def significant_words(key: str) -> tuple[str, ...]:
    """Return the words of a key without articles and prepositions, or all when no others remain."""
    words = tuple(key.split())
    return tuple(word for word in words if word not in _LINKS) or words


def is_close(key: str, name: str) -> bool:
    """Return whether a key may stand for a name: one begins the other, or it is misspelt.

    "sainte livrade" begins "sainte livrade sur lot", "le passage d agen" goes on after "le passage",
    "casteljalous" is one letter from "casteljaloux", and "mongaillard" from the beginning of "montgaillard en
    albret". A lone « saint » is too little.
    """
    said, known = significant_words(key), significant_words(name)
    shorter = min(len(said), len(known))
    if said[:shorter] == known[:shorter] and not _SAINTS.issuperset(said[:shorter]):
        return True
    pairs = ((key, name), (" ".join(said), " ".join(known[: len(said)])))
    return any(
        min(len(one), len(other)) >= SIMILAR_MIN
        and OSA.normalized_similarity(one, other, score_cutoff=SIMILAR) >= SIMILAR
        for one, other in pairs
    )
