"""Pages of the fund: the question of the map of measures, and tables to save."""

from __future__ import annotations

from api.funding_pages import csv_file, measure_query
from static_maps.measure_catalogue import FORMS, MEASURES


def test_totals_are_offered_of_one_measure_that_has_them():
    total = next(name for name, measure in MEASURES.items() if measure.total)
    mean = next(name for name, measure in MEASURES.items() if not measure.total)

    def form(**asked):
        return measure_query({"forme": FORMS[1], **asked}, 2026).form

    assert form(mesure=total) == FORMS[1]
    assert [form(mesure=total, avec=mean), form(mesure=mean), form(mesure=mean, avec=total)] == [FORMS[0]] * 3
    assert measure_query({"mesure": total}, 2026).form == FORMS[0]


def test_a_table_is_saved_as_french_excel_opens_it():
    answer = csv_file("fonds", ("nom", "payé (€)"), [("Déplacements", "12,50")])
    assert bytes(answer.body).decode("utf-8-sig").splitlines() == ["nom;payé (€)", "Déplacements;12,50"]
    assert answer.headers["content-disposition"] == 'attachment; filename="fonds.csv"'
