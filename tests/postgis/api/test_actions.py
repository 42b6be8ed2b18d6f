"""Actions over HTTP: public without counts of people, saved with a token."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.funding_schemas import ActionAnswer, ActionsAnswer, PartnerAnswer
from api.schemas import Problem
from geo.errors import OperatorError
from geo.funding.partners import Partner, PartnerKind
from geo.store import audit, partners, tokens
from geo.store.tokens import Scope
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support.serving import serving
from tests.support.world import record, site, snapshot

ACTIONS = "/api/v1/actions"


def training(reference="F1", participants=12, **more):
    measures = {"audience": "users", "sessions": 2, "hours": 3.5, "participants": participants}
    facts = {"reference": reference, "kind": "training", "day": "2026-03-10", "commune": "99001"}
    return {**facts, "amount_cents": 45_000, "partner_code": "caf", "measures": measures, **more}


@pytest.fixture
def bearer(fresh_engine):
    def made(*scopes):
        with fresh_engine.begin() as connection:
            token, secret = tokens.create(connection, "Animation", scopes or (Scope.ACTIONS,), days=30)
        return token, {"Authorization": f"Bearer {secret}"}

    return made


@pytest.fixture
def client(fresh_engine, fresh_settings):
    fill(fresh_engine, record("a", 5))
    with fresh_engine.begin() as connection:
        partners.save(connection, Partner("caf", "CAF fictive", PartnerKind.PUBLIC), actor="essai")
    with TestClient(create_app(fresh_settings)) as client:
        yield client


def test_a_kind_declared_by_the_settings_is_saved_listed_and_withheld(
    fresh_engine, fresh_settings, bearer, tmp_path
):
    path = tmp_path / "kinds.toml"
    path.write_text(
        '[lending]\nlabel = "prêt de matériel"\n[lending.measures.borrowers]\nlabel = "emprunteurs"\n'
        'unit = "personnes"\ntype = "int"\nmin = 0\nsecret = true\n',
        "utf-8",
    )
    fill(fresh_engine, record("a", 5))
    settings = fresh_settings.model_copy(update={"action_kinds": path})
    _, header = bearer()
    lent = {"reference": "P1", "kind": "lending", "day": "2026-03-10", "commune": "99001"}
    with TestClient(create_app(settings)) as client:
        made = client.post(ACTIONS, headers=header, json={**lent, "measures": {"borrowers": 3}})
        assert made.status_code == 201 and made.json()["action"]["kind_label"] == "prêt de matériel"
        facts = client.get(ACTIONS).json()
        assert facts["totals"][0] | {"value": None, "withheld": True} == facts["totals"][0]
        account = client.get("/api/v1/territories/99001/account", params={"year": 2026}).json()
    figures = {f["code"]: f for section in account["sections"] for f in section["figures"]}
    assert figures["lending.actions"]["value"] == 1
    assert figures["lending.borrowers"]["value"] is None


def test_the_application_does_not_start_with_unreadable_kinds(fresh_settings, tmp_path):
    path = tmp_path / "kinds.toml"
    path.write_text("[lending]", "utf-8")
    with pytest.raises(OperatorError, match="needs a label"):
        create_app(fresh_settings.model_copy(update={"action_kinds": path}))


@pytest.fixture
def desk(client, bearer):
    return client, bearer()[1]


def refused(response, status=422):
    assert response.status_code == status, response.text
    return Problem.model_validate(response.json())


def names(problem):
    return {e.parameter for e in problem.errors or ()}


def saved(desk, body, status=201):
    client, headers = desk
    response = client.post(ACTIONS, json=body, headers=headers)
    assert response.status_code == status, response.text
    return ActionAnswer.model_validate_json(response.content).action


def fetch(client, query="", headers=None):
    response = client.get(f"{ACTIONS}?{query}", headers=headers or {})
    assert response.status_code == 200, response.text
    return ActionsAnswer.model_validate_json(response.content)


def values(answer):
    return {t.name: t.value for t in answer.totals}


def test_an_action_is_saved_once(desk, fresh_engine):
    made = saved(desk, training(title="Premiers\x00 pas", site_id="essai--a"))
    assert (made.title, made.measures["participants"], made.amount_cents) == ("Premiers pas", 12, 45_000)
    assert saved(desk, training(title="Premiers pas", site_id="essai--a"), 200) == made
    client, headers = desk
    problem = refused(client.post(ACTIONS, json=training(), headers=headers), 409)
    assert "porte déjà la référence « F1 »" in problem.detail and problem.advice
    with fresh_engine.connect() as connection:
        (change,) = audit.list_(connection, "action/F1")
    assert (change.actor, change.before, change.after["amount_cents"]) == ("Animation", None, 45_000)


def test_an_invalid_action_is_refused_by_member(desk):
    client, headers = desk
    measures = training()["measures"]
    for body, wrong in [
        ({}, {"reference", "kind", "day", "commune"}),
        (training(kind="fête", measures={}), {"kind"}),
        (training(commune="75056", partner_code="x", site_id="y"), {"commune", "partner_code", "site_id"}),
        (training(until="2026-03-09"), {"until"}),
        (training(amount_cents=-1, day="hier"), {"amount_cents", "day"}),
        (training(amount_cents=0.5), {"amount_cents"}),
        (training(measures=[]), {"measures"}),
        (
            training(measures={**measures, "participants": "douze", "cost": 3}),
            {"measures.participants", "measures.cost"},
        ),
        (training(measures={**measures, "participants": True}), {"measures.participants"}),
        (training(measures={**measures, "participants": -1}), {"measures.participants"}),
        (training(measures={**measures, "audience": "tous"}), {"measures.audience"}),
        (
            training(measures={"audience": "users"}),
            {"measures.sessions", "measures.hours", "measures.participants"},
        ),
        (training(owner="moi"), {"owner"}),
    ]:
        assert names(refused(client.post(ACTIONS, json=body, headers=headers))) == wrong, body
    assert fetch(client).total == 0


def test_only_an_active_token_with_the_scope_saves_actions(client, bearer, fresh_engine):
    revoked, of_revoked = bearer()
    with fresh_engine.begin() as connection:
        tokens.revoke(connection, revoked.id)
    others = bearer(*(s for s in Scope if s is not Scope.ACTIONS))[1]
    wrong = {"Authorization": "Bearer portee_" + "x" * 43}
    for headers in (of_revoked, others, wrong):
        refused(client.post(ACTIONS, json=training(), headers=headers), 403)
        refused(client.get(ACTIONS, headers=headers), 403)
    refused(client.post(ACTIONS, json=training()), 401)
    assert fetch(client).total == 0


def test_counts_of_people_are_published_as_totals_only(desk):
    client, headers = desk
    saved(desk, training("F1", 12))
    saved(desk, training("F2", 3, commune="99002", fictif=True))
    saved(desk, training("F3", 30, commune="99004"))
    public = fetch(client)
    assert [a.measures["participants"] for a in public.actions] == [None] * 3
    assert all(a.withheld and a.measures["sessions"] == 2 for a in public.actions)
    assert values(public)["participants"] == 45 and public.amount_cents == 135_000
    assert "Données de démonstration" in (public.meta.notice or "")
    of = {c: values(fetch(client, f"commune={c}"))["participants"] for c in ("99001", "99002", "99004")}
    assert of["99002"] is None and list(of.values()).count(None) >= 2
    assert fetch(client, "commune=99001").meta.notice is None
    exact = fetch(client, "commune=99002", headers)
    assert (values(exact)["participants"], exact.actions[0].measures["participants"]) == (3, 3)
    assert not exact.actions[0].withheld


def test_sums_over_years_do_not_give_a_small_year_back(desk):
    client, _ = desk
    saved(desk, training("F1", 40))
    saved(desk, training("F2", 2, day="2025-03-10"))
    assert values(fetch(client, "year=2026"))["participants"] == 40
    assert values(fetch(client, "year=2025"))["participants"] is None
    assert values(fetch(client))["participants"] is None


def test_derived_measures_that_count_nobody_are_published(desk):
    client, _ = desk
    measures = {"collected": 20, "refurbished": 3, "given": 2, "insertion_hours": 12}
    body = training("R1", kind="refurbishing", measures=measures)
    response = client.post(ACTIONS, json=body, headers=desk[1])
    assert response.status_code == 201, response.text
    derived = [t for t in fetch(client, "kind=refurbishing").totals if t.source]
    assert derived and all(t.hypothesis is not None for t in derived)


def test_actions_are_listed_by_pages_and_filters(desk):
    client, _ = desk
    for rank in range(3):
        saved(desk, training(f"F{rank}", day=f"202{rank + 4}-03-10"))
    assert [a.reference for a in fetch(client, "year=2025").actions] == ["F1"]
    assert fetch(client, "kind=forum").total == 0
    page = fetch(client, "limit=2&kind=training")
    assert (page.total, len(page.actions)) == (3, 2)
    after = next(link.href for link in page.links if link.rel == "next")
    assert [a.reference for a in ActionsAnswer.model_validate(client.get(after).json()).actions] == ["F2"]
    assert names(refused(client.get(f"{ACTIONS}?year=1&commune=agen&kind=%00"))) == {
        "year",
        "commune",
        "kind",
    }
    response = client.get(ACTIONS)
    assert client.get(ACTIONS, headers={"If-None-Match": response.headers["etag"]}).status_code == 304
    partner = PartnerAnswer.model_validate_json(client.get("/api/v1/partners/caf").content)
    assert [a.reference for a in partner.actions] == ["F0", "F1", "F2"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
measured = st.dictionaries(
    st.sampled_from([*training()["measures"], "x"]), anything | st.sampled_from(["users", 3, 2.5]), max_size=6
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(
        st.sampled_from([*training(), "title", "until", "fictif", "x"]), anything, max_size=3
    ),
    measures=measured | anything,
)
def test_no_body_causes_a_server_error(desk, changes, measures):
    client, headers = desk
    body = {**training(), "measures": measures, **changes}
    asked = {**headers, "Content-Type": "application/json"}
    response = client.post(ACTIONS, content=json.dumps(body).encode(), headers=asked)
    assert response.status_code in (200, 201, 400, 409, 422), response.text


def test_without_a_database_every_route_answers_503():
    with serving(snapshot(site("a", 5))) as bare:
        refused(bare.get(ACTIONS), 503)
        refused(bare.post(ACTIONS, json=training(), headers={"Authorization": "Bearer x"}), 503)
