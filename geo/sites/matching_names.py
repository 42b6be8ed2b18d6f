"""Compare the names of two records: may they be two names of one place? No I/O.

A name is split into what it says: the services that have a door of their own (a library, a post
office), the public bodies that host others (a town hall), the programmes that are guests anywhere
(France services, a conseiller numérique), and the words that remain. Names of one door often share
no word (« Communauté de communes », « France services »), and names that share most words may be
two places (« Mairie », « Mairie annexe »): a similarity of letters alone decides neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rapidfuzz import fuzz

from geo.sites.text import fold

ARTICLES = frozenset(
    ["a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "s", "sous", "sur", "pour"]
)

_ABBREVIATIONS = {
    "agglo": "agglomeration",
    "ass": "association",
    "asso": "association",
    "assoc": "association",
    "associations": "association",
    "ccas": "centre communal action sociale",
    "cc": "communaute communes",
    "cdc": "communaute communes",
    "epn": "espace numerique",
    "laposte": "poste",
    "msap": "france services",
    "efs": "france services",
    "mfs": "france services",
    "st": "saint",
    "ste": "sainte",
}

_WORD = re.compile(r"[^\W\d_]+|\d+")

_HOSTS = {
    "interco": r"communaute(?: communes| agglomeration| urbaine)?|agglomeration|metropole",
    "ccas": r"centre (?:inter)?communal action sociale|cias",
    "mairie": r"mairie|hotel ville|^(?:ville|commune)(?= |$)",
}
"""Public bodies that host the programmes of others and each other, by pattern."""

_GUESTS = {
    "france_services": r"(?:maison |espace |point |bureau |antenne )?france services?",
    "numerique": r"conseill\w+ numeriques?|cyber ?base|aidants? (?:connect|numeriques?)"
    r"|(?:espace|point|pole|atelier|relais|guichet|mediat\w+|inclusion)(?: public| accueil)? numeriques?",
    "accueil": r"(?:maison|espace|pole|point|relais)(?: accueil)? services?(?: publics?)?"
    r"|point infos?(?! jeunesse| tourisme)",
}
"""Programmes that are guests of whoever lends them a room, by pattern."""

_SERVICES = {
    "solidarites": r"(?:maison|pole|service)(?: \w+){0,2} solidarites?(?: departementales?)?"
    r"|cms|mds|msd|mls|utas|centre medico social",
    "mdph": r"(?:maison \w+ )?personnes handicapees|mdph|handicap",
    "bibliotheque": r"bibliotheques?|mediat+heques?|ludotheques?",
    "poste": r"(?:bureau |relais |agence )?poste|agence postale|postale",
    "mission_locale": r"mission locale|mis local(?:e)?",
    "information_jeunesse": r"(?:point|bureau|centre)(?: regional)? info\w* jeunesse"
    r"|pij|bij|crij|jeunesse|jeunes",
    "centre_social": r"centre (?:inter)?(?:communal )?(?:social|socio ?culturel)|espace vie sociale|mjc|csc"
    r"|maison (?:quartier|citoyens?)",
    "msa": r"msa|mutualite sociale agricole",
    "caf": r"caf|allocations familiales",
    "cpam": r"cpam|assurance maladie",
    "france_travail": r"france travail|pole emploi",
    "cap_emploi": r"cap emploi",
    "finances": r"finances publiques|tresorerie|impots|dgfip",
    "prefecture": r"(?:sous )?prefecture",
    "tourisme": r"(?:office |point infos? )?tourisme",
    "departement": r"(?:conseil )?departement(?:al|ale)?",
    "region": r"conseil regional",
    "chambre": r"chambre(?: \w+)? (?:agriculture|metiers|commerce)|cci",
    "ecole": r"ecoles?(?: maternelle| elementaire| primaire)?",
    "college": r"college",
    "lycee": r"lycee|cite scolaire",
    "superieur": r"universite|greta|afpa|cfa|mfr",
    "formation": r"formation|insertion",
    "salle": r"salle(?: fetes| polyvalente)?|foyer|gymnase|stade",
    "residence": r"residence|chrs|cada|cph",
    "ehpad": r"ehpad",
    "tiers_lieu": r"tiers lieu|coworking|fab ?lab|micro ?folies?",
    "justice": r"justice|acces droits?|tribunal|avocats?",
    "emploi": r"emploi",
    "logement": r"logement|habitat|office public",
    "enfance": r"(?:petite )?enfance|creche|scolaire|periscolaire|relais petite enfance",
    "seniors": r"seniors?|aines|gerontologique|autonomie",
    "sante": r"sante|hopital|chu|hospitalier|medica(?:l|le|ux)|pharmacie",
    "securite": r"police|gendarmerie|pompiers",
    "culture": r"culture(?:l|lle)?|musee|theatre|cinema|musique",
    "sport": r"sports?|sportif|piscine",
    "commerce": r"cafe|epicerie|bar|tabac|restaurant|marche|recyclerie|ressourcerie",
    "urbanisme": r"urbanisme|technique|eau|dechets|transports?|archives",
}
"""Services that have a door of their own, even in a building that they share."""

NEEDS_OWN_NAME = frozenset(
    [
        *("ecole", "college", "lycee", "superieur", "formation", "salle", "residence", "ehpad", "chambre"),
        *("commerce", "tiers_lieu", "culture", "sport", "emploi", "logement", "enfance", "seniors", "sante"),
        *("urbanisme", "justice"),
    ]
)
"""Services of which one address may hold several: their own names must agree too."""

_MARKS = {
    "annexe": r"annexe|deleguee?|ancien(?:ne)?|proximite|mairie quartier",
    "mobile": r"(?:mini)?bus|camion|itinerante?s?|mobile|van|caravane|ambulante?",
    "domicile": r"domicile",
}
"""What distinguishes an office from the seat of that name, and a tour from the place where it starts."""

_ASSOCIATION = r"association|club|comite|federation|union|ligue|amicale|groupe|secours"

_GENERIC = frozenset(
    [
        *("accueil", "agence", "antenne", "bureau", "centre", "communal", "communale", "espace", "france"),
        *("intercommunal", "intercommunale", "local", "locale", "maison", "multisites", "multi", "municipal"),
        *("municipale", "numerique", "numeriques", "point", "pole", "public", "publique", "publics"),
        *("service", "services", "site", "sites", "relais", "info", "communes", "lieu", "siege", "structure"),
    ]
)
"""Words too common in the names of such places to distinguish one from another."""


def _one_pattern(**kinds: dict[str, str]) -> re.Pattern[str]:
    """Return one pattern for all kinds, whose groups are named kind and name: "services__poste"."""
    groups = [
        f"(?P<{kind}__{name}>{pattern})"
        for kind, patterns in kinds.items()
        for name, pattern in patterns.items()
    ]
    return re.compile(rf"(?<!\S)(?:{'|'.join(groups)})(?!\S)")


# At one word, the first pattern counts: a body « centre communal d'action sociale » is no « centre ».
_PATTERN = _one_pattern(
    marks=_MARKS, guests=_GUESTS, hosts=_HOSTS, services=_SERVICES, association={"any": _ASSOCIATION}
)


class NameRelation(StrEnum):
    """What two names say about two records at one door."""

    SAME = "same"
    """The same name, or the same service."""
    COMPATIBLE = "compatible"
    """Two bodies or programmes that share a door: a town hall and France services."""
    MARKED = "marked"
    """One is an annexe, a tour or a home visit, and the other is not."""
    HOSTED = "hosted"
    """A programme, and a service with a door of its own that may host it."""
    UNKNOWN = "unknown"
    """Nothing known of at least one of them, and the names differ."""
    CONFLICT = "conflict"
    """Two distinct services: a library and a town hall."""


@dataclass(frozen=True, slots=True)
class PlaceName:
    """What a name says. `words` are those left without the others, in alphabetical order."""

    services: frozenset[str]
    hosts: frozenset[str]
    guests: frozenset[str]
    marks: frozenset[str]
    association: bool
    words: tuple[str, ...]
    text: str

    @property
    def anonymous(self) -> bool:
        """Whether the name says nothing (an identifier, the name of the commune)."""
        return not (self.services or self.anchored or self.association or self.words)

    @property
    def anchored(self) -> bool:
        """Whether the name is that of a public body or of a programme."""
        return bool(self.hosts or self.guests)


def split_words(text: str) -> list[str]:
    """Return the folded words of a name, abbreviations expanded, without articles."""
    words = _WORD.findall(fold(text).replace("@", "a"))
    expanded = " ".join(_ABBREVIATIONS.get(word, word) for word in words).split()
    return [word for word in expanded if word not in ARTICLES]


@lru_cache(maxsize=8_192)
def parse_name(name: str, commune: str) -> PlaceName:
    """Parse the name of a record; the name of its commune is no evidence, and is left out."""
    text = " ".join(split_words(name))
    found: dict[str, set[str]] = {"marks": set(), "guests": set(), "hosts": set(), "services": set()}
    rest = _PATTERN.sub(lambda match: _note(match, found), text)
    place = set(split_words(commune))
    words = {w for w in rest.split() if w not in place and w not in _GENERIC and not _is_code(w)}
    return PlaceName(
        services=frozenset(found["services"]),
        hosts=frozenset(found["hosts"]),
        guests=frozenset(found["guests"]),
        marks=frozenset(found["marks"]),
        association="association" in found,
        words=tuple(sorted(words)),
        text=text,
    )


def _note(match: re.Match[str], found: dict[str, set[str]]) -> str:
    """Note the kind and name of a match, and replace it by nothing."""
    kind, _, name = (match.lastgroup or "").partition("__")
    found.setdefault(kind, set()).add(name)
    return " "


def _is_code(word: str) -> bool:
    """Return whether a word is a number without meaning: a département, a rank, an identifier."""
    return word.isdigit() and len(word) not in (3, 4)


def words_agree(a: PlaceName, b: PlaceName) -> bool:
    """Return whether the remaining words agree: those of one are in the other, or spelled alike."""
    if not a.words or not b.words:
        return False
    if _is_acronym(a, b) or _is_acronym(b, a):
        return True
    left, right = set(a.words), set(b.words)
    if left <= right or right <= left:
        return any(len(word) >= 4 for word in left & right)
    return fuzz.ratio(" ".join(a.words), " ".join(b.words)) >= 90


def _is_acronym(short: PlaceName, long: PlaceName) -> bool:
    """Return whether the one word left of a name is initials of the other: « BHAP »."""
    if len(short.words) != 1 or not 3 <= len(short.words[0]) <= 6 or len(long.words) < 2:
        return False
    return short.words[0] in "".join(word[0] for word in long.text.split())


def similarity(a: PlaceName, b: PlaceName) -> float:
    """Return the similarity of two whole names, 0 to 100; 0 where one is empty."""
    if not a.text or not b.text:
        return 0.0
    return (fuzz.token_sort_ratio(a.text, b.text) + fuzz.token_set_ratio(a.text, b.text)) / 2


def compare_names(a: PlaceName, b: PlaceName) -> NameRelation:
    """Say whether two names may be those of one door. Symmetric."""
    if a.text == b.text and a.text:
        return NameRelation.SAME
    if a.marks != b.marks:
        return NameRelation.MARKED
    if a.services or b.services:
        return _compare_services(a, b)
    if a.association or b.association:
        return NameRelation.SAME if words_agree(a, b) else NameRelation.UNKNOWN
    if words_agree(a, b):
        return NameRelation.SAME
    if (a.anchored or a.anonymous) and (b.anchored or b.anonymous):
        return _compare_anchored(a, b)
    return NameRelation.UNKNOWN


def _compare_services(a: PlaceName, b: PlaceName) -> NameRelation:
    shared = a.services & b.services
    if shared:
        if shared <= NEEDS_OWN_NAME:
            own = words_agree(a, b) or not (a.words or b.words)
            if not own:
                return NameRelation.UNKNOWN
        else:
            own = words_agree(a, b) or not (a.words and b.words)
        return NameRelation.SAME if own and a.services == b.services else NameRelation.COMPATIBLE
    if a.services and b.services:
        return NameRelation.CONFLICT
    if a.guests & b.guests & {"france_services"}:
        return NameRelation.COMPATIBLE
    one, other = (a, b) if a.services else (b, a)
    if other.hosts:
        return NameRelation.HOSTED if one.guests or one.hosts & other.hosts else NameRelation.CONFLICT
    if other.guests or other.anonymous:
        return NameRelation.HOSTED
    return NameRelation.SAME if words_agree(a, b) else NameRelation.UNKNOWN


def _compare_anchored(a: PlaceName, b: PlaceName) -> NameRelation:
    """Compare two public bodies or programmes whose remaining words do not agree."""
    one_kind = bool(a.hosts & b.hosts) or bool(a.guests & b.guests)
    if not one_kind:
        return NameRelation.COMPATIBLE
    # Two town halls, or two France services, with different words may be those of two places.
    return NameRelation.UNKNOWN if a.words and b.words else NameRelation.SAME
