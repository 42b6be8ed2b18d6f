"""Actions: kinds declared as data, all errors reported at once, stored by reference, audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import DuplicateReference, InvalidAction, OperatorError, UnknownAction
from geo.funding.action_kinds import load_kinds
from geo.funding.actions import Action, ActionReferences, check, read, totals
from geo.store import actions as store
from geo.store import audit

KINDS = load_kinds()
KNOWN = ActionReferences(frozenset({"99001", "99002"}), frozenset({"caf-99"}), frozenset({"essai--a"}))
TRAINING = Action(
    reference="F-1",
    kind="training",
    day=date(2026, 3, 2),
    commune="99001",
    amount_cents=120_000,
    measures={"audience": "users", "sessions": 3, "hours": 6.5, "participants": 12},
    fictif=True,
)
ROW = {
    "reference": "F-1",
    "kind": "training",
    "day": "02/03/2026",
    "commune": "99001",
    "amount": "1 200,00 €",
    "fictif": "oui",
    "audience": "users",
    "sessions": "3",
    "hours": "6,5",
    "participants": "12",
}
NEW_KIND = """
[lending]
label = "prêt de matériel"

[lending.measures.borrowers]
label = "emprunteurs"
unit = "personnes"
type = "int"
required = true
min = 0
secret = true

