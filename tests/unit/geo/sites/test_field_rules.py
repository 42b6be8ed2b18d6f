"""The values that a site shows among those of its records, and the rules that choose them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InvalidParameter
from geo.sites import standard
from geo.sites.field_rules import NOT_CHOSEN, RULES_FILE, load_rules, pool
from geo.sites.model import VALUE_FIELDS, Conflict, ItinerantStop, Origin, Position, SourceRecord, is_known
from tests.support.world import as_site, record

RULES = load_rules()
OLD, NEW = date(2025, 1, 1), date(2026, 1, 1)


def listed(dataset: str, **changes: Any) -> SourceRecord:
    return record("1", 5, jeu_de_donnees=dataset, **changes)


def shown(field: str, *records: SourceRecord) -> object:
    return pool(records, RULES).values[field]


def conflicts(field: str, *records: SourceRecord) -> list[tuple[object, str]]:
    return [(each.value, each.record) for each in pool(records, RULES).conflicts if each.field == field]


# --- each rule


def test_a_site_of_one_record_is_that_record():
    only = listed("essai", telephone="+33500000001", services=("A", "B"), date_maj=None)
    pooled = pool([only], RULES)
    assert pooled.values == {name: getattr(only, name) for name in VALUE_FIELDS}
    assert (pooled.origins, pooled.conflicts) == ((), ())
    assert as_site(only).origin("telephone") == Origin("telephone", (only.key,), "only", None)
    assert as_site(only).origin("horaires") is None


def test_the_freshest_value_is_shown_and_the_other_is_a_conflict():
    old = listed("un", telephone="+33500000001", date_maj=OLD)
    new = listed("deux", telephone="+33500000002", date_maj=NEW)
    site = as_site(old, new)
    assert site.telephone == "+33500000002"
    assert site.origin("telephone") == Origin("telephone", ("deux--1",), "freshest", NEW)
    assert Conflict("telephone", "+33500000001", "un--1", OLD) in site.conflicts


def test_a_record_without_a_value_never_hides_one_that_has_it():
    new = listed("deux", telephone="", horaires="", pass_numerique=None, date_maj=NEW)
    old = listed(
        "un", telephone="+33500000001", horaires="Mo 09:00-12:00", pass_numerique=False, date_maj=OLD
    )
    site = as_site(new, old)
    assert (site.telephone, site.horaires, site.pass_numerique) == ("+33500000001", "Mo 09:00-12:00", False)


def test_a_record_that_was_never_dated_is_older_than_any():
    undated = listed("a", telephone="+33500000001", date_maj=None)
    dated = listed("b", telephone="+33500000002", date_maj=date(1, 1, 1))
    assert shown("telephone", undated, dated) == "+33500000002"


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("france-services", "conseillers-numeriques", "un"),
        ("aidants-connect", "data-inclusion", "autre"),
        ("aidants-connect", "liste-locale", "un"),
        ("liste-b", "liste-a", "autre"),
    ],
)
def test_the_leading_dataset_names_the_site(one, other, name):
    records = [listed(one, nom="un", date_maj=OLD), listed(other, nom="autre", date_maj=OLD)]
    assert shown("nom", *records) == name
    origin = as_site(*records).origin("nom")
    assert origin is not None and origin.rule == "leader"


def test_among_datasets_that_do_not_lead_the_freshest_names_the_site():
    assert (
        shown("nom", listed("a", nom="un", date_maj=OLD), listed("b", nom="autre", date_maj=NEW)) == "autre"
    )


def test_of_equally_fresh_records_the_leading_one_then_the_first_key_counts():
    leading, other = listed("france-services", telephone="1"), listed("aaa", telephone="2")
    assert shown("telephone", other, leading) == "1"
    assert shown("telephone", listed("b", telephone="1"), listed("a", telephone="2")) == "2"


def test_an_unknown_structure_number_hides_none():
    known = listed("aidants-connect", pivot="73282932000074")
    unknown = listed("france-services", pivot=standard.UNKNOWN_PIVOT)
    site = as_site(unknown, known)
    assert site.pivot == "73282932000074"
    assert not [each for each in site.conflicts if each.field == "pivot"]
    assert shown("pivot", unknown, listed("b")) == standard.UNKNOWN_PIVOT


def test_the_most_complete_text_is_shown():
    short, long = (
        listed("a", presentation_resume="Aide."),
        listed("b", presentation_resume="Aide et conseil."),
    )
    assert shown("presentation_resume", short, long) == "Aide et conseil."
    assert conflicts("presentation_resume", short, long) == [("Aide.", "a--1")]


def test_lists_are_joined_in_the_order_of_the_leaders_each_value_once():
    one = listed("aidants-connect", services=("B", "C"), date_maj=NEW)
    two = listed("france-services", services=("A", "B"), date_maj=OLD)
    site = as_site(one, two)
    assert site.services == ("A", "B", "C")
    origin = site.origin("services")
    assert origin is not None and origin.records == ("aidants-connect--1", "france-services--1")
    assert not [each for each in site.conflicts if each.field == "services"]


def test_stops_are_joined():
    halle, quai = ItinerantStop("Halle", "Tu", "09:00-12:00"), ItinerantStop("Quai", "We", "14:00-17:00")
    assert shown("arrets", listed("a", arrets=(halle,)), listed("b", arrets=(quai, halle))) == (halle, quai)


def test_what_it_costs_is_not_joined():
    """« Gratuit » of one record and « Payant » of another are two statements, not one list."""
    free = listed("a", frais_a_charge=("Gratuit",), date_maj=OLD)
    paid = listed("b", frais_a_charge=("Payant",), date_maj=NEW)
    assert shown("frais_a_charge", free, paid) == ("Payant",)
    assert conflicts("frais_a_charge", free, paid) == [(("Gratuit",), "a--1")]


def test_the_latest_date_is_shown():
    one, two = listed("a", date_maj=OLD), listed("b", date_maj=NEW)
    assert shown("date_maj", one, two, listed("c", date_maj=None)) == NEW
    assert shown("date_maj", listed("a", date_maj=None), listed("b", date_maj=None)) is None


@pytest.mark.parametrize(
    ("one", "two", "both"), [(True, True, True), (True, False, False), (False, False, False)]
)
def test_a_site_is_invented_only_if_all_its_records_are(one, two, both):
    assert shown("fictif", listed("a", fictif=one), listed("b", fictif=two)) is both


# --- fields taken together


def test_address_and_point_come_from_one_record():
    exact = record("1", 5.0, adresse="1 rue du Port", jeu_de_donnees="a", date_maj=OLD)
    vague = record(
        "1",
        6.0,
        adresse="Le Bourg",
        complement_adresse="2e étage",
        jeu_de_donnees="france-services",
        date_maj=NEW,
        position=Position.APPROXIMATIVE,
    )
    site = as_site(vague, exact)
    assert (site.adresse, site.longitude, site.position) == (
        "1 rue du Port",
        exact.longitude,
        Position.EXACTE,
    )
    assert site.complement_adresse == "2e étage", "what the first lacks is taken from the others"
    assert {field for field, key in ((c.field, c.record) for c in site.conflicts) if key == vague.key} >= {
        "adresse",
        "longitude",
        "position",
    }


def test_a_point_is_never_completed_from_another_record():
    half = replace(record("1", 5.0, jeu_de_donnees="a"), longitude=None)
    whole = record("1", 6.0, jeu_de_donnees="b", position=Position.APPROXIMATIVE)
    site = as_site(half, whole)
    assert (site.latitude, site.longitude, site.position) == (half.latitude, None, Position.EXACTE)
    assert {"latitude", "longitude"} <= {each.field for each in site.conflicts}


def test_of_two_exact_records_the_one_with_an_address_then_the_freshest_locates():
    bare = record("1", 5.0, adresse="", jeu_de_donnees="a", date_maj=NEW)
    old = record("1", 6.0, adresse="1 rue du Port", jeu_de_donnees="b", date_maj=OLD)
    new = record("1", 7.0, adresse="2 rue du Port", jeu_de_donnees="c", date_maj=NEW)
    assert shown("longitude", bare, old) == old.longitude
    assert shown("longitude", bare, old, new) == new.longitude


# --- properties

texts = st.sampled_from(["", "a", "b", "cc"])
lists = st.lists(st.sampled_from("abc"), max_size=3, unique=True).map(tuple)


@st.composite
def any_record(draw: st.DrawFn, local_id: str) -> SourceRecord:
    values: dict[str, object] = {}
    base = record(local_id, 5)
    for name in VALUE_FIELDS:
        before = getattr(base, name)
        if name == "arrets":
            values[name] = draw(st.sampled_from([(), (ItinerantStop("Halle", "Tu", "09:00-12:00"),)]))
        elif name in ("latitude", "longitude"):
            values[name] = draw(st.sampled_from([None, 1.0, 2.0]))
        elif name == "date_maj":
            values[name] = draw(st.sampled_from([None, OLD, NEW]))
        elif name == "position":
            values[name] = draw(st.sampled_from(Position))
        elif name == "fictif":
            values[name] = draw(st.booleans())
        elif name == "pivot":
            values[name] = draw(st.sampled_from([standard.UNKNOWN_PIVOT, "732829320", "W471000000"]))
        elif name == "jeu_de_donnees":
            values[name] = draw(st.sampled_from(["france-services", "aidants-connect", "autre"]))
        elif name == "nom":
            values[name] = draw(texts.filter(bool))
        elif isinstance(before, tuple):
            values[name] = draw(lists)
        elif isinstance(before, str):
            values[name] = draw(texts)
        else:
            values[name] = draw(st.sampled_from([None, True, False]))
    return replace(base, **values)  # type: ignore[arg-type]


clusters = st.integers(1, 4).flatmap(
    lambda number: st.tuples(*(any_record(name) for name in "abcd"[:number]))
)


@settings(max_examples=60)
@given(clusters)
def test_every_value_that_a_record_holds_is_shown_or_listed_as_a_conflict(records):
    site = as_site(*records)
    listed_values = {(each.field, each.value, each.record) for each in site.conflicts}
    for each in records:
        for name in set(VALUE_FIELDS) - NOT_CHOSEN:
            value, value_shown = getattr(each, name), getattr(site, name)
            if not is_known(value) or (name == "pivot" and value == standard.UNKNOWN_PIVOT):
                continue
            held = value == value_shown
            if isinstance(value, tuple):
                held = set(value) <= set(value_shown)
            assert held != ((name, value, each.key) in listed_values), (name, value, each.key)


@settings(max_examples=60)
@given(clusters)
def test_nothing_is_shown_that_no_record_holds_and_its_origin_is_true(records):
    site, by_key = as_site(*records), {each.key: each for each in records}
    for name in set(VALUE_FIELDS) - NOT_CHOSEN:
        value, origin = getattr(site, name), site.origin(name)
        unknown = not is_known(value) or (name == "pivot" and value == standard.UNKNOWN_PIVOT)
        assert unknown or origin is not None, name
        if unknown or origin is None or name == "fictif":
            continue
        held = [getattr(by_key[key], name) for key in origin.records]
        assert held, name
        if isinstance(value, tuple):
            assert set(value) == {each for values in held for each in values}, name
        else:
            assert set(held) == {value}, name


@settings(max_examples=60)
@given(clusters, st.data())
def test_records_in_any_order_give_the_same_values(records, data):
    shuffled = data.draw(st.permutations(records))
    assert pool(shuffled, RULES) == pool(records, RULES)


# --- the file of rules


def test_the_shipped_rules_give_each_field_a_rule():
    assert RULES.rules.keys() == set(VALUE_FIELDS)
    assert RULES.leader_rank("france-services") == 0
    assert RULES.leader_rank("inconnu") == len(RULES.leaders)
    assert load_rules(RULES_FILE) == RULES


def test_other_rules_choose_otherwise(tmp_path):
    path = tmp_path / "règles.toml"
    path.write_text(
        'leaders = ["b"]\nrule = "leader"\n'
        '[[group]]\nfields = ["telephone", "courriels"]\nrule = "leader"\n'
        '[fields]\nservices = "freshest"\n',
        encoding="utf-8",
    )
    rules = load_rules(path)
    one = listed("a", telephone="1", courriels=("a@exemple.fr",), services=("A",), date_maj=NEW)
    two = listed("b", telephone="2", courriels=(), services=("B",), date_maj=OLD)
    values = pool([one, two], rules).values
    assert (values["telephone"], values["courriels"], values["services"]) == ("2", ("a@exemple.fr",), ("A",))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("leaders = [", "illisibles"),
        ('leaders = "france-services"', "liste de textes"),
        ("leaders = [1]", "liste de textes"),
        ('group = "tout"', "illisibles"),
        ('[[group]]\nrule = "freshest"', "illisibles"),
        ('fields = "union"', "illisibles"),
        ('rule = "récent"', "« récent »"),
        ('rule = "union"', "« union »"),
        ('[fields]\ncouleur = "freshest"', "champ inconnu : « couleur »"),
        ('[fields]\ntelephone = "meilleur"', "« meilleur » au champ « telephone »"),
        ("[fields]\ntelephone = 3", "« 3 » au champ « telephone »"),
        ('[fields]\ntelephone = "union"', "« union » au champ « telephone »"),
        ('[fields]\nlatitude = "most_complete"', "« most_complete » au champ « latitude »"),
        ('[fields]\nnom = "latest"', "« latest » au champ « nom »"),
        ('[fields]\npass_numerique = "all"', "« all » au champ « pass_numerique »"),
        ('[[group]]\nfields = ["services"]\nrule = "union"', "« union » au champ « services »"),
        ('[[group]]\nfields = ["nom"]\n[fields]\nnom = "leader"', "deux règles au champ « nom »"),
        ('[[group]]\nfields = ["nom", "nom"]', "deux règles au champ « nom »"),
    ],
)
def test_bad_rules_are_refused_with_what_is_wrong(tmp_path, content, named):
    path = tmp_path / "règles.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidParameter) as refused:
        load_rules(path)
    assert named in str(refused.value) and "règles.toml" in str(refused.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"rule = \x00"])
def test_rules_that_cannot_be_read_are_refused(tmp_path, content):
    path = tmp_path / "règles.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidParameter, match="illisibles"):
        load_rules(path)


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        # A record whose commune is not sure, beside one that gives it.
        ({"code_insee": "", "signalements": ("commune_ambigue",)}, {}, ()),
        ({"signalements": ("commune_deduite",)}, {}, ()),
        (
            {"signalements": ("commune_deduite",)},
            {"signalements": ("commune_deduite",)},
            ("commune_deduite",),
        ),
        # Placed at the town hall, beside an exact point.
        (
            {"position": Position.APPROXIMATIVE, "signalements": ("position_approximative",)},
            {"latitude": 44.1},
            (),
        ),
        # The value shown is the doubtful one, or nobody gives it, or the flag is about no single value.
        (
            {"horaires": "le matin", "signalements": ("horaires_illisibles",), "date_maj": date(2026, 9, 1)},
            {"horaires": "Mo 09:00-12:00"},
            ("horaires_illisibles",),
        ),
        ({"telephone": "", "signalements": ("telephone_invalide",)}, {}, ("telephone_invalide",)),
        ({"signalements": ("valeur_inconnue",)}, {}, ("valeur_inconnue",)),
    ],
)
def test_a_flag_is_shown_while_what_is_shown_is_in_doubt(first, second, shown):
    records = [
        replace(record("a", 5), **first),
        replace(record("b", 5, jeu_de_donnees="autre"), **second),
    ]
    for order in (records, records[::-1]):
        pooled = pool(order, load_rules())
        assert pooled.values["signalements"] == shown
        left: list[Any] = [each.value for each in pooled.conflicts if each.field == "signalements"]
        assert {*shown, *(flag for value in left for flag in value)} == {
            flag for each in records for flag in each.signalements
        }
