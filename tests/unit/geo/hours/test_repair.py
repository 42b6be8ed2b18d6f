"""Hours written by hand: translated when unambiguous, else refused; and all real ones counted."""

from __future__ import annotations

import csv

import opening_hours
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.hours.parse import LENGTH_MAX, parse_hours, read_expression, read_hours
from geo.hours.repair import LONGEST, days_named, repair_hours
from geo.hours.syntax import NEVER, alternatives, during, mentions_school, undated
from geo.settings import ROOT
from geo.sites.findings import CATALOGUE
from geo.sites.model import Severity
from geo.sites.readers import open_source
from tests.support.shared import SHARED, needs_shared


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("lundi 9h-12h", "Mo 09:00-12:00"),
        ("du lundi au vendredi 9h30-12h", "Mo-Fr 09:30-12:00"),
        (
            "Du Lundi au Vendredi : 9h-12h et 14h à 17h30, samedi de 9h à 12h",
            "Mo-Fr 09:00-12:00,14:00-17:30; Sa 09:00-12:00",
        ),
        (
            "Lundi au vendredi de 9h00 à 12h30 et de 13h30 à 17h00. Fermé le mercredi.",
            "Mo-Fr 09:00-12:30,13:30-17:00; We off",
        ),
        ("lundi, mardi 9h-12h / 14h-17h", "Mo,Tu 09:00-12:00,14:00-17:00"),
        ("le mardi et le jeudi de 9 h à midi", "Tu,Th 09:00-12:00"),
        ("mar. et jeu. 9h-12h", "Tu,Th 09:00-12:00"),
        ("tous les jours 10h-18h ; lundi fermé", "Mo-Su 10:00-18:00; Mo off"),
        ("les mercredis 14h-17h", "We 14:00-17:00"),
        ("Mo - Fr 09:00-12:00", "Mo-Fr 09:00-12:00"),
        ("Mo-Fr 09:00-12:00 14:00-17:00", "Mo-Fr 09:00-12:00,14:00-17:00"),
        ("Mo 09:00-12:00 Tu 10:00-12:00", "Mo 09:00-12:00; Tu 10:00-12:00"),
        ("Mo-Fr: 9:00-12:00;", "Mo-Fr 09:00-12:00"),
        ("Mo\N{EN DASH}Fr 09:00\N{EN DASH}12:00", "Mo-Fr 09:00-12:00"),
        ("Mo-Fr\N{NO-BREAK SPACE} 09:00-12:00", "Mo-Fr 09:00-12:00"),
        (
            "Mo 09:00-12:00; Th 09:00-12:00,14:00-14:00",
            "Mo 09:00-12:00; Th 09:00-12:00, Th 14:00-24:00 unknown",
        ),
        ("24h/24", "24/7"),
        ("24h/24, 7j/7", "24/7"),
        ("7j/7 et 24h/24", "24/7"),
        ("jour et nuit", "24/7"),
        ("7 jours sur 7, 24 heures sur 24", "24/7"),
        ("7 jours sur 7 de 9h à 18h", "Mo-Su 09:00-18:00"),
        ("lundi 9h-12h ; en août : fermé", "Mo 09:00-12:00; Aug off"),
        ("lundi à partir de 14h", "Mo 14:00+"),
        ("mardi 9h-12h et dès 14h", "Tu 09:00-12:00,14:00+"),
        ("lundi à partir de 14h ; mardi 9h-12h", "Mo 14:00+; Tu 09:00-12:00"),
        ("lundi 9h-12h sur RDV ; mardi 14h-17h", 'Mo 09:00-12:00 "sur rendez-vous"; Tu 14:00-17:00'),
        ("samedi à partir de midi", "Sa 12:00+"),
        ("lundi semaines paires 9h-12h", "week 02-52/2 Mo 09:00-12:00"),
        ("lundi (semaines impaires) 9h-12h", "week 01-53/2 Mo 09:00-12:00"),
        ("lundi 9h-12h (semaine paire)", "week 02-52/2 Mo 09:00-12:00"),
        ("semaines paires : lundi 9h-12h", "week 02-52/2 Mo 09:00-12:00"),
        (
            "lundi semaines paires 9h-12h, lundi semaines impaires 14h-17h",
            "week 02-52/2 Mo 09:00-12:00; week 01-53/2 Mo 14:00-17:00",
        ),
        (
            "mardi 9h-12h ; lundi semaines paires 9h-12h",
            "Tu 09:00-12:00; week 02-52/2 Mo 09:00-12:00",
        ),
        ("1er lundi du mois 9h-12h", "Mo[1] 09:00-12:00"),
        ("1er et 3e mardi de chaque mois 14h-17h", "Tu[1,3] 14:00-17:00"),
        ("2e mardi 14h-17h ; quatrième mardi 9h-12h", "Tu[2] 14:00-17:00; Tu[4] 09:00-12:00"),
        ("2nd mardi 9h-12h", "Tu[2] 09:00-12:00"),
        ("dernier samedi du mois 9h-12h", "Sa[-1] 09:00-12:00"),
        ("Sur rendez-vous", '"sur rendez-vous"'),
        ("uniquement sur RDV", '"sur rendez-vous"'),
        ("lundi 9h-12h sur rendez-vous", 'Mo 09:00-12:00 "sur rendez-vous"'),
        ("lundi 9h-12h ; mardi 14h-17h sur RDV", 'Mo 09:00-12:00; Tu 14:00-17:00 "sur rendez-vous"'),
        (
            "lundi 9h-12h, mardi 14h-17h. Sur rendez-vous uniquement.",
            'Mo 09:00-12:00 "sur rendez-vous"; Tu 14:00-17:00 "sur rendez-vous"',
        ),
        ("lundi fermé, mardi 9h-12h. Sur RDV", 'Mo off; Tu 09:00-12:00 "sur rendez-vous"'),
        ("lundi au vendredi 9h-12h, fermé en août", "Mo-Fr 09:00-12:00; Aug off"),
        ("lundi 9h-12h (fermé du 1er au 15 août)", "Mo 09:00-12:00; Aug 01-15 off"),
        ("Lundi 9h-12h. Fermé le 24/12. Mardi 10h-12h", "Mo 09:00-12:00; Tu 10:00-12:00; Dec 24 off"),
        ("lundi 9h-12h sauf jours fériés", "Mo 09:00-12:00; PH off"),
        ("lundi 9h-12h, fermé en août et les jours fériés", "Mo 09:00-12:00; Aug off; PH off"),
        ("Fermé en août. Lundi 9h-12h hors vacances scolaires", "Mo 09:00-12:00; Aug off; SH off"),
    ],
)
def test_what_leaves_no_doubt_is_read(written, read):
    assert not opening_hours.validate(written) or "14:00-14:00" in written
    assert read_expression(written) == read
    hours_text, (finding,) = parse_hours(written)
    assert hours_text == written
    assert CATALOGUE[finding.code].severity is Severity.REPAIRED
    assert read in finding.to_issue(1).reason


