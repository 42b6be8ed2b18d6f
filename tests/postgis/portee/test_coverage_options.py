"""Options that ask a question: `--where field=value`, `--minutes 10,20`, `--weight ifn=0.5`…"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import pytest
import typer

from geo.coverage.catchment import Gaussian
from geo.coverage.measure import Question, Supply
from geo.hours.weekly import TIME_ZONE, parse_slot
from geo.reach.modes import Mode
from geo.sites.filters import SiteFilter
from geo.store import snapshots, territories
from portee.coverage_options import load_context, question_from_options, site_filter
from tests.support.world import TERRITORY


def test_values_of_one_field_are_alternatives():
    asked = site_filter(["frais_a_charge=Gratuit", "frais_a_charge=Payant", "nom = médiathèque"])
    assert asked == SiteFilter.of({"frais_a_charge": ["Payant", "Gratuit"], "nom": ["médiathèque"]})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nom", "n'est pas CHAMP=VALEUR"),
        ("nom=", "n'est pas CHAMP=VALEUR"),
        ("service=x", "services"),
        ("frais_a_charge=gratis", "Gratuit sous condition"),
        ("pass_numerique=oui", "true · false"),
    ],
)
def test_a_wrong_condition_says_what_would_be_right(text, told):
    with pytest.raises(typer.BadParameter, match=told):
        site_filter([text])


def test_without_options_the_question_is_the_usual_one():
    assert question_from_options() == Question()


def test_every_option_finds_its_place_in_the_question():
    asked = question_from_options(
        where=["frais_a_charge=Gratuit"],
        mode=Mode.FOOT,
        slot="mardi 18h30",
        minutes=" 20,10, 20",
        beyond=15,
        population="65",
        weight=["pauvrete=0.2", "ifn = 0.5"],
        supply=Supply.SITES,
        decay="gauss:30",
    )
    assert asked == Question(
        mode=Mode.FOOT,
        filter=SiteFilter.of({"frais_a_charge": ["Gratuit"]}),
        slot=parse_slot("mardi 18:30"),
        minutes=(10, 20),
        beyond_min=15,
        population="65",
        weights=(("ifn", 0.5), ("pauvrete", 0.2)),
        supply=Supply.SITES,
        decay=Gaussian(Fraction(30)),
    )


def test_now_is_the_minute_of_the_moment_given():
    moment = datetime(2026, 6, 9, 18, 30, tzinfo=TIME_ZONE)
    assert question_from_options(slot="maintenant", now=moment).slot == parse_slot("maintenant", now=moment)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"slot": "bientôt"}, "bientôt"),
        ({"minutes": "10;20"}, "« 10;20 » n'est pas un nombre entier"),
        ({"minutes": ""}, "«  » n'est pas un nombre entier"),
        ({"minutes": "0"}, "de 1 à 120"),
        ({"minutes": "²"}, "de 1 à 120"),
        ({"minutes": "1,2,3,4,5,6,7,8,9"}, "9 temps de trajet ; 8 au plus"),
        ({"weight": ["ifn"]}, "« ifn » n'est pas CODE=POIDS"),
        ({"weight": ["=0.5"]}, "n'est pas CODE=POIDS"),
        ({"weight": ["ifn=beaucoup"]}, "ifn:beaucoup"),
        ({"weight": ["ifn=0.5", "ifn=0.2"]}, "ifn"),
        ({"decay": "pas:10=2"}, "poids"),
    ],
)
def test_an_option_that_cannot_be_read_says_what_would_be_right(options, told):
    with pytest.raises(typer.BadParameter, match=told):
        question_from_options(**options)


def test_the_frame_is_of_the_database_and_of_today(fresh_engine, fresh_settings):
    with fresh_engine.begin() as connection:
        territories.save(connection, TERRITORY)
        snapshots.publish(connection)
    before = datetime.now(TIME_ZONE).date()
    frame = load_context(fresh_settings)
    assert frame.snapshot.territory.name == TERRITORY.name
    assert before <= frame.day <= datetime.now(TIME_ZONE).date()
    assert frame.travel.method == "straight_line"
