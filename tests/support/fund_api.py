"""The fund over HTTP: bodies to post, and what its tests ask of the answers."""

from __future__ import annotations

from api.funding_schemas import PostedAnswer
from api.schemas import Problem

API = "/api/v1"
FUND = f"{API}/fund"
PARTNERS = f"{API}/partners"
KINDS = ("contributions", "commitments", "releases", "payments", "reversals")


def contribution(reference="C1", cents=100_000, **more):
    facts = {"reference": reference, "day": "2026-03-10", "amount_cents": cents}
    return {**facts, "partner_code": "caf", "level": "local", **more}


def commitment(reference="E1", cents=60_000, **more):
    facts = {"reference": reference, "day": "2026-03-11", "amount_cents": cents}
    return {**facts, "action_line": "pass", **more}


def payment(reference="P1", cents=25_000, of="E1", **more):
    facts = {"reference": reference, "day": "2026-03-12", "amount_cents": cents}
    return {**facts, "commitment": of, **more}


def refused(response, status=422):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return Problem.model_validate(response.json())


def names(problem):
    return {e.parameter for e in problem.errors or ()}


def posted(fund, noun, body, status=201):
    client, headers = fund
    response = client.post(f"{FUND}/{noun}", json=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["cache-control"] == "no-store"
    return PostedAnswer.model_validate_json(response.content)


def floats_of(value, path=""):
    if isinstance(value, float):
        yield path
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from floats_of(each, f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from floats_of(each, path)
