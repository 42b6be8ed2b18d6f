"""Sums: read exactly or refused with the reason, written as the French write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InvalidParameter
from geo.funding import money
from geo.wording import figures

READ = {
    "1 234,56 €": 123_456,
    "1\u202f234,56\xa0€": 123_456,
    "1\xa0234\xa0567,8": 123_456_780,
    "1234.5": 123_450,
    "1234": 123_400,
    "0,01": 1,
    "0.1": 10,
    "007": 700,
    " 12,30 EUR ": 1_230,
    "2 euros": 200,
    "1 Euro": 100,
    "100000000000": money.MAX_CENTS,
    # What a float would spoil: 0.29 × 100 = 28.999…, 1.15 × 100 = 114.999…
    "0,29": 29,
    "1,15": 115,
    "90071992547,41": 9_007_199_254_741,
}


@pytest.mark.parametrize("text", READ)
def test_a_sum_is_read_to_the_cent(text):
    assert money.parse(text) == READ[text]


REFUSED = {
    "": "n'est pas un montant",
    "€": "n'est pas un montant",
    "douze": "n'est pas un montant",
    "12 34": "n'est pas un montant",
    "1 2345": "n'est pas un montant",
    "1,234.56": "n'est pas un montant",
    "1.234,56": "n'est pas un montant",
    ",5": "n'est pas un montant",
    "5,": "n'est pas un montant",
    "1e3": "n'est pas un montant",
    "+5": "n'est pas un montant",
    "١٢": "n'est pas un montant",
    "5 $": "n'est pas un montant",
    "nan": "n'est pas un montant",
    "=1+1": "n'est pas un montant",
    "1.234": "a plus de deux décimales",
    "0,010": "a plus de deux décimales",
    "-5": "est négatif",
    "\u22125,00 €": "est négatif",
    "0": "n'est pas positif",
    "0 €": "n'est pas positif",
    "100000000000,01": "dépasse",
    "9" * 5_000: "dépasse",
}


# ASCII identifiers: pytest escapes others anew each time one process, such as mutmut's, collects them.
@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20].encode("ascii", "replace").decode())
def test_a_text_that_is_not_a_sum_is_refused_with_the_reason(text):
    with pytest.raises(InvalidParameter, match=REFUSED[text]) as refusal:
        money.parse(text, parameter="montant")
    assert refusal.value.advice and refusal.value.parameter == "montant"


@pytest.mark.parametrize(
    ("cents", "text", "plain"),
    [
        (0, "0 €", "0.00"),
        (1, "0,01 €", "0.01"),
        (123_456, "1 234,56 €", "1234.56"),
        (100_000_000, "1 000 000 €", "1000000.00"),
        (-5, "−0,05 €", "-0.05"),
    ],
)
def test_a_sum_is_written_the_french_way_and_plainly(cents, text, plain):
    assert figures.euros(cents).replace("\u202f", " ").replace("\xa0", " ") == text
    assert money.plain(cents) == plain


@given(st.integers(1, money.MAX_CENTS))
def test_what_is_written_is_read_back(cents):
    assert money.parse(figures.euros(cents)) == money.parse(money.plain(cents)) == cents


@given(st.text(max_size=12))
def test_any_text_is_a_sum_or_is_refused(text):
    try:
        assert 1 <= money.parse(text) <= money.MAX_CENTS
    except InvalidParameter as refusal:
        assert refusal.message and refusal.advice
