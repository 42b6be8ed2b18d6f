"""CSV of the API is RFC 4180 unless French Excel is asked for; the values are the same."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from tests.support.serving import serving
from tests.support.world import site, snapshot


@pytest.fixture(scope="module")
def client():
    with serving(snapshot(site("ouest", 5), site("est", 35, code_insee="99004"))) as client:
        yield client


def rows(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    "address",
    ["/api/v1/coverage?format=csv&", "/api/v1/gaps?format=csv&beyond_min=10&", "/api/v1/sites.csv?"],
)
def test_french_excel_has_the_same_values_in_its_own_dialect(client, address):
    plain = client.get(address)
    french = client.get(f"{address}dialect=excel-fr")
    assert not plain.content.startswith(b"\xef\xbb\xbf")
    assert french.content.startswith(b"\xef\xbb\xbf") and french.content.count(b"\xef\xbb\xbf") == 1
    asked, found = rows(plain.text, ","), rows(french.content.decode("utf-8-sig"), ";")
    assert len(asked) > 1
    assert asked == rows(client.get(f"{address}dialect=rfc4180").text, ",")
    decimals = 0
    for one, other in zip(asked, found, strict=True):
        for cell, translated in zip(one, other, strict=True):
            if cell != translated and cell not in ("true", "false"):
                decimals += 1
                assert "." in cell and float(translated.replace(",", ".")) == float(cell)
                assert "." not in translated
    assert decimals > 1
    assert plain.headers["ETag"] != french.headers["ETag"]


def test_a_dialect_that_does_not_exist_is_refused(client):
    refused = client.get("/api/v1/sites.csv?dialect=excel")
    assert refused.status_code == 422
    assert "rfc4180" in refused.text and "excel-fr" in refused.text
