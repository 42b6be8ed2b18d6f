"""Passes over HTTP: public without small counts; orders and events saved with a token."""

from __future__ import annotations

import json
import threading
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.funding_schemas import DesertsAnswer, OrderAnswer, PassesAnswer, RecordedAnswer
from api.schemas import Problem
from geo.funding.ledger import Commitment, Contribution, Level
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.store import audit, ledger, partners, tokens
from geo.store.tokens import Scope
from geo.territory.model import TerritoryKind
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support.serving import serving
from tests.support.world import TERRITORY, record, site, snapshot

PASSES = "/api/v1/passes"
ORDERS, EVENTS, DESERTS = f"{PASSES}/orders", f"{PASSES}/events", f"{PASSES}/deserts"


def order(reference="2026-A", count=100, **more):
    facts = {"reference": reference, "day": "2026-01-05", "count": count, "expires_on": "2026-06-30"}
    return {**facts, "funders": [{"partner_code": "caf", "count": count}], **more}


def gift(reference, count, commune="99001", **more):
    facts = {"reference": reference, "order": "2026-A", "kind": "given", "day": "2026-02-01", "count": count}
    return {**facts, "commune": commune, "partner": "caf", **more}


def use(reference, count, commune="99001", **more):
    facts = {"reference": reference, "order": "2026-A", "kind": "used", "day": "2026-03-01", "count": count}
    return {**facts, "commune": commune, "site": "essai--a", **more}


@pytest.fixture
def bearer(fresh_engine):
    def made(*scopes):
        with fresh_engine.begin() as connection:
            token, secret = tokens.create(connection, "Bureau des pass", scopes or tuple(Scope), days=30)
        return token, {"Authorization": f"Bearer {secret}"}

    return made


@pytest.fixture
def client(fresh_engine, fresh_settings):
    fill(fresh_engine, record("a", 5, pass_numerique=True), record("b", 15, "99002"))
    with fresh_engine.begin() as connection:
        partners.save(connection, Partner("caf", "CAF fictive", PartnerKind.PUBLIC), actor="essai")
        ledger.set_rule(connection, MatchRule(date(2025, 1, 1)), actor="essai")
        given_ = Contribution(
            reference="C1", day=date(2026, 1, 2), amount_cents=5_000, partner_code="caf", level=Level.LOCAL
        )
        aside = Commitment(reference="E1", day=date(2026, 1, 3), amount_cents=10_000, action_line="pass")
        ledger.post_all(connection, [given_, aside], actor="essai")
    with TestClient(create_app(fresh_settings)) as client:
        yield client


@pytest.fixture
def desk(client, bearer):
    """A client and the headers of a token with every scope; order 2026-A of 100 passes is saved."""
    headers = bearer()[1]
    made = client.post(ORDERS, json=order(), headers=headers)
    assert made.status_code == 201, made.text
    return client, headers


def refused(response, status=422):
    assert response.status_code == status, response.text
    return Problem.model_validate(response.json())


def names(problem):
    return {e.parameter for e in problem.errors or ()}


def recorded(desk, *events, status=201, query=""):
    client, headers = desk
    response = client.post(f"{EVENTS}{query}", json=list(events), headers=headers)
    assert response.status_code == status, response.text
    return RecordedAnswer.model_validate_json(response.content)


def fetch(client, query="", headers=None):
    response = client.get(f"{PASSES}?{query}", headers=headers or {})
    assert response.status_code == 200, response.text
    return PassesAnswer.model_validate_json(response.content)


# --- written


def test_an_order_is_saved_once(desk):
    client, headers = desk
    again = client.post(ORDERS, json=order(), headers=headers)
    saved = OrderAnswer.model_validate_json(again.content)
    assert again.status_code == 200
    assert (saved.order.face_value_cents, saved.standing.ordered, saved.standing.to_give) == (1_000, 100, 100)
    problem = refused(client.post(ORDERS, json=order(note="autre"), headers=headers), 409)
    assert "porte déjà la référence 2026-A" in problem.detail and problem.advice
    for body, wrong in [
        ({}, {"reference", "day", "count", "expires_on", "funders"}),
        (order("B", 0), {"count", "funders[0].count"}),
        (order("B", expires_on="2025-12-31"), {""}),
        (order("B", funders=[{"partner_code": "caf", "count": 99}]), {""}),
        (order("B", funders=[{"partner_code": "nobody", "count": 100}]), {"funders[0].partner_code"}),
        (order("B", funders=[3]), {"funders[0]"}),
        (order("B", face_value_cents=9.5), {"face_value_cents"}),
    ]:
        assert names(refused(client.post(ORDERS, json=body, headers=headers))) == wrong, body


