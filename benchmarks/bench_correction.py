"""How soon a correction is on each page: from the request that makes it to the page that shows it.

    python -m benchmarks.bench_correction [--times 3]

Corrects the telephone of one site of the database of the settings, then moves it by a metre, over HTTP in
this process, and asks each page as soon as the API has the value; ends the corrections at the end.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any
from urllib.parse import quote

from starlette.testclient import TestClient

from api.app import create_app
from geo.settings import Settings
from geo.store import tokens
from geo.store.database import engine_for

METRE = 1e-5
"""About a metre, in degrees."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args().times
    settings = Settings()
    with engine_for(settings).begin() as connection:
        token, secret = tokens.create(connection, "mesure", [tokens.Scope.SITES], days=1)
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {secret}"}) as client:
        found = client.get("/api/v1/sites?limit=500").json()
        feature = next(each for each in found["features"] if each["geometry"])
        site = f"/api/v1/sites/{quote(feature['id'], safe='')}"
        print(f"{found['total']} sites")
        try:
            measure(client, site, feature, times)
        finally:
            for each in client.get(f"{site}/corrections").json()["corrections"]:
                if each["reason"] == "mesure":
                    client.post(f"/api/v1/corrections/{each['id']}/end")
            with engine_for(settings).begin() as connection:
                tokens.revoke(connection, token.id)


def measure(client: TestClient, site: str, feature: dict[str, Any], times: int) -> None:
    """Print the median seconds after which each page shows a correction."""
    longitude, latitude = feature["geometry"]["coordinates"][:2]
    own = quote(feature["id"], safe="")
    pages = [
        "/",
        "/?ou=Agen",
        "/carte",
        "/planifier",
        "/lieux",
        f"/lieux/{own}",
        "/embed",
        "/api/v1/coverage",
    ]
    for page in pages:
        client.get(page)

    def after(values: dict[str, Any], shown: Callable[[dict[str, Any]], bool], page: str) -> float:
        begun = time.perf_counter()
        client.post(f"{site}/corrections", json={"values": values, "reason": "mesure"}).raise_for_status()
        while not shown(client.get(site).json()):
            time.sleep(0.005)
        client.get(page)
        return time.perf_counter() - begun

    number = 10
    for page in pages:
        called, moved = [], []
        for _ in range(times):
            number += 1
            phone, east = f"+335530000{number}", longitude + number * METRE
            called.append(
                after({"telephone": phone}, lambda s, p=phone: s["properties"]["telephone"] == p, page)
            )
            moved.append(
                after(
                    {"longitude": east, "latitude": latitude},
                    lambda s, x=east: abs(s["geometry"]["coordinates"][0] - x) < METRE / 10,
                    page,
                )
            )
        print(f"{page:40} telephone {median(called):.2f} s, point {median(moved):.2f} s")


if __name__ == "__main__":
    main()
