"""Members of request bodies at their limits, and the French sentences about them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from api import body_context
from api.body_context import BodyContext
from api.body_problems import field_problem, path_text
from api.funding_bodies import (
    ConventionBody,
    PassCount,
    PassEventBody,
    PassOrderBody,
    PaymentBody,
    SiteLinkBody,
)
from api.planning_bodies import SitingBody
from api.request_model import (
    Cents,
    CentsOrZero,
    CommuneCode,
    Expected,
    Flag,
    IsoDate,
    Memo,
    Minutes,
    PartnerCode,
    Reference,
    RequestModel,
    SiteId,
    Year,
    one_of,
)
from geo.funding.money import MAX_CENTS
from geo.funding.partners import PartnerKind
from geo.funding.passes import COUNT_MAX, Order


@pytest.mark.parametrize(
    ("kind", "accepted", "refused"),
    [
        (Cents, [1, MAX_CENTS], [0, -1, MAX_CENTS + 1, 1.0, "1", True]),
        (CentsOrZero, [0, MAX_CENTS], [-1, MAX_CENTS + 1, 0.0, "0", False]),
        (PassCount, [1, COUNT_MAX], [0, COUNT_MAX + 1, 1.0, "1", True]),
        (Year, [2000, 2100], [1999, 2101, "2026", 2026.0]),
        (Minutes, [1, 120], [0, 121, 1.5]),
        (
            IsoDate,
            ["2000-01-01", "2100-12-31"],
            ["1999-12-31", "2101-01-01", "2026-02-30", 20260101, "12/03/2026"],
        ),
        (Reference, ["x" * 100], ["x" * 101, "a\nb", 3]),
        (PartnerCode, ["x" * 60], ["x" * 61, "a\tb"]),
        (SiteId, ["x" * 200], ["x" * 201, "a\u2028b"]),
        (Memo, ["x" * 1_000, "a\nb"], ["x" * 1_001]),
        (CommuneCode, ["47001", "2A004"], ["4700", "2C001", "470010"]),
        (Flag, [True, "true", "false"], ["peut-être", 2]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_limit_is_accepted_and_the_next_value_refused(kind, accepted, refused):
    adapter = TypeAdapter(kind)
    for value in accepted:
        adapter.validate_python(value)
    for value in refused:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


class Part(RequestModel):
    size: Annotated[int, Field(strict=True, ge=1), Expected("un nombre entier positif")]


class Whole(RequestModel):
    kind: Annotated[PartnerKind, one_of(PartnerKind)]
    note: str = ""
    parts: Annotated[list[Part] | None, Field(max_length=2), Expected("une liste de 2 objets au plus")] = None


def problems(body, kind=Whole):
    try:
        TypeAdapter(kind).validate_python(body)
    except ValidationError as refusal:
        found = [field_problem(kind, {**e, "loc": ("body", *e["loc"])}) for e in refusal.errors()]
        return {each.parameter: each.detail for each in found}
    return {}


def test_each_problem_is_a_sentence_that_names_the_member_and_what_is_expected():
    assert problems({"kind": "public", "parts": [{"size": 0}, {"siez": 1}, 3][:2], "nots": 1}) == {
        "parts[0].size": "« size » doit être un nombre entier positif ; reçu : « 0 ».",
        "parts[1].size": "Il manque « size » : un nombre entier positif.",
        "parts[1].siez": "Le paramètre « siez » n'existe pas ici. Vouliez-vous dire « size » ?",
        "nots": "Le paramètre « nots » n'existe pas ici. Vouliez-vous dire « note » ?",
    }
    assert problems({"kind": "publik"})["kind"] == (
        "« kind » doit être l'une de ces valeurs : public · association · operator · company "
        "(vouliez-vous dire « public » ?) ; reçu : « publik »."
    )
    assert problems({"kind": "public", "parts": [3]}) == {"parts[0]": "Un objet JSON est attendu."}
    assert problems({"kind": "public", "parts": [{"size": 1}] * 3}) == {
        "parts": "« parts » doit être une liste de 2 objets au plus."
    }
    assert problems([]) == {"": "Le contenu envoyé doit être un objet JSON."}


def test_problems_of_a_list_give_the_name_and_the_rank_of_the_item():
    found = problems([{"size": 1}, {}], list[Part])
    assert found == {"[1].size": "Élément 1 : Il manque « size » : un nombre entier positif."}
    assert problems([3], list[PassEventBody])["[0]"].startswith("Événement 0 : ")


def test_a_long_value_is_cut_and_a_missing_one_has_none():
    error = {"type": "string_type", "loc": ("body", "note"), "input": "x" * 101, "msg": ""}
    assert len(field_problem(Whole, error).value) == 100
    assert field_problem(Whole, {**error, "type": "missing", "input": {"a": 1}}).value == ""


def test_a_path_shows_ranks_and_names():
    assert path_text(["sites", 0, "role"]) == "sites[0].role"
    assert path_text([4, "count"]) == "[4].count"


def test_null_and_blank_count_as_absent_for_known_members_only():
    assert Whole.model_validate({"kind": "public", "note": " ", "parts": None}).note == ""
    assert set(problems({"kind": " ", "other": None})) == {"kind", "other"}


@pytest.fixture
def context(monkeypatch):
    """Order 2026-A is valid from 5 January to 30 June; today is 1 August."""
    order = Order("2026-A", date(2026, 1, 5), 10, date(2026, 6, 30), (("caf", 10),))
    known = BodyContext.__new__(BodyContext)
    for name, value in (("communes", {"47001"}), ("partners", {"caf"}), ("sites", {"a--1"})):
        object.__setattr__(known, name, value)
    object.__setattr__(known, "orders", {"2026-A": order})
    monkeypatch.setattr(BodyContext, "today", date(2026, 8, 1))
    token = body_context._CONTEXT.set(known)
    yield
    body_context._CONTEXT.reset(token)


def event(**changes):
    facts = {"reference": "e", "order": "2026-A", "kind": "given", "day": "2026-03-01", "count": 1}
    return {**facts, "commune": "47001", **changes}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, set()),
        ({"day": "2026-01-05"}, set()),
        ({"day": "2026-01-04"}, {"day"}),
        ({"day": "2026-06-30"}, set()),
        ({"day": "2026-07-01"}, {"day"}),
        ({"kind": "used", "site": "a--1", "day": "2026-07-01"}, {"day"}),
        ({"kind": "reimbursed", "site": "a--1", "day": "2026-07-01"}, set()),
        ({"kind": "expired", "day": "2026-06-30"}, {"day"}),
        ({"kind": "expired", "day": "2026-07-01"}, set()),
        ({"kind": "expired", "day": "2026-08-01"}, set()),
        ({"kind": "expired", "day": "2026-08-02"}, {"day"}),
        ({"commune": ""}, {"commune"}),
        ({"kind": "used", "site": "a--1", "commune": ""}, set()),
        ({"kind": "used", "site": "a--1", "commune": "75056"}, {"commune"}),
        ({"kind": "used", "site": ""}, {"site"}),
        ({"kind": "reimbursed", "site": ""}, {"site"}),
        ({"site": "b--2"}, {"site"}),
        ({"partner": "caf"}, set()),
        ({"partner": "x"}, {"partner"}),
        ({"count": -1}, {"corrects"}),
        ({"count": -1, "corrects": "e0"}, set()),
        ({"corrects": "e0"}, {"corrects"}),
        ({"count": 0}, {"count"}),
        ({"count": -COUNT_MAX, "corrects": "e0"}, set()),
        ({"count": -COUNT_MAX - 1, "corrects": "e0"}, {"count"}),
        ({"order": "B"}, {"order"}),
    ],
)
def test_an_event_must_fit_its_order_and_the_references(context, changes, wrong):
    assert set(problems(event(**changes), PassEventBody)) == wrong


def test_an_order_is_paid_for_by_its_funders(context):
    body = {"reference": "A", "day": "2026-01-01", "count": 2, "expires_on": "2026-01-01"}
    assert problems({**body, "funders": [{"partner_code": "caf", "count": 2}]}, PassOrderBody) == {}
    wrong = problems({**body, "funders": [{"partner_code": "caf", "count": 1}]}, PassOrderBody)
    assert "paient 1 pass" in wrong[""]
    many = [{"partner_code": "caf", "count": 1}] * 101
    assert "de 1 à 100 financeurs" in problems({**body, "funders": many}, PassOrderBody)["funders"]
    assert "de 1 à 100 financeurs" in problems({**body, "funders": []}, PassOrderBody)["funders"]


def test_references_are_known_or_refused(context):
    body = {"reference": "P", "day": "2026-01-01", "amount_cents": 1, "commitment": "E"}
    assert problems({**body, "partner_code": "caf", "commune": "47001", "site_id": "a--1"}, PaymentBody) == {}
    assert set(
        problems({**body, "partner_code": "x", "commune": "75056", "site_id": "b--2"}, PaymentBody)
    ) == {"partner_code", "commune", "site_id"}
    assert set(problems({"site_id": "b--2", "role": "owns"}, SiteLinkBody)) == {"site_id", "role"}
    assert set(problems({"year": 1999, "reference": "x"}, ConventionBody)) == {"year"}


def test_half_days_are_read_whatever_their_case_and_sorted():
    body = {"model": "p_median", "half_days": ["Mardi après-midi", "lundi matin", "lundi MATIN"]}
    assert SitingBody.model_validate(body).half_days == ("lundi matin", "mardi après-midi")
