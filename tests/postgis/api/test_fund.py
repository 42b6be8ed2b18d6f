"""The fund over HTTP: public report; entries posted and read with a token."""

from __future__ import annotations

import json
import threading
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api.funding_schemas import (
    CloseAnswer,
    FundAnswer,
    LedgerAnswer,
)
from geo.store import audit, tokens
from geo.store.tokens import Scope
from tests.support.fund_api import (
    API,
    FUND,
    KINDS,
    PARTNERS,
    commitment,
    contribution,
    floats_of,
    names,
    payment,
    posted,
    refused,
)
from tests.support.serving import serving
from tests.support.world import site, snapshot

# --- posted


def test_money_goes_from_a_contribution_to_a_payment_and_back(fund):
    first = posted(fund, "contributions", contribution(commune="99001", memo="Convention 2026"))
    assert (first.entry.kind, first.entry.amount_cents, first.entry.actor) == (
        "contribution",
        100_000,
        "Bureau du fonds",
    )
    assert first.match and first.match.amount_cents == 100_000
    assert posted(fund, "commitments", commitment(site_id="essai--a")).balance.available_cents == 140_000
    posted(fund, "payments", payment())
    freed = posted(fund, "releases", {**payment("D1", 5_000), "day": "2026-03-13"})
    assert (freed.balance.available_cents, freed.balance.committed_cents) == (145_000, 30_000)
    undone = posted(fund, "reversals", {"reference": "A1", "day": "2026-04-01", "reverses": "P1"})
    assert (undone.entry.reverses, undone.balance.paid_cents) == (4, 0)
    with_match = posted(fund, "contributions", contribution("C2", 80_000))
    assert with_match.match and with_match.match.amount_cents == 50_000  # the ceiling bites


def test_posting_the_same_again_returns_the_existing_entry(fund):
    first = posted(fund, "contributions", contribution())
    again = posted(fund, "contributions", contribution(), 200)
    assert (again.entry, again.match, again.balance) == (first.entry, first.match, first.balance)
    client, headers = fund
    for other in (
        contribution(cents=100_001),
        contribution(level="national"),
        contribution(memo="x"),
        contribution(fictif=True),
    ):
        problem = refused(client.post(f"{FUND}/contributions", json=other, headers=headers), 409)
        assert "« C1 » désigne déjà" in problem.detail and problem.advice
    refused(client.post(f"{FUND}/commitments", json=commitment("C1"), headers=headers), 409)
    assert client.get(FUND).json()["balance"]["contributed_cents"] == 100_000


def test_money_that_is_not_available_cannot_be_spent(fund):
    client, headers = fund
    posted(fund, "contributions", contribution())
    problem = refused(
        client.post(f"{FUND}/commitments", json=commitment(cents=200_001), headers=headers), 409
    )
    assert "2 000" in problem.detail.replace("\u202f", " ") and "disponibles" in problem.detail
    assert problem.advice
    posted(fund, "commitments", commitment(cents=200_000))
    problem = refused(client.post(f"{FUND}/payments", json=payment(cents=200_001), headers=headers), 409)
    assert "Il reste" in problem.detail and problem.advice
    posted(fund, "payments", payment(cents=200_000))
    early = {"reference": "A", "day": "2026-05-01", "reverses": "C1"}
    refused(client.post(f"{FUND}/reversals", json=early, headers=headers), 409)
    posted(fund, "reversals", {**early, "reverses": "P1"})
    refused(
        client.post(f"{FUND}/reversals", json={**early, "reference": "B", "reverses": "P1"}, headers=headers),
        409,
    )


