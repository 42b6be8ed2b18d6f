"""Check the environment before any command: settings that cannot be used, variables that do not exist."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from api.settings import ApiSettings
from geo.errors import OperatorError
from geo.settings import Settings
from portee.console import warn
from portee.language import LANGUAGES, VARIABLE, _, foreign
from static_maps.settings import MapSettings

KINDS: Final[tuple[type[BaseSettings], ...]] = (Settings, ApiSettings, MapSettings)
PREFIX: Final = "PORTEE_"
OTHERS: Final = frozenset({VARIABLE, "PORTEE_FUZZ_EXAMPLES"})
"""Variables that are no settings of the service: language of the command line, size of random tests."""


def variable(kind: type[BaseSettings], field: str) -> str:
    """Return the environment variable of a setting."""
    alias = kind.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{kind.model_config.get('env_prefix', '')}{field}".upper()


def require_usable() -> None:
    """Read every setting once.

    Raises
    ------
    OperatorError
        Naming the variables whose value cannot be used, and why.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen is not None and chosen not in LANGUAGES:
        _refuse(f"{VARIABLE}: {', '.join(LANGUAGES)}")
    for kind in KINDS:
        try:
            kind()
        except ValidationError as problem:
            faults = "; ".join(
                f"{_name(kind, str(error['loc'][0]))}: {foreign(error['msg'])}" for error in problem.errors()
            )
        except SettingsError as problem:
            # Its sentence names the field between quotes; the value of the field is not valid JSON.
            field = next((name for name in kind.model_fields if f'"{name}"' in str(problem)), "")
            faults = f"{_name(kind, field)}: {_('une liste JSON est attendue')}"
        else:
            continue
        _refuse(faults)


def unknown_variables(environment: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Return the `PORTEE_` variables that nothing reads, each with the nearest known one if any is near."""
    known = {variable(kind, field) for kind in KINDS for field in kind.model_fields} | OTHERS
    return [
        (name, next(iter(get_close_matches(name, sorted(known), n=1, cutoff=0.75)), None))
        for name in sorted(environment)
        if name.startswith(PREFIX) and name not in known
    ]


def warn_unknown() -> None:
    """Warn on standard error of each `PORTEE_` variable that nothing reads; the command runs all the same."""
    for name, near in unknown_variables(os.environ):
        if near:
            warn(_("La variable %(name)s n'existe pas : pensiez-vous à %(near)s ?", name=name, near=near))
        else:
            warn(_("La variable %(name)s n'existe pas : voyez docs/settings.md.", name=name))


def _refuse(faults: str) -> None:
    raise OperatorError(
        _("Un réglage ne peut être utilisé. %(faults)s.", faults=faults),
        _("Ce que chacun contient est décrit dans docs/settings.md."),
    )


def _name(kind: type[BaseSettings], field: str) -> str:
    """Errors name a setting by its field, or by its variable where that has a name of its own."""
    return variable(kind, field) if field in kind.model_fields else field
