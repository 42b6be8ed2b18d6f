"""Parse place queries into words that can be compared with names.

Names of communes, streets and hamlets are compared by these words only: without accents, case,
hyphens, apostrophes or articles, and with abbreviations expanded. Queries and stored names go
through the same functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.sites.text import fold

TYPED_MAX: Final = 200
"""Longest query parsed, in characters; the rest is ignored."""

WORDS_MAX: Final = 12
"""Maximum number of words used in a query."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


STREET_TYPES: Final = _listed(
    """
    allee allees avenue boulevard carrefour chaussee chemin cite clos cote cour cours degre descente
    domaine esplanade faubourg galerie hameau impasse lotissement mail montee parc parvis passage
    place placette plaine pont porte promenade quai quartier residence rocade rond-point route rue
    ruelle ruette sente sentier square traverse venelle villa voie zone
    """
)
"""First words of street names, folded."""

_ARTICLES: Final = _listed("a au aux d de des du en et l la le les sur sous")

_WRITTEN_OUT: Final = {
    "st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes", "s": "sur",
    "av": "avenue", "ave": "avenue", "aven": "avenue", "bd": "boulevard", "bld": "boulevard",
    "blvd": "boulevard", "boul": "boulevard", "bvd": "boulevard", "r": "rue", "rte": "route",
    "che": "chemin", "chem": "chemin", "chm": "chemin", "imp": "impasse", "pl": "place", "all": "allee",
    "crs": "cours", "fg": "faubourg", "fbg": "faubourg", "res": "residence", "sq": "square",
    "qu": "quai", "qua": "quartier", "lotis": "lotissement", "pass": "passage", "prom": "promenade",
    "gal": "general", "mal": "marechal", "dr": "docteur", "pdt": "president", "pres": "president",
    "cdt": "commandant", "col": "colonel", "cne": "capitaine", "lt": "lieutenant", "prof": "professeur",
    "mgr": "monseigneur", "nd": "notre dame",
}  # fmt: skip

_MONTHS: Final = "janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre"

_DATE = rf"(?! (?:{_MONTHS})\b)"
_HOUSE = r"(\d{1,4})(?: ?(bis|ter|quater|quinquies)\b| ?([a-z])(?![a-z']))?"
_NUMBER_FIRST = re.compile(rf"{_HOUSE}{_DATE}(?: (?:et )?\d{{1,4}}(?= \D))? (?=\D)")
_NUMBER_LAST = re.compile(rf"(.*[a-z]) (?:n )?{_HOUSE}")
_NUMBER_INSIDE = re.compile(rf" (\d{{1,4}})(?: ?(bis|ter|quater|quinquies))?{_DATE} (?=[a-z])")
_POSTCODE = re.compile(r"(?<!\d)\d{5}(?!\d)")
_CEDEX = re.compile(r"\bcedex( \d{1,2})?\b")
_BEFORE_A_NAME = re.compile(
    r"^(?:(?:la )?mairie|(?:l')?hotel de ville|(?:la )?commune|lieu dit|lieudit|ld) (?=.)"
)
_SLASH = re.compile(r"\bs */ *|/")
_PUNCTUATION = re.compile(r"[^\w' ]|_")
_SPACES = re.compile(r" +")


FREQUENT_STREET_TYPES: Final = tuple(
    sorted(_listed("allee avenue boulevard chemin impasse lotissement place residence route rue"))
)
"""Street types so frequent that a similar word is taken for a misspelling of one."""

