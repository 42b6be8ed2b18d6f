"""Nearest sites over HTTP against an empty route that returns the same bytes, on the same worker.

    python -m benchmarks.bench_api [--seconds 6] [--connections 16] [--k 5]

One uvicorn process (httptools, uvloop) serves the application over a territory the size of
Lot-et-Garonne with 250 sites, and beside it `/bench/empty`, a route of the same application that
answers fixed bytes of one nearest answer. The same bounded client drives both, turn by turn,
with keep-alive connections; points are drawn at random, so that nothing can answer from a cache.

A second process does the same by road, over an invented graph of 120,000 junctions with 200 sites; its
times are swept and kept before it is asked. Target: p99 at most 15 ms with filters.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import cast

import numpy as np
import uvicorn
import uvloop
from shapely import MultiPolygon, Point, box
from starlette.responses import Response
from starlette.testclient import TestClient

from api import logs
from api.app import create_app
from api.metrics import WorkerMetrics
from api.responses import GEOJSON
from api.settings import ApiSettings
from benchmarks.make_roads import roads, somewhere
from geo.crs import LAMBERT_93, WGS84, reproject
from geo.reach.graph import RoadGraph
from geo.reach.graph_files import checksum, roads_folder, write_graph
from geo.settings import Settings
from geo.sites import standard
from geo.sites.model import Site
from geo.snapshot import Snapshot
from geo.territory.model import Commune, Provenance, Territory
from tests.support.serving import HandKeeper

WEST, SOUTH, EAST, NORTH = -0.14, 43.97, 1.08, 44.77
SITES, COMMUNES = 250, 319
JUNCTIONS, SITES_BY_ROAD = 120_000, 200
POINTS = 5_000
TURN_S = 0.5
"""Short turns, one route after the other: a busy moment of the machine then falls on all alike."""


def commune(rank: int, longitude: float, latitude: float) -> Commune:
    return Commune(
        code=f"47{rank:03}",
        name=f"Commune fictive {rank}",
        departement_code="47",
        departement_name="Département fictif",
        postal_codes=("47000",),
        population=1_000,
        epci_code="200000000",
        epci_name="CC fictive",
        canton_code="4701",
        canton_name="Canton fictif",
        arrondissement_code="471",
        arrondissement_name="Arrondissement fictif",
        town_hall=Point(longitude, latitude),
        boundary=MultiPolygon([box(longitude, latitude, longitude + 0.03, latitude + 0.03)]),
    )


def site(rank: int, longitude: float, latitude: float) -> Site:
    return Site(
        id=f"banc--{rank:05}",
        pivot=standard.UNKNOWN_PIVOT,
        nom=f"Médiathèque fictive {rank}",
        commune=f"Commune fictive {rank}",
        code_postal="47000",
        code_insee=f"47{rank:03}",
        adresse=f"{rank} place de l'Exemple",
        date_maj=date(2026, 3, 2),
        latitude=latitude,
        longitude=longitude,
        typologie=("BIB",),
        telephone="+33199000000",
        courriels=("accueil@exemple.invalid",),
        site_web=("https://exemple.invalid",),
        horaires="Mo-Fr 09:00-12:00,14:00-17:00; Sa 09:00-12:00",
        presentation_resume="Lieu fictif, inventé pour mesurer la vitesse des réponses.",
        services=standard.SERVICES[:4],
        frais_a_charge=("Gratuit",),
        modalites_acces=standard.MODALITES_ACCES[:2],
        modalites_accompagnement=standard.MODALITES_ACCOMPAGNEMENT[:2],
        jeu_de_donnees="banc",
        fictif=True,
    )


def snapshot() -> Snapshot:
    """A made-up département: places at random in the box of the real one."""
    draw = np.random.default_rng(47)
    return Snapshot(
        version=1,
        taken_at=datetime(2026, 11, 2, 9, 0, tzinfo=UTC),
        territory=Territory(
            code="47",
            name="Département fictif",
            communes=tuple(commune(i, *xy) for i, xy in enumerate(places(draw, COMMUNES))),
            groupings=(),
            provenance=(
                Provenance("Communes", "Banc d'essai (fictif)", "2026", "Licence Ouverte 2.0"),
                Provenance("Population", "Banc d'essai (fictif)", "2023", "Licence Ouverte 2.0"),
            ),
        ),
        sites=tuple(site(i, *xy) for i, xy in enumerate(places(draw, SITES))),
        site_provenance=(Provenance("Lieux", "Banc d'essai (fictif)", "2026", "Licence Ouverte 2.0"),),
    )


def places(draw: np.random.Generator, count: int) -> list[tuple[float, float]]:
    xy = draw.uniform((WEST, SOUTH), (EAST, NORTH), (count, 2))
    return [(float(x), float(y)) for x, y in xy]


def points_on(graph: RoadGraph, count: int, *, seed: int) -> list[tuple[float, float]]:
    """Points in the extent of a graph, degrees."""
    xy = reproject(
        [Point(each) for each in somewhere(graph, count, seed=seed)], source=LAMBERT_93, target=WGS84
    )
    return [(float(point.x), float(point.y)) for point in xy]


def snapshot_by_road(graph: RoadGraph, home: Path) -> Snapshot:
    """The same département with the roads, kept below `home`, and sites beside them."""
    about = replace(graph.about, checksum=checksum(graph))
    write_graph(replace(graph, about=about), roads_folder(home))
    sites = tuple(site(i, *xy) for i, xy in enumerate(points_on(graph, SITES_BY_ROAD, seed=2)))
    return replace(snapshot(), sites=sites, roads=about)


def serve(port: int, k: int, home: Path, by_road: bool) -> None:
    """Run the application and its empty route, until killed."""
    held = snapshot_by_road(roads(JUNCTIONS), home) if by_road else snapshot()
    first = held.sites[0]
    # The log and the figures are on, as where the service is watched; nobody reads the lines.
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    logs.configure("json")
    app = create_app(
        Settings(detour_factor=1.3, home=home), HandKeeper(held), http=ApiSettings(), figures=WorkerMetrics()
    )
    with TestClient(app) as client:
        body = client.get(f"/api/v1/sites/nearest?lon={first.longitude}&lat={first.latitude}&k={k}").content

    @app.get("/bench/empty")
    async def empty() -> Response:
        return Response(body, media_type=GEOJSON)

    # The empty route is declared last: let both be found as quickly.
    app.router.routes.insert(0, app.router.routes.pop())
    uvicorn.run(
        app, host="127.0.0.1", port=port, http="httptools", loop="uvloop", access_log=False, log_level="error"
    )


class Client(asyncio.Protocol):
    """One keep-alive connection that asks, waits for the whole answer, and asks again."""

    def __init__(self, requests: list[bytes], until: float, latencies: list[float]) -> None:
        self.requests, self.until, self.latencies = requests, until, latencies
        self.turn = 0
        self.buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.ask()

    def ask(self) -> None:
        self.turn = (self.turn + 1) % len(self.requests)
        self.asked = time.perf_counter()
        self.transport.write(self.requests[self.turn])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.index(b"content-length: ") + 16
        length = int(head[at:].split(b"\r\n", 1)[0])
        if len(self.buffer) < end + 4 + length:
            return
        if not head.startswith(b"http/1.1 200"):
            self.done.set_exception(RuntimeError(self.buffer.decode()))
            self.transport.close()
            return
        now = time.perf_counter()
        self.latencies.append(now - self.asked)
        self.buffer = b""
        if now < self.until:
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def drive(
    port: int, paths: list[str], *, seconds: float, connections: int
) -> tuple[float, list[float]]:
    """Requests answered per second, and the time each took (s)."""
    requests = [f"GET {p} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for p in paths]
    latencies: list[float] = []
    start = time.perf_counter()
    loop = asyncio.get_running_loop()
    clients = []
    for turn in range(connections):
        shifted = requests[turn * 37 % len(requests) :] + requests[: turn * 37 % len(requests)]
        _, client = await loop.create_connection(
            lambda r=shifted: Client(r, start + seconds, latencies),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        clients.append(client)
    await asyncio.gather(*(c.done for c in clients))
    return len(latencies) / (time.perf_counter() - start), latencies


def wait_for(port: int) -> None:
    for _ in range(900):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The server did not start.")


def cpu_s(pid: int) -> float:
    """Processor time a process has used (s); unlike a rate, it hardly feels what else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running application."""

    process: multiprocessing.process.BaseProcess
    port: int

    @property
    def cpu_s(self) -> float:
        """Processor time it has used (s)."""
        return cpu_s(self.process.pid or 0)


def start(k: int, home: Path, *, by_road: bool) -> Server:
    """A server on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(port, k, home, by_road), daemon=True
    )
    process.start()
    return Server(process, port)


