"""The Département's match of contributions: a rate and a yearly ceiling, by dated rules.

A contribution is matched by the rule in effect on the day it was received:

- **rate**: `amount × rate_bp / 10 000`, rounded down to the cent. Each contribution is rounded by
  itself: neither their order nor a reversal changes what another is due; one for one is exact;
- **ceiling**: what contributions received in one calendar year (1 January to 31 December, by their
  day) are matched with stays within the ceiling in effect on the day of the contribution: a ceiling
  lowered below what was matched takes nothing back, a raised one applies from its day on;
- **order**: contributions consume the ceiling by day, then by number; those posted out of order get
  what is left, and earlier matches are not changed;
- what the rate gives and the ceiling withholds is the contribution's **unmatched remainder**. It is
  shown, and can be matched later if there is room (`geo.store.ledger.settle`).

The reversal of a contribution gives its whole match back, which makes room in the year of the
contribution, whenever the reversal is posted. Worked cases: docs/fund.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

ONE_FOR_ONE: Final = 10_000
"""`rate_bp` of a rule that adds one euro for each euro."""


@dataclass(frozen=True, slots=True)
class MatchRule:
    """A match rule, in effect from a day until the next rule begins.

    `rate_bp`: cents added for 10 000 given. `ceiling_cents`: most that it adds in a calendar year, or None.
    """

    day: date
    rate_bp: int = ONE_FOR_ONE
    ceiling_cents: int | None = None
    note: str = ""

    def due(self, amount_cents: int) -> int:
        """Return what the rate alone adds to a contribution, in cents, rounded down."""
        return amount_cents * self.rate_bp // 10_000

    def room(self, matched_cents: int) -> int | None:
        """Return what may still be added in a year after `matched_cents`; None: no ceiling."""
        return None if self.ceiling_cents is None else max(0, self.ceiling_cents - matched_cents)


@dataclass(frozen=True, slots=True)
class MatchableContribution:
    """An unreversed contribution, as matching sees it; `id` orders those of one day."""

    id: int
    day: date
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Match:
    """What the Département adds to one contribution; `rule` None: none was in effect, nothing is due."""

    contribution: MatchableContribution
    rule: MatchRule | None
    due_cents: int
    matched_cents: int

    @property
    def unmatched_cents(self) -> int:
        """What the ceiling withholds."""
        return self.due_cents - self.matched_cents


def rule_on(rules: Iterable[MatchRule], day: date) -> MatchRule | None:
    """Return the rule in effect on a day: the latest that began; None before the first."""
    return max((rule for rule in rules if rule.day <= day), key=lambda rule: rule.day, default=None)


def within(due_cents: int, room_cents: int | None) -> int:
    """Return the part of what is due that fits in the room (None: no limit)."""
    return due_cents if room_cents is None else min(due_cents, room_cents)


def matches(
    contributions: Iterable[MatchableContribution],
    rules: Iterable[MatchRule],
    matched: Mapping[int, int] | None = None,
) -> list[Match]:
    """Return what each contribution is matched with, in order of day, then number.

    Parameters
    ----------
    matched
        By year, cents that other contributions of the year are matched with already.

    Returns
    -------
    One for each contribution, in that order; `matched_cents + unmatched_cents == due_cents`.
    """
    known = list(rules)
    so_far = dict(matched or {})
    found = []
    for contribution in sorted(contributions, key=lambda c: (c.day, c.id)):
        rule = rule_on(known, contribution.day)
        if rule is None:
            found.append(Match(contribution, None, 0, 0))
            continue
        year = contribution.day.year
        due = rule.due(contribution.amount_cents)
        given = within(due, rule.room(so_far.get(year, 0)))
        so_far[year] = so_far.get(year, 0) + given
        found.append(Match(contribution, rule, due, given))
    return found
