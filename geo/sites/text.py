"""Text as it may be stored and shown: nothing invisible that could mislead, all the rest verbatim."""

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
_REMEMBERED_MAX = 200
"""Longest text whose folding is remembered: hostile ones must not fill the memory."""


def clean_text(text: str, *, lines: bool = False) -> tuple[str, bool]:
    """Text without control characters or direction overrides, in Unicode form NFC, trimmed.

    Right-to-left scripts, emoji (and the joiners they need) and markup-like text stay as written:
    it is for those who show the text to escape it.

    Parameters
    ----------
    lines
        Keep line breaks, as `\\n`; otherwise a break becomes a space.

    Returns
    -------
    The text, and whether more than outer white space and the kind of line end has changed.
    """
    if text.isascii() and text.isprintable():
        return text.strip(), False
    ended = _LINE_END.sub("\n", text).strip()
    kept = unicodedata.normalize("NFC", _UNWANTED.sub("", ended)).strip()
    if not lines:
        kept = _BREAK.sub(" ", kept).strip()
    return kept, kept != ended


def comparable_text(text: str) -> str:
    """Text as labels and numbers are compared: NFC, straight apostrophes, ordinary single spaces."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(unicodedata.normalize("NFC", _UNWANTED.sub("", text)).replace("’", "'").split())


def fold(text: str) -> str:
    """Text as people compare it: without accents, case, or typographic variants of ' and -."""
    return _fold(text) if len(text) <= _REMEMBERED_MAX else _fold.__wrapped__(text)


@lru_cache(maxsize=65_536)
def _fold(text: str) -> str:
    bare = text.casefold()
    if not bare.isascii():
        bare = "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))
    return " ".join(bare.translate(_VARIANTS).split())
