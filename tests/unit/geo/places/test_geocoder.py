"""The national geocoder, simulated by a local server."""

from __future__ import annotations

import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from geo.errors import UnknownPlace
from geo.places import geocoder
from geo.places.model import PlaceKind
from tests.support.world import TERRITORY, at


def feature(kind="housenumber", citycode="99001", x_km=4.0, score=0.97, **changes):
    point = at(x_km)
    properties = {
        "label": "12 Rue de l'Exemple 99100 Ouestville",
        "score": score,
        "housenumber": "12",
        "id": f"{citycode}_0010_00012",
        "type": kind,
        "name": "12 Rue de l'Exemple",
        "postcode": "99100",
        "citycode": citycode,
        "city": "Ouestville",
        "context": "99, Pays d'Essai",
        "importance": 0.5,
        "_type": "address",
    }
    geometry = {"type": "Point", "coordinates": [point.x, point.y]}
    return {"type": "Feature", "geometry": geometry, "properties": {**properties, **changes}}


def collection(*features):
    return orjson.dumps({"type": "FeatureCollection", "features": list(features)})


class StandIn:
    """A geocoder of this machine: answers what a test sets, and records its requests."""

    def __init__(self):
        self.status, self.body, self.delay_s = 200, collection(), 0.0
        self.asked: list[dict[str, list[str]]] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                stand_in.asked.append(parse_qs(urlsplit(self.path).query))
                self.send_response(stand_in.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                try:
                    for at in range(0, len(stand_in.body), 50):
                        time.sleep(stand_in.delay_s)
                        self.wfile.write(stand_in.body[at : at + 50])
                        self.wfile.flush()
                except OSError:
                    pass  # it hung up, as it should

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/geocodage/search"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def stand_in():
    server = StandIn()
    yield server
    server.close()


def ask(stand_in, text="12 rue de l'Exemple", **options):
    return geocoder.geocode(stand_in.url, text, 5, TERRITORY, **options)


def test_what_it_finds_becomes_places(stand_in):
    stand_in.body = collection(
        feature(),
        feature("street", x_km=15, citycode="99002", score=0.6),
        feature("locality", score=0.5),
        feature("municipality", label="Ouestville", score=0.4),
    )
    found = ask(stand_in)
    assert [place.kind for place in found] == [
        *(PlaceKind.ADDRESS, PlaceKind.STREET, PlaceKind.HAMLET, PlaceKind.COMMUNE),
    ]
    address = found[0]
    assert (address.label, address.commune, address.score) == (
        "12 Rue de l'Exemple 99100 Ouestville",
        "99001",
        0.97,
    )
    assert found[3].id == "commune-99001"
    assert stand_in.asked == [{"q": ["12 rue de l'Exemple"], "limit": ["5"]}]
    again = geocoder.place(address.id, TERRITORY)
    assert (again.longitude, again.latitude) == pytest.approx((address.longitude, address.latitude), abs=1e-5)
    assert again.label == "Adresse à Ouestville"


def test_what_lies_elsewhere_or_is_no_address_is_left_out(stand_in):
    stand_in.body = collection(feature(citycode="75112"), feature("poi"), feature(citycode="96001", x_km=45))
    assert [place.commune for place in ask(stand_in)] == ["96001"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, b"{}"),
        (500, b"oops"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"features": 3}'),
        (200, b'{"features": [{"properties": null}]}'),
        (200, b'{"features": [{"properties": {"type": "street", "citycode": "99001"}, "geometry": null}]}'),
        (200, b" " * (geocoder.ANSWER_MAX_BYTES + 1)),
        (200, b"\xff\xfe"),
    ],
)
def test_its_failures_find_nothing_and_never_log_the_query(stand_in, caplog, status, body):
    stand_in.status, stand_in.body = status, body
    with caplog.at_level(logging.DEBUG):
        assert ask(stand_in, "7 rue Secrète") == []
    assert len(caplog.records) == 1
    assert "Secr" not in caplog.text and "q=" not in caplog.text


def test_it_is_not_waited_for(stand_in, caplog):
    stand_in.body, stand_in.delay_s = collection(feature()) * 20, 0.05  # drop by drop
    began = time.monotonic()
    assert ask(stand_in, timeout_s=0.3) == []
    assert time.monotonic() - began < 5
    assert "TimeoutError" in caplog.text


def test_nobody_listening_finds_nothing(caplog):
    assert geocoder.geocode("http://127.0.0.1:9/search", "rue", 5, TERRITORY) == []
    assert geocoder.geocode("file:///etc/hostname", "rue de l'Exemple", 5, TERRITORY) == []
    assert len(caplog.records) == 2


@pytest.mark.parametrize("text", ["", "ab", "  ", "!!!", "'; --"])
def test_what_the_service_would_refuse_is_not_asked(stand_in, text):
    assert ask(stand_in, text) == [] and stand_in.asked == []


@pytest.mark.parametrize(
    "place_id",
    [
        *("", "geo-", "geo-0.00000_45.00000_99001", "geo-nan_nan_99001"),
        *("geo-1.00000_1.00000_00000", "geo-" + "1" * 400),
    ],
)
def test_an_identifier_that_leads_nowhere_is_refused(place_id):
    with pytest.raises(UnknownPlace):
        geocoder.place(place_id, TERRITORY)