@pytest.mark.parametrize(
    "written",
    [
        "Mo 08:30",
        "Mo-Fr 09:00-12:00 We 14:00-17:00",  # is Wednesday morning open?
        "lundi 9h-12h; lundi 14h-17h",
        "Mo 14:00-14:00",
        "Mo 14:00-14:00,16:00-18:00",
        "Mo 15:00-17:00,14:00-14:00",
        "Mar 9h-12h",  # March, or Tuesday
        "le lundi matin",
        "lundi sauf 9h-12h",
        "9h-12h",
        "lundi",
        "lundi 9h-12h, mardi 14h-17h sur rendez-vous",  # both days, or Tuesday only?
        "semaines paires : lundi 9h-12h, mardi 14h-17h",
        "lundi semaines paires 9h-12h, lundi 14h-17h",
        "lundi semaines paires 9h-12h ; lundi 14h-17h",
        "lundi 14h-17h ; lundi semaines paires 9h-12h",
        "1er lundi au vendredi 9h-12h",
        "1er mardi 9h-12h, mardi 14h-17h",
        "1er et 3e mardi 9h-12h, 3e mardi 14h-17h",
        "une semaine sur deux : lundi 9h-12h",
        "lundi dès 14h, 16h-17h",
        "fermé en août",
        "uniquement le matin",
        "sur rendez-vous, téléphoner le matin",
        "lundi 9h-12h || sur rendez-vous",
        "lundi 9h-12h, fermé du 10 au 20",
        "lundi 9h-12h, fermé le 24 décembre après-midi",
        "5e lundi 9h-12h",
        "7j/7",
        "mercredi fermé",
        "mardi 9-12",
        "lundi 14h-9h",
        "lundi 25h-26h",
        "lundi 9h12h",
        "lundi 9h-12h 11h-13h",
        "vendredi au lundi 9h-12h",
        "lundi lundi 9h-12h",
        "Lu-Ve 9h-12h",
        "lundi 9h-12h " * 30,
        "PH Mo-Fr 10:00-12:00",
    ],
)
def test_what_leaves_a_doubt_is_not(written):
    assert read_expression(written) == ""
    assert [finding.code for finding in parse_hours(written)[1]] == ["horaires_illisibles"]


