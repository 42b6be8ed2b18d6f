"""Corrections over HTTP: listed for all, made with a token."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import cast

import pytest

from api.correction_schemas import CorrectionOut, CorrectionsAnswer
from geo.services.snapshot_view import present_moment
from geo.store.tokens import Scope
from tests.postgis.geo.store.test_snapshot_watcher import eventually

SITE = "/api/v1/sites/essai--a"


@pytest.fixture
def clerk(fund_client, bearer):
    return fund_client, bearer(Scope.SITES, name="Bureau des lieux")[1]


def day(offset: int) -> str:
    return (present_moment().date() + timedelta(days=offset)).isoformat()


def corrections(client) -> list[CorrectionOut]:
    return CorrectionsAnswer.model_validate_json(client.get(f"{SITE}/corrections").content).corrections


def phone(client) -> str:
    return cast(str, client.get(SITE).json()["properties"]["telephone"])


def test_a_site_is_corrected_and_the_correction_ended(clerk):
    client, headers = clerk
    body = {"values": {"telephone": "05 53 00 00 02", "pass_numerique": True}, "reason": "appel"}
    made = client.post(f"{SITE}/corrections", json=body, headers=headers)
    assert made.status_code == 201, made.text
    said = {each.field: each for each in CorrectionsAnswer.model_validate_json(made.content).corrections}
    assert (said["telephone"].value, said["pass_numerique"].value) == ("+33553000002", True)
    assert "Bureau" not in client.get(f"{SITE}/corrections").text
    eventually(lambda: phone(client) == "+33553000002")
    assert client.post(f"{SITE}/corrections", json=body, headers=headers).status_code == 200
    ended = client.post(f"/api/v1/corrections/{said['telephone'].id}/end", headers=headers)
    assert {each["field"] for each in ended.json()["corrections"]} == {"telephone", "telephone_remarque"}
    eventually(lambda: not phone(client))
    again = client.post(f"/api/v1/corrections/{said['telephone'].id}/end", headers=headers)
    assert again.status_code == 409 and "déjà terminée" in again.json()["detail"]
    assert [each.state for each in corrections(client) if each.field == "pass_numerique"] == ["en_vigueur"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"values": {"telephone": "12", "courriels": ["rien"]}, "reason": "x"}, {"telephone", "courriels"}),
        ({"values": {"couleur": "bleu"}, "reason": "x"}, {"couleur"}),
        ({"values": {"telephone": {}}, "reason": "x"}, {"values"}),
        ({"values": {"telephone": "0553000002"}}, {"reason"}),
        ({"values": {"telephone": "0553000002"}, "reason": "x", "until": "2020-01-01"}, {"until"}),
        ({"clear": ["nom"], "reason": "x"}, {"nom"}),
    ],
)
def test_what_is_wrong_is_said_by_name_and_nothing_is_stored(clerk, body, names):
    client, headers = clerk
    answer = client.post(f"{SITE}/corrections", json=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert names <= {each["parameter"] for each in answer.json()["errors"]}
    assert corrections(client) == []


def test_a_site_is_closed_and_opened_again(clerk):
    client, headers = clerk
    closed = client.post(f"{SITE}/close", json={"reason": "travaux", "until": day(9)}, headers=headers)
    assert closed.status_code == 201, closed.text
    eventually(lambda: client.get("/api/v1/sites").json()["total"] == 1)
    twice = client.post(f"{SITE}/close", json={"reason": "travaux", "until": day(9)}, headers=headers)
    assert twice.status_code == 409
    assert client.post(f"{SITE}/reopen", json={}, headers=headers).status_code == 200
    eventually(lambda: client.get("/api/v1/sites").json()["total"] == 2)
    assert client.post(f"{SITE}/reopen", json={}, headers=headers).status_code == 409


def test_unknown_sites_and_corrections_are_not_found(clerk):
    client, headers = clerk
    body = {"values": {"telephone": "0553000002"}, "reason": "x"}
    for answer in (
        client.get("/api/v1/sites/essai--zzz/corrections"),
        client.post("/api/v1/sites/essai--zzz/corrections", json=body, headers=headers),
        client.post("/api/v1/sites/essai--zzz/close", json={"reason": "x"}, headers=headers),
        client.post("/api/v1/corrections/999/end", headers=headers),
        client.post(f"/api/v1/corrections/{10**18}/end", headers=headers),
    ):
        assert answer.status_code == 404, answer.text
        assert json.loads(answer.content)["detail"]
    assert client.post("/api/v1/corrections/x/end", headers=headers).status_code == 422


def test_only_a_token_of_the_scope_corrects(clerk, bearer):
    client, _ = clerk
    others = bearer(*(scope for scope in Scope if scope is not Scope.SITES))[1]
    body = {"values": {"telephone": "0553000002"}, "reason": "x"}
    for path in ("corrections", "close", "reopen"):
        assert client.post(f"{SITE}/{path}", json=body, headers=others).status_code == 403
        assert client.post(f"{SITE}/{path}", json=body).status_code == 401
