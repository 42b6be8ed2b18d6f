"""Language of the command line: French as it is written in the code, English through a catalogue.

One run uses one language: `--lang` before the command, else `PORTEE_LANG`, else French. Two gettext
catalogues serve it, read only when needed:

- `locale/en/LC_MESSAGES/portee.po` translates the French sentences of this package;
- `locale/fr/LC_MESSAGES/foreign.po` translates sentences that come from elsewhere in English and already
  filled in: usage errors of Typer and Pydantic, faults of the installation. Such a sentence is matched
  against the templates of the catalogue, `%(name)s` standing for any text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

SOURCE: Final = "fr"
LANGUAGES: Final = ("fr", "en")
VARIABLE: Final = "PORTEE_LANG"
OPTION: Final = "--lang"
LOCALE: Final = Path(__file__).parent / "locale"

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s|%%")
_current = SOURCE


def language() -> str:
    """Return the code of the language this run uses."""
    return _current


def use_language(code: str) -> None:
    """Use a language from now on.

    Raises
    ------
    ValueError
        If `code` is not one of `LANGUAGES`.
    """
    global _current  # noqa: PLW0603 - one process, one language
    if code not in LANGUAGES:
        raise ValueError(code)
    _current = code


def requested_language(arguments: Sequence[str], default: str | None) -> str:
    """Return the language that the options before the command ask for, else `default`, else French."""
    found = default or SOURCE
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            break
        if word == OPTION:
            found = next(words, found)
        elif word.startswith(f"{OPTION}="):
            found = word.partition("=")[2]
    return found


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a sentence for the catalogue; it is translated where it is shown."""
    return message


def _(message: str, /, **values: object) -> str:
    """Return a sentence of this package in the language of the run, `%(name)s` filled in."""
    text = _translation(message) if _current != SOURCE else message
    return text % values if values else text


def many(one: str, several: str, count: float, /, **values: object) -> str:
    """Return a sentence about a number of things, in the language of the run; `%(num)s` is the number."""
    if _current == SOURCE:
        text = one if abs(count) < 2 else several
    else:
        found = _catalogue("en", "portee").get(one)
        forms = found.string if found and isinstance(found.string, tuple) else (one, several)
        text = forms[0 if count == 1 else 1] or several
    return text % {"num": count, **values}


def foreign(text: str) -> str:
    """Translate a sentence that another package has already filled in; unknown ones stay as they are."""
    source = "fr" if _current == SOURCE else "en"
    for pattern, template in _templates(source):
        if found := pattern.fullmatch(text):
            return template % found.groupdict()
    return text


def _translation(message: str) -> str:
    found = _catalogue("en", "portee").get(message)
    return str(found.string) if found and found.string else message


@cache
def _catalogue(code: str, domain: str) -> Catalog:
    from babel.messages.pofile import read_po  # noqa: PLC0415 - French needs no catalogue

    path = LOCALE / code / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as source:
        return read_po(source, locale=code, domain=domain)


@cache
def _templates(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Templates of sentences from elsewhere, those with most fixed text first, with their translation."""
    if not (LOCALE / code / "LC_MESSAGES" / "foreign.po").is_file():
        return ()
    entries = [each for each in _catalogue(code, "foreign") if each.id and each.string]
    entries.sort(key=lambda each: -len(_PLACEHOLDER.sub("", str(each.id))))
    return tuple((template_pattern(str(each.id)), str(each.string)) for each in entries)


def template_pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of the sentences a template can become."""
    parts: list[str] = []
    end = 0
    for found in _PLACEHOLDER.finditer(template):
        parts.append(re.escape(template[end : found.start()]))
        parts.append(f"(?P<{found[1]}>.*)" if found[1] else "%")
        end = found.end()
    return re.compile("".join(parts) + re.escape(template[end:]), re.DOTALL)