@pytest.mark.parametrize(
    ("written", "read", "unread"),
    [
        (
            "Mo-Fr 09:00-12:30; Tu 09:00-14:00-17:00",
            "Mo-Fr 09:00-12:30; Tu unknown",
            ("Tu 09:00-14:00-17:00",),
        ),
        ("Mo 09:00-12:00; Tu 10:00-10:00", "Mo 09:00-12:00; Tu unknown", ("Tu 10:00-10:00",)),
        ("Mo 09:00-12:00; Tu-Th 9; PH off", "Mo 09:00-12:00; PH off; Tu-Th unknown", ("Tu-Th 9",)),
        (
            "lundi 9h-12h, mardi le matin, mercredi 14h-17h",
            "Mo 09:00-12:00; We 14:00-17:00; Tu unknown",
            ("mardi le matin",),
        ),
        (
            "du lundi au jeudi 9h-12h, vendredi uniquement le matin",
            "Mo-Th 09:00-12:00; Fr unknown",
            ("vendredi uniquement le matin",),
        ),
        ("lundi 9h-12h et mardi matin", "Mo 09:00-12:00; Tu unknown", ("mardi matin",)),
        (
            "lundi : 9h-12h\nmardi : nous consulter",
            "Mo 09:00-12:00; Tu unknown",
            ("mardi : nous consulter",),
        ),
        (
            "sur planning le lundi ; mardi et mercredi 9h-12h",
            "Tu,We 09:00-12:00; Mo unknown",
            ("sur planning le lundi",),
        ),
        ("Mo-Fr 09:00-12:00; téléphoner avant", "Mo-Fr 09:00-12:00", ("téléphoner avant",)),
    ],
)
def test_a_part_that_cannot_be_read_does_not_hide_the_others(written, read, unread):
    assert read_hours(written) == (read, unread)
    hours_text, (finding,) = parse_hours(written)
    assert hours_text == written
    assert CATALOGUE[finding.code].severity is Severity.FLAGGED
    assert all(part in finding.to_issue(1).reason for part in unread)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Mo-Fr 09:00-12:00; PH off; fermé en août", "Mo-Fr 09:00-12:00; PH off; Aug off"),
        (
            "Th[1] 09:00-12:00; fermé du 24/12 au 02/01, et le 14/07",
            "Th[1] 09:00-12:00; Dec 24-Jan 02 off; Jul 14 off",
        ),
        (
            "Mo-Fr 09:00-12:00; PH off; uniquement sur rendez-vous",
            'Mo-Fr 09:00-12:00 "sur rendez-vous"; PH off',
        ),
        (
            'Mo[1] 09:00-12:00; Tu 09:00-12:00 "mairie"; accueil sur RDV',
            'Mo[1] 09:00-12:00 "sur rendez-vous"; Tu 09:00-12:00 "mairie"',
        ),
    ],
)
def test_a_closure_or_an_appointment_may_be_written_beside_the_notation(written, read):
    assert read_hours(written) == (read, ())
    assert [finding.code for finding in parse_hours(written)[1]] == ["horaires_corriges"]


@pytest.mark.parametrize(
    "written",
    [
        "lundi matin; mardi soir",
        "fermé en août; sur rendez-vous le lundi",
        "mercredi fermé; jeudi le soir",  # no day is known to be open
        "lundi 9h-12h; lundi 14h-17h; mardi matin",  # the parts that are read contradict each other
        "vendredi au lundi fermé; mardi matin",
    ],
)
def test_where_no_opening_is_certain_all_is_unknown(written):
    assert read_hours(written) == ("", ())


