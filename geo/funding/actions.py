"""Actions the fund pays for: typed records whose kinds, and what each measures, are declared as data.

The shipped kinds stand in `action_kinds.toml` beside this module; a file of one's own adds to them, or
changes what they measure, without code. What each measures, and where factors come from: docs/actions.md.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any, Final

from geo.errors import InvalidParameter, OperatorError
from geo.funding import money
from geo.sites.model import Issue, Severity

SHIPPED: Final = Path(__file__).with_name("action_kinds.toml")

COLUMNS: Final = (
    "reference",
    "kind",
    "day",
    "until",
    "title",
    "commune",
    "partner",
    "site",
    "amount",
    "fictif",
)
"""Columns every kind has, in the order of templates; the measures of the kind come after them."""

REFERENCE_MAX: Final = 100
TEXT_MAX: Final = 300
"""Longest title or text of a measure, in characters."""
NUMBER_MAX: Final = 10**9
"""Largest figure a measure may have."""

_PARTS: Final = ("measures", "derived")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FRENCH: Final = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,12}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?\d{1,12}(?:[.,]\d{1,6})?", re.ASCII)
_SPACES: Final = re.compile("[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")
_YES: Final = frozenset({"oui", "true", "vrai", "1"})
_NO: Final = frozenset({"", "non", "false", "faux", "0"})

Value = int | float | str


class MeasureType(StrEnum):
    """What the values of a measure are."""

    INT = "int"
    FLOAT = "float"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ActionMeasure:
    """What actions of a kind measure.

    Attributes
    ----------
    label, unit
        In French, as read; `unit` is "" for a text.
    minimum
        Least figure accepted; None: any.
    secret
        Whether it counts persons, or tells how many: see `geo.funding.disclosure_control`.
    choices
        The values a text may have, and their French words; empty: any.
    """

    name: str
    label: str
    unit: str
    type: MeasureType
    required: bool = False
    minimum: float | None = None
    secret: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def additive(self) -> bool:
        """Whether values of several actions make a sum."""
        return self.type is not MeasureType.TEXT


@dataclass(frozen=True, slots=True)
class DerivedMeasure:
    """A figure made of another: `factor` × the measure `of`; `source` is shown with it.

    `hypothesis` is what the factor supposes, in French; "" when nothing.
    """

    name: str
    label: str
    unit: str
    of: str
    factor: float
    source: str
    hypothesis: str = ""


@dataclass(frozen=True, slots=True)
class ActionKind:
    """A kind of action: its code, its French label, what it measures and what follows from that."""

    code: str
    label: str
    measures: tuple[ActionMeasure, ...]
    derived: tuple[DerivedMeasure, ...] = ()

    def measure(self, name: str) -> ActionMeasure | None:
        """The measure of a name; None when the kind has none of it."""
        return next((m for m in self.measures if m.name == name), None)


Kinds = Mapping[str, ActionKind]
"""Kinds by code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something done for people somewhere, on a day or from `day` to `until`.

    Attributes
    ----------
    kind
        Code of its kind, which says what `measures` hold.
    commune
        INSEE code.
    partner_code, site_id
        Who leads it and where; None when not told.
    measures
        By name; a measure that is not told is absent.
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
    """What actions may speak of."""

    communes: Collection[str]
    partners: Collection[str]
    sites: Collection[str]


@dataclass(frozen=True, slots=True)
class Total:
    """What one measure comes to over several actions of a kind; `source` is that of a factor.

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


def load_kinds(own: Path | None = None) -> dict[str, ActionKind]:
    """The shipped kinds, then those that a TOML file of one's own adds.

    Parameters
    ----------
    own
        Declarations (`geo.settings.Settings.action_kinds`). Of a shipped kind, the label, each measure and
        each derived figure they declare takes the place of the shipped one, whole; the rest stays.

    Raises
    ------
    OperatorError
        If the file is no TOML, or a declaration lacks something or contradicts itself.
    """
    declared = _declarations(SHIPPED)
    try:
        if own is not None:
            for code, table in _declarations(own).items():
                declared[code] = _joined(code, declared.get(code, {}), table)
        return {code: _kind(code, table) for code, table in declared.items()}
    except _DeclarationError as fault:
        raise OperatorError(f"Kinds of action {own or SHIPPED}: {fault}.") from None


def check(action: Action, kinds: Kinds, known: ActionReferences, *, line: int = 1) -> list[Issue]:
    """All that is wrong with an action, in French; nothing when it can be kept."""
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
            f"La fin précède le début, le {action.day:%d/%m/%Y}.",
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
            f"Le montant n'est pas un nombre entier de centimes, de 0 à {money.formatted(money.MAX_CENTS)}.",
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
    """The action a row of text describes, or None, and all that is wrong with it.

    Parameters
    ----------
    values
        `COLUMNS`, then the measures of the kind, by name; a cell that is "" is not told. Dates are
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
    told = {issue.field for issue in found.issues}
    issues = [*found.issues, *(i for i in check(action, kinds, known, line=line) if i.field not in told)]
    return (None if issues else action), issues


