"""The rule of the match: a table worked by hand, played on the ledger and on the rule alone."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.funding import ledger as orders
from geo.funding.ledger import Level
from geo.funding.match_rule import MatchableContribution, MatchRule, matches, rule_on
from geo.funding.partners import Partner, PartnerKind
from geo.funding.reports import By
from geo.store import ledger, ledger_reports, partners

ACTOR = "Agent du fonds"
NONE = None

RULE, GIVE, UNDO, CLOSE, SETTLE = "rule", "give", "undo", "close", "settle"

# All sums in cents. A rule: day, cents added for 10 000 given, ceiling of a year.
# Expected, of each contribution in force: matched, unmatched; then all the Département added.
TABLE: dict[str, tuple[list[tuple[Any, ...]], dict[str, tuple[int, int]], int]] = {
    "1. one for one": (
        [(RULE, "2025-01-01", 10_000, NONE), (GIVE, "A", "2025-03-01", 10_000)],
        {"A": (10_000, 0)},
        10_000,
    ),
    "2. one cent": (
        [(RULE, "2025-01-01", 10_000, NONE), (GIVE, "A", "2025-03-01", 1)],
        {"A": (1, 0)},
        1,
    ),
    # Half of 1 is 0.5, down to 0: nothing is due, so that nothing is unmatched.
    "3. one cent at one for two": (
        [(RULE, "2025-01-01", 5_000, NONE), (GIVE, "A", "2025-03-01", 1)],
        {"A": (0, 0)},
        0,
    ),
    # Each stands on its own: 0.5 → 0 three times, 1.5 → 1. Together they would have made 3.
    "4. odd cents do not add up": (
        [
            (RULE, "2025-01-01", 5_000, NONE),
            *((GIVE, name, "2025-03-01", 1) for name in "ABC"),
            (GIVE, "D", "2025-03-01", 3),
        ],
        {"A": (0, 0), "B": (0, 0), "C": (0, 0), "D": (1, 0)},
        1,
    ),
    # 333 × 1.5 = 499.5, down to 499.
    "5. three for two": (
        [(RULE, "2025-01-01", 15_000, NONE), (GIVE, "A", "2025-03-01", 333)],
        {"A": (499, 0)},
        499,
    ),
    "6. the ceiling met to the cent": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (GIVE, "A", "2025-03-01", 400),
            (GIVE, "B", "2025-04-01", 600),
        ],
        {"A": (400, 0), "B": (600, 0)},
        1_000,
    ),
    # 1 000 − 700 leaves 300 for B's 500.
    "7. the ceiling bites within a contribution": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (GIVE, "A", "2025-03-01", 700),
            (GIVE, "B", "2025-04-01", 500),
        ],
        {"A": (700, 0), "B": (300, 200)},
        1_000,
    ),
    "8. one cent after the ceiling": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (GIVE, "A", "2025-03-01", 1_000),
            (GIVE, "B", "2025-04-01", 1),
        ],
        {"A": (1_000, 0), "B": (0, 1)},
        1_000,
    ),
    # A ceiling each year: 31 December is of the first, 1 January of the second.
    "9. a new year": (
        [
            (RULE, "2024-01-01", 10_000, 1_000),
            (GIVE, "A", "2024-12-31", 1_500),
            (GIVE, "B", "2025-01-01", 1_500),
        ],
        {"A": (1_000, 500), "B": (1_000, 500)},
        2_000,
    ),
    # On one day, in the order of posting: 600, then 1 000 − 600 = 400 of 600, then nothing of 50.
    "10. the order of one day": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (GIVE, "Z", "2025-03-01", 600),
            (GIVE, "A", "2025-03-01", 600),
            (GIVE, "M", "2025-03-01", 50),
        ],
        {"Z": (600, 0), "A": (400, 200), "M": (0, 50)},
        1_000,
    ),
    # B keeps its 800; A, received before it but posted after it, takes the 200 left.
    "11. posted out of order": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (GIVE, "B", "2025-03-10", 800),
            (GIVE, "A", "2025-03-01", 500),
        ],
        {"B": (800, 0), "A": (200, 300)},
        1_000,
    ),
    # 30 June one for one; 1 July one for two: 1 001 / 2 = 500.5, down to 500.
    "12. the rate changes within the year": (
        [
            (RULE, "2025-01-01", 10_000, NONE),
            (RULE, "2025-07-01", 5_000, NONE),
            (GIVE, "A", "2025-06-30", 1_001),
            (GIVE, "B", "2025-07-01", 1_001),
        ],
        {"A": (1_001, 0), "B": (500, 0)},
        1_501,
    ),
    # B is due 2 × 300 = 600; 1 000 − 600 leaves 400.
    "13. the rate changes below one ceiling": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (RULE, "2025-07-01", 20_000, 1_000),
            (GIVE, "A", "2025-06-30", 600),
            (GIVE, "B", "2025-07-01", 300),
        ],
        {"A": (600, 0), "B": (400, 200)},
        1_000,
    ),
    # 800 were matched already, more than the new 500: they stay, and nothing is added.
    "14. the ceiling falls below what was matched": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (RULE, "2025-07-01", 10_000, 500),
            (GIVE, "A", "2025-06-30", 800),
            (GIVE, "B", "2025-07-01", 100),
        ],
        {"A": (800, 0), "B": (0, 100)},
        800,
    ),
    # A: 500 of 800. B: the year may now reach 1 000, 500 are left, it takes 400. A's 300 stay unmatched.
    "15. the ceiling rises": (
        [
            (RULE, "2025-01-01", 10_000, 500),
            (RULE, "2025-07-01", 10_000, 1_000),
            (GIVE, "A", "2025-06-30", 800),
            (GIVE, "B", "2025-07-01", 400),
        ],
        {"A": (500, 300), "B": (400, 0)},
        900,
    ),
    # As 15, then the 100 left of the raised ceiling go to A's remainder.
    "16. the ceiling rises and remainders are settled": (
        [
            (RULE, "2025-01-01", 10_000, 500),
            (RULE, "2025-07-01", 10_000, 1_000),
            (GIVE, "A", "2025-06-30", 800),
            (GIVE, "B", "2025-07-01", 400),
            (SETTLE, 2025, "2025-12-01"),
        ],
        {"A": (600, 200), "B": (400, 0)},
        1_000,
    ),
    # A takes all, B nothing. A reversed, its 1 000 are free: C takes 300, settling gives B its 500.
    "17. a reversal makes room": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (GIVE, "A", "2025-03-01", 1_000),
            (GIVE, "B", "2025-03-02", 500),
            (UNDO, "A", "2025-04-01"),
            (GIVE, "C", "2025-04-02", 300),
            (SETTLE, 2025, "2025-05-01"),
        ],
        {"B": (500, 0), "C": (300, 0)},
        800,
    ),
    # The room made is in 2024's ceiling: C has all of 2025's, and B gets 400 of 2024's, posted in 2025.
    "18. a reversal after the close": (
        [
            (RULE, "2024-01-01", 10_000, 1_000),
            (GIVE, "A", "2024-05-01", 1_000),
            (GIVE, "B", "2024-06-01", 400),
            (CLOSE, "2024-12-31"),
            (UNDO, "A", "2025-02-01"),
            (GIVE, "C", "2025-03-01", 1_000),
            (SETTLE, 2024, "2025-04-01"),
        ],
        {"B": (400, 0), "C": (1_000, 0)},
        1_400,
    ),
    # A typed ten times too much. Undone and posted right, it takes 100 of the 1 000; B its 500, C 400 of 450.
    "19. a sum corrected": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (GIVE, "A", "2025-03-01", 1_000),
            (GIVE, "B", "2025-03-02", 500),
            (GIVE, "C", "2025-03-03", 450),
            (UNDO, "A", "2025-04-01"),
            (GIVE, "A bis", "2025-04-01", 100),
            (SETTLE, 2025, "2025-05-01"),
        ],
        {"B": (500, 0), "C": (400, 50), "A bis": (100, 0)},
        1_000,
    ),
    # A ceiling of 0 withholds all that is due.
    "20. a ceiling of nothing": (
        [(RULE, "2025-01-01", 10_000, 0), (GIVE, "A", "2025-03-01", 500)],
        {"A": (0, 500)},
        0,
    ),
    # A rate of 0 makes nothing due, and nothing unmatched; the next day all is due.
    "21. a rate of nothing, then one for one": (
        [
            (RULE, "2025-01-01", 0, NONE),
            (RULE, "2025-03-02", 10_000, NONE),
            (GIVE, "A", "2025-03-01", 500),
            (GIVE, "B", "2025-03-02", 500),
        ],
        {"A": (0, 0), "B": (500, 0)},
        500,
    ),
    # From July on there is no ceiling: B is matched whole, and settling gives A its 200.
    "22. the ceiling goes": (
        [
            (RULE, "2025-01-01", 10_000, 100),
            (RULE, "2025-07-01", 10_000, NONE),
            (GIVE, "A", "2025-03-01", 300),
            (GIVE, "B", "2025-07-01", 300),
            (SETTLE, 2025, "2025-12-01"),
        ],
        {"A": (300, 0), "B": (300, 0)},
        600,
    ),
    # A's remainder is none of anybody's any more: it leaves with the contribution.
    "23. a contribution matched in part, reversed": (
        [
            (RULE, "2025-01-01", 10_000, 1_000),
            (GIVE, "A", "2025-03-01", 1_500),
            (UNDO, "A", "2025-03-02"),
            (GIVE, "B", "2025-03-03", 900),
        ],
        {"B": (900, 0)},
        900,
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_ledger_matches_as_worked_by_hand(connection, case):
    steps, expected, total = TABLE[case]
    partners.save(connection, Partner("caf", "CAF fictive", PartnerKind.PUBLIC, fictif=True), actor=ACTOR)
    for step, *told in steps:
        if step == RULE:
            day, rate, ceiling = told
            ledger.set_rule(connection, MatchRule(date.fromisoformat(day), rate, ceiling), actor=ACTOR)
        elif step == GIVE:
            name, day, cents = told
            order = orders.Contribution(
                reference=name,
                day=date.fromisoformat(day),
                amount_cents=cents,
                partner_code="caf",
                level=Level.LOCAL,
            )
            ledger.post(connection, order, actor=ACTOR)
        elif step == UNDO:
            name, day = told
            undo = orders.Reversal(reference=f"-{name}", day=date.fromisoformat(day), reverses=name)
            ledger.post(connection, undo, actor=ACTOR)
        elif step == CLOSE:
            ledger.close(connection, date.fromisoformat(told[0]), actor=ACTOR)
        else:
            year, day = told
            ledger.settle(connection, year, date.fromisoformat(day), f"{year}", actor=ACTOR)
    found = {
        each.entry.reference: (each.matched_cents, each.unmatched_cents)
        for each in ledger.received(connection)
        if each.entry.reversed_by is None
    }
    assert found == expected
    assert ledger.balance(connection).matched_cents == total
    remainder = ledger_reports.report(connection, By.PARTNER).total.unmatched_cents
    assert remainder == sum(unmatched for _, unmatched in expected.values())
    assert ledger_reports.faults(connection) == []


@pytest.mark.parametrize(
    "case", [c for c, (steps, *_) in TABLE.items() if {s[0] for s in steps} <= {RULE, GIVE}]
)
def test_the_rule_alone_gives_the_same_for_contributions_in_order(case):
    steps, expected, total = TABLE[case]
    rules = [MatchRule(date.fromisoformat(s[1]), s[2], s[3]) for s in steps if s[0] == RULE]
    given_ = [s[1:] for s in steps if s[0] == GIVE]
    names = dict(enumerate(name for name, *_ in given_))
    asked = [
        MatchableContribution(n, date.fromisoformat(day), cents) for n, (_, day, cents) in enumerate(given_)
    ]
    found = {names[m.contribution.id]: (m.matched_cents, m.unmatched_cents) for m in matches(asked, rules)}
    if case.startswith("11."):
        # By day, A comes first; the ledger knew B first.
        expected = {"A": (500, 0), "B": (500, 300)}
    assert found == expected
    assert sum(matched for matched, _ in found.values()) == total


DAYS = st.dates(date(2024, 10, 1), date(2025, 3, 31))
RULES = st.lists(
    st.builds(
        MatchRule, DAYS, st.sampled_from([0, 3_333, 5_000, 10_000, 15_000]), st.none() | st.integers(0, 5_000)
    ),
    max_size=4,
    unique_by=lambda rule: rule.day,
)
GIVEN = st.lists(st.tuples(DAYS, st.integers(1, 3_000)), max_size=12).map(
    lambda rows: [MatchableContribution(n, day, cents) for n, (day, cents) in enumerate(rows)]
)


@given(GIVEN, RULES, st.randoms())
def test_nothing_is_lost_nor_matched_beyond_a_ceiling_and_the_order_given_does_not_matter(
    asked, rules, chance
):
    found = matches(asked, rules)
    assert Counter(m.contribution for m in found) == Counter(asked)
    year: Counter[int] = Counter()
    for match in found:
        contribution, rule = match.contribution, rule_on(rules, match.contribution.day)
        assert match.rule == rule
        due = 0 if rule is None else contribution.amount_cents * rule.rate_bp // 10_000
        assert (match.due_cents, match.matched_cents + match.unmatched_cents) == (due, due)
        assert match.matched_cents >= 0 and match.unmatched_cents >= 0
        before = year[contribution.day.year]
        year[contribution.day.year] += match.matched_cents
        if match.unmatched_cents:
            # Withheld only where the ceiling of the day is met, or was passed before it was lowered.
            assert rule is not None and rule.ceiling_cents is not None
            assert year[contribution.day.year] == max(rule.ceiling_cents, before)
    mixed = list(asked)
    chance.shuffle(mixed)
    assert matches(mixed, rules) == found


@given(GIVEN, RULES, st.integers(0, 12))
def test_matching_goes_on_from_what_was_matched(asked, rules, cut):
    ordered = [m.contribution for m in matches(asked, rules)]
    first = matches(ordered[:cut], rules)
    so_far: Counter[int] = Counter()
    for match in first:
        so_far[match.contribution.day.year] += match.matched_cents
    assert [*first, *matches(ordered[cut:], rules, so_far)] == matches(asked, rules)
