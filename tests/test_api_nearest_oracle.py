"""Nearest sites over the real communes against a slow, plain answer that shares no code with ours."""

from __future__ import annotations

from dataclasses import replace
from math import hypot

import numpy as np
import pytest
from pyproj import Transformer

from geo.settings import ROOT
from geo.territory.files import read_territory
from tests.serving import serving
from tests.world import site, snapshot

K = 4
DETOUR = 1.3


@pytest.fixture(scope="module")
def real():
    return read_territory(ROOT / "data" / "communes", "47")


@pytest.fixture(scope="module")
def sites():
    draw = np.random.default_rng(4747)
    placed = draw.uniform((-0.3, 43.8), (1.2, 44.9), (120, 2)).tolist()
    kinds = [("Gratuit",), ("Payant",)]
    return [
        replace(site(f"{n:03}", None), longitude=lon, latitude=lat, frais_a_charge=kinds[n % 2])
        for n, (lon, lat) in enumerate(placed)
    ] + [site("perdu", None)]


@pytest.mark.parametrize("paid", [False, True])
def test_every_town_hall_finds_what_measuring_one_by_one_finds(real, sites, paid):
    plane = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True).transform
    measured = {
        s.id: plane(s.longitude, s.latitude)
        for s in sites
        if s.longitude is not None and (not paid or s.frais_a_charge == ("Payant",))
    }
    query = "&frais_a_charge=Payant" if paid else ""
    with serving(replace(snapshot(*sites), territory=real)) as client:
        for commune in real.communes:
            x, y = plane(commune.town_hall.x, commune.town_hall.y)
            plain = sorted((DETOUR * hypot(sx - x, sy - y), name) for name, (sx, sy) in measured.items())[:K]
            answer = client.get(f"/api/v1/sites/nearest?commune={commune.code}&k={K}{query}").json()
            assert [f["id"] for f in answer["features"]] == [name for _, name in plain]
            told = [f["properties"]["distance_m"] for f in answer["features"]]
            assert told == pytest.approx([metres for metres, _ in plain], abs=0.51)
    assert len(real.communes) == 319