def test_events_are_recorded_once_all_or_none(desk):
    both = gift("g1", 10), use("u1", 4)
    assert (recorded(desk, *both).new, recorded(desk, *both, status=200).already) == (2, 2)
    assert recorded(desk, *both, gift("g2", 1)).model_dump() == {"new": 1, "already": 2}
    client, headers = desk
    problem = refused(client.post(EVENTS, json=[gift("g3", 5), gift("g1", 11)], headers=headers), 409)
    assert "Événement 1 : La référence g1" in problem.detail and problem.advice
    too_many = refused(client.post(EVENTS, json=[gift("g3", 5), gift("g4", 90)], headers=headers), 409)
    assert "il en reste" in too_many.detail and too_many.advice
    assert fetch(client, headers=headers).whole.given == 11
    recorded(desk, gift("g1-bis", -3, corrects="g1"))
    assert fetch(client, headers=headers).whole.given == 8


def test_every_problem_is_reported_with_its_index(desk):
    client, headers = desk
    events = [
        gift("g1", 1),
        {},
        3,
        gift("g2", 0, order="inconnue"),
        gift("g3", 5, order="inconnue", commune="75056", partner="nobody"),
        use("u1", 1, site="essai--z", day="2026-07-01"),
        gift("g4", -1),
        gift("g5", 1, day="2099-01-01"),
        gift("g6", 1, kind="expired", commune=""),
        gift("g7", 1, owner="moi"),
    ]
    problem = refused(client.post(EVENTS, json=events, headers=headers))
    assert names(problem) == {
        *(f"[1].{n}" for n in ("reference", "order", "kind", "day", "count")),
        "[2]",
        "[3].count",
        *(f"[4].{n}" for n in ("order", "commune", "partner")),
        *(f"[5].{n}" for n in ("site", "day")),
        "[6].corrects",
        "[7].day",
        "[8].day",
        "[9].owner",
    }
    assert all(e.detail.startswith("Événement ") for e in problem.errors or ())
    assert fetch(client, headers=headers).whole.given == 0
    many = refused(client.post(EVENTS, json=[{}] * 500, headers=headers))
    assert len(many.errors or ()) == 201 and "2300 autres" in (many.errors or [])[-1].detail
    assert (
        "10000 événements au plus" in refused(client.post(EVENTS, json=[{}] * 10_001, headers=headers)).detail
    )


def test_ten_thousand_events_are_recorded_at_once(desk):
    client, headers = desk
    client.post(ORDERS, json=order("B", 20_000), headers=headers)
    events = [gift(f"g{n}", 1, order="B", commune=f"9900{n % 4 + 1}") for n in range(10_000)]
    assert recorded(desk, *events).new == 10_000
    assert fetch(client, headers=headers).whole.given == 10_000


def test_a_reimbursement_pays_from_a_commitment(desk, bearer, fresh_engine):
    client, headers = desk
    recorded(desk, gift("g1", 30), use("u1", 20))
    paid = {**use("r1", 4, commune=""), "kind": "reimbursed", "day": "2026-03-05"}
    refused(client.post(EVENTS, json=[paid], headers=headers), 409)
    only_passes = bearer(Scope.PASSES)[1]
    refused(client.post(f"{EVENTS}?commitment=E1", json=[paid], headers=only_passes), 403)
    recorded(desk, paid, query="?commitment=E1")
    recorded(desk, paid, query="?commitment=E1", status=200)
    with fresh_engine.connect() as connection:
        assert ledger.balance(connection).paid_cents == 4_000
    problem = refused(
        client.post(
            f"{EVENTS}?commitment=E1", json=[{**paid, "reference": "r2", "count": 7}], headers=headers
        ),
        409,
    )
    assert "Il reste" in problem.detail and problem.advice
    missing = client.post(f"{EVENTS}?commitment=none", json=[{**paid, "reference": "r3"}], headers=headers)
    assert names(refused(missing)) == {"commitment"}


