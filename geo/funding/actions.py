"""Actions that the fund pays for: records checked against their kind, read from text, and summed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from typing import Final

from geo.errors import InvalidParameter
from geo.funding import money
from geo.funding.action_kinds import COLUMNS, ActionKind, ActionMeasure, Kinds, MeasureType
from geo.sites.model import Issue, Severity
from geo.wording import dates, figures

REFERENCE_MAX: Final = 100
TEXT_MAX: Final = 300
"""Longest title or text of a measure, in characters."""
NUMBER_MAX: Final = 10**9
"""Largest figure a measure may have."""
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FRENCH: Final = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,12}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?\d{1,12}(?:[.,]\d{1,6})?", re.ASCII)
_SPACES: Final = re.compile("[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")
_YES: Final = frozenset({"oui", "true", "vrai", "1"})
_NO: Final = frozenset({"", "non", "false", "faux", "0"})
Value = int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action for people in a commune, on a day or from `day` to `until`.

    Attributes
    ----------
    kind
        Code of its kind, which declares its `measures`.
    commune
        INSEE code.
    partner_code, site_id
        Who leads it and where; None if unknown.
    measures
        By name; unknown measures are absent.
    """

    reference: str
    kind: str
    day: date
    commune: str
    until: date | None = None
    title: str = ""
    partner_code: str | None = None
    site_id: str | None = None
    amount_cents: int = 0
    measures: Mapping[str, Value] = field(default_factory=dict)
    fictif: bool = False


@dataclass(frozen=True)
class ActionReferences:
    """What actions may refer to."""

    communes: Collection[str]
    partners: Collection[str]
    sites: Collection[str]


@dataclass(frozen=True, slots=True)
class Total:
    """Total of one measure over actions of a kind; `source` is that of a factor.

    `secret`: it counts persons, and is published through `geo.funding.disclosure_control` only.
    """

    kind: str
    name: str
    label: str
    unit: str
    value: int | float
    actions: int
    secret: bool = False
    source: str = ""
    hypothesis: str = ""


def check(action: Action, kinds: Kinds, known: ActionReferences, *, line: int = 1) -> list[Issue]:
    """Return every fault of an action, worded in French; empty if it is valid."""
    found = _Findings(line)
    if not 0 < len(action.reference.strip()) <= REFERENCE_MAX:
        found.add(
            "reference", action.reference, "reference", f"La référence a de 1 à {REFERENCE_MAX} signes."
        )
    if len(action.title) > TEXT_MAX:
        found.add("title", action.title, "texte_trop_long", f"Le titre dépasse {TEXT_MAX} signes.")
    if action.until is not None and action.until < action.day:
        found.add(
            "until",
            str(action.until),
            "dates",
            f"La fin précède le début, le {dates.long_date(action.day)}.",
            "Vérifiez les deux dates.",
        )
    if action.commune not in known.communes:
        found.add(
            "commune",
            action.commune,
            "commune_inconnue",
            "Aucune commune du territoire ne porte ce code.",
            "Donnez le code INSEE, comme 47001.",
        )
    if action.partner_code is not None and action.partner_code not in known.partners:
        found.add(
            "partner",
            action.partner_code,
            "partenaire_inconnu",
            "Aucun partenaire ne porte ce code.",
            "Enregistrez d'abord le partenaire.",
        )
    if action.site_id is not None and action.site_id not in known.sites:
        found.add("site", action.site_id, "lieu_inconnu", "Aucun lieu ne porte cet identifiant.")
    if type(action.amount_cents) is not int or not 0 <= action.amount_cents <= money.MAX_CENTS:
        found.add(
            "amount",
            str(action.amount_cents),
            "montant",
            f"Le montant n'est pas un nombre entier de centimes, de 0 à {figures.euros(money.MAX_CENTS)}.",
        )
    kind = kinds.get(action.kind)
    if kind is None:
        found.add(*_unknown_kind(action.kind, kinds))
    else:
        _check_measures(action.measures, kind, found)
    return found.issues


def read(
    values: Mapping[str, str], kinds: Kinds, known: ActionReferences, *, line: int = 1
) -> tuple[Action | None, list[Issue]]:
    """Parse an action from a row of text; return it, or None and every fault.

    Parameters
    ----------
    values
        `COLUMNS`, then the measures of the kind, by name; an empty cell is unknown. Dates are
        2026-11-23 or 23/11/2026, the amount is in euros as `geo.funding.money.parse` reads it.
    """
    cells = {name: (text or "").strip() for name, text in values.items()}
    found = _Findings(line)
    kind = kinds.get(cells.get("kind", ""))
    measures: dict[str, Value] = {}
    for name, text in cells.items():
        if name in COLUMNS or not text:
            continue
        measure = kind.measure(name) if kind else None
        value = _number(text, measure.type) if measure and measure.additive else text
        if value is None:
            whole = measure is not None and measure.type is MeasureType.INT
            found.add(
                name,
                text,
                "nombre_illisible",
                "Ce n'est pas un nombre entier." if whole else "Ce n'est pas un nombre.",
                "Écrivez 12." if whole else "Écrivez 12 ou 12,5.",
            )
        else:
            measures[name] = value
    day = _day(cells, "day", found)
    until = _day(cells, "until", found)
    amount = _amount(cells.get("amount", ""), found)
    fictif = cells.get("fictif", "").lower()
    if fictif not in _YES | _NO:
        found.add("fictif", fictif, "oui_non", "Ce n'est ni oui ni non.", "Écrivez oui, non, ou rien.")
    action = Action(
        reference=cells.get("reference", ""),
        kind=cells.get("kind", ""),
        day=day or date.min,
        until=until,
        title=cells.get("title", ""),
        commune=cells.get("commune", ""),
        partner_code=cells.get("partner") or None,
        site_id=cells.get("site") or None,
        amount_cents=amount,
        measures=measures,
        fictif=fictif in _YES,
    )
    reported = {issue.field for issue in found.issues}
    issues = [*found.issues, *(i for i in check(action, kinds, known, line=line) if i.field not in reported)]
    return (None if issues else action), issues


