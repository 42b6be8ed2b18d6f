"""`portee sites duplicates`, `decide-all`, `undecide` and `history`, as typed, over a real PostGIS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.commands import commands

HEADER = "id,pivot,nom,commune,code_postal,code_insee,adresse,latitude,longitude,date_maj,telephone\n"


def row(local_id: str, name: str, address: str, phone: str = "") -> str:
    return f"{local_id},,{name},,99100,99001,{address},,,2026-03-02,{phone}\n"


@pytest.fixture
def portee(database_url, tmp_path):
    return commands(database_url, tmp_path, HEADER)


@pytest.fixture
def questions(portee):
    """Two lists: a name and a telephone are in both, with two addresses."""
    first = row("m", "Atelier du bourg", "2 rue Haute", "0553000001")
    portee.load(first, row("x", "Chantier vélo", "9 quai Bas"), dataset="un")
    portee.load(row("n", "Atelier du bourg", "18 rue Neuve", "0553000001"), dataset="deux")
    return portee


def pairs(portee, *options) -> Any:
    return json.loads(portee("sites", "duplicates", "--json", *options))


def ids(portee) -> list[str]:
    return [each["id"] for each in json.loads(portee("sites", "list", "--json"))["sites"]]


def test_a_question_says_what_each_record_says_side_by_side(questions):
    (pair,) = pairs(questions)
    assert pair["sites"] == {"deux--n": "deux--n", "un--m": "un--m"}
    assert pair["records"]["deux--n"]["adresse"] == "18 rue Neuve" and pair["reasons"]
    said = questions("sites", "duplicates")
    assert "18 rue Neuve" in said and "2 rue Haute" in said and "1 doublon possible" in said
    assert "telephone" not in said.partition("deux--n un--m")[2]


def test_a_rule_is_tried_then_decides_all_pairs_of_its_scores(questions):
    (pair,) = pairs(questions)
    limits = "--same", "--min-score", pair["score"] + 1
    assert "0 paire décidée" in questions("sites", "decide-all", *limits)
    trial = questions("sites", "decide-all", "--same", "--min-score", pair["score"], "--dry-run")
    assert "« deux--n » mène désormais à « un--m »" in trial and "rien n'a été enregistré" in trial
    assert len(pairs(questions)) == 1 and len(ids(questions)) == 3
    done = json.loads(questions("sites", "decide-all", "--same", "--min-score", pair["score"], "--json"))
    assert done["merged"] == {"deux--n": "un--m"}
    assert pairs(questions) == [] and ids(questions) == ["un--m", "un--x"]


def test_a_rule_leaves_decisions_made_one_by_one(questions):
    questions("sites", "decide", "un--m", "deux--n", "--different")
    assert "0 paire décidée" in questions("sites", "decide-all", "--same", "--min-score", "0")
    assert len(ids(questions)) == 3


@pytest.mark.parametrize(("low", "high", "code"), [("60", "50", 1), ("-1", "50", 2), ("0", "101", 2)])
def test_limits_between_which_there_is_no_score_are_refused(questions, low, high, code):
    limits = "--min-score", low, "--max-score", high
    questions("sites", "decide-all", "--same", *limits, code=code)


@pytest.mark.parametrize("verdict", ["--same", "--different"])
def test_a_decision_is_taken_back(questions, verdict):
    questions("sites", "decide", "un--m", "deux--n", verdict)
    assert pairs(questions) == []
    assert "1 décision reprise" in questions("sites", "undecide", "deux--n", "un--m")
    assert len(pairs(questions)) == 1 and ids(questions) == ["deux--n", "un--m", "un--x"]
    assert "Rien n'a été décidé" in questions("sites", "undecide", "deux--n", "un--m", code=1)


def test_a_decision_about_records_that_nothing_brings_together_is_forgotten_when_taken_back(questions):
    questions("sites", "decide", "un--m", "un--x", "--same")
    assert ids(questions) == ["deux--n", "un--m"]
    questions("sites", "undecide", "un--m", "un--x")
    assert ids(questions) == ["deux--n", "un--m", "un--x"]
    assert [(pair["a"], pair["b"]) for pair in pairs(questions, "--all")] == [("deux--n", "un--m")]


def test_records_merged_by_themselves_are_listed_and_separated(portee):
    portee.load(row("m", "Mairie de Ouestville", "2 rue Haute", "0553000001"), dataset="un")
    portee.load(row("n", "Mairie", "2 rue Haute", "0553000001"), dataset="deux")
    assert ids(portee) == ["un--m"]
    (pair,) = pairs(portee, "--merged")
    assert {pair["a"], pair["b"]} == {"un--m", "deux--n"}
    assert "1 paire réunie" in portee("sites", "duplicates", "--merged")
    portee("sites", "decide", pair["a"], pair["b"], "--different")
    assert ids(portee) == ["deux--n", "un--m"] and pairs(portee, "--merged") == []
    portee("sites", "duplicates", "--merged", "--all", code=2)


def test_the_history_of_a_site_says_what_became_of_it_in_order(questions):
    questions("sites", "decide", "un--m", "deux--n", "--same")
    questions("sites", "correct", "un--m", "--phone", "0553000009", "--reason", "appel")
    questions("sites", "close", "un--m", "--reason", "travaux")
    questions("sites", "reopen", "un--m")
    questions("sites", "undecide", "un--m", "deux--n")
    answer = json.loads(questions("sites", "history", "un--m", "--json"))
    kinds = [each["kind"] for each in answer if each["kind"] != "new"]
    assert kinds == ["created", "decided", "corrected", "corrected", "closed", "opened", "undecided"]
    said = questions("sites", "history", "un--m")
    assert "tranché, même lieu : « un--m » et « deux--n »" in said
    assert "telephone = +33553000009, appel" in said and "fermé : travaux" in said
    other = [each["kind"] for each in json.loads(questions("sites", "history", "deux--n", "--json"))]
    assert "merged" in other and "split" in other
    assert "n'a jamais porté" in questions("sites", "history", "un--zzz", code=1)
