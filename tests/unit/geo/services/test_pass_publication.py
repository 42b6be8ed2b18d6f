"""Which pass counts may be published, on sums counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from geo.errors import UnknownOrder
from geo.funding.pass_reports import Desert, PassCounts
from geo.funding.passes import Order
from geo.reach.modes import Mode
from geo.services.pass_publication import Publication, is_large, publication, publishable_sentence
from geo.territory.model import TerritoryKind
from tests.support.world import TERRITORY, site, snapshot

A = Order("A", date(2025, 1, 1), 500, date(2026, 12, 31), (("caf", 500),))
B = replace(A, reference="B")
COMMUNE, DEPARTEMENT = TerritoryKind.COMMUNE, (TerritoryKind.DEPARTEMENT, "99")


def counts(*rows, orders=(A,)):
    """Sums of passes given: rows of (order, commune, year, passes); nothing is used or expires."""
    order, commune, year, given = zip(*rows, strict=True)
    nothing = np.zeros(len(rows), dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)
    return PassCounts(
        orders=orders,
        order=np.array(order, dtype=np.intp),
        commune=np.array(commune),
        year=np.array(year, dtype=np.int64),
        given=np.array(given, dtype=np.int64),
        used=nothing,
        expired=nothing,
        wait_row=none,
        wait_days=none,
        wait_passes=none,
        by_day=(),
        by_site=(),
    )


LARGE = ((0, "99001", 2025, 20), (0, "99002", 2025, 20), (0, "99004", 2025, 20))


@pytest.mark.parametrize(("count", "large"), [(0, True), (1, False), (4, False), (5, True)])
def test_a_count_is_published_from_five_persons_or_when_it_is_none(count, large):
    assert is_large(count) is large


def test_large_counts_are_all_published():
    public = publication(counts(*LARGE), TERRITORY, None, 2025)
    assert all(public.publishes("given", COMMUNE, c.code) for c in TERRITORY.communes)
    assert "given" in public.whole and public.cents


@pytest.mark.parametrize(("passes", "published"), [(4, False), (5, True)])
def test_a_small_count_is_withheld_and_not_alone(passes, published):
    rows = ((0, "99001", 2025, 20), (0, "99002", 2025, passes), (0, "99004", 2025, 20))
    public = publication(counts(*rows), TERRITORY, None, 2025)
    assert public.publishes("given", COMMUNE, "99002") is published
    withheld = [c.code for c in TERRITORY.communes if not public.publishes("given", COMMUNE, c.code)]
    assert len(withheld) != 1


def test_a_sum_over_years_is_published_if_that_of_every_year_is():
    rows = (*LARGE, *((0, code, 2026, n) for code, n in (("99001", 20), ("99002", 3), ("99004", 20))))
    every = counts(*rows)
    assert not publication(every, TERRITORY, None, None).publishes("given", COMMUNE, "99002")
    assert not publication(every, TERRITORY, None, 2026).publishes("given", COMMUNE, "99002")
    assert publication(every, TERRITORY, None, 2025).publishes("given", COMMUNE, "99002")


@pytest.mark.parametrize(("passes", "published"), [(4, False), (5, True)])
def test_the_total_is_withheld_with_a_small_count_outside_the_territory(passes, published):
    for outside in ("", "96001"):
        public = publication(counts(*LARGE, (0, outside, 2025, passes)), TERRITORY, None, 2025)
        assert ("given" in public.whole) is published
        assert public.publishes("given", *DEPARTEMENT)


def test_of_one_order_only_the_departement_is_published():
    public = publication(counts(*LARGE), TERRITORY, "A", None)
    for kind in TerritoryKind:
        for group in TERRITORY.groupings_of(kind):
            assert public.publishes("given", kind, group.code) is (kind is TerritoryKind.DEPARTEMENT)
    assert "given" in public.whole


@pytest.mark.parametrize(
    ("row", "published"), [((1, "99001", 2025, 4), False), ((1, "99001", 2025, 5), True)]
)
def test_of_one_order_nothing_is_published_beside_a_small_other_one(row, published):
    two = counts(*LARGE, row, orders=(A, B))
    public = publication(two, TERRITORY, "A", None)
    assert public.publishes("given", *DEPARTEMENT) is published
    assert ("given" in public.whole) is published


def test_of_one_order_a_small_year_withholds_the_total_even_when_another_is_asked():
    rows = (*LARGE, (0, "99001", 2026, 4))
    assert not publication(counts(*rows), TERRITORY, "A", 2025).publishes("given", *DEPARTEMENT)


@pytest.mark.parametrize(("cents", "published"), [(1_000, True), (1_500, False)])
def test_amounts_are_published_while_all_passes_have_one_value(cents, published):
    orders = (A, replace(B, face_value_cents=cents))
    assert publication(counts(*LARGE, orders=orders), TERRITORY, None, 2025).cents is published


def test_an_unknown_order_is_refused():
    with pytest.raises(UnknownOrder):
        publication(counts(*LARGE), TERRITORY, "Z", None)


HERE = snapshot(site("a", 5, pass_numerique=True))
FAR = Desert("99004", "Estbourg", 30, 12, 26.4, "essai--a", "Estbourg : 30 pass donnés.")


@pytest.mark.parametrize(
    ("hidden", "given", "used"), [({"given"}, False, True), ({"used"}, True, False), (set(), True, True)]
)
def test_a_sentence_counts_nobody_when_a_count_is_withheld(hidden, given, used):
    withheld = {
        m: frozenset({(COMMUNE, "99004")} if m in hidden else ()) for m in ("given", "used", "expired")
    }
    public = Publication(withheld, frozenset(), True)
    found = publishable_sentence(FAR, public, HERE, Mode.CAR)
    assert found[:2] == (given, used)
    assert ("30 pass" in found[2]) is (given and used)
    assert hidden == set() or "Lieu a, est à 26\N{NO-BREAK SPACE}min" in found[2]


def test_a_desert_without_any_site_says_so():
    alone = replace(FAR, median_min=None, nearest_site_id=None)
    everything = frozenset({(COMMUNE, "99004")})
    public = Publication(dict.fromkeys(("given", "used", "expired"), everything), frozenset(), True)
    assert "aucun lieu qui les accepte" in publishable_sentence(alone, public, HERE, Mode.CAR)[2]
    assert publishable_sentence(FAR, None, HERE, Mode.CAR) == (True, True, FAR.sentence)