def test_two_payments_cannot_spend_the_same_last_euros(fund):
    client, headers = fund
    posted(fund, "contributions", contribution())
    posted(fund, "commitments", commitment(cents=10_000))
    together = threading.Barrier(8)
    answers = []

    def pay(rank):
        together.wait()
        answers.append(client.post(f"{FUND}/payments", json=payment(f"P{rank}", 10_000), headers=headers))

    threads = [threading.Thread(target=pay, args=(rank,)) for rank in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [201] + [409] * 7
    for answer in answers:
        if answer.status_code == 409:
            assert "Il reste 0" in refused(answer, 409).detail
    assert client.get(FUND).json()["balance"]["paid_cents"] == 10_000


def test_the_same_contribution_sent_concurrently_is_posted_once(fund):
    client, headers = fund
    together = threading.Barrier(8)
    answers = []

    def give():
        together.wait()
        answers.append(client.post(f"{FUND}/contributions", json=contribution(), headers=headers))

    threads = [threading.Thread(target=give) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [200] * 7 + [201]
    assert len({a.json()["entry"]["id"] for a in answers}) == 1


def test_a_closed_period_accepts_no_entry(fund):
    client, headers = fund
    answer = client.post(f"{FUND}/close", json={"until": "2026-03-31"}, headers=headers)
    assert answer.status_code == 201 and CloseAnswer.model_validate_json(answer.content).until == "2026-03-31"
    assert client.get(FUND).json()["closed_until"] == "2026-03-31"
    problem = refused(client.post(f"{FUND}/contributions", json=contribution(), headers=headers), 409)
    assert "clos jusqu'au 31 mars 2026" in problem.detail
    refused(client.post(f"{FUND}/close", json={"until": "2026-03-31"}, headers=headers), 409)
    assert names(refused(client.post(f"{FUND}/close", json={"until": "2099-12-31"}, headers=headers))) == {
        "until"
    }
    assert names(refused(client.post(f"{FUND}/close", json={}, headers=headers))) == {"until"}
    with_none = contribution("C0", day="2024-12-31")
    refused(client.post(f"{FUND}/contributions", json=with_none, headers=headers), 409)


NOT_POSTED = [
    ("contributions", {}, {"reference", "day", "amount_cents", "partner_code", "level"}),
    ("contributions", contribution(cents=0), {"amount_cents"}),
    ("contributions", contribution(cents=-5), {"amount_cents"}),
    ("contributions", contribution(cents=10.5), {"amount_cents"}),
    ("contributions", contribution(cents=100.0), {"amount_cents"}),
    ("contributions", contribution(cents=10**14), {"amount_cents"}),
    ("contributions", contribution(cents=True), {"amount_cents"}),
    ("contributions", contribution(partner_code="nobody"), {"partner_code"}),
    ("contributions", contribution(level="mondial", day="12/03/2026"), {"level", "day"}),
    ("contributions", contribution(day="2026-02-30"), {"day"}),
    ("contributions", contribution(commune="75056"), {"commune"}),
    ("contributions", contribution(reference="a\nb"), {"reference"}),
    ("contributions", contribution(reference="x" * 101), {"reference"}),
    ("contributions", contribution(owner="moi"), {"owner"}),
    ("commitments", commitment(site_id="essai--z", action_line=" "), {"site_id", "action_line"}),
    ("payments", payment(of="nothing"), {"commitment"}),
    ("releases", payment(of="C1"), {"commitment"}),
    ("reversals", {"reference": "A", "day": "2026-04-01", "reverses": "nothing"}, {"reverses"}),
]


def test_what_cannot_be_posted_is_refused_by_name(fund):
    client, headers = fund
    posted(fund, "contributions", contribution())
    for noun, body, wrong in NOT_POSTED:
        assert names(refused(client.post(f"{FUND}/{noun}", json=body, headers=headers))) == wrong, body
    assert client.get(FUND).json()["balance"]["available_cents"] == 200_000


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
member = st.sampled_from(
    sorted(
        {
            "until",
            "level",
            "commitment",
            "reverses",
            *contribution(),
            *commitment(commune="", site_id="", memo="", fictif=""),
            *("name", "kind", "siret", "network_to", "sites", "conventions"),
        }
    )
)
plausible = st.sampled_from(
    [
        "C1",
        "caf",
        "2026-03-10",
        "local",
        "pass",
        "99001",
        "essai--a",
        1,
        10**13,
        "public",
        "1" * 14,
        [{}],
        [[]],
    ]
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from([*KINDS, "close", "partner"]),
    body=st.dictionaries(member, plausible | anything, max_size=12) | anything,
)
def test_no_body_causes_a_server_error(fund, where, body):
    client, headers = fund
    content = json.dumps(body).encode()
    asked = {**headers, "Content-Type": "application/json"}
    if where == "partner":
        response = client.put(f"{PARTNERS}/msa", content=content, headers=asked)
    else:
        response = client.post(f"{FUND}/{where}", content=content, headers=asked)
    assert response.status_code in (200, 201, 400, 409, 422), response.text


PARAMETERS = (
    *("by", "year", "from", "to", "partner", "kind", "limit", "offset", "after", "network", "on"),
    *("order", "mode", "fragility", "within_min", "commune", "x"),
)
asked = st.dictionaries(
    st.sampled_from(PARAMETERS),
    st.sampled_from(["2026", "2026-03-10", "caf", "commune", "contribution", "99001", "1", "A", "foot"])
    | st.text(max_size=10),
    max_size=3,
)
LISTS = ("fund", "fund/ledger", "partners", "passes", "passes/deserts", "actions")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([*LISTS, "territories/99001/account"])
    | st.text(max_size=8).map(lambda code: f"partners/{quote(code, safe='')}"),
    query=asked,
)
def test_no_query_causes_a_server_error(fund, path, query):
    client, headers = fund
    response = client.get(f"{API}/{path}?{urlencode(query, errors='replace')}", headers=headers)
    assert response.status_code in (200, 404, 422), response.text


# --- who may


@pytest.mark.parametrize("noun", [*KINDS, "close"])
@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer  "])
def test_posting_asks_for_a_token(bare, noun, header):
    headers = {} if header is None else {"Authorization": header}
    response = bare.post(f"{FUND}/{noun}", json={}, headers=headers)
    refused(response, 401)
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_only_an_active_token_with_the_scope_posts_or_reads_entries(fund_client, bearer, fresh_engine):
    client = fund_client
    revoked, of_revoked = bearer()
    expired, of_expired = bearer()
    with fresh_engine.begin() as connection:
        tokens.revoke(connection, revoked.id)
        connection.execute(
            text("UPDATE token SET expires_at = clock_timestamp() - interval '1 second' WHERE id = :id"),
            {"id": expired.id},
        )
    others = bearer(*(s for s in Scope if s is not Scope.FUND))[1]
    wrong = {"Authorization": "Bearer portee_" + "x" * 43}
    for headers in (of_revoked, of_expired, others, wrong):
        for noun in (*KINDS, "close"):
            refused(client.post(f"{FUND}/{noun}", json=contribution(), headers=headers), 403)
        refused(client.put(f"{PARTNERS}/caf", json={"name": "x", "kind": "public"}, headers=headers), 403)
    for headers in (of_revoked, of_expired, wrong, bearer(Scope.FUND)[1]):
        refused(client.get(f"{FUND}/ledger", headers=headers), 403)
    refused(client.get(f"{FUND}/ledger"), 401)
    assert client.get(f"{FUND}/ledger", headers=others).status_code == 200
    refused(client.put(f"{PARTNERS}/caf", json={}), 401)
    assert client.get(PARTNERS).json()["partners"] == []


def test_every_write_is_audited_with_author_time_before_and_after(fund, fresh_engine):
    posted(fund, "contributions", contribution())
    client, headers = fund
    client.put(f"{PARTNERS}/caf", json={"name": "CAF", "kind": "public"}, headers=headers)
    client.post(f"{FUND}/close", json={"until": "2026-03-31"}, headers=headers)
    with fresh_engine.connect() as connection:
        changes = audit.list_(connection)
    facts = {(c.action, c.subject): c for c in changes if c.actor == "Bureau du fonds"}
    assert facts["fund.contribution", "ledger_entry/C1"].after["amount_cents"] == 100_000
    assert facts["fund.close", "fund_close/2026-03-31"].after == {"until": "2026-03-31"}
    renamed = next(c for c in changes if c.subject == "partner/caf")
    assert (renamed.before["name"], renamed.after["name"]) == ("CAF fictive", "CAF")
    assert all(c.at for c in changes)


# --- facts


BY = ("partner", "year", "level", "line", "commune", "canton", "epci", "departement", "arrondissement")


def test_the_report_is_in_whole_cents(fund):
    posted(fund, "contributions", contribution(commune="99001"))
    posted(fund, "contributions", contribution("C2", 77_777, level="european"))
    posted(fund, "commitments", commitment(commune="99004"))
    posted(fund, "payments", payment())
    for by in BY:
        reported(fund[0], by)


def reported(client, by):
    response = client.get(f"{FUND}?by={by}")
    facts = FundAnswer.model_validate_json(response.content)
    for name in ("contributed_cents", "matched_cents", "unmatched_cents", "committed_cents", "paid_cents"):
        assert sum(getattr(line, name) for line in facts.lines) == getattr(facts.total, name)
    assert (facts.total.contributed_cents, facts.total.matched_cents) == (177_777, 150_000)
    assert (facts.total.unmatched_cents, facts.total.leverage_percent) == (27_777, 184)
    assert list(floats_of(response.json())) == []
    if by == "commune":
        of = {line.key: line for line in facts.lines}
        assert of["99001"].per_inhabitant and of["99001"].per_inhabitant.contributed_cents == 100
        assert of["99003"].per_inhabitant and of["99003"].per_inhabitant.paid_cents is None
        assert of["99004"].committed_cents == 60_000
    assert client.get(f"{FUND}?by={by}&year=2025").json()["total"]["contributed_cents"] == 0


def test_a_report_says_its_sources_and_can_be_asked_again(fund):
    client, _ = fund
    response = client.get(FUND)
    assert response.json()["meta"]["territory"]["code"] == "99"
    assert response.json()["meta"]["notice"] is None and response.json()["meta"]["attribution"]
    assert "max-age=10" in response.headers["cache-control"]
    again = {"If-None-Match": response.headers["etag"]}
    assert client.get(FUND, headers=again).status_code == 304
    posted(fund, "contributions", contribution(fictif=True))
    changed = client.get(FUND, headers=again)
    assert changed.status_code == 200
    assert "Données de démonstration" in changed.json()["meta"]["notice"]


@pytest.mark.parametrize("query", ["by=pays", "year=1999", "year=abc", "x=1", "by=year&by=level"])
def test_a_report_with_wrong_parameters_is_refused(bare, query):
    refused(bare.get(f"{FUND}?{query}"))


def test_entries_are_read_by_pages_and_filters(fund):
    client, headers = fund
    for rank in range(3):
        posted(fund, "contributions", contribution(f"C{rank}", 1_000, day=f"202{rank + 5}-03-10"))
    posted(fund, "commitments", commitment(cents=500, day="2026-06-01"))

    def fetch(query=""):
        response = client.get(f"{FUND}/ledger?{query}", headers=headers)
        assert response.status_code == 200 and "no-store" in response.headers["cache-control"]
        assert list(floats_of(response.json())) == []
        return LedgerAnswer.model_validate_json(response.content)

    assert [e.reference for e in fetch().entries][:3] == ["C0", "C0/abondement", "C1"]
    assert [e.reference for e in fetch("kind=contribution").entries] == ["C0", "C1", "C2"]
    assert [e.reference for e in fetch("from=2026-01-01&to=2026-12-31&partner=caf").entries] == [
        "C1",
        "C1/abondement",
    ]
    assert [e.reference for e in fetch("from=2026-04-01").entries] == ["C2", "C2/abondement", "E1"]
    assert fetch("to=2024-12-31").entries == [] and fetch("partner=x").entries == []
    found, path = [], f"{FUND}/ledger?limit=2"
    while path:
        page = client.get(path, headers=headers).json()
        found += [e["reference"] for e in page["entries"]]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert len(found) == len(set(found)) == 7
    one = client.get(f"{FUND}/ledger?from=2026-01-01&kind=contribution&limit=1", headers=headers).json()
    (after,) = (link["href"] for link in one["links"] if link["rel"] == "next")
    assert [e["reference"] for e in client.get(after, headers=headers).json()["entries"]] == ["C2"]
    refused(client.get(f"{FUND}/ledger?from=hier&kind=don&partner=%00&limit=0", headers=headers))


# --- away


@pytest.fixture(scope="module")
def bare():
    with serving(snapshot(site("a", 5))) as client:
        yield client


@pytest.mark.parametrize("path", ["/fund", "/partners", "/partners/caf"])
def test_without_a_database_every_route_answers_503(bare, path):
    response = bare.get(API + path)
    assert "Réessayez" in refused(response, 503).detail and response.headers["retry-after"]
    headers = {"Authorization": "Bearer x"}
    refused(bare.get(f"{FUND}/ledger", headers=headers), 503)
    refused(bare.post(f"{FUND}/contributions", json=contribution(), headers=headers), 503)
    refused(bare.put(f"{PARTNERS}/caf", json={"name": "x", "kind": "public"}, headers=headers), 503)
