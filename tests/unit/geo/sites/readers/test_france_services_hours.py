"""Hours of France services lists: a column for each day, and a comment."""

from __future__ import annotations

from datetime import datetime

import opening_hours as evaluator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.hours.parse import read_expression
from geo.sites.model import Severity
from geo.sites.readers.france_services import opening_hours
from tests.support.source_files import csv_of, source
from tests.unit.geo.sites.test_source_formats import BOTH, DAYS, FS_2022, MORNING


@pytest.mark.parametrize(
    ("week", "hours"),
    [
        ([MORNING] * 6, "Mo-Sa 09:00-12:00"),
        ([BOTH, BOTH, MORNING, BOTH, BOTH, ""], "Mo-Tu,Th-Fr 09:00-12:00,14:00-17:00; We 09:00-12:00"),
        (["", "-", "", "", MORNING, ""], "Fr 09:00-12:00"),
        ([MORNING, "", MORNING, "", MORNING, ""], "Mo,We,Fr 09:00-12:00"),
        (["9h - 12h30 /13h-17h", "", "", "", "", ""], "Mo 09:00-12:30,13:00-17:00"),
        (["Fermé", MORNING, "", "", "", ""], "Tu 09:00-12:00"),
        ([""] * 6, ""),
        (["-"] * 6, ""),
        (["Horaires non communiqués"] * 6, ""),
        (["9h - 25h", "", "", "", "", ""], "lundi : 9h - 25h"),
        (["9h - 12h70", "", "", "", "", ""], "lundi : 9h - 12h70"),
        (["9h - 25h", MORNING, "", "", "", ""], 'Mo unknown "9h - 25h"; Tu 09:00-12:00'),
        ([MORNING, "le matin", MORNING, "", "", ""], 'Mo,We 09:00-12:00; Tu unknown "le matin"'),
        (["sur rendez-vous", MORNING, "", "", "", ""], 'Mo "sur rendez-vous"; Tu 09:00-12:00'),
        (["9h-12h sur RDV", MORNING, "", "", "", ""], 'Mo 09:00-12:00 "sur rendez-vous"; Tu 09:00-12:00'),
        (["9h-12h et 14h-17h", MORNING, "", "", "", ""], "Mo 09:00-12:00,14:00-17:00; Tu 09:00-12:00"),
        (["à partir de 14h", "à partir de 14h", "", "", "", ""], "Mo-Tu 14:00+"),
        (["9h-12h (semaines paires)", "", "", "", "", ""], "week 02-52/2 Mo 09:00-12:00"),
        (["Horaires non communiqués", MORNING, "", "", "", ""], "Mo unknown; Tu 09:00-12:00"),
        (['mairie "annexe"', MORNING, "", "", "", ""], "Mo unknown \"mairie 'annexe'\"; Tu 09:00-12:00"),
        (
            ["9h-12h, mardi 14h-17h", MORNING, "", "", "", ""],
            'Mo unknown "9h-12h, mardi 14h-17h"; Tu 09:00-12:00',
        ),
    ],
)
def test_a_week_becomes_opening_hours(week, hours):
    read, issues = opening_hours(dict(zip(DAYS, week, strict=True)), line=2)
    assert (read.expression, issues) == (hours, ())
    assert hours.startswith("lundi") or hours == read_expression(hours)


def test_a_slot_without_length_is_removed_and_reported():
    week, issues = opening_hours({"h_lundi": f"00:00 - 00:00 / {MORNING}"}, line=9)
    assert week.expression == "Mo 09:00-12:00"
    assert [(i.line, i.field, i.severity) for i in issues] == [(9, "h_lundi", Severity.REPAIRED)]


@pytest.mark.parametrize(
    ("comment", "itinerance", "facts"),
    [
        (
            "SUR RENDEZ-VOUS UNIQUEMENT",
            "Non",
            {"sur_rendez_vous": "oui", "remarques_horaires": "SUR RENDEZ-VOUS UNIQUEMENT"},
        ),
        ("Rendez-vous conseillé.", "Non", {"remarques_horaires": "Rendez-vous conseillé"}),
        (
            "Fermé en août et le 24/12. Le matin.",
            "Non",
            {
                "fermetures": "Aug|Dec 24",
                "remarques_horaires": "Fermé en août et le 24/12|Le matin",
            },
        ),
        (
            "Villefictive (lundi)",
            "Oui",
            {"arrets": "Villefictive @ Mo 09:00-12:00", "remarques_horaires": "Villefictive (lundi)"},
        ),
        ("Villefictive (lundi)", "Non", {"remarques_horaires": "Villefictive (lundi)"}),
        ("Lundi | mairie", "Non", {"remarques_horaires": "Lundi / mairie"}),
        ("Fictif.", "Oui", {}),
    ],
)
def test_a_comment_about_hours_is_read_and_quoted(tmp_path, comment, itinerance, facts):
    (row,) = source(tmp_path, csv_of(FS_2022 | {"commentaire": comment, "itinerance": itinerance})).rows()
    assert {k.removeprefix("ext_"): v for k, v in row.values.items() if k.startswith("ext_")} == facts
    assert row.values["presentation_detail"] == comment
    inferred = facts.keys() - {"remarques_horaires"}
    assert {i.field.removeprefix("ext_") for i in row.issues if i.code == "remarque_lue"} == inferred


SLOTS = st.lists(
    st.sampled_from(["08:30 - 12:00", "13:30 - 17:00", "18:00 - 19:15"]), unique=True, max_size=3
)


@given(st.lists(SLOTS, min_size=6, max_size=6))
def test_no_day_is_lost_or_moved_by_grouping(week):
    cells = {day: " / ".join(sorted(slots)) for day, slots in zip(DAYS, week, strict=True)}
    read, issues = opening_hours(cells, line=1)
    hours = read.expression
    assert not issues
    if not any(week):
        assert hours == ""
        return
    answer = evaluator.OpeningHours(hours)
    for weekday, slots in enumerate(week):
        for hour in (9, 12, 14, 18, 20):
            moment = datetime(2026, 1, 5 + weekday, hour, 5)  # noqa: DTZ001 (a Monday, local time)
            clock = f"{hour:02}:05"
            expected = any(slot[:5] <= clock < slot[8:] for slot in slots)
            assert answer.is_open(moment) == expected, (hours, moment)
