"""Accounts of the tiny country, counted by hand, and what they keep back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from typer.testing import CliRunner

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, measure
from geo.errors import InvalidParameter, UnknownTerritory
from geo.funding.account import AccountData
from geo.funding.account_model import CENTS, SECRET, UNKNOWN
from geo.funding.action_kinds import load_kinds
from geo.funding.actions import Action
from geo.funding.ledger import Contribution, Level
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.funding.pass_reports import ACCEPTING, PassCounts
from geo.funding.passes import Order
from geo.funding.reports import UNPLACED, Line
from geo.people.model import Indicator
from geo.reach.travel import load_travel
from geo.store import ledger, partners, territories
from geo.territory.model import Provenance, TerritoryKind
from portee.cli import app
from tests.postgis.geo.store.test_store import store
from tests.support import world

DAY = date(2026, 11, 20)
SIZES = (60, 60, 5, 70)
"""Counts of each commune an attacker thinks of, from 0 up."""
KINDS = load_kinds()
TERRITORIES = [(kind, g.code) for kind in TerritoryKind for g in world.TERRITORY.groupings_of(kind)]


def covered(tmp_path, *sites, question=None, indicators=()):
    snapshot = replace(world.snapshot(*sites), indicators=indicators)
    return measure(
        AnalysisContext(snapshot, load_travel(None, home=tmp_path, detour_factor=1.0), DAY),
        question or Question(),
    )


def training(reference, commune, participants, year=2026, **changes):
    measures = {"audience": "users", "sessions": 2, "hours": 4.0, "participants": participants}
    action = Action(
        reference=reference,
        kind="training",
        day=date(year, 3, 2),
        commune=commune,
        amount_cents=100_000,
        measures=measures,
    )
    return replace(action, **changes)


def passes(*rows):
    """Passes of one order from (commune, year, given, used)."""
    columns = list(zip(*rows, strict=True))
    size = len(rows)
    return PassCounts(
        orders=(Order("2025-A", date(2025, 1, 1), 500, date(2026, 12, 31), (("caf-99", 500),)),),
        order=np.zeros(size, dtype=np.intp),
        commune=np.array(columns[0]),
        year=np.array(columns[1], dtype=np.int64),
        given=np.array(columns[2], dtype=np.int64),
        used=np.array(columns[3], dtype=np.int64),
        expired=np.zeros(size, dtype=np.int64),
        wait_row=np.empty(0, dtype=np.intp),
        wait_days=np.empty(0, dtype=np.int64),
        wait_passes=np.empty(0, dtype=np.int64),
        by_day=(),
        by_site=(),
    )


@pytest.fixture
def books(tmp_path):
    sites = (
        world.site("a", 5, services=("Aide A", "Aide B"), pass_numerique=True),
        world.site("b", 6, services=("Aide A",)),
        world.site("c", 15, "99002"),
    )
    fragility = Indicator(
        "ifn",
        "indice de fragilité",
        "points",
        "commune",
        Provenance("IFN", "Essai", "2020", ""),
        {"99001": 80.0, "99002": 110.0},
    )
    return AccountData(
        coverage=covered(tmp_path, *sites, indicators=(fragility,)),
        accepting=covered(tmp_path, *sites, question=Question(filter=ACCEPTING)),
        before=covered(tmp_path, sites[0]),
        kinds=KINDS,
        money={
            2025: [Line("99001", "", paid_cents=1_000)],
            2026: [
                Line("99001", "", contributed_cents=50_000, matched_cents=50_000, paid_cents=30_000),
                Line("99004", "", committed_cents=70_000, paid_cents=40_000),
                Line(UNPLACED, "", contributed_cents=900_000, matched_cents=900_000),
            ],
        },
        passes=passes(
            ("99001", 2026, 40, 10), ("99001", 2025, 20, 0), ("99002", 2026, 3, 3), ("99004", 2026, 60, 30)
        ),
        actions=[
            training("T1", "99001", 12),
            training("T2", "99002", 3),
            training("T3", "99004", 30),
            training("T4", "99001", 7, year=2025),
            Action(
                reference="R",
                kind="refurbishing",
                day=date(2026, 5, 1),
                commune="99001",
                measures={"collected": 30, "refurbished": 10, "given": 8},
            ),
        ],
    )


def values(account, *codes):
    return [(f.value, f.departement, f.before) for f in map(account.figure, codes)]


def test_an_account_has_the_figures_counted_by_hand(books):
    account = books.account("99001", year=2026)
    assert (account.name, account.kind, account.population) == ("Ouestville", TerritoryKind.COMMUNE, 1_000)
    assert values(account, "sites", "pass_sites", "service:Aide A", "service:Aide B") == [
        (2, None, 1),
        (1, None, 1),
        (2, None, 1),
        (1, None, 1),
    ]
    assert values(account, "sites_per_10k") == [(20.0, pytest.approx(30_000 / 7_000), 10.0)]
    assert values(account, "paid_cents", "contributed_cents") == [(30_000, None, 1_000), (50_000, None, 0)]
    assert values(account, "paid_per_inhabitant") == [(30.0, 10.0, 1.0)]
    assert values(account, "contributed_per_inhabitant") == [(50.0, pytest.approx(50_000 / 7_000), 0.0)]
    assert values(account, "indicator:ifn") == [(80.0, 100.0, None)]
    assert values(account, "actions", "actions_cents", "refurbishing.collected") == [
        (2, None, 1),
        (100_000, None, 100_000),
        (30, None, None),
    ]
    assert account.figure("median_min").value == 0
    assert account.figure("share_beyond").departement == pytest.approx(4 / 7)


def test_the_departement_includes_money_without_a_commune_and_is_compared_with_nothing(books):
    account = books.account("99", TerritoryKind.DEPARTEMENT, year=2026)
    assert values(account, "contributed_cents", "paid_cents") == [(950_000, None, 0), (70_000, None, 1_000)]
    assert all(f.departement is None for s in account.sections for f in s.figures)
    assert not any("rattacher" in note for note in account.notes)
    assert any("18\N{NARROW NO-BREAK SPACE}000" in note for note in books.account("99001", year=2026).notes)


def test_every_figure_has_its_date_source_and_unit(books):
    for kind, code in TERRITORIES:
        account = books.account(code, kind, year=2026)
        for figure in (f for s in account.sections for f in s.figures):
            assert figure.day == DAY
            assert figure.source
            assert figure.unit
    carbon = books.account("99001", year=2026).figure("refurbishing.co2e_avoided_kg")
    assert carbon.value == 270
    assert "facteur 27 : ADEME" in carbon.source
    assert "hypothèse à remplacer" in carbon.source
    assert books.account("99001", year=2025).figure("paid_cents").day == date(2025, 12, 31)


def test_no_small_count_of_persons_nor_figure_derived_from_one_is_published(books):
    small = books.account("99002", year=2026)
    for code in ("given", "given_per_1000", "used", "rate_of_use", "used_cents", "training.participants"):
        figure = small.figure(code)
        assert (figure.value, "value" in figure.withheld) == (None, True)
        assert figure.text() == SECRET
    assert small.figure("training.sessions").value == 2
    assert any(SECRET in sentence for sentence in small.summary)


@pytest.mark.parametrize("code", ["given", "used", "training.participants"])
def test_accounts_taken_together_do_not_reveal_small_counts(books, code):
    counts = np.meshgrid(*map(np.arange, SIZES), sparse=True, indexing="ij")
    of_commune = dict(zip(("99001", "99002", "99003", "99004"), counts, strict=True))
    possible = np.ones(SIZES, dtype=bool)
    for kind in TerritoryKind:
        for group in world.TERRITORY.groupings_of(kind):
            figure = books.account(group.code, kind, year=2026).figure(code)
            if figure is None:  # no action of the kind: nobody took part
                told, secret = 0, False
            else:
                told, secret = figure.value, "value" in figure.withheld
            summed = sum(of_commune[c] for c in group.communes)
            possible &= summed >= 1 if secret else summed == told
    small = np.flatnonzero(possible.any(axis=(0, 2, 3)))
    assert 3 in small
    assert small.max() - small.min() >= 5


def test_the_mean_and_the_year_before_are_withheld_too(books):
    few = replace(
        books,
        passes=passes(("99001", 2025, 2, 1), ("99001", 2026, 3, 1)),
    )
    figure = few.account("99001", year=2026).figure("given_per_1000")
    assert figure.withheld == ("value", "departement", "before")
    assert (figure.value, figure.departement, figure.before) == (None, None, None)


def test_unknown_figures_are_shown_as_unknown(tmp_path):
    account = AccountData(coverage=covered(tmp_path), kinds=KINDS).account("99001", year=2026)
    text = " ".join(account.summary)
    assert f"Argent reçu et versé en 2026 : {UNKNOWN}." in text
    assert f"Pass Numérique donnés en 2026 : {UNKNOWN}." in text
    assert f"Actions menées en 2026 : {UNKNOWN}." in text
    assert f"Fragilité numérique : {UNKNOWN}." in text
    assert f"jusqu'à un lieu d'aide : {UNKNOWN}." in text
    assert "Aucun lieu d'aide au numérique" in text
    assert not account.fictif


def test_a_commune_without_inhabitants_has_no_figure_per_inhabitant(books):
    account = books.account("99003", year=2026)
    for code in ("sites_per_10k", "share_beyond", "paid_per_inhabitant", "given_per_1000"):
        assert account.figure(code).value is None
        assert account.figure(code).text() == UNKNOWN
    assert account.figure("paid_cents").value == 0


def test_the_summary_is_french_and_made_of_the_figures(books):
    summary = books.account("99001", year=2026).summary
    assert summary[0] == "Données de démonstration."
    assert summary[1:3] == (
        "Ouestville (commune) compte 1\N{NARROW NO-BREAK SPACE}000 habitants.",
        "2 lieux d'aide au numérique y sont recensés, soit 20 lieux pour 10 000 habitants "
        "(département : 4,3 lieux pour 10 000 habitants ; 2025 : 10 lieux pour 10 000 habitants).",
    )
    text = " ".join(summary)
    euros = "\N{NO-BREAK SPACE}€"
    assert (
        f"En 2026, le fonds d'inclusion numérique y a payé 300{euros}, soit 0,30{euros} par habitant "
        f"(département : 0,10{euros} par habitant ; 2025 : 0,01{euros} par habitant)."
    ) in text
    assert "Indice de fragilité : 80 points (département : 100 points ; 2025 : inconnu)." in text
    assert "émissions évitées (reconditionnement), 270 kg CO2e" in text


def test_no_number_of_a_summary_is_without_its_unit(books):
    units = r"(%|habitant|lieu|min\b|personne|point|pass|action|séance|heure|appareil|kg|\N{NO-BREAK SPACE}€)"
    for kind, code in TERRITORIES:
        for sentence in books.account(code, kind, year=2026).summary[2:]:
            bare = re.sub(r"\b202[56]\b|CO2e", "", sentence)  # years are no quantities
            for number in re.finditer(r"\d[\d\N{NARROW NO-BREAK SPACE}]*(?:,\d+)?", bare):
                after = bare[number.end() : number.end() + 24]
                assert re.match("[ \u00a0]?(000 )?" + units, after), (number[0], after, sentence)


def test_money_is_stored_in_whole_cents_and_shown_in_euros(books):
    figure = books.account("99001", year=2026).figure("paid_cents")
    assert (figure.unit, figure.value, type(figure.value)) == (CENTS, 30_000, int)
    assert figure.text() == "300\N{NO-BREAK SPACE}€"


def test_a_kind_that_joins_by_declaration_is_in_the_account(books, tmp_path):
    path = tmp_path / "kinds.toml"
    declared = (
        '\n[lending]\nlabel = "prêt"\n[lending.measures.borrowers]\nlabel = "emprunteurs"\n'
        'unit = "personnes"\ntype = "int"\nmin = 0\nsecret = true\n'
    )
    path.write_text(declared, "utf-8")
    lent = [
        Action(reference=c, kind="lending", day=date(2026, 1, 5), commune=c, measures={"borrowers": n})
        for c, n in (("99001", 9), ("99004", 2))
    ]
    joined = replace(books, kinds=load_kinds(path), actions=lent)
    assert joined.account("99004", year=2026).figure("lending.borrowers").text() == SECRET
    assert joined.account("99001", year=2026).figure("lending.actions").value == 1


def test_an_unknown_territory_or_year_is_refused(books):
    with pytest.raises(UnknownTerritory):
        books.account("00000", year=2026)
    with pytest.raises(InvalidParameter, match="1789"):
        books.account("99001", year=1789)


@pytest.fixture
def portee(fresh_engine, database_url, monkeypatch, tmp_path):
    """Run `portee` over the tiny country with two sites and a partner; returns exit code and output."""
    with fresh_engine.begin() as connection:
        territories.save(connection, world.TERRITORY)
        store(connection, world.record("a", 5, pass_numerique=True), world.record("b", 15, "99002"))
        partners.save(connection, Partner("caf-99", "CAF", PartnerKind.PUBLIC), actor="essai")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    monkeypatch.setenv("PORTEE_DEPARTEMENT", "99")
    monkeypatch.setenv("COLUMNS", "250")

    def run(*arguments):
        result = CliRunner().invoke(app, list(arguments))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


def test_actions_are_added_listed_and_shown_in_the_account(portee, fresh_engine):
    day = ("--day", "02/03/2026", "--kind", "equipment", "--measure", "devices=3")
    added = ("actions", "add", "E-1", "--commune", "99001", *day, "--amount", "450,50")
    assert portee(*added, "--measure", "households=3")[0] == 0
    assert "à l'identique" in portee(*added, "--measure", "households=3")[1]
    assert portee(*added, "--measure", "households=4")[0] == 1
    assert portee(*added, "--measure", "households=4", "--replace")[0] == 0
    code, output = portee("actions", "list", "--json", "--year", "2026")
    assert [(a["reference"], a["measures"]["households"]) for a in json.loads(output)] == [("E-1", 4)]
    listed = portee("actions", "list")[1]
    assert "foyers aidés : 4 foyers" in listed
    assert "02/03/2026" in listed
    assert "02/03/2026" in portee("--lang", "fr", "actions", "list")[1]
    in_english = portee("--lang", "en", "actions", "list")[1]
    assert "2026-03-02" in in_english and "€450.50" in in_english
    with fresh_engine.begin() as connection:
        rule = ledger.rules(connection)
        if not rule:
            ledger.set_rule(connection, MatchRule(date(2026, 1, 1), 10_000, None), actor="essai")
        given = Contribution(
            reference="C",
            day=date(2026, 2, 1),
            amount_cents=5_000,
            partner_code="caf-99",
            level=Level.LOCAL,
            commune="99001",
        )
        ledger.post(connection, given, actor="essai")

    code, output = portee("account", "99001", "--year", "2026", "--json")
    assert code == 0
    figures = {f["code"]: f for s in json.loads(output)["sections"] for f in s["figures"]}
    assert figures["equipment.households"]["said"] == SECRET
    assert figures["equipment.households"]["value"] is None
    assert figures["actions_cents"]["value"] == 45_050
    assert figures["contributed_cents"]["value"] == 5_000
    assert figures["matched_cents"]["value"] == 5_000
    assert figures["sites"]["value"] == 1
    code, output = portee("account", "99001", "--year", "2026")
    assert code == 0
    assert "1 action y a été menée en 2026, pour 450,50" in output
    assert "estimation à vol d'oiseau" in output
    assert portee("account", "nulle-part")[0] == 1

    assert portee("actions", "remove", "E-1")[0] == 0
    assert portee("actions", "remove", "E-1")[0] == 1


def test_all_that_is_wrong_with_an_action_is_printed(portee):
    code, output = portee(
        "actions",
        "add",
        "X",
        "--kind",
        "event",
        "--day",
        "hier",
        "--commune",
        "31555",
        "--measure",
        "chats=2",
    )
    assert code == 1
    for told in ("day « hier »", "commune « 31555 »", "chats « 2 »", "place «  »"):
        assert told in output


def test_kinds_are_listed_with_the_sources_of_factors(portee):
    code, output = portee("actions", "kinds")
    assert code == 0
    assert "co2e_avoided_kg : émissions évitées (kg CO2e), 27 × refurbished" in output
    assert "ADEME" in output