@pytest.mark.parametrize(
    ("part", "days"),
    [
        ("lundi matin", "Mo"),
        ("du lundi au mercredi, selon planning", "Mo-We"),
        ("sur planning le lundi et le jeudi", "Mo,Th"),
        ("le mardi matin ou le jeudi soir", "Tu,Th"),
        ("Tu,Th-Fr 9", "Tu,Th-Fr"),
        ("sa permanence", "Sa"),  # a code at the beginning
        ("selon sa permanence", ""),
        ("vendredi au lundi", ""),
        ("fermé", ""),
    ],
)
def test_the_days_of_an_unreadable_part_are_found(part, days):
    assert days_named(part) == days


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("lundi 9h-12h et 12h-14h", "Mo 09:00-12:00,12:00-14:00"),  # ranges may touch
        ("lundi 9h-12h et 11h59-14h", ""),
        ("lundi 9h-9h", ""),
        ("lundi 9h-9h01", "Mo 09:00-09:01"),
        ("lundi 20h-24h", "Mo 20:00-24:00"),
        ("lundi 20h-24h01", ""),
        ("dimanche au lundi 9h-12h", ""),
        ("lundi au lundi 9h-12h", "Mo 09:00-12:00"),
        ("lundi 9h-12h, mardi 9h-12h", "Mo 09:00-12:00; Tu 09:00-12:00"),
        ("lundi 9h-12h, lundi 14h-17h", ""),
        ("lundi et lundi 9h-12h", ""),
        ("lundi 9h-12h, lundi fermé", "Mo 09:00-12:00; Mo off"),
        ("lundi fermé", ""),
        ("lundi fermé, mardi 9h-12h", "Mo off; Tu 09:00-12:00"),
        ("mar 9h-12h", ""),  # March, perhaps
        ("mar, mer 9h-12h", "Tu,We 09:00-12:00"),
        ("mer 9h-12h", "We 09:00-12:00"),
        ("Mo 09:00-12:00,12:00-12:00", "Mo 09:00-12:00, Mo 12:00-24:00 unknown"),
        ("Mo 09:00-12:00,11:59-11:59", ""),
        ("Mo 14:00-14:00,15:00-16:00", ""),
        ("Mo 09:00-09:00,14:00-14:00", ""),
    ],
)
def test_each_limit_of_what_is_read(written, read):
    assert repair_hours(written) == read


def test_a_text_of_300_characters_is_read_and_a_longer_one_is_not():
    text = "lundi 9h-12h".ljust(LONGEST)
    assert len(text) == LONGEST == 300
    assert repair_hours(text) == "Mo 09:00-12:00"
    assert repair_hours(text + " ") == ""


def test_an_expression_of_2000_characters_is_read_and_a_longer_one_is_not():
    def text(length):
        return 'Mo 09:00-12:00 "{}"'.format("x" * (length - 17))

    assert len(text(LENGTH_MAX)) == LENGTH_MAX == 2_000
    assert read_expression(text(LENGTH_MAX)) == text(LENGTH_MAX)
    assert read_expression(text(LENGTH_MAX + 1)) == ""


@given(text=st.text(max_size=LONGEST + 20) | st.text("lundimarsjev 9h-12:;,./àéMoTu", max_size=60))
def test_any_text_is_read_or_left(text):
    read = read_expression(text)
    assert read == "" or opening_hours.validate(read)
    assert repair_hours(text) == repair_hours(text)


def counted(strings):
    read = [s for s in strings if read_expression(s) == s]
    in_part = [s for s in strings if read_hours(s).unread]
    repaired = [s for s in strings if read_expression(s) not in ("", s) and not read_hours(s).unread]
    return len(read), len(repaired), len(in_part), len(strings) - len(read) - len(repaired) - len(in_part)


