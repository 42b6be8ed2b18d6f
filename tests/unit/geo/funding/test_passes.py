"""Passes without a database: orders, files of events, delays, what expires, reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, measure
from geo.errors import RefusedPasses, UnknownOrder, UnreadableFile
from geo.funding.pass_reports import (
    ACCEPTING,
    PassAccess,
    PassCounts,
    SitePasses,
    by_territory,
    by_vintage,
    by_year,
    deserts,
    flat,
    most_fragile,
)
from geo.funding.passes import (
    COLUMNS,
    Event,
    EventKind,
    Order,
    PassReferences,
    delays,
    expiries,
    read_events,
    require_order,
)
from geo.people.model import Indicator
from geo.reach.travel import load_travel
from geo.territory.model import Provenance, TerritoryKind
from tests.support.world import TERRITORY, site, snapshot

MARCH = date(2026, 3, 1)
TODAY = date(2026, 11, 2)
A = Order("A", MARCH, 100, date(2026, 8, 31), (("dep", 60), ("caf", 40)))
KNOWN = PassReferences({"A": A}, {"99001", "99002", "96001"}, {"dep", "caf"}, {"essai--a"})


# --- orders


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"reference": " "}, "référence"),
        ({"reference": "x" * 101}, "référence"),
        ({"count": 0, "funders": ()}, "0 pass"),
        ({"face_value_cents": 0}, "0 centimes"),
        ({"expires_on": date(2026, 2, 28)}, "avant d'être passée"),
        ({"funders": (("dep", 60), ("caf", 39))}, "paient 99 pass"),
        ({"funders": (("dep", 101), ("caf", -1))}, "paient 100 pass"),
        ({"funders": ()}, "paient 0 pass"),
        ({"funders": (("dep", 60), ("dep", 40))}, "deux fois"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(changes, answer):
    require_order(A)
    with pytest.raises(RefusedPasses, match=answer) as refusal:
        require_order(replace(A, **changes))
    assert refusal.value.advice.endswith(".")


# --- files


def written(tmp_path, *rows, columns=COLUMNS):
    path = tmp_path / "événements.csv"
    path.write_text("\n".join(";".join(row) for row in (columns, *rows)) + "\n", "utf-8")
    return path


def read(path, **changes):
    return read_events(path, KNOWN, today=TODAY, max_bytes=10_000, **changes)


GIVEN = ("1", "A", "given", "2026-03-02", "5", "99001", "caf", "")
USED = ("2", "A", "utilisé", "15/04/2026", "2", "", "", "essai--a")


def row(base, **changes):
    return tuple(changes.get(name, cell) for name, cell in zip(COLUMNS, base, strict=True))


def test_a_file_is_read_in_both_languages(tmp_path):
    found = read(written(tmp_path, GIVEN, USED))
    assert found.events == [
        Event("1", "A", EventKind.GIVEN, date(2026, 3, 2), 5, "99001", "caf"),
        Event("2", "A", EventKind.USED, date(2026, 4, 15), 2, site="essai--a"),
    ]
    assert (found.read, found.rejected, found.lines, found.issues) == (2, 0, [2, 3], [])


def test_a_correction_names_the_event_it_corrects(tmp_path):
    path = written(tmp_path, (*row(GIVEN, reference="3", count="-2"), "1"), columns=(*COLUMNS, "corrects"))
    assert read(path).events == [
        Event("3", "A", EventKind.GIVEN, date(2026, 3, 2), -2, "99001", "caf", corrects="1")
    ]


@pytest.mark.parametrize(
    ("base", "changes", "field", "code"),
    [
        (GIVEN, {"reference": ""}, "reference", "reference_absente"),
        (GIVEN, {"reference": "x" * 101}, "reference", "reference_trop_longue"),
        (GIVEN, {"kind": "offert"}, "kind", "nature_inconnue"),
        (GIVEN, {"order": "B"}, "order", "commande_inconnue"),
        (GIVEN, {"day": "2026-02-30"}, "day", "date_illisible"),
        (GIVEN, {"day": "31/02/2026"}, "day", "date_illisible"),
        (GIVEN, {"day": "hier"}, "day", "date_illisible"),
        (GIVEN, {"day": "2026-02-28"}, "day", "date_impossible"),
        (GIVEN, {"day": "2026-09-01"}, "day", "date_impossible"),
        (GIVEN, {"day": "2026-11-03"}, "day", "date_impossible"),
        (USED, {"day": "2026-09-01"}, "day", "date_impossible"),
        (USED, {"kind": "expired", "day": "2026-08-31"}, "day", "date_impossible"),
        (GIVEN, {"count": "cinq"}, "count", "nombre_illisible"),
        (GIVEN, {"count": "0"}, "count", "nombre_illisible"),
        (GIVEN, {"count": "1.5"}, "count", "nombre_illisible"),
        (GIVEN, {"count": "9999999999"}, "count", "nombre_illisible"),
        (GIVEN, {"count": "-5"}, "corrects", "correction_incomplete"),
        (GIVEN, {"commune": ""}, "commune", "commune_absente"),
        (GIVEN, {"commune": "75056"}, "commune", "commune_inconnue"),
        (USED, {"commune": "75056"}, "commune", "commune_inconnue"),
        (GIVEN, {"partner": "nobody"}, "partner", "partenaire_inconnu"),
        (USED, {"site": ""}, "site", "lieu_absent"),
        (USED, {"site": "essai--z"}, "site", "lieu_inconnu"),
    ],
)
def test_an_invalid_row_is_rejected_alone_with_the_reason(tmp_path, base, changes, field, code):
    found = read(written(tmp_path, GIVEN, row(base, **changes), USED))
    assert (found.read, found.rejected, len(found.events)) == (3, 1, 2)
    (issue,) = found.issues
    assert (issue.line, issue.field, issue.code) == (3, field, code)
    assert issue.value == changes.get(field, "") and issue.reason and issue.advice


def test_a_row_of_another_width_is_rejected(tmp_path):
    found = read(written(tmp_path, GIVEN, GIVEN[:5]))
    assert [(i.line, i.code) for i in found.issues] == [(3, "colonnes")]


def test_a_file_without_a_column_is_refused_with_its_name(tmp_path):
    with pytest.raises(UnreadableFile, match="« commune »"):
        read(written(tmp_path, GIVEN[:5], columns=COLUMNS[:5]))


# --- delays


def day(number):
    return MARCH + timedelta(days=number)


def dated(counts):
    return {day(number): passes for number, passes in counts.items()}


@pytest.mark.parametrize(
    ("gifts", "uses", "waited"),
    [
        ({0: 3}, {0: 3}, {0: 3}),
        ({0: 2, 10: 2}, {12: 3}, {12: 2, 2: 1}),
        ({0: 1, 5: 1}, {}, {}),
        ({5: 2}, {3: 1, 9: 1}, {4: 1}),  # a use before its gift is left out, with its gift
        ({0: 1}, {4: 3}, {4: 1}),
    ],
)
def test_the_first_given_are_the_first_used(gifts, uses, waited):
    assert delays(dated(gifts), dated(uses)) == {(2026, d): n for d, n in waited.items()}


def test_delays_of_a_year_are_those_of_its_uses():
    gifts, uses = dated({0: 4}), {date(2026, 3, 3): 1, date(2027, 3, 1): 2}
    assert delays(gifts, uses) == {(2026, 2): 1, (2027, 365): 2}


a_series = st.dictionaries(st.integers(0, 40), st.integers(0, 5), max_size=8)


@given(a_series, a_series)
def test_delays_are_those_of_passes_laid_side_by_side(gifts, uses):
    laid = [[d for d, n in sorted(series.items()) for _ in range(n)] for series in (gifts, uses)]
    oracle = Counter((2026, used - given_) for given_, used in zip(*laid, strict=False) if used >= given_)
    assert delays(dated(gifts), dated(uses)) == oracle


# --- what expires


@pytest.mark.parametrize(
    ("given_", "used", "expired", "found"),
    [
        ({"a": 5, "b": 3}, {"a": 2, "b": 3}, {}, {"a": 3}),
        ({"a": 5, "b": 3}, {"": 2}, {}, {"a": 3, "b": 1, "": 2}),
        ({"a": 5, "b": 3}, {"": 4}, {}, {"a": 1, "": 3}),
        ({"a": 5}, {"b": 2}, {}, {"a": 3}),
        ({"a": 5, "b": 3}, {"c": 2}, {}, {"a": 3, "b": 1, "": 2}),
        ({"a": 5}, {"a": 1}, {"a": 4}, {}),
    ],
)
def test_expiries_have_a_commune_where_it_is_certain(given_, used, expired, found):
    assert expiries(given_, used, expired) == found


amounts = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9))


@given(amounts, amounts, st.integers(0, 5))
def test_all_that_is_left_expires_once_and_no_commune_expires_what_it_may_have_used(given_, used, untold):
    uses = used | {"": untold}
    left = sum(given_.values()) - sum(uses.values())
    if left < 0:
        return  # the store lets no more be used than given
    found = expiries(given_, uses, {})
    assert sum(found.values()) == left and all(passes > 0 for passes in found.values())
    for commune, passes in found.items():
        if commune:
            # Even had all the untold uses been here.
            assert passes <= max(given_.get(commune, 0) - used.get(commune, 0) - untold, 0)
    assert expiries(given_, uses, found) == {}


# --- reports, counted by hand

B = replace(A, reference="B", day=date(2027, 1, 1), expires_on=date(2027, 12, 31), face_value_cents=500)
ROWS = [
    # order, commune, year, given, used, expired, waits
    (0, "99001", 2026, 10, 4, 5, {10: 1, 30: 3}),
    (0, "99002", 2026, 20, 5, 0, {10: 5}),
    (0, "99004", 2026, 40, 0, 39, {}),
    (0, "", 2026, 0, 6, 0, {}),
    (1, "99001", 2027, 8, 1, 0, {0: 1}),
    (1, "96001", 2027, 2, 2, 0, {7: 2}),
]


def counts(rows=ROWS):
    waits = [(r, d, n) for r, row in enumerate(rows) for d, n in row[6].items()]
    order, commune, *figures = zip(*(row[:6] for row in rows), strict=True)
    year, given_, used, expired = (np.array(each, dtype=np.int64) for each in figures)
    wait_row, wait_days, wait_passes = (np.array([w[k] for w in waits], dtype=np.int64) for k in range(3))
    return PassCounts(
        orders=(A, B),
        order=np.array(order, dtype=np.intp),
        commune=np.array(commune),
        year=year,
        given=given_,
        used=used,
        expired=expired,
        wait_row=wait_row,
        wait_days=wait_days,
        wait_passes=wait_passes,
        by_day=(
            (0, date(2026, 3, 2), 70, 0),
            (0, date(2026, 4, 1), 0, 15),
            (1, date(2027, 2, 1), 10, 0),
            (1, date(2027, 2, 8), 0, 3),
        ),
        by_site=(SitePasses(0, "essai--a", 2026, 15, 7), SitePasses(1, "essai--z", 2027, 3, 0)),
    )


def answer(report, code):
    return next(row for row in report.rows if row.code == code)


def test_communes_sum_their_orders():
    row = answer(by_territory(counts(), TERRITORY, TerritoryKind.COMMUNE), "99001")
    f = row.figures
    assert (f.given, f.used, f.expired) == (18, 5, 5)
    assert (f.given_cents, f.used_cents, f.expired_cents) == (14_000, 4_500, 5_000)
    assert f.rate_of_use == 5 / 18
    assert (f.delayed, f.median_delay_days, f.mean_delay_days) == (5, 30, 20.0)
    assert row.per_1000 == 18.0


def test_a_canton_sums_its_communes_without_passes_of_no_commune():
    report = by_territory(counts(), TERRITORY, TerritoryKind.CANTON)
    assert [(r.code, r.figures.given, r.figures.used) for r in report.rows] == [
        ("9901", 38, 10),
        ("9902", 40, 0),
    ]
    f = answer(report, "9901").figures
    assert (f.median_delay_days, f.mean_delay_days) == (10, 15.0)
    assert answer(report, "9901").per_1000 == pytest.approx(38 / 3)
    assert (report.untold.given, report.untold.used) == (2, 8)
    assert (report.whole.given, report.whole.used, report.whole.expired) == (80, 18, 44)


@pytest.mark.parametrize("kind", list(TerritoryKind))
def test_territories_and_passes_without_a_commune_sum_to_the_whole(kind):
    report = by_territory(counts(), TERRITORY, kind)
    parts = [*(r.figures for r in report.rows), report.untold]
    for name in ("given", "used", "expired", "given_cents", "used_cents", "expired_cents"):
        assert sum(getattr(p, name) for p in parts) == getattr(report.whole, name)


def test_where_nobody_lives_or_nothing_was_given_there_is_no_rate():
    row = answer(by_territory(counts(), TERRITORY, TerritoryKind.COMMUNE), "99003")
    assert (row.per_1000, row.figures.rate_of_use, row.figures.median_delay_days) == (None, None, None)


def test_figures_can_be_limited_to_an_order_and_a_year():
    assert by_territory(counts(), TERRITORY, TerritoryKind.COMMUNE, order="B").whole.given == 10
    assert (
        answer(by_territory(counts(), TERRITORY, TerritoryKind.COMMUNE, year=2026), "99001").figures.given
        == 10
    )
    assert by_territory(counts(), TERRITORY, TerritoryKind.COMMUNE, order="A", year=2027).whole.given == 0
    with pytest.raises(UnknownOrder, match="A, B"):
        by_territory(counts(), TERRITORY, TerritoryKind.COMMUNE, order="C")


def test_delays_of_the_whole_include_uses_without_a_commune():
    found = by_vintage(counts())
    assert (found["A"].delayed, found["A"].median_delay_days) == (15, 30)
    assert (found["B"].delayed, found["B"].mean_delay_days) == (3, 7.0)
    assert {year: f.given for year, f in by_year(counts()).items()} == {2026: 70, 2027: 10}


def fragility(**values):
    return Indicator("ifn", "IFN", "", "commune", Provenance("", "", "", ""), values)


def test_the_most_fragile_communes_have_a_fifth_of_the_people():
    # 7,000 people with a value: a fifth is 1,400.
    values = {"99001": 9.0, "99002": 5.0, "99003": 1.0, "99004": 3.0}
    assert most_fragile(TERRITORY, fragility(**values)) == {"99001", "99002"}
    assert most_fragile(TERRITORY, fragility(**values), share=0.1) == {"99001"}
    assert most_fragile(TERRITORY, fragility(**dict.fromkeys(values, 2.0))) == set(values)
    assert most_fragile(TERRITORY, fragility()) == frozenset()


def test_passes_are_counted_per_thousand_of_the_most_fragile():
    report = by_territory(counts(), TERRITORY, TerritoryKind.CANTON, fragile=frozenset({"99002"}))
    first, second = report.rows
    assert (first.fragile_population, first.per_1000_fragile) == (2_000, 10.0)
    assert (second.fragile_population, second.per_1000_fragile) == (0, None)
    assert by_territory(counts(), TERRITORY, TerritoryKind.CANTON).rows[0].fragile_population is None


def coverage(*sites):
    here = snapshot(*sites)
    frame = AnalysisContext(here, load_travel(None, home=None, detour_factor=1.3), TODAY)  # type: ignore[arg-type]
    return measure(frame, Question(filter=ACCEPTING))


ACCEPTS = site("a", 5, pass_numerique=True)
REFUSES = site("r", 35, "99004", pass_numerique=False)
SILENT = site("s", 35, "99004")


def test_only_sites_known_to_accept_passes_are_near():
    report = by_territory(
        counts(),
        TERRITORY,
        TerritoryKind.COMMUNE,
        coverage=coverage(ACCEPTS, REFUSES, SILENT),
        commune_of_site={"essai--a": "99001"},
    )
    west, east = answer(report, "99001"), answer(report, "99004")
    assert west.access == PassAccess(1, "essai--a", 0.0)
    assert east.access is not None
    assert east.access.accepting_sites == 0 and east.access.nearest_site_id == "essai--a"
    assert (west.used_here, west.reimbursed_here, east.used_here) == (15, 7, 0)


def test_deserts_are_where_passes_were_given_and_no_site_is_near_most_given_first():
    found = deserts(counts(), coverage(ACCEPTS, REFUSES, SILENT))
    far = coverage(ACCEPTS).by_territory(TerritoryKind.COMMUNE)[3].median_min
    assert far is not None and far > 20
    assert (found[0].code, found[0].given, found[0].median_min) == ("99004", 40, far)
    assert "99001" not in {d.code for d in found} and "99003" not in {d.code for d in found}
    assert found[0].sentence == (
        "Estbourg : 40 pass donnés, 0 utilisé ; le lieu le plus proche qui les accepte, Lieu a (Ouestville), "
        f"est à {round(far)}\u00a0min en voiture ou plus pour la moitié des habitants."
    )


def test_a_desert_ends_where_the_parameter_says():
    here = coverage(ACCEPTS)
    far = here.by_territory(TerritoryKind.COMMUNE)[3].median_min
    assert far is not None
    assert [d.code for d in deserts(counts(), here, minutes=ceil(far))] == []
    assert "99004" in {d.code for d in deserts(counts(), here, minutes=ceil(far) - 1)}


def test_without_any_accepting_site_all_are_deserts():
    found = deserts(counts(), coverage(REFUSES))
    assert [d.code for d in found] == ["99004", "99002", "99001"]
    assert found[0].median_min is None and "ne peut être atteint" in found[0].sentence


def test_flat_rows_have_one_figure_per_column():
    report = by_territory(counts(), TERRITORY, TerritoryKind.COMMUNE, coverage=coverage(ACCEPTS))
    first = flat(report.rows)[0]
    assert first["code"] == "99001" and first["given"] == 18 and first["accepting_sites"] == 1
    assert not any(isinstance(value, (dict, tuple, list)) for value in first.values())


def test_deserts_can_be_limited_to_an_order_or_a_year():
    def given(**asked):
        return [(desert.code, desert.given) for desert in deserts(counts(), coverage(REFUSES), **asked)]

    assert given() == [("99004", 40), ("99002", 20), ("99001", 18)]
    assert given(year=2026) == [("99004", 40), ("99002", 20), ("99001", 10)]
    assert given(year=2027) == given(order="B") == [("99001", 8)]
