"""The page residents ask, in Chromium on a slow phone and a slow line: weight, time to the first list.

    python -m benchmarks.bench_find [--sites 400] [--runs 7] [--slowdown 4] [--latency 150]

Lot-et-Garonne with fictitious sites, served by one uvicorn worker on this machine to a fresh profile
each time. DevTools slows the processor and the line (1.6 Mbit/s, and a latency for each request). The
first list is painted when the browser reports its first contentful paint and the first number to call
is there. Targets: 60 kB with the list, 250 kB with the map, 1 s to the list at a slowdown of 4.
"""

from __future__ import annotations

import argparse
from statistics import median
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from api.app import create_app
from api.settings import ApiSettings
from geo.settings import Settings
from tests.support.browser import browser
from tests.support.crowd import lot_et_garonne
from tests.support.serving import HandKeeper, listening

LIST_KB, ALL_KB, LIMIT_MS = 60, 250, 1_000
LINE_BYTES_S = 1_600_000 / 8

_PAINTED = """() => new Promise(done => {
    const told = () => {
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        if (!paint || !document.querySelector("a.call")) return setTimeout(told, 10);
        done(paint.startTime);
    };
    told();
})"""


def visit_once(
    opened: Browser,
    address: str,
    *,
    slowdown: float,
    latency_ms: float,
    width: int,
    height: int,
    scripts: bool,
) -> tuple[float, dict[str, int]]:
    """Milliseconds to the first list, and bytes on the wire by path, the map's included."""
    context = opened.new_context(viewport={"width": width, "height": height}, java_script_enabled=scripts)
    page = context.new_page()
    page.route(lambda url: not url.startswith(address), lambda route: route.abort())
    devtools = context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    devtools.send("Network.enable")
    line = {
        "offline": False,
        "latency": latency_ms,
        "downloadThroughput": LINE_BYTES_S,
        "uploadThroughput": LINE_BYTES_S,
    }
    devtools.send("Network.emulateNetworkConditions", line)
    sizes: dict[str, int] = {}
    asked: dict[str, str] = {}
    devtools.on("Network.requestWillBeSent", lambda e: asked.update({e["requestId"]: e["request"]["url"]}))
    devtools.on(
        "Network.loadingFinished",
        lambda e: sizes.update({urlsplit(asked[e["requestId"]]).path[:50]: int(e["encodedDataLength"])}),
    )
    page.goto(f"{address}/?ou=Lavardac&besoin=demarches", wait_until="commit")
    painted = page.evaluate(_PAINTED)
    page.wait_for_load_state("networkidle")
    context.close()
    return painted, sizes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=400)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--slowdown", type=float, default=4)
    parser.add_argument("--latency", type=float, default=150, help="milliseconds for each request")
    asked = parser.parse_args()
    app = create_app(Settings(), HandKeeper(lot_et_garonne(asked.sites)), http=ApiSettings())
    with listening(app) as address, browser() as opened:
        measured = {
            name: [
                visit_once(
                    opened,
                    address,
                    slowdown=asked.slowdown,
                    latency_ms=asked.latency,
                    width=width,
                    height=height,
                    scripts=True,
                )
                for _ in range(asked.runs)
            ]
            for name, width, height in (("360 × 740", 360, 740), ("1280 × 800", 1280, 800))
        }
    print(
        f"319 communes, {asked.sites} sites; processor {asked.slowdown:g} × slower, "
        f"1.6 Mbit/s, {asked.latency:g} ms for each request"
    )
    for name, runs in measured.items():
        times = [painted for painted, _ in runs]
        sizes = runs[-1][1]
        told = f"first list {median(times):5.0f} ms (slowest {max(times):.0f})"
        print(f"\n{name}: {told}, {sum(sizes.values()) / 1_000:.1f} kB in all")
        for path, size in sorted(sizes.items(), key=lambda item: -item[1])[:12]:
            print(f"  {path:56}{size / 1_000:8.1f} kB")
    print(
        f"\ntargets: {LIMIT_MS} ms; {LIST_KB} kB with the list (the first window), "
        f"{ALL_KB} kB with the map (the second)"
    )


if __name__ == "__main__":
    main()
