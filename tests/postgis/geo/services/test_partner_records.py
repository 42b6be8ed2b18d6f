"""Partners saved with their agreements and sites, without HTTP."""

from __future__ import annotations

import pytest

from geo.errors import InvalidParameter
from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole
from geo.services.partner_records import is_saved, save_partner
from geo.store import partners
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support.world import record

CAF = Partner("caf", "CAF fictive", PartnerKind.PUBLIC)
RUNS_A, SUPPORTS_A, RUNS_B = (
    SiteLink("caf", f"essai--{name}", role)
    for name, role in (("a", SiteRole.RUNS), ("a", SiteRole.SUPPORTS), ("b", SiteRole.RUNS))
)


@pytest.fixture
def store(fresh_engine):
    fill(fresh_engine, record("a", 5), record("b", 15, "99002"))
    with fresh_engine.begin() as connection:
        yield connection


def save(store, partner=CAF, conventions=(), links=None):
    return save_partner(store, partner, conventions, links, actor="essai")


def test_a_partner_is_new_once_and_its_sites_are_those_last_given(store):
    assert not is_saved(store, "caf")
    assert save(store, links=[RUNS_A, RUNS_B])
    assert not save(store, links=None)
    assert set(partners.partner_sites(store, "caf")) == {RUNS_A, RUNS_B}
    save(store, links=[SUPPORTS_A])
    assert partners.partner_sites(store, "caf") == [SUPPORTS_A]
    save(store, links=[])
    assert partners.partner_sites(store, "caf") == []


def test_agreements_are_added_or_replace_their_note(store):
    save(store, conventions=[Convention("caf", 2026, "D-1", "un an")])
    save(store, conventions=[Convention("caf", 2027, "D-1"), Convention("caf", 2026, "D-1", "deux ans")])
    assert [(c.year, c.note) for c in partners.conventions(store, "caf")] == [(2026, "deux ans"), (2027, "")]


@pytest.mark.parametrize("code", ["CAF", "a\x00b", "x" * 61, ""])
def test_a_code_that_cannot_be_stored_is_refused_before_any_query(store, code):
    with pytest.raises(InvalidParameter) as refusal:
        save(store, Partner(code, "CAF", PartnerKind.PUBLIC))
    assert refusal.value.parameter == "code"
    assert save(store, Partner("x" * 60, "CAF", PartnerKind.PUBLIC))