@needs_shared
def test_all_real_hours_are_counted_as_the_page_tells():
    with (SHARED / "data/opening_hours/horaires-osm-47-et-voisins.csv").open(encoding="utf-8") as stream:
        osm = {line["horaires"] for line in csv.DictReader(stream)}
    cells = [
        row.values["horaires"]
        for path in sorted((SHARED / "data/sites").iterdir())
        for row in open_source(path, max_bytes=100_000_000).rows()
        if row.values.get("horaires")
    ]
    assert osm <= set(cells)
    assert counted(osm) == (215, 1, 1, 1)
    assert counted(set(cells)) == (393, 1, 1, 1)
    assert counted(cells) == (558, 2, 1, 2)
    page = (ROOT / "docs/opening.md").read_text("utf-8")
    for row in ("| 218 | 215 | 1 | 1 | 1 |", "| 396 | 393 | 1 | 1 | 1 |", "| 563 | 558 | 2 | 1 | 2 |"):
        assert row in page


@pytest.mark.parametrize(
    ("expression", "on", "off"),
    [
        ("Mo-Fr 08:00-12:00; SH off", "Mo-Fr 08:00-12:00; Mo-Su off", "Mo-Fr 08:00-12:00"),
        ("PH,SH off", "Mo-Su off", "PH off"),
        ("SH Mo-Fr 10:00-12:00", "Mo-Fr 10:00-12:00", NEVER),
        ("SH 10:00-12:00", "Mo-Su 10:00-12:00", NEVER),
        ("Mo-Fr,SH 10:00-12:00", "Mo-Su 10:00-12:00", "Mo-Fr 10:00-12:00"),
        ("Th[1],SH 09:00-12:00", "Mo-Su 09:00-12:00", "Th[1] 09:00-12:00"),
        ("Jul-Aug SH Mo-Fr 10:00-12:00", "Jul-Aug Mo-Fr 10:00-12:00", NEVER),
        (
            "Mo-Fr 08:00-12:00,14:00-17:00, SH Mo 18:00-19:00; PH off",
            "Mo-Fr 08:00-12:00,14:00-17:00, Mo 18:00-19:00; PH off",
            "Mo-Fr 08:00-12:00,14:00-17:00; PH off",
        ),
        ("SH Mo 09:00-10:00 || Tu 10:00-12:00", "Mo 09:00-10:00 || Tu 10:00-12:00", "Tu 10:00-12:00"),
        (
            'Mo 09:00-12:00 "ni SH; ni PH"; SH off',
            'Mo 09:00-12:00 "ni SH; ni PH"; Mo-Su off',
            'Mo 09:00-12:00 "ni SH; ni PH"',
        ),
    ],
)
def test_school_holidays_are_taken_out_of_an_expression(expression, on, off):
    assert read_expression(expression) == expression
    assert mentions_school(expression)
    assert (during(expression, holiday=True), during(expression, holiday=False)) == (on, off)
    assert opening_hours.validate(on) and opening_hours.validate(off)


def test_an_expression_that_does_not_name_them_is_left():
    for expression in ("Mo-Fr 08:00-12:00; PH off", 'Mo 09:00-12:00 "fermé en SH"'):
        assert not mentions_school(expression)
        assert {during(expression, holiday=holiday) for holiday in (True, False)} == {expression}


def test_alternatives_are_separated_and_comments_are_not_cut():
    assert alternatives('Mo 09:00-12:00; Tu off || "a || b"') == ("Mo 09:00-12:00; Tu off", '"a || b"')
    assert alternatives("Mo 09:00-12:00, We 14:00-17:00") == ("Mo 09:00-12:00, We 14:00-17:00",)


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        ("Mo-Fr 09:00-12:00; 2026 Dec 24-2027 Jan 03 off", "Mo-Fr 09:00-12:00"),
        ("Mo-Fr 09:00-12:00; Aug 03-17 off; PH off", "Mo-Fr 09:00-12:00; PH off"),
        ("Mo-Fr 09:00-12:00; easter +1 day off", "Mo-Fr 09:00-12:00"),
        ("Jul-Aug Mo-Fr 08:00-13:00; Sep-Jun Mo-Fr 09:00-17:00",) * 2,
        ("Mar 09:00-12:00",) * 2,
        ('Mo 09:00-12:00 "depuis Jan 02"',) * 2,
        ("2026 Dec 03 09:00-12:00", ""),
    ],
)
def test_dated_rules_are_taken_out(expression, left):
    assert undated(expression) == left
