"""The fund's ledger: what may be posted, what is refused and how it says so, who did what."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from geo.errors import (
    AlreadyReversed,
    ClosedPeriod,
    DuplicateReference,
    InsufficientFunds,
    InUse,
    InvalidParameter,
    NoRule,
    UnknownEntry,
    UnknownPartner,
)
from geo.funding.ledger import (
    Balance,
    Commitment,
    Contribution,
    Level,
    Order,
    Payment,
    Release,
    Reversal,
)
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.store import audit, ledger, ledger_reports, partners

DAY = date(2025, 3, 10)
ACTOR = "Agent du fonds"


def given(reference: str, cents: int, day: date = DAY, **changes: object) -> Contribution:
    base = Contribution(
        reference=reference, day=day, amount_cents=cents, partner_code="caf", level=Level.LOCAL
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def aside(reference: str, cents: int, day: date = DAY, **changes: object) -> Commitment:
    base = Commitment(reference=reference, day=day, amount_cents=cents, action_line="pass-numerique")
    return replace(base, **changes)  # type: ignore[arg-type]


def paid(reference: str, cents: int, commitment: str = "E1", day: date = DAY, **changes: object) -> Payment:
    base = Payment(reference=reference, day=day, amount_cents=cents, commitment=commitment)
    return replace(base, **changes)  # type: ignore[arg-type]


def post(connection, *orders):
    return ledger.post_all(connection, orders, actor=ACTOR)


@pytest.fixture
def fund(connection):
    """A fund with two partners and the rule of one for one since 2024, nothing in it."""
    for code in ("caf", "msa"):
        partners.save(
            connection, Partner(code, f"{code.upper()} fictive", PartnerKind.PUBLIC, fictif=True), actor=ACTOR
        )
    ledger.set_rule(connection, MatchRule(date(2024, 1, 1)), actor=ACTOR)
    return connection


@pytest.fixture
def filled(fund):
    """1 000 € given and matched; 600 € set aside, 250 € of them paid."""
    post(fund, given("C1", 100_000), aside("E1", 60_000), paid("P1", 25_000))
    assert ledger.balance(fund) == Balance(100_000, 100_000, 140_000, 35_000, 25_000)
    return fund


# --- posting


def test_each_kind_moves_money_between_its_accounts(filled):
    release = Release(reference="D1", day=DAY, amount_cents=10_000, commitment="E1")
    post(filled, release)
    told = [(e.reference, e.kind, e.amount_cents, e.source, e.destination) for e in ledger.entries(filled)]
    assert told == [
        ("C1", "contribution", 100_000, "partners", "available"),
        ("C1/abondement", "match", 100_000, "departement", "available"),
        ("E1", "commitment", 60_000, "available", "committed"),
        ("P1", "payment", 25_000, "committed", "paid"),
        ("D1", "release", 10_000, "committed", "available"),
    ]
    assert ledger.balance(filled) == Balance(100_000, 100_000, 150_000, 25_000, 25_000)
    assert ledger.remaining(filled, "E1") == 25_000
    assert ledger_reports.faults(filled) == []


def test_a_payment_inherits_what_its_commitment_is_for(fund):
    post(fund, given("C1", 100_000), aside("E1", 60_000, partner_code="msa", commune="99001"))
    post(fund, paid("P1", 100), paid("P2", 100, commune="99002", site_id="essai--a"))
    one, two = ledger.find(fund, "P1"), ledger.find(fund, "P2")
    assert (one.partner_code, one.action_line, one.commune, one.site_id) == (
        "msa",
        "pass-numerique",
        "99001",
        None,
    )
    assert (two.partner_code, two.action_line, two.commune, two.site_id) == (
        "msa",
        "pass-numerique",
        "99002",
        "essai--a",
    )


@pytest.mark.parametrize(
    "order",
    [
        given("C1", 100_000),
        aside("E1", 60_000),
        paid("P1", 25_000),
    ],
)
def test_the_same_order_again_is_the_same_entry(filled, order):
    known = ledger.find(filled, order.reference)
    assert ledger.post(filled, order, actor="Quelqu'un d'autre") == known.id
    assert ledger.find(filled, order.reference) == known
    assert len(ledger.entries(filled)) == 4


@pytest.mark.parametrize(
    "order",
    [
        given("C1", 100_001),
        given("C1", 100_000, day=date(2025, 3, 11)),
        given("C1", 100_000, partner_code="msa"),
        given("C1", 100_000, level=Level.NATIONAL),
        given("C1", 100_000, memo="autre"),
        given("C1", 100_000, fictif=True),
        aside("C1", 100_000),
        given("C1/abondement", 100_000),
        aside("E1", 60_000, action_line="formation"),
        paid("P1", 25_000, site_id="essai--a"),
        Reversal(reference="C1", day=DAY, reverses="E1"),
    ],
)
def test_another_content_under_a_known_reference_is_refused(filled, order):
    with pytest.raises(DuplicateReference, match=order.reference):
        post(filled, order)
    assert len(ledger.entries(filled)) == 4


def test_several_orders_are_posted_in_turn_or_not_at_all(fund):
    orders: list[Order] = [
        given("C1", 500),
        aside("E1", 1_000),
        paid("P1", 1_001),
        paid("P2", 900),
        paid("P3", 101),
    ]
    outcomes = ledger.try_all(fund, orders, actor=ACTOR)
    assert [type(outcome) for outcome in outcomes] == [int, int, InsufficientFunds, int, InsufficientFunds]
    assert ledger.entries(fund) == []
    with pytest.raises(InsufficientFunds, match="P1"):
        post(fund, *orders)
    assert ledger.entries(fund) == []
    assert len(post(fund, orders[0], orders[1], orders[3])) == 3
    assert ledger.balance(fund) == Balance(500, 500, 0, 100, 900)


# --- refusals


REFUSED = {
    "more than is available": (aside("E2", 140_001), InsufficientFunds, "Il reste 1 400 € disponibles"),
    "more than is left": (paid("P2", 35_001), InsufficientFunds, "Il reste 350 € sur l'engagement « E1 »"),
    "release of more than is left": (
        Release(reference="D1", day=DAY, amount_cents=35_001, commitment="E1"),
        InsufficientFunds,
        "Il reste 350 €",
    ),
    "a contribution spent already": (
        Reversal(reference="A1", day=DAY, reverses="C1"),
        InsufficientFunds,
        "2 000 € ne peuvent pas en sortir",
    ),
    "a commitment paid in part": (
        Reversal(reference="A1", day=DAY, reverses="E1"),
        InsufficientFunds,
        "Il reste 350 €",
    ),
    "a match alone": (
        Reversal(reference="A1", day=DAY, reverses="C1/abondement"),
        AlreadyReversed,
        "un abondement",
    ),
    "nothing to reverse": (Reversal(reference="A1", day=DAY, reverses="X"), UnknownEntry, "« X »"),
    "a reversal before its entry": (
        Reversal(reference="A1", day=date(2025, 3, 9), reverses="P1"),
        InvalidParameter,
        "10 mars 2025",
    ),
    "a payment before its commitment": (
        paid("P2", 1, day=date(2025, 3, 9)),
        InvalidParameter,
        "10 mars 2025",
    ),
    "no commitment": (paid("P2", 1, commitment="E9"), UnknownEntry, "Aucun engagement"),
    "paid out of a contribution": (paid("P2", 1, commitment="C1"), UnknownEntry, "Aucun engagement"),
    "no such partner": (given("C2", 1, partner_code="nul"), UnknownPartner, "« nul »"),
    "paid to no such partner": (paid("P2", 1, partner_code="nul"), UnknownPartner, "« nul »"),
    "before the first rule": (given("C2", 1, day=date(2023, 12, 31)), NoRule, "31 décembre 2023"),
    "nothing": (given("C2", 0), InvalidParameter, "n'est pas positif"),
    "below nothing": (aside("E2", -5), InvalidParameter, "n'est pas positif"),
    "half a cent": (given("C2", 0.5), InvalidParameter, "entier de centimes"),  # type: ignore[arg-type]
    "yes": (given("C2", True), InvalidParameter, "entier de centimes"),
    "too much": (given("C2", 10**13 + 1), InvalidParameter, "dépasse"),
    "no reference": (given(" ", 1), InvalidParameter, "référence"),
    "no action line": (aside("E2", 1, action_line=" "), InvalidParameter, "ligne d'action"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_invalid_order_is_refused_with_the_reason_and_advice(filled, case):
    order, failure, reason = REFUSED[case]
    before = ledger.balance(filled), len(audit.list_(filled))
    with pytest.raises(failure) as refusal:
        post(filled, order)
    said = refusal.value.message.replace("\u202f", " ").replace("\xa0", " ")
    assert reason in said and refusal.value.advice
    assert (ledger.balance(filled), len(audit.list_(filled))) == before


def test_an_author_is_required(fund):
    with pytest.raises(InvalidParameter, match="auteur"):
        ledger.post(fund, given("C1", 1), actor=" ")


# --- reversals


def test_a_contribution_reversed_gives_its_match_back(fund):
    post(fund, given("C1", 10_001), given("C2", 300))
    post(fund, Reversal(reference="A1", day=date(2025, 6, 1), reverses="C1", memo="Erreur de saisie"))
    assert ledger.balance(fund) == Balance(300, 300, 600, 0, 0)
    undone, match = ledger.find(fund, "A1"), ledger.find(fund, "A1/abondement")
    assert (undone.source, undone.destination, undone.amount_cents) == ("available", "partners", 10_001)
    assert (match.source, match.destination, match.amount_cents) == ("available", "departement", 10_001)
    assert ledger.find(fund, "C1").reversed_by == undone.id
    assert ledger_reports.faults(fund) == []


def test_an_entry_is_reversed_once(filled):
    undo = Reversal(reference="A1", day=DAY, reverses="P1")
    first = ledger.post(filled, undo, actor=ACTOR)
    assert ledger.post(filled, undo, actor=ACTOR) == first
    with pytest.raises(AlreadyReversed, match="déjà annulée"):
        post(filled, replace(undo, reference="A2"))
    with pytest.raises(AlreadyReversed, match="une annulation"):
        post(filled, Reversal(reference="A3", day=DAY, reverses="A1"))
    assert ledger.balance(filled) == Balance(100_000, 100_000, 140_000, 60_000, 0)


def test_everything_can_be_reversed_from_the_last_to_the_first(filled):
    post(filled, Release(reference="D1", day=DAY, amount_cents=5_000, commitment="E1"))
    for rank, reference in enumerate(("D1", "P1", "E1", "C1")):
        post(filled, Reversal(reference=f"A{rank}", day=DAY, reverses=reference))
    assert ledger.balance(filled) == Balance(0, 0, 0, 0, 0)
    assert ledger_reports.faults(filled) == []


# --- closed periods and rules


def test_nothing_enters_a_closed_period_and_corrections_come_after_it(filled):
    ledger.close(filled, date(2025, 12, 31), actor=ACTOR)
    with pytest.raises(ClosedPeriod, match=r"31 décembre 2025.*C2"):
        post(filled, given("C2", 1, day=date(2025, 12, 31)))
    with pytest.raises(ClosedPeriod):
        post(filled, Reversal(reference="A1", day=date(2025, 12, 31), reverses="P1"))
    post(filled, Reversal(reference="A1", day=date(2026, 1, 1), reverses="P1"))
    with pytest.raises(ClosedPeriod, match="déjà clos"):
        ledger.close(filled, date(2025, 6, 30), actor=ACTOR)
    with pytest.raises(InvalidParameter, match="pas encore passé"):
        ledger.close(filled, date(9999, 1, 1), actor=ACTOR)
    with pytest.raises(ClosedPeriod):
        ledger.set_rule(filled, MatchRule(date(2025, 12, 31)), actor=ACTOR)


def test_a_rule_that_matched_something_cannot_change(filled):
    with pytest.raises(InUse, match="10 mars 2025"):
        ledger.set_rule(filled, MatchRule(date(2024, 1, 1), 5_000), actor=ACTOR)
    with pytest.raises(InUse):
        ledger.set_rule(filled, MatchRule(DAY, 5_000), actor=ACTOR)
    ledger.set_rule(filled, MatchRule(date(2025, 3, 11), 5_000, 1_000), actor=ACTOR)
    ledger.set_rule(filled, MatchRule(date(2025, 3, 11), 2_500, None), actor=ACTOR)
    assert ledger.rules(filled) == [MatchRule(date(2024, 1, 1)), MatchRule(date(2025, 3, 11), 2_500)]


@pytest.mark.parametrize("rule", [MatchRule(DAY, -1), MatchRule(DAY, 1_000_001), MatchRule(DAY, 10_000, -1)])
def test_a_rule_out_of_bounds_is_refused(fund, rule):
    with pytest.raises(InvalidParameter):
        ledger.set_rule(fund, rule, actor=ACTOR)


# --- who did what


def test_every_write_is_audited(fund):
    post(fund, given("C1", 100, memo="Virement"))
    ledger.close(fund, DAY, actor="Payeur")
    ledger.set_rule(fund, MatchRule(date(2026, 1, 1), 5_000), actor="Élu")
    ledger.set_rule(fund, MatchRule(date(2026, 1, 1), 6_000), actor="Élu")
    last, rule, closed, match, contribution = audit.list_(fund, limit=5)
    assert (last.actor, last.action, last.before["rate_bp"], last.after["rate_bp"]) == (
        "Élu",
        "fund.rule",
        5_000,
        6_000,
    )
    assert (rule.before, closed.actor, closed.action) == (None, "Payeur", "fund.close")
    assert (match.action, contribution.action) == ("fund.match", "fund.contribution")
    assert contribution.subject == "ledger_entry/C1"
    assert contribution.after["amount_cents"] == 100 and contribution.after["memo"] == "Virement"
    assert audit.list_(fund, "fund_rule/2026-01-01") == [last, rule]


@pytest.mark.parametrize("memo", ["a\tb", "a\nb\r", r"\N", r"\.", "a\\", 'dit « "oui" »', "é\u2028\x7f€"])
def test_texts_are_stored_exactly(fund, memo):
    order = given(f"C{memo}", 100, memo=memo)
    post(fund, order)
    assert ledger.find(fund, order.reference).memo == memo
    (kept,) = audit.list_(fund, f"ledger_entry/{order.reference}")
    assert (kept.after["memo"], kept.after["reference"], kept.after["day"]) == (memo, f"C{memo}", str(DAY))


def test_orders_sent_before_one_is_refused_leave_nothing(fund):
    orders: list[Order] = [
        given("C1", 100),
        given("C2", 100),
        aside("E1", 500),
        given("C3", 100),
        aside("E2", 900),
    ]
    first, second, refused, last, too = ledger.try_all(fund, orders, actor=ACTOR)
    assert all(isinstance(number, int) for number in (first, second, last))
    assert isinstance(refused, InsufficientFunds) and isinstance(too, InsufficientFunds)
    assert ledger.entries(fund) == [] and ledger_reports.faults(fund) == []
    assert not [change for change in audit.list_(fund) if change.subject.startswith("ledger_entry/")]
    post(fund, orders[0])
    assert ledger.balance(fund).available_cents == 200


def test_a_contribution_matched_three_times_is_reversed_in_one_batch(fund):
    for cents, reference in ((100, "S0"), (150, "S1"), (175, "S2")):
        ledger.set_rule(fund, MatchRule(date(2025, 12, 31), 10_000, cents), actor=ACTOR)
        if reference == "S0":
            ledger.set_rule(fund, MatchRule(date(2025, 1, 1), 10_000, cents), actor=ACTOR)
            post(fund, given("C1", 300))
        else:
            ledger.settle(fund, 2025, date(2025, 12, 31), reference, actor=ACTOR)
    (thrice,) = ledger.received(fund)
    assert thrice.matched_cents == 175 and len(ledger.entries(fund)) == 4
    undone = [Reversal(reference=f"R{n}", day=date(2026, 1, 1), reverses=f"C{n}") for n in (1, 2)]
    post(fund, undone[0], given("C2", 80), undone[1])
    assert ledger.balance(fund) == Balance(0, 0, 0, 0, 0) and ledger_reports.faults(fund) == []