[lending.derived.weight_kg]
label = "poids porté"
unit = "kg"
of = "borrowers"
factor = 2.5
source = "pesée"
"""


def fields(issues):
    return {issue.field for issue in issues}


def test_the_shipped_kinds_are_those_of_the_fund():
    assert list(KINDS) == ["equipment", "training", "refurbishing", "event"]
    secret = {(k.code, m.name) for k in KINDS.values() for m in k.measures if m.secret}
    assert secret == {
        ("equipment", "households"),
        ("equipment", "devices"),
        ("training", "participants"),
        ("event", "attendance"),
    }


def test_every_shipped_factor_has_its_source_and_hypothesis():
    derived = [d for k in KINDS.values() for d in k.derived]
    assert {d.name for d in derived} == {"waste_avoided_kg", "co2e_avoided_kg"}
    for each in derived:
        assert "ADEME" in each.source
        assert f"hypothèse à remplacer (PORTEE_ACTION_KINDS, {each.name}.factor)" in each.hypothesis


def test_a_row_of_text_is_read_as_the_action_it_describes():
    assert read(ROW, KINDS, KNOWN) == (TRAINING, [])


def test_all_faults_of_a_row_are_reported_together():
    row = {
        **ROW,
        "reference": " ",
        "day": "31/02/2026",
        "until": "demain",
        "commune": "31555",
        "partner": "inconnu",
        "site": "essai--z",
        "amount": "12,345",
        "fictif": "peut-être",
        "audience": "chats",
        "sessions": "2,5",
        "hours": "-1",
        "participants": "",
        "households": "4",
    }
    action, issues = read(row, KINDS, KNOWN, line=7)
    assert action is None
    assert fields(issues) == set(row) - {"kind"}
    assert {issue.line for issue in issues} == {7}
    assert all(issue.reason for issue in issues)
    assert len(issues) == len(fields(issues))


def test_an_unknown_kind_is_refused_with_the_known_ones():
    _, issues = read({**ROW, "kind": "concert"}, KINDS, KNOWN)
    assert fields(issues) == {"kind"}
    assert "refurbishing (reconditionnement)" in issues[0].advice


@pytest.mark.parametrize("amount", ["", "0", "0,00 €"])
def test_an_action_may_cost_nothing(amount):
    action, issues = read({**ROW, "amount": amount}, KINDS, KNOWN)
    assert action is not None
    assert (action.amount_cents, issues) == (0, [])


@pytest.mark.parametrize("value", [True, 3.5, "3", float("nan"), -1, 10**10])
def test_a_count_is_a_whole_number_within_bounds(value):
    assert fields(check(replace(TRAINING, measures={**TRAINING.measures, "sessions": value}), KINDS, KNOWN))


def test_an_action_that_ends_before_it_begins_is_refused():
    assert fields(check(replace(TRAINING, until=date(2026, 3, 1)), KINDS, KNOWN)) == {"until"}
    assert check(replace(TRAINING, until=date(2026, 3, 2)), KINDS, KNOWN) == []


@given(st.lists(st.integers(0, 1_000), max_size=8))
def test_avoided_emissions_are_the_factor_times_what_was_refurbished(numbers):
    done = [
        Action(
            reference=str(n),
            kind="refurbishing",
            day=date(2026, 1, 1),
            commune="99001",
            measures={"collected": 2 * count, "refurbished": count, "given": 0},
        )
        for n, count in enumerate(numbers)
    ]
    found = {total.name: total for total in totals(done, KINDS)}
    assert bool(found) == bool(numbers)
    if numbers:
        assert found["refurbished"].value == sum(numbers)
        assert found["co2e_avoided_kg"].value == pytest.approx(27 * sum(numbers))
        assert found["co2e_avoided_kg"].source == KINDS["refurbishing"].derived[1].source
        assert "insertion_hours" not in found


def test_totals_sum_numbers_and_leave_texts_out():
    event = Action(
        reference="E", kind="event", day=date(2026, 5, 5), commune="99002", measures={"place": "Halle"}
    )
    found = {(t.kind, t.name): t.value for t in totals([TRAINING, TRAINING, event], KINDS)}
    assert found == {
        ("training", "sessions"): 6,
        ("training", "hours"): 13.0,
        ("training", "participants"): 24,
    }


def test_a_new_kind_joins_by_declaration(tmp_path, connection):
    path = tmp_path / "kinds.toml"
    path.write_text(NEW_KIND, "utf-8")
    kinds = load_kinds(path)
    assert list(kinds) == [*KINDS, "lending"] and {code: kinds[code] for code in KINDS} == KINDS
    row = {"reference": "P-1", "kind": "lending", "day": "2026-02-03", "commune": "99001", "borrowers": "8"}
    action, _ = read(row, kinds, KNOWN)
    assert action is not None
    assert store.save(connection, action, kinds=kinds, known=KNOWN, actor="essai")
    kept = store.list_(connection, kind="lending")
    assert [(t.name, t.value, t.secret, t.source) for t in totals(kept, kinds)] == [
        ("borrowers", 8, True, ""),
        ("weight_kg", 20.0, True, "pesée"),
    ]
    assert fields(read({**row, "borrowers": ""}, kinds, KNOWN)[1]) == {"borrowers"}


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("[a", "cannot be read"),
        ("[a]\nmeasures = {}", "needs a label"),
        ('[a]\nlabel = "A"\ncolour = 1', "has no colour"),
        ('[A]\nlabel = "A"', "lower-case"),
        ('[a]\nlabel = "A"\n[a.measures.b]\nlabel = "B"\nunit = "u"\ntype = "date"', "type must be"),
        ('[a]\nlabel = "A"\n[a.measures.b]\nlabel = "B"\ntype = "int"', "needs a unit"),
        ('[a]\nlabel = "A"\n[a.measures.day]\nlabel = "B"\nunit = "u"\ntype = "int"', "day"),
        (
            '[a]\nlabel = "A"\n[a.measures.b]\nlabel = "B"\nunit = "u"\ntype = "float"\nsecret = true',
            "secret",
        ),
        (
            '[a]\nlabel = "A"\n[a.derived.c]\nlabel = "C"\nunit = "u"\nof = "b"\nfactor = 1\nsource = "s"',
            "must name a measure",
        ),
        (NEW_KIND.replace('source = "pesée"', ""), "needs a source"),
        (NEW_KIND.replace("2.5", '"2"'), "factor"),
        (NEW_KIND.replace("min = 0", 'min = "0"'), "min"),
        (NEW_KIND.replace("min = 0", "min = nan"), "min"),
        ("training = 3", r"\[training\] must be a table"),
        ("[training]\nmeasures = 3", r"\[training.measures\] must be a table"),
        ("[training.measures]\nhours = 3", "hours"),
        ('[event.measures.place]\nlabel = "B"\ntype = "text"\nchoices = ["a"]', "choices must be a table"),
        (
            '[event.measures.place]\nlabel = "B"\ntype = "text"\nchoices = { a = 1 }',
            "place.choices. needs a a",
        ),
        ('[event.measures.place]\nlabel = "B"\ntype = "text"\nunit = 1', "needs a unit"),
        ('[refurbishing.derived.waste_avoided_kg]\nof = "given"\nfactor = 1', "needs a label"),
        (
            '[refurbishing.derived.waste_avoided_kg]\nlabel = "B"\nunit = "kg"\nof = "given"\nfactor = 1',
            "needs a source",
        ),
        ('[refurbishing.measures.refurbished]\nlabel = "B"\ntype = "text"', "waste_avoided_kg. of must name"),
    ],
)
def test_an_invalid_declaration_is_refused(tmp_path, declared, told):
    path = tmp_path / "kinds.toml"
    path.write_text(declared, "utf-8")
    with pytest.raises(OperatorError, match=told):
        load_kinds(path)


def test_a_declaration_replaces_the_shipped_one_and_the_rest_stays(tmp_path):
    path = tmp_path / "kinds.toml"
    path.write_text(
        '[refurbishing]\nlabel = "remise en état"\n'
        '[refurbishing.derived.waste_avoided_kg]\nlabel = "déchets"\nunit = "kg"\nof = "given"\n'
        'factor = 1.9\nsource = "pesées"\n'
        '[refurbishing.measures.sold]\nlabel = "vendus"\nunit = "appareils"\ntype = "int"\n',
        "utf-8",
    )
    kinds = load_kinds(path)
    was, now = KINDS["refurbishing"], kinds["refurbishing"]
    assert now.label == "remise en état"
    assert now.measures[:-1] == was.measures and now.measures[-1].name == "sold"
    waste, emissions = now.derived
    assert (waste.of, waste.factor, waste.source, waste.hypothesis) == ("given", 1.9, "pesées", "")
    assert emissions == was.derived[1]
    assert {code: kinds[code] for code in KINDS if code != "refurbishing"} == {
        code: kind for code, kind in KINDS.items() if code != "refurbishing"
    }


def test_a_missing_file_of_kinds_is_refused(tmp_path):
    with pytest.raises(OperatorError, match=r"none\.toml cannot be read"):
        load_kinds(tmp_path / "none.toml")


def save(connection, *actions, replace=False):
    return store.save_all(connection, actions, kinds=KINDS, known=KNOWN, actor="essai", replace=replace)


def test_an_action_is_read_back_as_it_was_saved(connection):
    save(connection, TRAINING)
    assert store.find(connection, "F-1") == TRAINING
    assert store.list_(connection, kind="training", year=2026, communes=["99001"]) == [TRAINING]
    assert store.list_(connection, year=2025) == []
    assert store.list_(connection, communes=[]) == []


def test_the_same_again_writes_nothing_another_content_is_refused(connection):
    assert save(connection, TRAINING, TRAINING) == store.SaveCounts(1, 0, 1)
    assert save(connection, TRAINING) == store.SaveCounts(0, 0, 1)
    other = replace(TRAINING, amount_cents=1)
    with pytest.raises(DuplicateReference, match="F-1"):
        save(connection, other)
    with pytest.raises(DuplicateReference, match="F-2"):
        save(connection, replace(TRAINING, reference="F-2"), replace(other, reference="F-2"))
    assert store.find(connection, "F-1") == TRAINING
    assert save(connection, other, replace(TRAINING, reference="F-3"), replace=True) == store.SaveCounts(
        1, 1, 0
    )
    assert store.find(connection, "F-1") == other
    told = [(c.action, c.before and c.before["amount_cents"]) for c in audit.list_(connection, "action/F-1")]
    assert told == [("action.save", 120_000), ("action.save", None)]


def test_no_action_of_a_batch_is_saved_if_one_is_invalid(connection):
    wrong = replace(TRAINING, reference="F-9", commune="31555", measures={})
    with pytest.raises(InvalidAction, match="31555") as refusal:
        save(connection, TRAINING, wrong)
    assert {issue.line for issue in refusal.value.issues} == {2}
    assert fields(refusal.value.issues) == {"commune", "audience", "sessions", "hours", "participants"}
    assert store.list_(connection) == []


def test_an_action_is_removed_and_the_audit_keeps_what_it_was(connection):
    save(connection, TRAINING)
    store.remove(connection, "F-1", actor="essai")
    with pytest.raises(UnknownAction):
        store.find(connection, "F-1")
    with pytest.raises(UnknownAction):
        store.remove(connection, "F-1", actor="essai")
    last = audit.list_(connection, "action/F-1")[0]
    assert (last.actor, last.action, last.after) == ("essai", "action.remove", None)
    assert last.before["measures"]["participants"] == 12
