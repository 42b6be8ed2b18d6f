"""Filter sites by the standard's fields and our own."""

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
"""Fields that a filter accepts."""

_EXACT = frozenset({"pivot", "code_postal", "code_insee", "telephone", "position", "date_maj"})


@dataclass(frozen=True)
class SiteFilter:
    """Conditions on fields: a site must have one of the accepted values of every field.

    The condition `jeu_de_donnees` is met by a site of which any record is from one of the datasets.
    Fields with a closed list (services, frais_a_charge…) and codes match exactly; other text matches
    when it contains the value, ignoring accents and case. Booleans match "true" or "false"; an
    unknown value matches neither. Hashable, so that it can be a cache key.
    """

    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, conditions: Mapping[str, Iterable[str]]) -> SiteFilter:
        """Build a filter from field → accepted values; fields without values are ignored.

        Raises
        ------
        KeyError
            If a field is not filterable.
        """
        accepted = {name: tuple(sorted(set(values))) for name, values in conditions.items()}
        for name in accepted:
            if name not in FILTERABLE:
                raise KeyError(name)
        return cls(tuple(sorted((n, v) for n, v in accepted.items() if v)))

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def matches(self, site: Site) -> bool:
        """Return whether a site meets every condition."""
        return all(_test(name)(_values(site, name), values) for name, values in self.conditions)


EVERY_SITE = SiteFilter()
"""The filter without conditions."""


def _test(name: str) -> Callable[[object, tuple[str, ...]], bool]:
    if name in BOOLEAN_FIELDS:
        return _boolean
    if name in standard.ENUMERATIONS or name == "jeu_de_donnees":
        return _member
    return _exact if name in _EXACT else _contains


def _values(site: Site, name: str) -> object:
    """Return what a condition on a field is about: for the dataset, those of all records of the site."""
    return site.datasets if name == "jeu_de_donnees" else getattr(site, name)


def _boolean(value: object, accepted: tuple[str, ...]) -> bool:
    return value is not None and str(value).lower() in accepted


def _member(value: object, accepted: tuple[str, ...]) -> bool:
    return not set(accepted).isdisjoint(value)  # type: ignore[arg-type]


def _exact(value: object, accepted: tuple[str, ...]) -> bool:
    return str(value) in accepted


def _contains(value: object, accepted: tuple[str, ...]) -> bool:
    texts = [fold(v) for v in (value if isinstance(value, tuple) else (str(value),))]
    return any(fold(wanted) in text for wanted in accepted for text in texts)
