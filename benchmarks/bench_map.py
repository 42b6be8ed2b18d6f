"""The map of a département in Chromium: weight on the wire, time until it answers.

    python -m benchmarks.bench_map [--sites 250] [--runs 7] [--slowdown 4]

Lot-et-Garonne with fictitious sites, written by `static_maps.build.render` and served with gzip
from this machine to a fresh profile each time; the processor is slowed down through DevTools.
Interactive is the mark the page sets one frame after its last handler is in place; search is the
time from a key to the propositions on screen. Targets: 400 kB in all, 1.5 s at a slowdown of 4.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from geo.coverage.analysis_context import AnalysisContext
from geo.reach.travel import Travel
from static_maps.build import render
from static_maps.settings import MapSettings
from tests.support.browser import TILE, browser, serving
from tests.support.crowd import lot_et_garonne

LIMIT_KB, LIMIT_S = 400, 1.5

_TIMES = """() => new Promise(done => {
    const told = () => {
        const [mark] = performance.getEntriesByName("portee-interactive");
        if (!mark) return setTimeout(told, 20);
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        const own = performance.getEntriesByType("resource")
            .filter(r => r.name.startsWith(location.origin) && !r.name.includes("tile.png"));
        const page = performance.getEntriesByType("navigation")[0];
        done({
            paint: paint ? paint.startTime : NaN,
            interactive: mark.startTime,
            sizes: Object.fromEntries([page, ...own].map(r => [r.name, r.encodedBodySize])),
        });
    };
    told();
})"""
_SEARCH = """() => new Promise(done => {
    const input = document.getElementById("recherche");
    const start = performance.now();
    input.value = "saint";
    input.dispatchEvent(new Event("input"));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""


@dataclass(frozen=True)
class Run:
    """One visit: milliseconds, and bytes by address."""

    paint: float
    interactive: float
    search: float
    sizes: dict[str, int]


def visit_once(opened: Browser, address: str, *, slowdown: float, width: int, height: int) -> Run:
    """Open the page in a fresh profile on a slowed processor."""
    context = opened.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    page.goto(address, wait_until="commit")
    times = page.evaluate(_TIMES)
    search = page.evaluate(_SEARCH)
    context.close()
    return Run(times["paint"], times["interactive"], search, times["sizes"])


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=250)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--slowdown", type=float, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, browser() as opened, serving(Path(folder)) as address:
        # Tiles come from here too: intercepting requests would slow every one of them.
        (Path(folder) / "tile.png").write_bytes(TILE)
        settings = MapSettings(tiles_url=f"{address}tile.png?{{z}}/{{x}}/{{y}}")
        travel = Travel(None, detour_factor=1.3)
        frame = AnalysisContext(lot_et_garonne(asked.sites), travel, date(2026, 6, 8))
        render(frame, Path(folder), settings=settings)
        measured = {
            name: [
                visit_once(opened, address, slowdown=asked.slowdown, width=width, height=height)
                for _ in range(asked.runs)
            ]
            for name, width, height in (("360 × 740", 360, 740), ("1280 × 800", 1280, 800))
        }
        sizes = {url.removeprefix(address) or "index.html": n for url, n in _sizes(measured).items()}

    print(f"319 communes, {asked.sites} sites, gzip\n")
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{name:62}{size / 1_000:8.1f} kB")
    total = sum(sizes.values()) / 1_000
    print(f"{'all told':62}{total:8.1f} kB   (target {LIMIT_KB})\n")
    print(f"processor slowed {asked.slowdown:g} ×, {asked.runs} runs: median (slowest), ms")
    print(f"{'window':16}{'first paint':>18}{'interactive':>18}{'search':>16}")
    for name, runs in measured.items():
        columns = [[getattr(r, what) for r in runs] for what in ("paint", "interactive", "search")]
        told = [f"{median(c):.0f} ({max(c):.0f})" for c in columns]
        print(f"{name:16}{told[0]:>18}{told[1]:>18}{told[2]:>16}")
    print(f"target: interactive under {LIMIT_S * 1_000:.0f} ms")


def _sizes(measured: dict[str, list[Run]]) -> dict[str, int]:
    return {url: n for runs in measured.values() for run in runs for url, n in run.sizes.items()}


if __name__ == "__main__":
    main()
