"""A second origin, whose pages embed those of the service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def hosting(port: int = 0) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve an empty second origin; yields its address and its pages by path, for the test to fill in."""
    pages: dict[str, str] = {}

    class Host(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Host)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def host_page(body: str) -> str:
    return (
        '<!DOCTYPE html><html lang="fr"><head><meta name="viewport" content="width=device-width">'
        "<title>Mairie fictive</title></head><body>"
        f"<h1>Mairie fictive</h1>{body}<p>Fin de la page.</p></body></html>"
    )
