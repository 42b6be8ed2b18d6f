"""Read remarks about hours: « sur rendez-vous uniquement », « fermé en août », « le matin ».

A remark that says one thing without doubt becomes a value; every sentence about hours is quoted
where the hours are shown, so that nothing it adds is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from geo.hours.french_dates import find_closures
from geo.sites.text import fold

QUOTE_MAX: Final = 500
"""Longest sentence quoted, in characters."""

_SENTENCE_END = re.compile(
    r"(?<![.\d])\.(?=\s+[A-ZÀ-ÝŒ])|(?<=\d)\.(?=\s+[A-ZÀ-ÝŒ])|\s*(?<!:)//+\s*|[\n;!]|\s{4,}"
)
_MEETING = r"(?:rendez vous|rendezvous|r\.d\.v\.?|rdvs?|rv)"
_MEETINGS = re.compile(rf"\b{_MEETING}(?!\w)")
_CONTACT = re.compile(
    r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+?\d[\d .,/()-]{7,}\d|"
    r"\b(?:3\d{3}|3\d \d\d)\b"
)
_ONLY = frozenset({"uniquement", "seulement", "exclusivement", "obligatoire", "obligatoirement"})
_REQUIRED = frozenset({"obligatoire", "imperatif", "imperativement", "exige", "necessaire", "indispensable"})
_NEUTRAL = re.compile(
    r"accueil(?:le|lons)?|re(?:coit|cevons|cue?s?)|pren(?:ons|d|dre)|prise|nous|on|vous|"
    r"l[ae]?|les|du|de?|des|une?|publics?|usagers?|lieu|site|structure|espace|bureau|guichet|"
    r"est|sont|se|fait|font|ouverte?s?|ouverture|permanences?|conseill(?:er|ere)|numerique|"
    r"visites?|consultations?|france|services?|fonctionn(?:e|ons)|assuree?|au|par|a|en|aupres|"
    r"tel(?:ephone|ephonique)?|e|e?mails?|mel|courriels?|ou|et|et/ou|appelant|ligne|internet|sur|"
    r"prealables?|contact(?:er|ez)?|appele[rz]|merci|attention|important|nb|numero|suivant|adresse"
)
"""Words that change nothing about who is received, and when."""

_ABOUT_HOURS = re.compile(
    rf"\b(?:{_MEETING}(?!\w)|horaires?|heures?|\d{{1,2}} ?h(?:\d\d)?\b|ferm\w+|ouv[er]\w*|"
    r"(?:lun|mar|mercre|jeu|vendre|same)dis?|dimanches?|matins?|matinees?|apres midis?|soirs?|"
    r"permanences?|semaines?|vacances|feries?|conges?|planning|itineran\w*|journees?|mois|janvier|"
    r"fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre)"
)


@dataclass(frozen=True, slots=True)
class HoursRemark:
    """What a remark says about hours.

    Attributes
    ----------
    by_appointment
        True when it says that people are received by appointment only, at all hours.
    closures
        Date selectors of whole days on which the site is closed ("Aug", "2026 Dec 24-2027 Jan 02").
    quotes
        Its sentences about hours, as written.
    """

    by_appointment: bool = False
    closures: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()


def read_remark(text: str, *, prose: bool = False) -> HoursRemark:
    """Read a remark of a source about its hours, in French.

    `prose` reads a presentation instead, which may be about many things: « sur rendez-vous » counts
    only with « uniquement » or alone, and only sentences that give a value are quoted.
    """
    quotes: list[str] = []
    closures: list[str] = []
    by_appointment = False
    parts = sentences(text)
    for sentence in parts:
        folded = fold(sentence)
        if not _ABOUT_HOURS.search(folded):
            continue
        # After another sentence, « sur rendez-vous » may concern only what that one is about.
        alone = len(parts) == 1 if prose else not quotes
        stressed = not (_ONLY | _REQUIRED).isdisjoint(folded.split())
        booking = (alone or stressed) and is_by_appointment_only(sentence)
        dates = [each for closure in find_closures(folded) for each in closure.selectors]
        if booking or dates or not prose:
            quotes.append(sentence if len(sentence) <= QUOTE_MAX else f"{sentence[: QUOTE_MAX - 1]}…")
        by_appointment |= booking
        closures += dates
    return HoursRemark(by_appointment, tuple(dict.fromkeys(closures)), tuple(dict.fromkeys(quotes)))


def sentences(text: str) -> tuple[str, ...]:
    """Split a remark into sentences, each on one line and without its full stop."""
    found = (" ".join(part.split()).strip(" .,;:!/-–") for part in _SENTENCE_END.split(text))
    return tuple(part for part in found if part)


def is_by_appointment_only(sentence: str) -> bool:
    """Return whether a sentence says that people are received by appointment only, at all hours.

    True for « sur rendez-vous », « accueil sur RDV uniquement », « rendez-vous obligatoire », and how
    to book after it. False when it limits itself to days, hours, a place or a matter, when it only
    offers appointments (« possible », « conseillé ») or also receives without one.
    """
    text = _MEETINGS.sub("rdv", fold(_CONTACT.sub(" ", sentence)))
    words = re.findall(r"[a-z][\w/]*", text)
    known = _ONLY | _REQUIRED | {"rdv"}
    if "rdv" not in words or not all(word in known or _NEUTRAL.fullmatch(word) for word in words):
        return False
    at = words.index("rdv")
    before, after = words[max(at - 1, 0) : at], words[at + 1 : at + 3]
    by = before in (["sur"], ["par"])
    if by and words[at - 2 : at - 1] not in (["prise"], ["contact"], ["ou"], ["et"]):
        return True
    # « rendez-vous uniquement par téléphone » says how to book, not that one must.
    only = (
        bool(after)
        and after[0] in _ONLY
        and not (after[0] != "obligatoire" and after[1:] in (["par"], ["au"], ["en"]))
    )
    return only or bool(set(words) & _REQUIRED)
