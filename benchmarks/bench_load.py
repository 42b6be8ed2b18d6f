"""Many readers at once while data are imported and the database is taken away: no read may fail.

    python -m benchmarks.bench_load [--clients 200] [--seconds 60] [--workers 2]

The demonstration, in a cluster of its own, served by `portee serve` on 127.0.0.1. Each client keeps one
connection, reads, thinks for about a second, and reads again: the list near a place, the page and the
sheet of data of a site, suggestions, the nearest sites. All the while the demonstration's file and its
update are imported in turn. A third of the way the database is stopped and started again; two thirds of
the way it is killed. A read fails when it is not answered, or with a status of 500 or more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from geo.settings import ROOT
from geo.sites.text import fold
from geo.store import cluster as embedded
from geo.territory.files import read_territory

THINK_S = (0.5, 1.5)
PATIENCE_S = 30.0


@dataclass
class Seen:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    aged: int = 0


def addresses(draw: random.Random) -> list[str]:
    """What residents ask, over the true communes."""
    communes = read_territory(ROOT / "data" / "communes", "47").communes
    needs = ("", "&besoin=demarches", "&prix=gratuit&quand=samedi", "&quand=maintenant")
    found = []
    for commune in communes:
        found.append(f"/?ou={quote(commune.name)}{draw.choice(needs)}")
        found.append(f"/api/v1/places?q={quote(fold(commune.name)[:6])}")
        found.append(f"/api/v1/sites/nearest?commune={commune.code}&k=5")
        found.append(f"/lieux/demonstration--lieu-fictif-{draw.randrange(1, 60):03}")
    return found


async def client(port: int, rank: int, paths: list[str], until: float, seen: Seen) -> None:
    """One reader, with an address of its own behind a proxy (one of those kept for documents)."""
    draw = random.Random(rank)
    head = f"Host: 127.0.0.1\r\nX-Forwarded-For: 203.0.113.{rank % 250 + 1}\r\nAccept-Encoding: gzip\r\n\r\n"
    reader = writer = None
    await asyncio.sleep(draw.uniform(0, 1))
    while time.monotonic() < until:
        path = draw.choice(paths)
        started = time.monotonic()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\n{head}".encode())
            status, headers = await asyncio.wait_for(_answer(reader), PATIENCE_S)
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError) as problem:
            seen.failures[f"{type(problem).__name__} on {path.partition('?')[0][:20]}"] += 1
            if writer is not None:
                writer.close()
            reader = writer = None
            continue
        seen.seconds.append(time.monotonic() - started)
        seen.statuses[status] += 1
        seen.aged += "portee-snapshot-age" in headers
        if headers.get("connection") == "close":
            writer.close()
            reader = writer = None
        await asyncio.sleep(draw.uniform(*THINK_S))
    if writer is not None:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer, its body read."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if headers.get("transfer-encoding") == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    else:
        await reader.readexactly(int(headers.get("content-length", 0)))
    return int(lines[0].split()[1]), headers


async def imports(environment: dict[str, str], until: float) -> Counter[str]:
    """Import a file and its update in turn; what became of each."""
    files = [ROOT / "data/demo/lieux-fictifs-47.csv", ROOT / "data/demo/mise-a-jour/lieux-fictifs-47.csv"]
    ended: Counter[str] = Counter()
    while time.monotonic() < until:
        for file in files:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "portee", "import", str(file), "--dataset", "demonstration"),
                cwd=ROOT,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            _, told = await process.communicate()
            ended["applied" if process.returncode == 0 else f"refused ({process.returncode})"] += 1
            if process.returncode and not ended["shown"]:
                ended["shown"] = 1
                print("an import refused said:", told.decode()[-300:].strip())
    return ended


async def trouble(cluster: embedded.Cluster, seconds: float) -> list[str]:
    """Stop and start the database, then kill it and start it again."""
    told = []
    await asyncio.sleep(seconds / 3)
    began = time.monotonic()
    await asyncio.to_thread(embedded.stop, cluster)
    await asyncio.sleep(3)
    await asyncio.to_thread(embedded.start, cluster)
    told.append(f"stopped, and away for {time.monotonic() - began:.1f} s")
    await asyncio.sleep(seconds / 3)
    began = time.monotonic()
    pid = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(3)
    await asyncio.to_thread(embedded.start, cluster)
    told.append(f"killed, and away for {time.monotonic() - began:.1f} s")
    return told


async def measure(port: int, home: Path, environment: dict[str, str], asked: argparse.Namespace) -> None:
    """Let everybody loose, then print what was seen."""
    seen, until = Seen(), time.monotonic() + asked.seconds
    paths = addresses(random.Random(47))
    readers = [client(port, rank, paths, until, seen) for rank in range(asked.clients)]
    *_, applied, told = await asyncio.gather(
        *readers, imports(environment, until), trouble(embedded.cluster_at(home), asked.seconds)
    )
    times = sorted(seen.seconds)
    print(f"{asked.clients} clients, {asked.seconds:g} s, {asked.workers} workers")
    print(
        f"reads {len(times)}: " + ", ".join(f"{n} × {status}" for status, n in sorted(seen.statuses.items()))
    )
    for share in (50, 95, 99):
        print(f"  p{share}: {times[len(times) * share // 100] * 1_000:.0f} ms")
    print(f"answered from a state said to be old: {seen.aged}")
    print("database " + "; ".join(told))
    print("imports: " + ", ".join(f"{n} {what}" for what, n in applied.items() if what != "shown"))
    failed = sum(seen.failures.values()) + sum(n for status, n in seen.statuses.items() if status >= 500)
    print(f"failed reads: {failed}   (target 0)", dict(seen.failures) if seen.failures else "")


def main() -> None:
    """Set up, measure, and leave nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="portee-", dir="/tmp") as folder:
        home = Path(folder)
        home.chmod(0o711)
        environment = {**os.environ, "PORTEE_HOME": str(home)}
        environment.pop("DATABASE_URL", None)
        portee = [sys.executable, "-m", "portee"]
        subprocess.run(
            [*portee, "demo", "--no-serve"], cwd=ROOT, env=environment, check=True, capture_output=True
        )
        serve = [*portee, "serve", "--port", str(port), "--workers", str(asked.workers)]
        server = subprocess.Popen(serve, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with socket.socket() as trial:
                    if trial.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.2)
            time.sleep(2)
            asyncio.run(measure(port, home, environment, asked))
        finally:
            server.terminate()
            server.wait(20)
            embedded.stop(embedded.cluster_at(home))


if __name__ == "__main__":
    main()
