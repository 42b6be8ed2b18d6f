"""Languages of the pages: French as it is written here, others through gettext catalogues.

A catalogue is `locale/<language>/LC_MESSAGES/portee.po`; one more file adds one more language. Its
entries are the French sentences themselves. `scripts/catalogues.sh` brings them up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Final

from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "portee"
SOURCE: Final = "fr"
"""The language the pages are written in."""

LANGUAGES: Final[Mapping[str, str]] = MappingProxyType({"fr": "Français", "en": "English"})
"""Code → its name in itself."""

_LOCALES: Final = {"fr": "fr_FR", "en": "en_GB"}


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a sentence for the catalogues, to be translated where it is shown."""
    return message


@dataclass(frozen=True)
class Language:
    """One language: its sentences, and how it writes days and hours."""

    code: str
    translations: NullTranslations

    def __call__(self, message: str, **values: object) -> str:
        """A sentence in this language, `%(name)s` filled in."""
        said = self.translations.gettext(message)
        return said % values if values else said

    def many(self, one: str, several: str, count: int, **values: object) -> str:
        """A sentence about a number of things; `%(num)s` is the number."""
        return self.translations.ngettext(one, several, count) % {"num": count, **values}

    def day(self, day: date, *, year: bool = True) -> str:
        """A day in full: « jeudi 3 décembre 2026 »."""
        pattern = {"fr": "EEEE d MMMM", "en": "EEEE d MMMM"}.get(self.code, "EEEE d MMMM")
        said = format_date(day, pattern + (" y" if year else ""), locale=_LOCALES[self.code])
        return said.replace(" 1 ", " 1er ", 1) if self.code == SOURCE else said

    def weekday(self, day: date) -> str:
        """The name of a day of the week."""
        return format_date(day, "EEEE", locale=_LOCALES[self.code])

    def date(self, day: date) -> str:
        """A date in full: « 3 décembre 2026 »."""
        said = format_date(day, "d MMMM y", locale=_LOCALES[self.code])
        return f"1er{said[1:]}" if self.code == SOURCE and day.day == 1 else said

    def hour(self, moment: time | datetime) -> str:
        """An hour of the day: « 17 h 30 », "5:30 pm"."""
        if self.code == SOURCE:
            return f"{moment.hour}\u00a0h" + (f"\u00a0{moment.minute:02}" if moment.minute else "")
        return format_time(moment, "h:mm a", locale=_LOCALES[self.code]).replace(":00", "")


@cache
def language(code: str) -> Language:
    """A language by its code; French for one that is not spoken here."""
    if code not in LANGUAGES:
        code = SOURCE
    return Language(code, _translations(code))


def _translations(code: str) -> NullTranslations:
    if code == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    with (LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=code, domain=DOMAIN))
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)
