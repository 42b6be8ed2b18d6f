"""What undecided questions change, on the pages and answers that read the database."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from geo.funding.partners import Partner, PartnerKind, SiteLink, SiteRole
from geo.store import partners, record_pairs, snapshots, territories
from tests.postgis.geo.store.test_store import pair, same_place, store
from tests.support import world

RANGE = "entre 2 et 3 selon 1 question à trancher"


@pytest.fixture
def doubtful(fresh_engine):
    """Three sites, of which two may be one place; a partner runs these two."""
    with fresh_engine.begin() as connection:
        territories.save(connection, world.TERRITORY)
        hours = {"horaires": "Mo-Fr 09:00-12:00"}
        store(connection, *(world.record(name, 5, **hours) for name in "ab"))
        store(connection, *(world.record(name, 5, **hours) for name in "ab"), world.record("c", 15, "99002"))
        record_pairs.replace_undecided(connection, [pair("a", "b")])
        partners.save(connection, Partner("caf", "CAF fictive", PartnerKind.PUBLIC), actor="essai")
        for name in "ab":
            link = SiteLink("caf", f"essai--{name}", SiteRole.RUNS)
            partners.link_site(connection, link, actor="essai")
        snapshots.publish(connection)
    return fresh_engine


@pytest.fixture
def client(doubtful, fresh_settings):
    with TestClient(create_app(fresh_settings)) as opened:
        yield opened


def figures_of(client, code):
    account = client.get(f"/api/v1/territories/{code}/account").json()
    return {each["code"]: each for section in account["sections"] for each in section["figures"]}


def test_an_account_has_the_least_number_of_sites_where_it_differs(client):
    whole = figures_of(client, "99")
    assert (whole["sites"]["value"], whole["sites_low"]["value"]) == (3, 2)
    assert RANGE in whole["sites_low"]["label"]
    assert figures_of(client, "99001")["sites_low"]["value"] == 1
    assert "sites_low" not in figures_of(client, "99002")


def test_pages_of_planners_show_the_range(client):
    for path in ("/territoires/99", "/mesures?mesure=lieux", "/planifier"):
        assert RANGE in client.get(path).text, path
    assert "selon les questions à trancher" in client.get("/mesures?mesure=offre").text
    assert "trancher" not in client.get("/mesures?mesure=temps").text


def test_once_it_is_decided_the_links_of_a_partner_are_one(doubtful, fresh_settings):
    with doubtful.begin() as connection:
        same_place(connection, "essai--a", "essai--b")
        snapshots.publish(connection)
    with TestClient(create_app(fresh_settings)) as client:
        (listed,) = client.get("/api/v1/partners").json()["partners"]
        assert listed["site_count"] == 1
        (link,) = client.get("/api/v1/partners/caf").json()["sites"]
        assert (link["site_id"], link["commune"]) == ("essai--a", "99001")
        assert "sites_low" not in figures_of(client, "99")
        assert "trancher" not in client.get("/mesures?mesure=lieux").text
