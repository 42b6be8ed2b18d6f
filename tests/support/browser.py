"""The real browser: Chromium, its every request recorded, none let out to another host."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, sync_playwright

from portee.commands.doctor import find_chromium

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
TILE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c6378f1ee0e00057402b39470b4cc0000000049454e44ae426082"
)
"""A light tile of one pixel, served in place of the base map's."""


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium, closed at the end."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Visit:
    """A page, and all that happened while it was open."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def hosts(self) -> set[str]:
        """Hosts asked, file and data addresses left out."""
        return {urlsplit(url).netloc for url in self.requests if url.startswith(("http:", "https:", "ws"))}


@contextmanager
def visit(
    opened: Browser,
    url: str,
    *,
    width: int = 1280,
    height: int = 800,
    tiles: bool = False,
    reduced_motion: bool = True,
    ready: str = "html[data-ready]",
    **context_options: Any,
) -> Iterator[Visit]:
    """Open an address and wait until its map is drawn; other hosts get nothing, or a blank tile.

    `ready` is what a page shows once it is there, where that is not a map.

    Failed requests for tiles are not among the errors: the browser writes them to the console,
    and a page can't help it.
    """
    context = opened.new_context(
        viewport={"width": width, "height": height},
        reduced_motion="reduce" if reduced_motion else "no-preference",
        locale="fr-FR",
        **context_options,
    )
    seen = Visit(context.new_page())
    page, home = seen.page, urlsplit(url).netloc

    def answer(route: Route) -> None:
        target = urlsplit(route.request.url)
        if target.scheme in ("file", "data", "blob") or (home and target.netloc == home):
            route.continue_()
        elif tiles:
            route.fulfill(body=TILE, content_type="image/png")
        else:
            route.abort()

    page.route("**/*", answer)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda problem: seen.errors.append(str(problem)))
    page.on(
        "console",
        lambda told: (
            seen.errors.append(told.text)
            if told.type in ("error", "warning") and "net::ERR_FAILED" not in told.text
            else None
        ),
    )

    def refuse(dialog: object) -> None:
        seen.dialogs.append(dialog.message)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", refuse)
    try:
        page.goto(url)
        page.wait_for_selector(ready, state="attached", timeout=15_000)
        yield seen
    finally:
        context.close()


@lru_cache(maxsize=64)
def _packed(path: Path, _modified: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6, mtime=0)


class _Compressed(SimpleHTTPRequestHandler):
    """Files of a folder, compressed as a static host would."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        packed = path.suffix != ".png"
        body = _packed(path, path.stat().st_mtime_ns) if packed else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(body)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder, compressed, on a free port of this machine; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Compressed, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
