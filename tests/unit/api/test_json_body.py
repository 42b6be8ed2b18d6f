"""JSON bodies at their limits, and what must not enter through them."""

from __future__ import annotations

import json

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.json_body import DEPTH_MAX, MEMBERS_MAX, NESTED_LIST_MAX, parse_json
from api.problems import Refused


def parsed(body: bytes, media_type: str = "application/json"):
    headers = [(b"content-type", media_type.encode())]
    return parse_json(Request({"type": "http", "headers": headers}), body)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_what_is_declared_as_json_is_read(media_type):
    assert parsed(b'{"a": 1}', media_type) == {"a": 1}


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/jsonx", "application/problem+json"])
def test_what_is_not_declared_as_json_is_refused(media_type):
    with pytest.raises(HTTPException) as refusal:
        parsed(b"{}", media_type)
    assert refusal.value.status_code == 415


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": NaN}', b"\xff", b'"\\ud800"', b"[" * 100_000])
def test_what_is_not_valid_json_is_refused(body):
    with pytest.raises(HTTPException) as refusal:
        parsed(body)
    assert refusal.value.status_code == 400


@pytest.mark.parametrize(
    ("most", "body"),
    [
        (MEMBERS_MAX, lambda n: json.dumps({f"k{i}": i for i in range(n)}).encode()),
        (NESTED_LIST_MAX, lambda n: json.dumps({"a": list(range(n))}).encode()),
        (DEPTH_MAX + 1, nested),
    ],
    ids=["members", "items", "depth"],
)
def test_a_limit_is_accepted_and_one_more_refused(most, body):
    assert parsed(body(most))
    with pytest.raises(Refused):
        parsed(body(most + 1))


def test_a_body_that_is_a_list_has_the_limit_of_its_model():
    assert len(parsed(json.dumps([0] * (NESTED_LIST_MAX + 1)).encode())) == NESTED_LIST_MAX + 1


def test_a_list_around_an_object_counts_as_one_level():
    assert parsed(b"[" + nested(DEPTH_MAX) + b"]")
    with pytest.raises(Refused):
        parsed(b"[" + nested(DEPTH_MAX + 1) + b"]")


def test_the_refusal_names_the_path():
    with pytest.raises(Refused) as refusal:
        parsed(json.dumps([{"a": {"b": [0] * (NESTED_LIST_MAX + 1)}}]).encode())
    assert refusal.value.errors[0].parameter == "[0].a.b"


def test_texts_and_names_lose_what_nothing_should_store():
    assert parsed(b'{"n\\u0000om": " A\\u202eB\\nC "}') == {"nom": "AB\nC"}