def test_concurrent_writers_cannot_give_the_same_last_passes(desk):
    client, headers = desk
    together = threading.Barrier(6)
    answers = []

    def give(rank):
        together.wait()
        answers.append(client.post(EVENTS, json=[gift(f"g{rank}", 60)], headers=headers))

    threads = [threading.Thread(target=give, args=(rank,)) for rank in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [201] + [409] * 5
    assert fetch(client, headers=headers).whole.given == 60


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
member = st.sampled_from(sorted({*order(), *use("", 1), "corrects", "face_value_cents", "fictif", "partner"}))
plausible = st.sampled_from(
    ["2026-A", "caf", "2026-02-01", "given", "used", "reimbursed", "99001", "essai--a", 1, -1, [{}], [[]]]
)
body = st.dictionaries(member, plausible | anything, max_size=10)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from(["orders", "events", "events?commitment=E1"]), sent=body | st.lists(body | anything)
)
def test_no_body_causes_a_server_error(desk, where, sent):
    client, headers = desk
    asked = {**headers, "Content-Type": "application/json"}
    response = client.post(f"{PASSES}/{where}", content=json.dumps(sent).encode(), headers=asked)
    assert response.status_code in (200, 201, 400, 409, 422), response.text


def test_unreadable_bodies_are_refused(desk):
    client, headers = desk
    as_json = {**headers, "Content-Type": "application/json"}
    refused(client.post(EVENTS, content=b"[", headers=as_json), 400)
    refused(client.post(EVENTS, content=b"{}", headers=as_json))
    refused(client.post(EVENTS, content=b"[]", headers=headers), 415)
    large = b"[" + b" " * 4_200_000 + b"]"
    refused(client.post(EVENTS, content=large, headers=as_json), 413)
    refused(client.post(EVENTS, content=iter([large]), headers=as_json), 413)


def test_only_an_active_token_with_the_scope_writes(client, bearer, fresh_engine):
    revoked, of_revoked = bearer()
    with fresh_engine.begin() as connection:
        tokens.revoke(connection, revoked.id)
    others = bearer(*(s for s in Scope if s is not Scope.PASSES))[1]
    wrong = {"Authorization": "Bearer portee_" + "x" * 43}
    for headers in (of_revoked, others, wrong):
        refused(client.post(ORDERS, json=order(), headers=headers), 403)
        refused(client.post(EVENTS, json=[], headers=headers), 403)
        refused(client.get(PASSES, headers=headers), 403)
        refused(client.get(DESERTS, headers=headers), 403)
    refused(client.post(ORDERS, json=order()), 401)
    refused(client.post(EVENTS, json=[]), 401)
    assert fetch(client).orders == []
    made = client.post(ORDERS, json=order(), headers=bearer(Scope.PASSES)[1])
    assert made.status_code == 201
    with fresh_engine.connect() as connection:
        (written,) = audit.list_(connection, "pass_order/2026-A")
    assert (written.actor, written.before, written.after["count"]) == ("Bureau des pass", None, 100)


# --- facts


@pytest.fixture
def given_out(desk):
    """20 passes to Ouestville, 3 to Deux-Étangs, 30 to Estbourg; 12 of the first are used."""
    recorded(
        desk,
        gift("g1", 20),
        gift("g2", 3, "99002"),
        gift("g3", 30, "99004"),
        use("u1", 12),
    )
    return desk


def test_a_token_lifts_disclosure_control(given_out):
    client, headers = given_out
    answer = fetch(client, "order=2026-A&year=2026", headers)
    of = {t.code: t for t in answer.territories}
    assert (of["99002"].given, of["99001"].used, of["99001"].used_here) == (3, 12, 12)
    assert (of["99001"].given_cents, of["99001"].rate_of_use, of["99001"].per_1000) == (20_000, 0.6, 20.0)
    assert (of["99001"].accepting_sites, of["99002"].accepting_sites) == (1, 0)
    assert answer.whole.given == 53 and answer.threshold is None
    assert not any(t.withheld for t in answer.territories)
    assert "no-store" in client.get(PASSES, headers=headers).headers["cache-control"]


def test_small_counts_are_withheld_and_totals_do_not_give_them_back(given_out):
    client, _ = given_out
    answer = fetch(client)
    of = {t.code: t for t in answer.territories}
    small = of["99002"]
    assert small.withheld
    assert (small.given, small.given_cents, small.rate_of_use, small.per_1000) == (None, None, None, None)
    assert sum(t.given is None for t in answer.territories) >= 2  # alone, it would be what the total lacks
    assert answer.whole.given == 53 and answer.threshold == 5
    cantons = {t.code: t.given for t in fetch(client, "kind=canton").territories}
    known = {code: t.given for code, t in of.items()}
    for canton, members in (("9901", ("99001", "99002")), ("9902", ("99003", "99004"))):
        lacking = [m for m in members if known[m] is None]
        assert cantons[canton] is None or len(lacking) != 1
    assert fetch(client, "year=2026").territories == answer.territories


