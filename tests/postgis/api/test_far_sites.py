"""Pages serve, and weigh, the territory and its margin only, whatever else is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geo.store import sites, snapshots, territories
from tests.postgis.geo.store.test_store import store
from tests.support import world
from tests.support.serving import serving

NEAR = (
    world.record("a", 5, horaires="Mo 09:00-12:00"),
    world.record("b", 35, "99004"),
    world.record("c", 45, "96001", nom="Lieu voisin"),
)
FAR = [
    replace(
        world.record(f"loin-{n}", 150 + n / 10),
        nom=f"Lieu lointain {n}",
        commune=f"Ville lointaine {n % 50}",
        code_insee="75056",
        code_postal="75001",
    )
    for n in range(3_000)
]
PATHS = ("/carte", "/lieux", "/planifier", "/lieux/carte", "/api/v1/sites", "/api/v1/coverage", "/")


@pytest.fixture
def near_and_far(connection):
    """The pages of three sites, then those of the same three among 3,000 stored beyond the margin."""
    territories.save(connection, world.TERRITORY)
    store(connection, *NEAR)
    near = snapshots.read(connection)
    store(connection, *NEAR, *FAR)
    assert len(sites.stored(connection)) == len(NEAR) + len(FAR)
    far = snapshots.read(connection)
    pages = []
    for snapshot in (near, far):
        with serving(snapshot) as client:
            pages.append({path: client.get(path) for path in PATHS})
    return pages


def test_sites_beyond_the_margin_are_on_no_page_and_do_not_weigh_on_any(near_and_far):
    near, far = near_and_far
    for path in PATHS:
        assert (near[path].status_code, far[path].status_code) == (200, 200), path
        assert "lointain" not in far[path].text, path
        assert abs(len(far[path].content) - len(near[path].content)) < 100, path
    assert far["/api/v1/sites"].json()["total"] == len(NEAR)
    assert far["/api/v1/coverage"].json()["uncertainty"]["sites"] == len(NEAR)
    assert "Lieu voisin" in far["/carte"].text
