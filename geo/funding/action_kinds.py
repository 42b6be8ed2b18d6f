"""Kinds of action, and what each measures, declared as data in TOML.

The shipped kinds are in `action_kinds.toml` beside this module; a file of the installation adds kinds, or
changes what they measure, without code. What each measures, and where factors come from: docs/actions.md.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any, Final

from geo.errors import OperatorError

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
_PARTS: Final = ("measures", "derived")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


class MeasureType(StrEnum):
    """Type of the values of a measure."""

    INT = "int"
    FLOAT = "float"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ActionMeasure:
    """A measure of actions of a kind.

    Attributes
    ----------
    label, unit
        In French; `unit` is "" for a text.
    minimum
        Smallest number accepted; None: any.
    secret
        Whether it counts persons, or reveals how many: see `geo.funding.disclosure_control`.
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
        """Whether values of several actions can be summed."""
        return self.type is not MeasureType.TEXT


@dataclass(frozen=True, slots=True)
class DerivedMeasure:
    """A figure derived from another: `factor` × the measure `of`; `source` is shown with it.

    `hypothesis` is what the factor assumes, in French; "" if nothing.
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
    """A kind of action: its code, French label, measures and derived figures."""

    code: str
    label: str
    measures: tuple[ActionMeasure, ...]
    derived: tuple[DerivedMeasure, ...] = ()

    def measure(self, name: str) -> ActionMeasure | None:
        """Return the measure that has a name, or None."""
        return next((m for m in self.measures if m.name == name), None)


Kinds = Mapping[str, ActionKind]
"""Kinds by code."""


def load_kinds(own: Path | None = None) -> dict[str, ActionKind]:
    """Return the shipped kinds, then those that a TOML file of the installation adds.

    Parameters
    ----------
    own
        Declarations (`geo.settings.Settings.action_kinds`). The label, each measure and each derived figure
        that they declare for a shipped kind replaces the shipped one, whole; the rest stays.

    Raises
    ------
    OperatorError
        If the file is not TOML, or a declaration is incomplete or contradicts itself.
    """
    declared = _declarations(SHIPPED)
    try:
        if own is not None:
            for code, table in _declarations(own).items():
                declared[code] = _joined(code, declared.get(code, {}), table)
        return {code: _kind(code, table) for code, table in declared.items()}
    except _DeclarationError as fault:
        raise OperatorError(f"Kinds of action {own or SHIPPED}: {fault}.") from None


class _DeclarationError(Exception):
    """A declaration is wrong; the message says how."""


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
        _measure(f"{code}.measures.{name}", name, declared)
        for name, declared in table.get("measures", {}).items()
    )
    derived = tuple(
        _derived(f"{code}.derived.{name}", name, declared, measures)
        for name, declared in table.get("derived", {}).items()
    )
    names = [m.name for m in measures] + [d.name for d in derived]
    if clash := {n for n in names if n in COLUMNS or names.count(n) > 1}:
        raise _DeclarationError(f"[{code}] uses {', '.join(sorted(clash))} twice, or for a measure")
    return ActionKind(code, _text(code, table, "label"), measures, derived)


def _measure(where: str, name: str, declared: Any) -> ActionMeasure:
    if not _NAME.fullmatch(name) or not isinstance(declared, dict):
        raise _DeclarationError(f"[{where}] must be a table whose name is lower-case letters, digits and _")
    _only(where, declared, {"label", "unit", "type", "required", "min", "secret", "choices"})
    if declared.get("type") not in list(MeasureType):
        raise _DeclarationError(f"[{where}] type must be one of {', '.join(MeasureType)}")
    type_ = MeasureType(declared["type"])
    choices, minimum = declared.get("choices", {}), declared.get("min")
    if minimum is not None and (not _is_number(minimum) or type_ is MeasureType.TEXT):
        raise _DeclarationError(f"[{where}] min must be a number, of a measure that is one")
    if not isinstance(choices, dict):
        raise _DeclarationError(f"[{where}] choices must be a table of values and their labels")
    if choices and type_ is not MeasureType.TEXT:
        raise _DeclarationError(f"[{where}] only a text has choices")
    for value in choices:
        _text(f"{where}.choices", choices, value)
    if any(type(declared.get(flag, False)) is not bool for flag in ("required", "secret")):
        raise _DeclarationError(f"[{where}] required and secret are true or false")
    if declared.get("secret") and (type_ is not MeasureType.INT or minimum is None or minimum < 0):
        raise _DeclarationError(f"[{where}] only whole counts from min = 0 up can be secret")
    return ActionMeasure(
        name=name,
        label=_text(where, declared, "label"),
        unit=_text(where, declared, "unit", may_lack=type_ is MeasureType.TEXT),
        type=type_,
        required=declared.get("required", False),
        minimum=minimum,
        secret=declared.get("secret", False),
        choices=choices,
    )


def _derived(where: str, name: str, declared: Any, measures: tuple[ActionMeasure, ...]) -> DerivedMeasure:
    if not _NAME.fullmatch(name) or not isinstance(declared, dict):
        raise _DeclarationError(f"[{where}] must be a table whose name is lower-case letters, digits and _")
    _only(where, declared, {"label", "unit", "of", "factor", "source", "hypothesis"})
    if declared.get("of") not in [m.name for m in measures if m.additive]:
        raise _DeclarationError(f"[{where}] of must name a measure of the kind that is a number")
    factor: Any = declared.get("factor")
    if not _is_number(factor):
        raise _DeclarationError(f"[{where}] factor must be a number")
    texts = {key: _text(where, declared, key) for key in ("label", "unit", "of", "source")}
    hypothesis = _text(where, declared, "hypothesis", may_lack=True)
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
