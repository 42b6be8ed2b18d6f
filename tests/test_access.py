"""Access in a country one can count by hand."""

from __future__ import annotations

import pytest

from geo.coverage.access import AccessParameters, access, records
from geo.sites.filters import SiteFilter
from geo.territory.model import Kind
from tests.world import at, site, snapshot


def rows(kind=Kind.COMMUNE, *, sites=(), **parameters):
    coverage = access(snapshot(*sites), kind, AccessParameters(detour_factor=1.0, **parameters))
    return {row.code: row for row in coverage.rows}


def test_a_site_at_the_town_hall_is_at_no_distance_from_it():
    assert rows(sites=[site("a", 5)])["99001"].nearest_distance_m == pytest.approx(0, abs=1e-3)


def test_distance_is_counted_from_town_hall_to_the_nearest_site():
    found = rows(sites=[site("a", 5), site("b", 38, "99004")])
    assert found["99002"].nearest_distance_m == pytest.approx(10_000, rel=1e-6)
    assert found["99002"].nearest_site_id == "essai--a"
    assert found["99003"].nearest_distance_m == pytest.approx(13_000, rel=1e-6)
    assert found["99003"].nearest_site_id == "essai--b"


def test_a_site_across_the_border_serves_but_is_not_counted():
    found = rows(sites=[site("x", 41, "96001")])
    assert found["99004"].nearest_distance_m == pytest.approx(6_000, rel=1e-6)
    assert found["99004"].site_count == 0
    assert sum(r.site_count for r in found.values()) == 0


def test_shares_of_a_grouping_weigh_its_inhabitants():
    whole = rows(Kind.DEPARTEMENT, sites=[site("a", 5)], thresholds_m=(5_000, 10_001, 15_000))["99"]
    # 1 000 at 0 km, 2 000 at 10 km, nobody at 20 km, 4 000 at 30 km
    assert whole.share_within == pytest.approx((1 / 7, 3 / 7, 3 / 7), abs=1e-9)
    assert whole.nearest_distance_m == pytest.approx((2_000 * 10_000 + 4_000 * 30_000) / 7_000, rel=1e-6)
    assert whole.sites_per_10k == pytest.approx(10_000 / 7_000)


def test_the_detour_factor_lengthens_every_distance():
    longer = access(snapshot(site("a", 5)), Kind.COMMUNE, AccessParameters(detour_factor=1.3)).rows
    assert longer[1].nearest_distance_m == pytest.approx(13_000, rel=1e-6)


def test_a_commune_without_people_has_no_share_and_no_gap():
    empty = rows(sites=[site("a", 5)])["99003"]
    assert empty.share_within == (None, None, None)
    assert empty.sites_per_10k is None
    assert empty.gap_person_km == 0 and empty.gap_rank is None
    assert empty.nearest_distance_m == pytest.approx(20_000, rel=1e-6)


def test_gaps_rank_people_times_excess_distance():
    found = rows(sites=[site("a", 5)])
    assert found["99002"].gap_person_km == pytest.approx(2_000 * 5, rel=1e-6)
    assert found["99004"].gap_person_km == pytest.approx(4_000 * 25, rel=1e-6)
    assert [found[c].gap_rank for c in ("99001", "99002", "99003", "99004")] == [None, 2, None, 1]


def test_without_any_site_nothing_is_near_and_nothing_breaks():
    for kind in Kind:
        for row in rows(kind).values():
            assert row.nearest_site_id is None and row.nearest_distance_m is None
            assert row.gap_person_km is None and row.gap_rank is None
            assert all(share in (0.0, None) for share in row.share_within)


def test_an_unlocated_site_is_counted_but_reaches_nobody():
    coverage = access(snapshot(site("a", None)), Kind.COMMUNE)
    assert coverage.unlocated == 1
    assert coverage.rows[0].site_count == 1 and coverage.rows[0].nearest_distance_m is None


def test_only_sites_that_meet_the_filter_count():
    paying = site("p", 15, "99002", frais_a_charge=("Payant",))
    free = SiteFilter.of({"frais_a_charge": ["Gratuit"]})
    found = rows(sites=[site("a", 5), paying], filter=free)
    assert found["99002"].nearest_site_id == "essai--a"
    assert found["99002"].site_count == 0


def test_groupings_add_up_to_the_whole():
    sites = [site("a", 5), site("b", 38, "99004"), site("c", 16, "99002")]
    whole = rows(Kind.DEPARTEMENT, sites=sites)["99"]
    for kind in Kind:
        parts = rows(kind, sites=sites).values()
        assert sum(p.population for p in parts) == whole.population
        assert sum(p.site_count for p in parts) == whole.site_count
        assert sum(p.gap_person_km for p in parts) == pytest.approx(whole.gap_person_km)


def test_records_name_each_threshold():
    first = records(access(snapshot(site("a", 5)), Kind.COMMUNE))[0]
    assert first["code"] == "99001"
    assert [first[f"share_within_{m}_m"] for m in (5_000, 10_000, 15_000)] == [1.0, 1.0, 1.0]


def test_the_corner_of_the_country_is_where_the_drawing_says():
    assert at(0, 0).distance(at(10, 0)) > 0.1
