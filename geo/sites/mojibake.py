"""Repair text whose characters were decoded wrongly, or that has HTML entities.

UTF-8 read as another encoding turns each accented letter into two or three signs (« Ã© » for « é »).
Such a sequence is replaced only if its bytes are those of a letter or sign used in French; any other
text is left as it is, so that « São Paulo » or « CAFÉ» does not change.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from html.entities import html5
from typing import Final

_FRENCH: Final = frozenset(
    "àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ"  # letters of French words
    "áíóúñãõåøßÁÍÓÚÑÃÕÅØ"  # letters of neighbours' names
    "«»‹›‘’‚“”„–—‑‐…•·°ºª²³½¼¾×€£©®™†§´¨\xa0\u202f\u2009\xad\ufeff−→✓"
)
"""Characters of French text."""

_LAYERS: Final = frozenset(bytes(range(0x80, 0x100)).decode("cp1252", "ignore")) | frozenset(
    map(chr, range(0x80, 0xA0))
)
"""Characters of a text decoded wrongly twice, once the second mistake is undone."""

_ENCODINGS: Final = ("cp1252", "mac_roman", "cp850", "cp437")
"""Encodings as which UTF-8 text is read by mistake, the most frequent first."""

_SUSPECT = re.compile("[ÃÂ]|[âÅÆËï√¬≈‚├┬┼ÔΓ][^\x00-\x7f]")
"""First signs of the wrong sequences; text without any is not searched further."""

_LEFTOVER = re.compile(
    r"\ufffd|Ã[^\w\s.,;:!?'’\")»\]-]|\bÃ(?= +[a-zà-ÿ])|Ã\?(?=\w)|â€|(?<=[a-zà-ÿ0-9])Â(?= |$)|├[^\s─┬┼┤├└]"
)
"""Signs of a wrong decoding that cannot be undone."""

_ALONE = re.compile(r"(?<!\w)Ã(?:\xa0 ?(?=[\w«])|  (?=[a-zà-ÿ]))")
"""The word « à » read wrongly; no French word begins with « à » and another letter."""

_TRIMMED = re.compile(r"(?<=[a-zà-ÿ])Ã(?= |$)")
"""A final « à » (« déjà ») whose no-break space was trimmed."""

_ALONE_TRIMMED = re.compile(r"(?<!\w)Ã(?= [\w«])")
"""The word « à » whose no-break space was trimmed: « Ã » unless the text has other wrong signs."""

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def repair_mojibake(text: str) -> tuple[str, bool]:
    """Undo wrong decodings of UTF-8, also repeated ones.

    Returns
    -------
    The repaired text, and whether it still has signs of a wrong decoding that cannot be undone.
    """
    if text.isascii() or not _SUSPECT.search(text):
        return text, "\ufffd" in text
    before, changed = "", text
    while changed != before:
        before = changed
        for encoding in _ENCODINGS:
            changed = _until_stable(changed, encoding)
    if changed != text:
        changed = _ALONE_TRIMMED.sub("à", changed)
    return changed, bool(_LEFTOVER.search(changed))


def _until_stable(text: str, encoding: str) -> str:
    before = ""
    while text != before and _SUSPECT.search(text):
        before, text = text, _decoded(_ALONE.sub("à ", _TRIMMED.sub("à", text)), encoding)
    return text


def unescape_entities(text: str) -> str:
    """Replace HTML entities that end in a semicolon (« &eacute; », « &amp;amp; »)."""
    before = ""
    while text != before and "&" in text:
        before, text = text, _ENTITY.sub(_character, text)
    return text


def _character(found: re.Match[str]) -> str:
    entity = found[0]
    return html.unescape(entity) if entity[1] == "#" or entity[1:] in html5 else entity


@lru_cache(maxsize=len(_ENCODINGS))
def _bytes_by_character(encoding: str) -> dict[str, int]:
    table = {}
    for byte in range(0x80, 0x100):
        try:
            table[bytes([byte]).decode(encoding)] = byte
        except UnicodeDecodeError:  # bytes without a character in Windows-1252 stay control characters
            table[chr(byte)] = byte
    if encoding == "cp1252":
        table |= {chr(byte): byte for byte in range(0x80, 0xA0)}  # Latin-1
    return table


@lru_cache(maxsize=len(_ENCODINGS))
def _sequences(encoding: str) -> re.Pattern[str]:
    """Return the pattern of two or three signs that are one UTF-8 character read as this encoding."""
    table = _bytes_by_character(encoding)
    signs = {
        name: "".join(re.escape(sign) for sign, byte in table.items() if low <= byte <= high)
        for name, low, high in (("two", 0xC2, 0xCB), ("three", 0xE2, 0xEF), ("tail", 0x80, 0xBF))
    }
    return re.compile(r"(?!(?<!\w)Ã\xa0)[{two}][{tail}]|[{three}][{tail}]{{2}}".format(**signs))


def _decoded(text: str, encoding: str) -> str:
    """Undo one decoding of UTF-8 as this encoding, wherever that gives a character of French text."""
    table = _bytes_by_character(encoding)
    accepted = _FRENCH | _LAYERS if encoding == _ENCODINGS[0] else _FRENCH

    def character(found: re.Match[str]) -> str:
        try:
            decoded = bytes(table[sign] for sign in found[0]).decode()
        except UnicodeDecodeError:
            return found[0]
        return decoded if decoded in accepted else found[0]

    return _sequences(encoding).sub(character, text)