def test_no_combination_of_answers_gives_a_withheld_count_back(given_out):
    """Every public sum is a row over commune × year; their linear span reveals no withheld count."""
    client, headers = given_out
    client.post(ORDERS, json=order("B", day="2025-01-05"), headers=headers)
    recorded(
        given_out,
        *(gift(f"b{n}", n, f"9900{c}", order="B", day="2025-02-01") for n, c in ((9, 1), (7, 2), (2, 4))),
        gift("b6", 6, "99004", order="B"),
    )
    years = (2025, 2026)
    cells = [(c.code, y) for c in TERRITORY.communes for y in years]
    rows = []
    for kind in TerritoryKind:
        members = {g.code: g.communes for g in TERRITORY.groupings_of(kind)}
        for year in (None, *years):
            asked = f"kind={kind}" + (f"&year={year}" if year else "")
            rows += [
                [c in members[row.code] and year in (None, y) for c, y in cells]
                for row in fetch(client, asked).territories
                if row.given is not None
            ]
    span = np.array(rows, dtype=float)
    rank = np.linalg.matrix_rank(span)
    exact = {(t.code, y): t.given for y in years for t in fetch(client, f"year={y}", headers).territories}
    small = [cell for cell in cells if 0 < (exact[cell] or 0) < 5]
    assert small == [("99002", 2026), ("99004", 2025)]
    for cell in small:
        unit = np.array([[float(each == cell) for each in cells]])
        assert np.linalg.matrix_rank(np.vstack([span, unit])) == rank + 1, cell


def test_only_the_total_of_one_order_is_published(given_out):
    client, headers = given_out
    answer = fetch(client, "order=2026-A")
    assert answer.whole.given == 53
    assert all(t.withheld and t.given is None and t.used is None for t in answer.territories)
    assert fetch(client, "order=2026-A&kind=departement").territories[0].given == 53
    client.post(ORDERS, json=order("B"), headers=headers)
    recorded(given_out, gift("b1", 4, order="B"))
    assert fetch(client, "order=2026-A&kind=departement").territories[0].given is None
    assert fetch(client, "order=2026-A").whole.given is None
    assert fetch(client, "order=2026-A", headers).whole.given == 53


def test_amounts_that_would_separate_orders_are_withheld(given_out):
    client, headers = given_out
    client.post(ORDERS, json=order("B", face_value_cents=1_500), headers=headers)
    recorded(given_out, gift("b1", 6, "99004", order="B"))
    assert all(t.given_cents is None for t in fetch(client).territories)


def test_deserts_have_sentences_without_small_counts(given_out):
    client, headers = given_out
    response = client.get(f"{DESERTS}?within_min=10", headers=headers)
    answer = DesertsAnswer.model_validate_json(response.content)
    assert [(d.code, d.given) for d in answer.deserts] == [("99004", 30), ("99002", 3)]
    assert "30 pass donnés" in answer.deserts[0].sentence
    public = DesertsAnswer.model_validate_json(client.get(f"{DESERTS}?within_min=10").content)
    small = next(d for d in public.deserts if d.code == "99002")
    assert small.withheld and small.given is None
    assert "3 pass" not in small.sentence and "Lieu a" in small.sentence
    assert [d.code for d in public.deserts if d.given is None] == sorted(
        d.code for d in public.deserts if d.given is None
    )
    assert public.meta.notice and "vol d'oiseau" in public.meta.method.label
    assert client.get(f"{DESERTS}?within_min=60").json()["deserts"] == []


def test_a_report_has_its_method_and_an_etag(given_out):
    client, _ = given_out
    response = client.get(PASSES)
    assert "Données de démonstration" in response.json()["meta"]["notice"]
    again = {"If-None-Match": response.headers["etag"]}
    assert client.get(PASSES, headers=again).status_code == 304
    assert "Authorization" in response.headers["vary"]
    refused(client.get(f"{PASSES}?order=inconnue"), 404)
    refused(client.get(f"{DESERTS}?order=inconnue"), 404)
    assert names(refused(client.get(f"{PASSES}?fragility=ifn"))) == {"fragility"}
    assert names(refused(client.get(f"{DESERTS}?within_min=0&order=%00"))) == {"within_min", "order"}


def test_without_a_database_every_route_answers_503():
    with serving(snapshot(site("a", 5))) as bare:
        headers = {"Authorization": "Bearer x"}
        refused(bare.get(PASSES), 503)
        refused(bare.get(DESERTS), 503)
        refused(bare.post(ORDERS, json=order(), headers=headers), 503)
        refused(bare.post(EVENTS, json=[], headers=headers), 503)
