"""Choose the shown values of a site among those of its records. No I/O but the file of rules.

The rules are data: `field_rules.toml`. The result depends on the records only, not on their order.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from geo.errors import InvalidParameter
from geo.sites import standard
from geo.sites.model import (
    VALUE_FIELDS,
    Conflict,
    Origin,
    Position,
    SiteValues,
    SourceRecord,
    is_known,
)

RULES_FILE: Final = Path(__file__).with_name("field_rules.toml")

NOT_CHOSEN: Final = frozenset({"jeu_de_donnees"})
"""Fields that say which record it is, not what the place is."""

_UNLESS_TOGETHER: Final = frozenset({"latitude", "longitude", "position", "telephone_remarque"})
"""Fields of a group that are never completed from another record."""

_LOCATED_BEST_FIRST: Final = {position: rank for rank, position in enumerate(Position)}


@dataclass(frozen=True, slots=True)
class FieldRules:
    """How values are chosen: a rule by field, groups of fields taken together, leading datasets."""

    leaders: tuple[str, ...]
    rules: Mapping[str, str]
    groups: tuple[tuple[str, ...], ...]

    def leader_rank(self, dataset: str) -> int:
        """Return the rank of a dataset; those that are not listed come last."""
        return self.leaders.index(dataset) if dataset in self.leaders else len(self.leaders)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Shown values by field, with their origins, and the values that are not shown."""

    values: dict[str, Any]
    origins: tuple[Origin, ...]
    conflicts: tuple[Conflict, ...]


Choice = tuple[Any, tuple[SourceRecord, ...]]
"""A shown value, and the records that give it."""

_FLAG_FIELDS: Final = {
    **dict.fromkeys(("commune_ambigue", "commune_deduite", "commune_discordante"), "code_insee"),
    **dict.fromkeys(("commune_inconnue", "commune_ancienne", "nom_commune_inconnu"), "code_insee"),
    **dict.fromkeys(("code_postal_absent", "code_postal_corrige", "code_postal_discordant"), "code_postal"),
    **dict.fromkeys(("coordonnees_invalides", "coordonnees_projetees", "hors_commune"), "latitude"),
    **dict.fromkeys(("position_adresse", "position_rue", "position_approximative"), "latitude"),
    **dict.fromkeys(("horaires_illisibles", "horaires_en_partie_illisibles"), "horaires"),
    **dict.fromkeys(("date_ambigue", "date_inconnue"), "date_maj"),
    "adresse_absente": "adresse",
    "telephone_invalide": "telephone",
    "courriel_invalide": "courriels",
    "url_refusee": "site_web",
    "pivot_invalide": "pivot",
}
"""Field whose value a flag is about; flags about no single value stay whatever is shown."""


