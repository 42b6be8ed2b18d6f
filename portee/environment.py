"""What the environment says, checked before any command: what makes no sense is named in a sentence."""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from api.settings import ApiSettings
from geo.errors import OperatorError
from geo.settings import Settings
from static_maps.settings import MapSettings

KINDS: Final[tuple[type[BaseSettings], ...]] = (Settings, ApiSettings, MapSettings)


def variable(kind: type[BaseSettings], field: str) -> str:
    """The environment variable of a setting."""
    alias = kind.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{kind.model_config.get('env_prefix', '')}{field}".upper()


def require_usable() -> None:
    """Read every setting once.

    Raises
    ------
    OperatorError
        Naming the variables that hold what cannot be used, and why.
    """
    for kind in KINDS:
        try:
            kind()
        except ValidationError as problem:
            told = "; ".join(
                f"{_name(kind, str(error['loc'][0]))}: {error['msg']}" for error in problem.errors()
            )
        except SettingsError as problem:
            # Its sentence names the field between quotes; what it holds is no JSON.
            field = next((name for name in kind.model_fields if f'"{name}"' in str(problem)), "")
            told = f"{_name(kind, field)}: a JSON list is expected"
        else:
            continue
        raise OperatorError(
            f"A setting cannot be used. {told}.", "What each holds is told in docs/settings.md."
        )


def _name(kind: type[BaseSettings], field: str) -> str:
    """Errors name a setting by its field, or by its variable where that has a name of its own."""
    return variable(kind, field) if field in kind.model_fields else field
