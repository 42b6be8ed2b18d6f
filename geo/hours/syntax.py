"""Split and rewrite the rules of opening hours: school holidays, dated rules, alternatives.

opening-hours-py parses `SH` but ignores it, so an expression with school holidays is rewritten to
two expressions without: one for days of school holidays, one for the others. Which day is which is
decided by `geo.hours.calendar`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

NEVER: Final = "24/7 off"
"""Expression without any applicable rule."""

EVERY_DAY: Final = "Mo-Su"

_QUOTED = re.compile(r'"[^"]*"')
_SCHOOL = re.compile(r"\bSH\b")
_SEPARATOR = re.compile(r"\s*(;|\|\||,)\s*")
_RULE_ENDED = re.compile(r"(?:\d:\d\d\+?|\0|\b(?:off|closed|open|unknown))$", re.IGNORECASE)
_TIME_FOLLOWS = re.compile(r"\d{1,2}:|\(|\0|(?:sunrise|sunset|dawn|dusk)\b", re.IGNORECASE)
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DATED = re.compile(rf"\b{_MONTH} ?\d{{1,2}}(?![\d:])|\beaster\b|^(?:19|20)\d\d\b", re.IGNORECASE)
_DAY = r"(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_ITEM = rf"(?:PH|SH|{_DAY}(?:-{_DAY})?(?:\[[-\d,]+\])?)"
_LIST = rf"{_ITEM}(?:\s*,\s*{_ITEM})*"
_DAYS = re.compile(rf"\b{_LIST}(?:\s+{_LIST})*(?![\w\[-])", re.IGNORECASE)


def mentions_school(expression: str) -> bool:
    """Return whether an expression has school holidays (`SH`) outside of comments."""
    return "SH" in expression and bool(_SCHOOL.search(_masked(expression)))


def during(expression: str, *, holiday: bool) -> str:
    """Return the expression for days of school holidays, or for other days, without `SH`.

    `SH off` applies to every day of the holidays only; `SH Mo-Fr` from Monday to Friday of the
    holidays; `Mo-Fr,SH` to every day of the holidays, and from Monday to Friday of other days.

    Returns
    -------
    "" when the position of `SH` is not understood; `NEVER` when no rule remains.
    """
    if not mentions_school(expression):
        return expression
    rules: list[tuple[str, str]] = []
    for separator, rule in _split(expression):
        rewritten = _rule(rule, holiday=holiday)
        if rewritten is None:
            return ""
        if rewritten:
            rules.append((separator, rewritten))
    return _joined(rules) or NEVER


def alternatives(expression: str) -> tuple[str, ...]:
    """Split an expression at `||`: each part applies where the parts before it are closed."""
    found: list[list[tuple[str, str]]] = [[]]
    for sign, rule in _split(expression):
        if sign.strip() == "||":
            found.append([])
        found[-1].append((sign, rule))
    return tuple(map(_joined, found))


def undated(expression: str) -> str:
    """Return an expression without its dated rules ("2026 Dec 24 off", "Aug 03-17 off").

    Rules of whole months are seasons, not dates. Returns "" when no rule remains.
    """
    return _joined([(sign, rule) for sign, rule in _split(expression) if not _DATED.search(_masked(rule))])


def _joined(rules: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{sign} {rule}" if place else rule for place, (sign, rule) in enumerate(rules))


def _split(expression: str) -> Iterator[tuple[str, str]]:
    """Yield the rules of an expression, each with the separator before it."""
    masked = _masked(expression)
    separator, since = "", 0
    for found in _SEPARATOR.finditer(masked):
        listed = found[1] == "," and (
            not _RULE_ENDED.search(masked[since : found.start()]) or _TIME_FOLLOWS.match(masked, found.end())
        )
        if not listed:
            yield separator, expression[since : found.start()]
            separator, since = " ||" if found[1] == "||" else found[1], found.end()
    yield separator, expression[since:]


def _rule(rule: str, *, holiday: bool) -> str | None:
    """Rewrite one rule for such days: "" when it never applies, None when it is not understood."""
    masked = _masked(rule)
    named = len(_SCHOOL.findall(masked))
    if not named:
        return rule
    found = next((days for days in _DAYS.finditer(masked) if _SCHOOL.search(days[0])), None)
    if named > 1 or not found:
        return None
    groups = [group.split(",") for group in re.sub(r"\s*,\s*", ",", found[0]).split()]
    if holiday:
        left = [group for group in groups if not any(map(_SCHOOL.fullmatch, group))]
    else:
        left = [[item for item in group if not _SCHOOL.fullmatch(item)] for group in groups]
        if not all(left):
            return ""
    days = " ".join(",".join(group) for group in left) or EVERY_DAY
    return f"{rule[: found.start()]}{days}{rule[found.end() :]}"


def _masked(expression: str) -> str:
    """Return the expression with its comments replaced by NULs, of equal length."""
    return _QUOTED.sub(lambda found: "\0" * len(found[0]), expression)
