"""The yearly statement of a partner: one page whatever it holds, sums that add up, months that count."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date

import pytest
from pypdf import PdfReader

from geo.funding.match_rule import MatchRule
from geo.funding.partners import Convention, Partner, PartnerKind
from geo.funding.reports import Line
from geo.services.fund_reports import Gift, Statement
from static_maps.statement import contents, statement_pdf

BASE = Statement(
    partner=Partner("caisse", "Caisse d'Essai", PartnerKind.PUBLIC, siret="12345678200010"),
    conventions=(Convention("caisse", 2026, "DELIB-7"),),
    year=2026,
    line=Line("caisse", "Caisse d'Essai", 180_050, 150_000, 30_050),
    whole=Line("caisse", "Caisse d'Essai", 280_050, 250_000, 30_050),
    received=(Gift(date(2026, 3, 2), 100_000, 100_000, 0), Gift(date(2026, 5, 4), 80_050, 50_000, 30_050)),
    rules=(MatchRule(date(2024, 1, 1)), MatchRule(date(2026, 1, 1), 10_000, 150_000)),
    uses=(Line("Pass", "Pass", committed_cents=60_000, paid_cents=25_000),),
    fund=Line("total", "Total", 180_050, 150_000, 30_050, 60_000, 25_000),
    closed=False,
    territory="Pays d'Essai",
    day=date(2026, 11, 2),
)


def pages(told: Statement) -> list[str]:
    reader = PdfReader(io.BytesIO(statement_pdf(told)))
    return [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]


def test_a_statement_is_one_page_that_tells_its_sums():
    [text] = pages(BASE)
    for said in (
        "Relevé de l'année 2026",
        "Caisse d'Essai",
        "12345678200010",
        "DELIB-7",
        "1 800,50 €",
        "3 300,50 €",
        "dans la limite de 1 500 € par année",
        "300,50 € n'ont pas été abondés",
        "année non close",
    ):
        assert said in text.replace("\u2019", "'"), said
    assert "démonstration" not in text


def test_months_add_up_to_the_year():
    months = contents(BASE)["months"]
    assert [row[0] for row in months] == ["Mars", "Mai"]
    assert contents(BASE)["total"][1:] == ["1\u202f800,50\u00a0€", "1\u202f500\u00a0€", "300,50\u00a0€"]
    assert not any("annulées" in sentence for sentence in contents(BASE)["sentences"])


def test_what_was_annulled_is_said():
    undone = replace(BASE, received=BASE.received[:1])
    assert any("annulées" in sentence for sentence in contents(undone)["sentences"])


def test_only_rules_in_force_in_the_year_are_told():
    assert len(contents(BASE)["rules"]) == 1
    midway = replace(
        BASE, rules=(*BASE.rules, MatchRule(date(2026, 7, 1), 5_000), MatchRule(date(2027, 1, 1), 0))
    )
    rules = contents(midway)["rules"]
    assert [rule.split(",")[0] for rule in rules] == [
        "À partir du 1er janvier 2026",
        "À partir du 1er juillet 2026",
    ]
    assert "ajoute 0,5 €, sans plafond" in rules[1]


def test_smallest_uses_are_told_together():
    uses = [Line(f"L{n}", f"Ligne {n}", committed_cents=100 + n, paid_cents=n) for n in range(12)]
    rows = contents(replace(BASE, uses=uses))["uses"]
    assert len(rows) == 9
    assert rows[-1] == ["Autres lignes (4)", "4,06\u00a0€", "0,06\u00a0€"]


def test_the_fullest_statement_is_still_one_page():
    full = replace(
        BASE,
        partner=replace(BASE.partner, name="Communauté d'agglomération de très longue dénomination " * 3),
        conventions=tuple(Convention("caisse", 2026, f"DELIBERATION-2026-{n}") for n in range(6)),
        received=tuple(Gift(date(2026, m, d), 999_999_999, 1, 2) for m in range(1, 13) for d in (1, 15)),
        line=replace(BASE.line, committed_cents=1, paid_cents=1),
        rules=tuple(MatchRule(date(2026, m, 1), 10_000 - m, 10**9) for m in range(1, 5)),
        uses=tuple(Line(f"L{n}", f"Ligne d'action au long nom {n} " * 2, 0, 0, 0, 5, 4) for n in range(15)),
    )
    assert len(pages(full)) == 1


@pytest.mark.parametrize("invented", ["partner", "line"])
def test_invented_data_say_so(invented):
    told = replace(BASE, **{invented: replace(getattr(BASE, invented), fictif=True)})
    assert "Données de démonstration" in pages(told)[0]


def test_nothing_in_a_name_acts_and_the_same_statement_is_the_same_bytes():
    name = '#panic("x") $ [*gras*] \\ "'
    told = replace(BASE, partner=replace(BASE.partner, name=name))
    assert "#panic" in pages(told)[0]
    assert statement_pdf(told) == statement_pdf(told)
