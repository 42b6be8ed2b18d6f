"""Parse telephone cells: several numbers, short numbers, and the words that stand beside each.

A cell is searched for numbers; what is left between them is cut at separators, and each piece is
the remark of the number it stands beside: « Mairie : 05 36 49 00 01 / 06 … (urgences) ».
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import shortnumberinfo

from geo.crs import departement_code
from geo.sites.findings import Finding
from geo.sites.standard import SEPARATOR
from geo.sites.text import fold

CELL_MAX: Final = 300
"""Longest cell read, in characters; longer cells hold prose."""

REMARK_MAX: Final = 120
"""Longest remark, in characters."""

_REGIONS: Final = {
    "971": "GP",
    "972": "MQ",
    "973": "GF",
    "974": "RE",
    "975": "PM",
    "976": "YT",
    "977": "BL",
    "978": "MF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}
"""Overseas département → region of the numbering plan. Other départements use "FR"."""

_RUN = re.compile(r"(?:\+\s*|\b)\d[\d\s.,·/()\-–—_]*", re.ASCII)
_GROUP = re.compile(r"(?:\+\s*)?\d+", re.ASCII)
_SIGN = re.compile(r"[/,·–—]|\s-\s")
_TRUNK = re.compile(r"\(\s*0\s*\)")
_SHORT = re.compile(r"(?:3\d{3}|10\d\d|11\d|11[68]\d{3})", re.ASCII)
_SPREADSHEET = re.compile(r"\s*(\d{9,11})\.0\s*", re.ASCII)
_BETWEEN = re.compile(r"\s*[|/;,\n]\s*|\s+[-–—]\s+|\s*\b(?:ou|et|puis|sinon)\b\s*(?:au\b)?\s*", re.IGNORECASE)
_PARENTHESIS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
_EXTENSION = re.compile(
    r"\s*,?\s*\b(?:poste|ext(?:ension)?\.?|int(?:erne)?\.?)\s*(?:n?°)?\s*:?\s*\d{1,6}\b", re.IGNORECASE
)
_EMPTY_WORDS = re.compile(
    r"(?:t[eé]l[eé]?(?:phones?)?|num[eé]ros?|n|no|appel(?:er|ez)?|au|le|la|les|joindre|contact(?:er)?|"
    r"sans objet|n[eé]ant|nc)",
    re.IGNORECASE,
)
_FAX = re.compile(r"\b(?:fax|telecopie(?:ur)?)\b")
_DIGITS_OF_A_NUMBER = re.compile(r"(?:\d[\s.\-/]*){6,}", re.ASCII)
_OURS = re.compile(r"(\+?\d{3,15})(?: \(([^()|]+)\))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Telephone:
    """A telephone number and what its source says about it.

    Attributes
    ----------
    number
        E.164 form ("+33536490001"), or the digits of a short number ("3631"), which has no
        international form.
    remark
        Words beside the number (« secrétariat », « poste 12 »), without parentheses; "" for none.
    """

    number: str
    remark: str = ""

    def __str__(self) -> str:
        return f"{self.number} ({self.remark})" if self.remark else self.number


@dataclass(frozen=True, slots=True)
class _Found:
    number: str
    start: int
    end: int


def parse_phones(cell: str, code: str) -> tuple[tuple[Telephone, ...], tuple[Finding, ...]]:
    """Parse the telephone numbers of a cell, in its order, without repetitions.

    Parameters
    ----------
    code
        INSEE or postal code of the place; selects the numbering plan of national numbers.

    Returns
    -------
    The numbers with their remarks (a fax comes last), and the findings.
    """
    if not cell:
        return (), ()
    if len(cell) > CELL_MAX:
        return (), (Finding("telephone_invalide", "telephone", cell),)
    return _phones(cell, _REGIONS.get(departement_code(code), "FR"))


def parse_other_phones(cell: str, code: str) -> tuple[tuple[Telephone, ...], tuple[Finding, ...]]:
    """Parse `ext_autres_telephones`: numbers as `Telephone` writes them, joined by `|`, or as in any cell."""
    parts = [part for part in cell.split(SEPARATOR) if part.strip()]
    ours = [_OURS.fullmatch(part.strip()) for part in parts]
    if all(ours):
        return tuple(Telephone(each[1], each[2] or "") for each in ours if each), ()
    phones, findings = parse_phones(cell, code)
    return phones, tuple(replace(finding, field="ext_autres_telephones") for finding in findings)


@lru_cache(maxsize=32_768)
def _phones(cell: str, region: str) -> tuple[tuple[Telephone, ...], tuple[Finding, ...]]:
    text = _SPREADSHEET.sub(r"\1", cell)
    found = list(_numbers(text, region))
    if not found:
        return (), (Finding("telephone_invalide", "telephone", cell),)
    remarks, faulty = _remarks(text, found)
    merged: dict[str, list[str]] = {}
    for each, words in zip(found, remarks, strict=True):
        merged.setdefault(each.number, []).extend(word for word in words if word)
    phones = [Telephone(number, _joined(words)) for number, words in merged.items()]
    phones.sort(key=lambda phone: bool(_FAX.search(fold(phone.remark))))
    findings = [Finding("telephone_invalide", "telephone", part) for part in faulty]
    if len(phones) > 1:
        findings.append(Finding("telephone_multiple", "telephone", cell, _quoted(phones)))
    elif phones[0].remark:
        findings.append(Finding("telephone_avec_remarque", "telephone", cell, _quoted(phones)))
    elif not findings and phones[0].number != cell:
        findings.append(Finding("telephone_normalise", "telephone", cell, phones[0].number))
    return tuple(phones), tuple(findings)


def is_fax(phone: Telephone) -> bool:
    """Return whether a number is a fax, which must not be called."""
    return bool(_FAX.search(fold(phone.remark)))


def _quoted(phones: list[Telephone]) -> str:
    return " ; ".join(map(str, phones))


def _joined(words: list[str]) -> str:
    text = ", ".join(dict.fromkeys(words))
    return text if len(text) <= REMARK_MAX else f"{text[: REMARK_MAX - 1]}…"


def _numbers(text: str, region: str) -> Iterator[_Found]:
    """Yield the numbers of a text. In a run of digits, each takes as many groups as make it valid."""
    extensions = [found.span() for found in _EXTENSION.finditer(text)]
    for run in _RUN.finditer(text):
        groups = list(_GROUP.finditer(text, run.start(), run.end()))
        place = 0
        while place < len(groups):
            start = groups[place].start()
            if any(first <= start < last for first, last in extensions):
                place += 1
                continue
            number, following = _number(text, groups, place, region)
            if number:
                yield _Found(number, start, groups[following - 1].end())
            place = following


def _number(text: str, groups: list[re.Match[str]], place: int, region: str) -> tuple[str, int]:
    """Return the number that begins at a group, "" if none, and the index of the group after it."""
    start = groups[place].start()
    longest = ("", place + 1)
    signs: set[bool] = set()  # "05/53/00…" is one number, "05 53 … / 06 …" are two
    for last in range(place, len(groups)):
        if last > place and groups[last][0].startswith("+"):
            break
        if last > place:
            signs.add(bool(_SIGN.search(text[groups[last - 1].end() : groups[last].start()])))
            if len(signs) > 1:
                break
        piece = text[start : groups[last].end()]
        digits = re.sub(r"\D", "", _TRUNK.sub("", piece), flags=re.ASCII)
        if len(digits) > 17:
            break
        if _SHORT.fullmatch(digits) and not _goes_on(text, groups, last):
            return (digits, last + 1) if _is_short(digits, region) else ("", last + 1)
        number = _e164(("+" if piece.startswith("+") else "") + digits, region)
        # Numbers of other countries have several lengths: the longest is meant.
        if number and not piece.startswith(("+", "00")):
            return number, last + 1
        if number:
            longest = (number, last + 1)
    return longest


def _goes_on(text: str, groups: list[re.Match[str]], last: int) -> bool:
    """Return whether digits follow a group at the distance at which the groups of a number stand."""
    return last + 1 < len(groups) and text[groups[last].end() : groups[last + 1].start()] in (
        " ",
        ".",
        "-",
        "",
    )


def _is_short(digits: str, region: str) -> bool:
    number = phonenumbers.parse(digits, region)
    return shortnumberinfo.is_valid_short_number_for_region(number, region)


def _e164(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _remarks(text: str, found: list[_Found]) -> tuple[list[list[str]], list[str]]:
    """Return the remarks of each number, and pieces that look like a number but are not one."""
    remarks: list[list[str]] = [[] for _ in found]
    faulty: list[str] = []

    def add(rank: int, piece: str) -> None:
        words = _cleaned(piece)
        if _DIGITS_OF_A_NUMBER.search(words):
            faulty.append(piece.strip(" ,;/|:"))
        elif words:
            remarks[rank].append(words)

    before = text[: found[0].start]
    for piece in _BETWEEN.split(before):
        add(0, piece)
    labelled = any(map(str.isalpha, before))
    for rank, number in enumerate(found):
        end = found[rank + 1].start if rank + 1 < len(found) else len(text)
        gap = text[number.end : end]
        for own in (_EXTENSION, _PARENTHESIS, _EXTENSION):
            if match := own.match(gap):
                add(rank, match[1] if match.re is _PARENTHESIS else match[0])
                gap = gap[match.end() :]
        pieces = _BETWEEN.split(gap)
        last = rank + 1 == len(found)
        if len(pieces) == 1 and not last:
            follows = labelled or pieces[0].rstrip().endswith(":")
            add(rank + 1 if follows else rank, pieces[0])
            continue
        *own_pieces, following = pieces
        for piece in own_pieces:
            add(rank, piece)
        add(rank if last else rank + 1, following)
    return remarks, faulty


def _cleaned(piece: str) -> str:
    """Return the words of a piece without punctuation around them; "" when they say nothing."""
    words = re.sub(r"[|()\[\]\n]", " ", piece)
    words = " ".join(words.split()).strip(" .:,;/-–—_°·")
    bare = re.sub(r"[^\w\s]", " ", words)
    meaning = [word for word in [bare.strip()] if word and not _EMPTY_WORDS.fullmatch(" ".join(word.split()))]
    if not meaning or all(_EMPTY_WORDS.fullmatch(word) for word in bare.split()):
        return ""
    return re.sub(r"^t[eé]l[eé]?(?:phone)?\b\.?\s*:?\s+(?=\S)", "", words, flags=re.IGNORECASE)
