"""Languages of the outputs: French is the source, others come from gettext catalogues.

A catalogue is `locale/<language>/LC_MESSAGES/portee.po`; one more file adds one more language. Its
entries are the French sentences themselves. `scripts/catalogues.sh` brings them up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "portee"
SOURCE: Final = "fr"
"""The language that sentences are written in."""

LANGUAGES: Final[Mapping[str, str]] = MappingProxyType({"fr": "Français", "en": "English"})
"""Code → name of the language in that language."""

_LOCALES: Final = {"fr": "fr_FR", "en": "en_GB"}
_THOUSANDS: Final = {"fr": "\N{NARROW NO-BREAK SPACE}", "en": ","}
_DECIMAL: Final = {"fr": ",", "en": "."}


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


@dataclass(frozen=True)
class Language:
    """One language: its sentences, its plurals and its number separators."""

    code: str
    translations: NullTranslations

    @property
    def locale(self) -> str:
        """Babel's name of the locale."""
        return _LOCALES[self.code]

    @property
    def decimal_mark(self) -> str:
        """The mark between units and decimals."""
        return _DECIMAL[self.code]

    def __call__(self, message: str, **values: object) -> str:
        """Translate a sentence and fill in `%(name)s`."""
        translated = self.translations.gettext(message)
        return translated % values if values else translated

    def ngettext(self, one: str, several: str, count: float, **values: object) -> str:
        """Translate a sentence about a number of things.

        `%(num)s` is the number, whole and with its thousands apart; `one` is taken by the plural rule of the
        language (French: below two; English: exactly one).
        """
        shown = round_half_up(count)
        translated = self.plural(one, several, shown)
        return translated % {"num": self.digits(shown), **values}

    def plural(self, one: str, several: str, count: float) -> str:
        """Translate the form of a sentence that suits a number, without filling it in."""
        return self.translations.ngettext(one, several, 1 if _is_one(self.code, abs(count)) else 2)

    def digits(self, value: float, decimals: int = 0) -> str:
        """Write the digits of a number: « 1 250,5 », "1,250.5"; rounded half up, a true minus sign."""
        rounded = round_half_up(value, decimals)
        text = f"{abs(rounded):,.{decimals}f}"
        text = text.translate({ord(","): _THOUSANDS[self.code], ord("."): _DECIMAL[self.code]})
        return f"\N{MINUS SIGN}{text}" if rounded < 0 else text


def round_half_up(value: float, decimals: int = 0) -> float:
    """Round a number, halves away from zero.

    The arithmetic is the one that `figures.js` does, so that both give the same digits.
    """
    power = 10.0**decimals
    rounded = float(int(abs(value) * power + 0.5)) / power
    return -rounded if value < 0 else rounded


@cache
def language(code: str) -> Language:
    """Return a language by its code; French for an unknown code."""
    if code not in LANGUAGES:
        code = SOURCE
    return Language(code, _translations(code))


@lru_cache(maxsize=1024)
def _is_one(code: str, count: float) -> bool:
    return Locale.parse(_LOCALES[code]).plural_form(count) == "one"


def _translations(code: str) -> NullTranslations:
    if code == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    with (LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=code, domain=DOMAIN))
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


FRENCH: Final = language(SOURCE)


def french_count(one: str, several: str, count: float, **values: object) -> str:
    """Write a French sentence about a number of things, for outputs that are in French only.

    The same as `FRENCH.ngettext`; the catalogues do not hold these sentences.
    """
    return FRENCH.ngettext(one, several, count, **values)