STREET_TYPE_SIMILARITY: Final = 0.65
"""Minimum similarity to a frequent street type: « reu » is « rue », « boulevaard » « boulevard »."""


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A parsed place query.

    `number` and `repetition` are those of a house (« 12 bis ») and `postcode` is five digits; None or
    "" when absent. `words` are the other words, without articles: names of a street, of a commune, or
    both.
    """

    words: tuple[str, ...]
    number: int | None = None
    repetition: str = ""
    postcode: str = ""

    @property
    def key(self) -> str:
        """The words as one key, comparable with `name_key`."""
        return " ".join(self.words)

    @property
    def distinctive_key(self) -> str:
        """The words without generic ones such as « rue », even misspelt."""
        words = self.words[1:] if len(self.words) > 1 and closest_street_type(self.words[0]) else self.words
        return " ".join(word for word in words if word not in STREET_TYPES) or self.key

    @property
    def is_street(self) -> bool:
        """Whether the query has a house number or a street type."""
        return self.number is not None or (len(self.words) > 1 and self.words[0] in FREQUENT_STREET_TYPES)


def parse_query(text: str) -> ParsedQuery:
    """Parse a query; text beyond `TYPED_MAX` characters is ignored."""
    rest = _CEDEX.sub(" ", _plain(text[:TYPED_MAX]))
    postcode = ""
    if found := _POSTCODE.search(rest):
        postcode = found[0]
        rest = rest[: found.start()] + " " + rest[found.end() :]
    rest, number, repetition = _without_number(_SPACES.sub(" ", rest).strip())
    words = _significant(_expand_abbreviations(_BEFORE_A_NAME.sub("", rest, count=1)))
    return ParsedQuery(words[:WORDS_MAX], number, repetition, postcode)


def name_key(name: str) -> str:
    """Return the comparison key of a name: « Villeneuve-sur-Lot » gives "villeneuve lot"."""
    return " ".join(_significant(_expand_abbreviations(_plain(name))))


def split_street_type(key: str) -> tuple[str, str]:
    """Split the key of a street into its type and the rest: "rue eglise" gives ("rue", "eglise").

    The type is "" when the key begins with none, or has no other word ("promenade").
    """
    first, _, rest = key.partition(" ")
    return (first, rest) if rest and first in STREET_TYPES else ("", key)


def closest_street_type(word: str) -> str:
    """Return the street type that a word is or misspells (« reu », « boulevaard »), or ""."""
    if word in STREET_TYPES:
        return word
    known = process.extractOne(
        word, FREQUENT_STREET_TYPES, scorer=OSA.normalized_similarity, score_cutoff=STREET_TYPE_SIMILARITY
    )
    return known[0] if known and known[0][0] == word[:1] else ""


def _plain(text: str) -> str:
    """Fold text and replace punctuation by spaces; « / » and « s/ » become « sur »."""
    plain = _SLASH.sub(" sur ", fold(text))
    return _SPACES.sub(" ", _PUNCTUATION.sub(" ", plain)).strip()


def _without_number(text: str) -> tuple[str, int | None, str]:
    """Return the text without its house number, the number, and its repetition (bis, b…)."""
    if found := _NUMBER_FIRST.match(text):
        return text[found.end() :].strip(), int(found[1]), found[2] or found[3] or ""
    if (found := _NUMBER_LAST.fullmatch(text)) and found[1].split()[-1] not in _MONTHS.split("|"):
        return found[1], int(found[2]), found[3] or found[4] or ""
    for found in _NUMBER_INSIDE.finditer(text):
        before = text[: found.start()]
        # Numbers in « rue des 3 moulins » or in a date are not house numbers.
        named = [word for word in _significant(_expand_abbreviations(before)) if word not in STREET_TYPES]
        if named and named[-1] not in (*_ARTICLES, *_MONTHS.split("|")):
            return f"{before} {text[found.end() :]}", int(found[1]), found[2] or ""
    return text, None, ""


def _expand_abbreviations(plain: str) -> list[str]:
    words = plain.replace("'", " ").split()
    out: list[str] = []
    for at, word in enumerate(words):
        if word == "s" and not 0 < at < len(words) - 1:
            out.append(word)
        else:
            out += _WRITTEN_OUT.get(word, word).split()
    return out


def _significant(words: list[str]) -> tuple[str, ...]:
    """Return the words without articles, or all of them when only articles remain."""
    significant = tuple(word for word in words if word not in _ARTICLES)
    return significant or tuple(words)
