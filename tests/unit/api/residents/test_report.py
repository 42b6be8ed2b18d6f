"""The form that reports an error on a site."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from api.residents.report_form import BODY_MAX_BYTES, ERRORS, read_form
from tests.support.site_pages import (
    client_of,
    full,
    words_of,
)

pytestmark = pytest.mark.usefixtures("application")


def encoded(**fields) -> bytes:
    return "&".join(f"{k}={quote(v)}" for k, v in fields.items()).encode()


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (encoded(quoi="horaires"), {}),
        (encoded(quoi="autre", message="La porte est bleue"), {}),
        (encoded(quoi="ferme", courriel="a@exemple.fr"), {}),
        (b"", {"quoi": "subject"}),
        (encoded(quoi="<script>"), {"quoi": "subject"}),
        (encoded(quoi="autre"), {"message": "empty"}),
        (encoded(quoi="autre", message=" \u202e\x00 "), {"message": "empty"}),
        (encoded(quoi="autre", message="é" * 1_000), {}),
        (encoded(quoi="autre", message="é" * 1_001), {"message": "long"}),
        (encoded(quoi="ferme", courriel="a@"), {"courriel": "email"}),
        (encoded(quoi="ferme", courriel="a@exemple.fr, b@exemple.fr"), {"courriel": "email"}),
        (encoded(quoi="ferme", courriel="a@exemple.fr\r\nBcc: b@exemple.fr"), {"courriel": "email"}),
        (encoded(quoi="ferme", suite="robot"), {"": "trap"}),
        (b"a=1&" * 30, {"": "unreadable"}),
        ("quoi=é".encode(), {"": "unreadable"}),
    ],
)
def test_a_form_is_checked_field_by_field(body, errors):
    form = read_form(body)
    assert form.errors == errors
    assert all(each in ERRORS for each in form.errors.values())


def test_a_message_keeps_its_lines_and_loses_what_nobody_types():
    assert read_form(encoded(quoi="autre", message="un\r\ndeux\x00\u202e")).message == "un\ndeux"


def post(client, fields, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/lieux/essai--a/signaler", data=fields, headers=headers, follow_redirects=False)


@pytest.fixture
def client():
    return client_of(full())


def test_errors_are_shown_beside_each_field_with_the_typed_text(client):
    response = post(client, {"quoi": "autre", "message": "", "courriel": "moi@"})
    assert response.status_code == 422
    assert response.headers["cache-control"] == "private, no-store"
    body = response.text
    assert '<option value="autre" selected>' in body
    assert 'value="moi@"' in body
    for name in ("message", "courriel"):
        assert re.search(
            rf'id="{name}" [^>]*aria-describedby="{name}-aide {name}-erreur" aria-invalid="true"', body
        )
        assert f'id="{name}-erreur"' in body
    assert "<title>Message à corriger" in body


def test_without_a_database_the_typed_text_stays_and_the_phone_is_advised(client):
    response = post(client, {"quoi": "telephone", "message": "C'est le 05 <b>"})
    assert response.status_code == 503
    assert "ou appelez le lieu" in words_of(response)
    assert "C&#39;est le 05 &lt;b&gt;</textarea>" in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://ailleurs.exemple"},
        {"origin": "null"},
    ],
)
def test_a_form_sent_from_another_site_is_shown_and_not_stored(client, headers):
    response = post(client, {"quoi": "telephone", "message": "forgé"}, **headers)
    assert response.status_code == 403
    assert "n'a pas été envoyé depuis cette page" in words_of(response)
    assert "forgé</textarea>" in response.text


@pytest.mark.parametrize("headers", [{"sec_fetch_site": "same-origin"}, {"origin": "http://portee.test"}, {}])
def test_a_form_sent_from_its_page_goes_on_to_the_database(client, headers):
    assert post(client, {"quoi": "telephone"}, **headers).status_code == 503


def test_a_body_larger_than_any_honest_one_is_refused(client):
    response = post(client, {"quoi": "autre", "message": "x" * BODY_MAX_BYTES})
    assert response.status_code == 413
    assert "beaucoup trop long" in words_of(response)


def test_a_body_that_is_no_form_is_refused(client):
    assert client.post("/lieux/essai--a/signaler", json={"quoi": "autre"}).status_code == 415


def test_a_report_of_an_unknown_site_is_not_found(client):
    assert client.post("/lieux/essai--z/signaler", data={"quoi": "autre"}).status_code == 404


def test_no_page_sets_a_cookie(client):
    answers = [client.get("/lieux/essai--a"), client.get("/lieux"), post(client, {"quoi": "autre"})]
    assert all("set-cookie" not in each.headers for each in answers)