def main() -> None:
    """Measure each route and print its rate, its share of the empty one's, and the latencies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=6, help="per route, in turns of half a second")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--k", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portee-bench-") as home:
        servers = [start(asked.k, Path(home), by_road=by_road) for by_road in (False, True)]
        try:
            measure(servers[0], servers[1], asked)
        finally:
            for server in servers:
                server.process.terminate()
                server.process.join()


def measure(plain: Server, by_road: Server, asked: argparse.Namespace) -> None:
    """Drive both servers, turn by turn, and print the table."""
    wait_for(plain.port)
    wait_for(by_road.port)

    def nearest(points: list[tuple[float, float]]) -> list[str]:
        return [f"/api/v1/sites/nearest?lon={x:.6f}&lat={y:.6f}&k={asked.k}" for x, y in points]

    def filtered(paths: list[str]) -> list[str]:
        return [f"{p}&frais_a_charge=Gratuit&modalites_acces=T%C3%A9l%C3%A9phoner" for p in paths]

    straight = nearest(places(np.random.default_rng(1), POINTS))
    road = nearest(points_on(roads(JUNCTIONS), POINTS, seed=1))
    routes = {
        "empty": (plain, ["/bench/empty"]),
        "nearest": (plain, straight),
        "nearest, 2 filters": (plain, filtered(straight)),
        "by road": (by_road, road),
        "by road, 2 filters": (by_road, filtered(road)),
    }
    rates: dict[str, list[float]] = {name: [] for name in routes}
    times: dict[str, list[float]] = {name: [] for name in routes}
    spent = dict.fromkeys(routes, 0.0)
    for turn in range(int(asked.seconds / TURN_S) + 1):
        for name, (server, paths) in routes.items():
            used = server.cpu_s
            rate, latencies = uvloop.run(
                drive(server.port, paths, seconds=TURN_S, connections=asked.connections)
            )
            if turn:  # the first turn warms up
                rates[name].append(rate)
                times[name] += latencies
                spent[name] += server.cpu_s - used
    print(f"{'route':20}{'req/s':>9}{'of empty':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}")
    for name in routes:
        rate = median(rates[name])
        share = median(r / e for r, e in zip(rates[name], rates["empty"], strict=True))
        cpu = spent[name] / len(times[name]) * 1e6
        p50, p99 = np.percentile(times[name], (50, 99)) * 1_000
        print(f"{name:20}{rate:9.0f}{share:10.2f}{p50:9.2f}{p99:9.2f}{cpu:9.0f}")


if __name__ == "__main__":
    main()