def totals(actions: Iterable[Action], kinds: Kinds) -> list[Total]:
    """What the actions come to, by kind and measure in the order of `kinds`, derived figures last.

    Actions of a kind no longer declared count for nothing; a measure nobody told is not there.
    """
    by_kind: dict[str, list[Action]] = defaultdict(list)
    for action in actions:
        by_kind[action.kind].append(action)
    found: list[Total] = []
    for kind in kinds.values():
        sums: dict[str, Total] = {}
        for measure in kind.measures:
            told = [a.measures[measure.name] for a in by_kind[kind.code] if measure.name in a.measures]
            if measure.additive and told:
                value = sum(v for v in told if not isinstance(v, str))
                sums[measure.name] = Total(
                    kind.code, measure.name, measure.label, measure.unit, value, len(told), measure.secret
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
    """Code, reason and advice when a value is none of the measure's."""
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
        return "hors_bornes", f"{measure.label} : de {least:g} à {NUMBER_MAX:g}.", "Vérifiez le nombre."
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


class _DeclarationError(Exception):
    """What is wrong with a declaration."""


def _declarations(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"The kinds of action {path} cannot be read: {error}.") from error


def _joined(code: str, shipped: dict[str, Any], own: Any) -> dict[str, Any]:
    """A kind with what is declared over what is shipped; figures whole, so that a factor has its source."""
    _tables(code, own)
    parts = {
        part: {**shipped.get(part, {}), **own.get(part, {})}
        for part in _PARTS
        if part in shipped or part in own
    }
    return {**shipped, **own, **parts}


def _tables(code: str, table: Any) -> None:
    """Require what declares a kind, its measures and its derived figures to be tables."""
    if not _NAME.fullmatch(code) or not isinstance(table, dict):
        raise _DeclarationError(f"[{code}] must be a table whose name is lower-case letters, digits and _")
    for part in _PARTS:
        if not isinstance(table.get(part, {}), dict):
            raise _DeclarationError(f"[{code}.{part}] must be a table")


def _kind(code: str, table: Any) -> ActionKind:
    _tables(code, table)
    _only(code, table, {"label", "measures", "derived"})
    measures = tuple(
        _measure(f"{code}.measures.{name}", name, told) for name, told in table.get("measures", {}).items()
    )
    derived = tuple(
        _derived(f"{code}.derived.{name}", name, told, measures)
        for name, told in table.get("derived", {}).items()
    )
    names = [m.name for m in measures] + [d.name for d in derived]
    if clash := {n for n in names if n in COLUMNS or names.count(n) > 1}:
        raise _DeclarationError(f"[{code}] uses {', '.join(sorted(clash))} twice, or for a measure")
    return ActionKind(code, _text(code, table, "label"), measures, derived)


def _measure(where: str, name: str, told: Any) -> ActionMeasure:
    if not _NAME.fullmatch(name) or not isinstance(told, dict):
        raise _DeclarationError(f"[{where}] must be a table whose name is lower-case letters, digits and _")
    _only(where, told, {"label", "unit", "type", "required", "min", "secret", "choices"})
    if told.get("type") not in list(MeasureType):
        raise _DeclarationError(f"[{where}] type must be one of {', '.join(MeasureType)}")
    type_ = MeasureType(told["type"])
    choices, minimum = told.get("choices", {}), told.get("min")
    if minimum is not None and (not _is_number(minimum) or type_ is MeasureType.TEXT):
        raise _DeclarationError(f"[{where}] min must be a number, of a measure that is one")
    if not isinstance(choices, dict):
        raise _DeclarationError(f"[{where}] choices must be a table of values and their labels")
    if choices and type_ is not MeasureType.TEXT:
        raise _DeclarationError(f"[{where}] only a text has choices")
    for value in choices:
        _text(f"{where}.choices", choices, value)
    if any(type(told.get(flag, False)) is not bool for flag in ("required", "secret")):
        raise _DeclarationError(f"[{where}] required and secret are true or false")
    if told.get("secret") and (type_ is not MeasureType.INT or minimum is None or minimum < 0):
        raise _DeclarationError(f"[{where}] only whole counts from min = 0 up can be secret")
    return ActionMeasure(
        name=name,
        label=_text(where, told, "label"),
        unit=_text(where, told, "unit", may_lack=type_ is MeasureType.TEXT),
        type=type_,
        required=told.get("required", False),
        minimum=minimum,
        secret=told.get("secret", False),
        choices=choices,
    )


def _derived(where: str, name: str, told: Any, measures: tuple[ActionMeasure, ...]) -> DerivedMeasure:
    if not _NAME.fullmatch(name) or not isinstance(told, dict):
        raise _DeclarationError(f"[{where}] must be a table whose name is lower-case letters, digits and _")
    _only(where, told, {"label", "unit", "of", "factor", "source", "hypothesis"})
    if told.get("of") not in [m.name for m in measures if m.additive]:
        raise _DeclarationError(f"[{where}] of must name a measure of the kind that is a number")
    factor: Any = told.get("factor")
    if not _is_number(factor):
        raise _DeclarationError(f"[{where}] factor must be a number")
    texts = {key: _text(where, told, key) for key in ("label", "unit", "of", "source")}
    hypothesis = _text(where, told, "hypothesis", may_lack=True)
    return DerivedMeasure(name=name, factor=float(factor), hypothesis=hypothesis, **texts)


def _only(where: str, table: Mapping[str, Any], allowed: set[str]) -> None:
    if unknown := set(table) - allowed:
        raise _DeclarationError(f"[{where}] has no {', '.join(sorted(unknown))}")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _text(where: str, table: Mapping[str, Any], key: str, *, may_lack: bool = False) -> str:
    text = table.get(key, "")
    if not isinstance(text, str) or not (may_lack or text.strip()):
        raise _DeclarationError(f"[{where}] needs a {key}")
    return text
