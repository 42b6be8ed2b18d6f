"""Clean text for storage, and normalise it for comparisons."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # control characters but white space
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates: they reorder what follows
    "\u200b\u2060\ufeff"  # spaces and joiners without width (emoji need \u200d, and keep it)
    "\ufff9-\ufffb\ud800-\udfff]"  # annotations, lone surrogates
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BREAK = re.compile(r"[ \t]*[\n\t]\s*")
_VARIANTS = str.maketrans({"’": "'", "œ": "oe", "æ": "ae", "-": " ", "‐": " ", "‑": " "})
_CACHED_MAX = 200
"""Longest text whose folded form is cached, in characters: hostile text must not fill the memory."""


def clean_text(text: str, *, lines: bool = False) -> tuple[str, bool]:
    """Remove control characters and direction overrides, normalise to NFC and trim.

    Right-to-left scripts, emoji (and the joiners they need) and text that looks like markup are not
    changed: escaping is up to the code that displays the text.

    Parameters
    ----------
    lines
        Keep line breaks, as `\\n`; otherwise a break becomes a space.

    Returns
    -------
    The text, and whether anything changed besides outer white space and the kind of line ends.
    """
    if text.isascii() and text.isprintable():
        return text.strip(), False
    ended = _LINE_END.sub("\n", text).strip()
    cleaned = unicodedata.normalize("NFC", _UNWANTED.sub("", ended)).strip()
    if not lines:
        cleaned = _BREAK.sub(" ", cleaned).strip()
    return cleaned, cleaned != ended


def comparable_text(text: str) -> str:
    """Normalise text for comparing labels and numbers: NFC, straight apostrophes, single spaces."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(unicodedata.normalize("NFC", _UNWANTED.sub("", text)).replace("’", "'").split())


def fold(text: str) -> str:
    """Fold text for comparisons that ignore accents, case and typographic variants of ' and -."""
    return _fold(text) if len(text) <= _CACHED_MAX else _fold.__wrapped__(text)


@lru_cache(maxsize=65_536)
def _fold(text: str) -> str:
    bare = text.casefold()
    if not bare.isascii():
        bare = "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))
    return " ".join(bare.translate(_VARIANTS).split())