def totals(actions: Iterable[Action], kinds: Kinds) -> list[Total]:
    """Return totals by kind and measure in the order of `kinds`, derived figures last.

    Actions of a kind that is no longer declared are ignored; measures without a value are left out.
    """
    by_kind: dict[str, list[Action]] = defaultdict(list)
    for action in actions:
        by_kind[action.kind].append(action)
    found: list[Total] = []
    for kind in kinds.values():
        sums: dict[str, Total] = {}
        for measure in kind.measures:
            values = [a.measures[measure.name] for a in by_kind[kind.code] if measure.name in a.measures]
            if measure.additive and values:
                value = sum(v for v in values if not isinstance(v, str))
                sums[measure.name] = Total(
                    kind.code, measure.name, measure.label, measure.unit, value, len(values), measure.secret
                )
        found += sums.values()
        for derived in kind.derived:
            if base := sums.get(derived.of):
                found.append(
                    Total(
                        kind.code,
                        derived.name,
                        derived.label,
                        derived.unit,
                        derived.factor * base.value,
                        base.actions,
                        base.secret,
                        derived.source,
                        derived.hypothesis,
                    )
                )
    return found


@dataclass(slots=True)
class _Findings:
    line: int
    issues: list[Issue] = field(default_factory=list)

    def add(self, name: str, value: str, code: str, reason: str, advice: str = "") -> None:
        self.issues.append(Issue(self.line, name, value, Severity.REJECTED, code, reason, advice))


def _check_measures(measures: Mapping[str, Value], kind: ActionKind, found: _Findings) -> None:
    for name, value in measures.items():
        measure = kind.measure(name)
        if measure is None:
            own = ", ".join(m.name for m in kind.measures)
            found.add(
                name,
                str(value),
                "mesure_inconnue",
                f"« {kind.label} » n'a pas cette mesure.",
                f"Mesures : {own}.",
            )
        elif problem := _problem(value, measure):
            found.add(name, str(value), *problem)
    for measure in kind.measures:
        if measure.required and measure.name not in measures:
            found.add(
                measure.name,
                "",
                "mesure_absente",
                f"« {kind.label} » demande : {measure.label}.",
                "Donnez la valeur, 0 s'il n'y en a pas eu." if measure.additive else "Donnez la valeur.",
            )


def _problem(value: Value, measure: ActionMeasure) -> tuple[str, str, str] | None:
    """Return code, reason and advice if a value is not valid for the measure."""
    if measure.type is MeasureType.TEXT:
        if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
            return "texte", f"Ce n'est pas un texte de 1 à {TEXT_MAX} signes.", ""
        if measure.choices and value not in measure.choices:
            words = ", ".join(f"{code} ({word})" for code, word in measure.choices.items())
            return "valeur_inconnue", "Ce n'est pas une des valeurs possibles.", f"Choisissez : {words}."
        return None
    allowed = (int,) if measure.type is MeasureType.INT else (int, float)
    if type(value) not in allowed or not isfinite(value):  # type: ignore[arg-type]  # not a text any more
        whole = " entier" if measure.type is MeasureType.INT else ""
        return "nombre_illisible", f"Ce n'est pas un nombre{whole}.", ""
    least = -NUMBER_MAX if measure.minimum is None else measure.minimum
    if not least <= value <= NUMBER_MAX:  # type: ignore[operator]  # not a text any more
        return (
            "hors_bornes",
            f"{measure.label} : de {figures.exact(least)} à {figures.exact(NUMBER_MAX)}.",
            "Vérifiez le nombre.",
        )
    return None


def _number(text: str, kind: MeasureType) -> int | float | None:
    bare = _SPACES.sub("", text)
    if kind is MeasureType.INT:
        return int(bare) if _WHOLE.fullmatch(bare) else None
    return float(bare.replace(",", ".")) if _DECIMAL.fullmatch(bare) else None


def _day(cells: Mapping[str, str], name: str, found: _Findings) -> date | None:
    text = cells.get(name, "")
    if not text and name == "until":
        return None
    try:
        if french := _FRENCH.fullmatch(text):
            return date(int(french[3]), int(french[2]), int(french[1]))
        if _ISO.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    found.add(name, text, "date_illisible", "Ce n'est pas une date.", "Écrivez 2026-11-23 ou 23/11/2026.")
    return None


def _amount(text: str, found: _Findings) -> int:
    if not text or ("0" in text and not _SPACES.sub("", text).strip("0.,€")):
        return 0
    try:
        return money.parse(text)
    except InvalidParameter as problem:
        found.add("amount", text, "montant", problem.message, problem.advice)
        return 0


def _unknown_kind(code: str, kinds: Kinds) -> tuple[str, str, str, str, str]:
    known = ", ".join(f"{k.code} ({k.label})" for k in kinds.values())
    return "kind", code, "nature_inconnue", "Ce n'est pas une nature d'action connue.", f"Natures : {known}."
