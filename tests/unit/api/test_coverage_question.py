"""The question of coverage as requests ask it: read from addresses and from JSON, and written back."""

from __future__ import annotations

import json
from datetime import date, datetime
from fractions import Fraction
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.coverage_question import QUESTION, coverage_question
from api.problems import Refused
from geo.coverage.catchment import Gaussian, Step
from geo.coverage.measure import Question, Supply
from geo.hours.weekly import TIME_ZONE, parse_slot
from geo.reach.modes import Mode
from geo.services.coverage import question_from_parameters, question_parameters
from geo.sites import standard
from geo.sites.filters import SiteFilter

NOW = datetime(2026, 11, 24, 18, 31, tzinfo=TIME_ZONE)


def asked(**values) -> Question:
    return coverage_question(QUESTION.read(urlencode(values, doseq=True).encode()), NOW)


def refused(**values):
    with pytest.raises(Refused) as refusal:
        QUESTION.read_object(values)
    return {e.parameter: e.detail for e in refusal.value.errors}


def test_nothing_asked_is_the_usual_question():
    assert asked() == coverage_question({}, NOW) == Question()


def test_an_address_asks_everything_a_question_holds():
    question = asked(
        mode="foot",
        frais_a_charge="gratuit",
        slot="tu 18h30",
        minutes="30,5",
        beyond_min=15,
        population=65,
        weights="pauvrete:0.2, ifn:0.5",
        supply="sites",
        decay="gauss:30",
    )
    assert question == Question(
        mode=Mode.FOOT,
        filter=SiteFilter.of({"frais_a_charge": ["Gratuit"]}),
        slot=parse_slot("mardi 18:30"),
        minutes=(5, 30),
        beyond_min=15,
        population="65",
        weights=(("ifn", 0.5), ("pauvrete", 0.2)),
        supply=Supply.SITES,
        decay=Gaussian(Fraction(30)),
    )


def test_a_json_object_asks_the_same_under_the_same_names():
    values = {
        "mode": "bicycle",
        "minutes": [5, 30],
        "beyond_min": 15,
        "population": 65,
        "pass_numerique": True,
        "frais_a_charge": ["Gratuit", "Payant"],
        "services": None,
        "weights": "ifn:1",
    }
    question = coverage_question(QUESTION.read_object(values), NOW)
    assert question == asked(
        mode="bicycle",
        minutes="5,30",
        beyond_min=15,
        population=65,
        pass_numerique="true",
        frais_a_charge=["Gratuit", "Payant"],
        weights="ifn:1",
    )


def test_now_is_the_minute_of_the_clock():
    slot = asked(slot="Maintenant").slot
    assert slot is not None
    assert (slot.text, slot.week) == ("maintenant", date(2026, 11, 23))
    assert slot.windows == ((24 * 60 + 18 * 60 + 31, 24 * 60 + 18 * 60 + 32),)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("mode", "avion", "« mode » doit être l'une de ces valeurs : car · bicycle · foot"),
        ("slot", "lundredi", "Le créneau « lundredi » ne peut être lu. Écrivez par exemple"),
        ("slot", "mardi 25:00", "ne peut être lu"),
        ("minutes", "0", "entre 1 et 120"),
        ("minutes", [5, "x"], "séparés par des virgules"),
        ("minutes", list(range(1, 10)), "de 1 à 8 nombres"),
        ("beyond_min", 121, "entre 1 et 120"),
        ("beyond_min", 7.5, "entre 1 et 120"),
        ("population", "60", "all · 65"),
        ("weights", "ifn", "« ifn » n'est pas « code:poids »"),
        ("weights", "ifn:-1", "n'est pas « code:poids »"),
        ("weights", "ifn:nan", "n'est pas « code:poids »"),
        ("weights", "ifn:0.1,ifn:0.2", "donné deux fois"),
        ("supply", "etp", "hours · sites"),
        ("decay", "pas:10", "« 10 » n'est pas « minutes=poids »"),
        ("decay", "gauss:0", "La décroissance « gauss:0 » ne peut être lue"),
        ("decay", "gauss:1/0", "ne peut être lue"),
        ("decay", "pas:" + ",".join(f"{n}=1" for n in range(1, 90)), "200 caractères au plus"),
        ("weights", ",".join(f"i{n}:0.01" for n in range(90)), "200 caractères au plus"),
        ("pass_numerique", 1, "true · false"),
        ("moed", "car", "Vouliez-vous dire « mode » ?"),
        ("slot", {"day": 1}, "ne peut être lu"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name, value, told):
    assert told in refused(**{name: value})[name]


def test_all_that_is_wrong_is_told_together():
    assert list(refused(slot="x", decay="x", mode="x", minutes="5")) == ["slot", "decay", "mode"]


weights = st.dictionaries(
    st.text("abcdefgh_", min_size=1, max_size=8), st.integers(1, 10**6).map(lambda n: n / 10**6), max_size=3
)
questions = st.builds(
    Question,
    mode=st.sampled_from(Mode),
    filter=st.dictionaries(
        st.just("services"), st.sets(st.sampled_from(standard.SERVICES), min_size=1), max_size=1
    ).map(SiteFilter.of),
    slot=st.sampled_from([None, *(parse_slot(s, now=NOW) for s in ("maintenant", "soir", "jeudi 9:05"))]),
    minutes=st.sets(st.integers(1, 120), min_size=1, max_size=8).map(lambda s: tuple(sorted(s))),
    beyond_min=st.integers(1, 120),
    population=st.sampled_from(["all", "65"]),
    weights=weights.map(lambda found: tuple(sorted(found.items()))),
    supply=st.sampled_from(Supply),
    decay=st.sampled_from(
        [
            Gaussian(Fraction(45, 2)),
            Step(((Fraction(5), Fraction(2, 3)), (Fraction(61, 3), Fraction(1, 7)))),
        ]
    ),
)


@given(questions)
def test_a_question_written_is_read_back(question):
    parameters = question_parameters(question)
    assert coverage_question(QUESTION.read_object(parameters), NOW) == question
    assert question_from_parameters(json.loads(json.dumps(parameters)), NOW) == question
