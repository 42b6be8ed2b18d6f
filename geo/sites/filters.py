"""Which sites a question is about: any of the standard's fields, and our own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from geo.sites import standard
from geo.sites.model import Site
from geo.sites.text import fold

BOOLEAN_FIELDS = ("pass_numerique", "membre_reseau", "acces_fauteuil")

FILTERABLE: tuple[str, ...] = (
    *(f for f in standard.FIELDS if f not in ("id", "latitude", "longitude")),
    *BOOLEAN_FIELDS,
    "jeu_de_donnees",
    "position",
)
"""Fields a question may be narrowed by."""

_EXACT = frozenset(
    {"pivot", "code_postal", "code_insee", "telephone", "jeu_de_donnees", "position", "date_maj"}
)


@dataclass(frozen=True)
class SiteFilter:
    """Conditions a site must meet: one of the values for each field named, all fields together.

    Fields of a closed list (services, frais_a_charge…) match by exact label; codes match exactly;
    other text matches when it contains the value, whatever its accents and case. Booleans match
    "true" or "false"; an unknown fact matches neither. Hashable, so that it can key a cache.
    """

    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, conditions: Mapping[str, Iterable[str]]) -> SiteFilter:
        """Build from field → accepted values; empty ones are left out.

        Raises
        ------
        KeyError
            If a field is not filterable.
        """
        kept = {name: tuple(sorted(set(values))) for name, values in conditions.items()}
        for name in kept:
            if name not in FILTERABLE:
                raise KeyError(name)
        return cls(tuple(sorted((n, v) for n, v in kept.items() if v)))

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def matches(self, site: Site) -> bool:
        """Whether a site meets every condition."""
        return all(_test(name)(getattr(site, name), values) for name, values in self.conditions)


EVERY_SITE = SiteFilter()
"""The filter without conditions."""


def _test(name: str) -> Callable[[object, tuple[str, ...]], bool]:
    if name in BOOLEAN_FIELDS:
        return _boolean
    if name in standard.ENUMERATIONS:
        return _member
    return _exact if name in _EXACT else _contains


def _boolean(value: object, accepted: tuple[str, ...]) -> bool:
    return value is not None and str(value).lower() in accepted


def _member(value: object, accepted: tuple[str, ...]) -> bool:
    return not set(accepted).isdisjoint(value)  # type: ignore[arg-type]


def _exact(value: object, accepted: tuple[str, ...]) -> bool:
    return str(value) in accepted


def _contains(value: object, accepted: tuple[str, ...]) -> bool:
    texts = [fold(v) for v in (value if isinstance(value, tuple) else (str(value),))]
    return any(fold(wanted) in text for wanted in accepted for text in texts)