@cache
def load_rules(path: Path = RULES_FILE) -> FieldRules:
    """Read the rules of a TOML file.

    Raises
    ------
    InvalidParameter
        If the file cannot be read, lacks the form of `field_rules.toml`, or gives a field two rules, or
        one that cannot choose among values of its type.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        leaders = _texts(content.get("leaders", []))
        default = str(content.get("rule", "freshest"))
        groups = [
            (_texts(each["fields"]), str(each.get("rule", default))) for each in content.get("group", [])
        ]
        given = [(name, str(rule)) for name, rule in content.get("fields", {}).items()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise InvalidParameter(
            f"Les règles de champs « {path} » sont illisibles : {problem}.",
            f"Suivez la forme de {RULES_FILE}.",
        ) from problem
    rules = dict.fromkeys(VALUE_FIELDS, default)
    grouped = [(name, rule) for names, rule in groups for name in names]
    for name, rule in [*grouped, *given]:
        if name not in VALUE_FIELDS:
            raise InvalidParameter(
                f"Les règles de champs « {path} » nomment un champ inconnu : « {name} ».",
                "Les champs sont ceux du standard, puis les nôtres sans leur préfixe.",
            )
        rules[name] = rule
    for name, rule in [*rules.items(), *grouped]:
        possible = [each for each in _RULES if each in _ORDERS or name in _SUITED[each]]
        if rule not in (_ORDERS if (name, rule) in grouped else possible):
            raise InvalidParameter(
                f"Les règles de champs « {path} » donnent la règle « {rule} » au champ « {name} ».",
                f"Règles possibles : {', '.join(_ORDERS if (name, rule) in grouped else possible)}.",
            )
    twice = [name for name, count in Counter(name for name, _ in [*grouped, *given]).items() if count > 1]
    if twice:
        raise InvalidParameter(
            f"Les règles de champs « {path} » donnent deux règles au champ « {twice[0]} ».",
            "Gardez-en une : celle de son groupe, ou la sienne.",
        )
    return FieldRules(leaders, rules, tuple(names for names, _ in groups if names))


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise ValueError(f"{values!r} n'est pas une liste de textes")
    return tuple(values)


def pool(records: Sequence[SourceRecord], rules: FieldRules) -> Pooled:
    """Choose the values that a site of some records shows.

    Every known value of every record is either shown, or listed among the conflicts.

    Parameters
    ----------
    records
        At least one, in any order.
    """
    if len(records) == 1:
        [only] = records
        return Pooled({name: getattr(only, name) for name in VALUE_FIELDS}, (), ())
    chosen: dict[str, tuple[Any, tuple[SourceRecord, ...]]] = {}
    for names in rules.groups:
        chosen |= _chosen_together(names, records, rules)
    for name in VALUE_FIELDS:
        if name not in chosen and name not in NOT_CHOSEN:
            chosen[name] = _RULES[rules.rules[name]](name, records, rules)
    flags, flagged = chosen["signalements"]
    chosen["signalements"] = tuple(flag for flag in flags if _concerns_shown(flag, chosen)), flagged
    values = {name: value for name, (value, _) in chosen.items()}
    origins, conflicts = [], []
    for name in VALUE_FIELDS:
        if name in NOT_CHOSEN:
            continue
        value, sources = chosen[name]
        if is_known(value):
            keys = tuple(sorted(record.key for record in sources))
            origins.append(Origin(name, keys, rules.rules[name], latest(sources)))
        conflicts += _conflicts(name, value, records)
    return Pooled(values, tuple(origins), tuple(conflicts))


def _concerns_shown(flag: str, chosen: Mapping[str, Choice]) -> bool:
    """Return whether a flag is about a value that is shown, or about one that no record gives.

    It is not once a record without this flag gives the value: what is shown is then beyond doubt.
    """
    _, sources = chosen.get(_FLAG_FIELDS.get(flag, ""), (None, ()))
    return all(flag in record.signalements for record in sources)


def latest(records: Iterable[SourceRecord]) -> date | None:
    """Return the latest day of update of some records, or None."""
    return max((record.date_maj for record in records if record.date_maj), default=None)


def _conflicts(name: str, shown: object, records: Sequence[SourceRecord]) -> list[Conflict]:
    """Return the values of a field that are not shown, one for each record, by key."""
    found = []
    for record in sorted(records, key=lambda each: each.key):
        value = getattr(record, name)
        if not is_known(value) or value == shown or (name == "pivot" and value == standard.UNKNOWN_PIVOT):
            continue
        if isinstance(value, tuple) and isinstance(shown, tuple) and set(value) <= set(shown):
            continue
        found.append(Conflict(name, value, record.key, record.date_maj))
    return found


def _has(name: str, record: SourceRecord) -> bool:
    value = getattr(record, name)
    return is_known(value) and not (name == "pivot" and value == standard.UNKNOWN_PIVOT)


def _first(
    name: str, records: Sequence[SourceRecord], order: Callable[[SourceRecord], tuple[Any, ...]]
) -> Choice:
    """Return the value of the first record that has one, and the records that say the same."""
    ranked = sorted((record for record in records if _has(name, record)), key=order)
    if not ranked:
        return getattr(records[0], name), ()
    value = getattr(ranked[0], name)
    return value, tuple(record for record in ranked if getattr(record, name) == value)


def _age(record: SourceRecord) -> int:
    """Return a number that is smaller the later a record was updated; the largest when never said."""
    return -record.date_maj.toordinal() if record.date_maj else 1


def _by_freshness(rules: FieldRules) -> Callable[[SourceRecord], tuple[Any, ...]]:
    return lambda record: (_age(record), rules.leader_rank(record.jeu_de_donnees), record.key)


def _by_leader(rules: FieldRules) -> Callable[[SourceRecord], tuple[Any, ...]]:
    return lambda record: (rules.leader_rank(record.jeu_de_donnees), _age(record), record.key)


def _by_location(rules: FieldRules) -> Callable[[SourceRecord], tuple[Any, ...]]:
    return lambda record: (
        _LOCATED_BEST_FIRST[record.position],
        not record.adresse,
        _age(record),
        rules.leader_rank(record.jeu_de_donnees),
        record.key,
    )


def _freshest(name: str, records: Sequence[SourceRecord], rules: FieldRules) -> Choice:
    return _first(name, records, _by_freshness(rules))


def _leader(name: str, records: Sequence[SourceRecord], rules: FieldRules) -> Choice:
    return _first(name, records, _by_leader(rules))


def _best_located(name: str, records: Sequence[SourceRecord], rules: FieldRules) -> Choice:
    return _first(name, records, _by_location(rules))


def _most_complete(name: str, records: Sequence[SourceRecord], rules: FieldRules) -> Choice:
    fresh = _by_freshness(rules)
    return _first(name, records, lambda record: (-len(getattr(record, name, ()) or ()), *fresh(record)))


def _union(name: str, records: Sequence[SourceRecord], rules: FieldRules) -> Choice:
    ranked = sorted((record for record in records if is_known(getattr(record, name))), key=_by_leader(rules))
    return tuple(dict.fromkeys(value for record in ranked for value in getattr(record, name))), tuple(ranked)


def _latest(name: str, records: Sequence[SourceRecord], rules: FieldRules) -> Choice:
    known = [record for record in records if getattr(record, name) is not None]
    if not known:
        return None, ()
    value = max(getattr(record, name) for record in known)
    return value, tuple(record for record in known if getattr(record, name) == value)


def _all(name: str, records: Sequence[SourceRecord], rules: FieldRules) -> Choice:
    return all(getattr(record, name) for record in records), tuple(records)


_RULES: Final[dict[str, Callable[[str, Sequence[SourceRecord], FieldRules], Choice]]] = {
    "freshest": _freshest,
    "leader": _leader,
    "most_complete": _most_complete,
    "union": _union,
    "best_located": _best_located,
    "latest": _latest,
    "all": _all,
}

_ORDERS: Final[dict[str, Callable[[FieldRules], Callable[[SourceRecord], tuple[Any, ...]]]]] = {
    "freshest": _by_freshness,
    "leader": _by_leader,
    "best_located": _by_location,
}
"""Rules that take the value of one record, the first in an order: they suit all fields, and groups."""


def _fields_of_type(*types: str) -> frozenset[str]:
    return frozenset(each.name for each in fields(SiteValues) if str(each.type).startswith(types))


_SUITED: Final = {
    "most_complete": _fields_of_type("str", "tuple"),
    "union": _fields_of_type("tuple"),
    "latest": _fields_of_type("date"),
    "all": frozenset({"fictif"}),
}
"""Fields that each of the other rules suits."""


def _chosen_together(
    names: Sequence[str], records: Sequence[SourceRecord], rules: FieldRules
) -> dict[str, Choice]:
    """Choose fields that belong together: those of one record, what it lacks from the others."""
    order = _ORDERS[rules.rules[names[0]]](rules)
    first = min([record for record in records if _has(names[0], record)] or records, key=order)
    found: dict[str, Choice] = {}
    for name in names:
        value = getattr(first, name)
        if _has(name, first):
            same = tuple(record for record in records if getattr(record, name) == value)
            found[name] = value, same
        elif name in _UNLESS_TOGETHER:
            found[name] = value, ()
        else:
            found[name] = _first(name, records, order)
    return found
