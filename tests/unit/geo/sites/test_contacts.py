"""Parsing of e-mail and web addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.sites.contacts import parse_emails, parse_urls

LONGEST_EMAIL = f"a@{'b' * 61}.{'c' * 61}.{'d' * 61}.{'e' * 63}.fr"


@pytest.mark.parametrize(
    ("cell", "addresses", "codes"),
    [
        ("a@exemple.fr|b@exemple.fr", ("a@exemple.fr", "b@exemple.fr"), []),
        ("a@exemple.fr; b@exemple.fr", ("a@exemple.fr", "b@exemple.fr"), ["separateur_corrige"]),
        ("a@exemple.fr|a@exemple.fr", ("a@exemple.fr",), []),
        ("mailto:a@exemple.fr", ("a@exemple.fr",), ["courriel_corrige"]),
        ("a.b+c@sous.exemple-x.fr", ("a.b+c@sous.exemple-x.fr",), []),
        ("a@exemple", (), ["courriel_invalide"]),
        ("a..b@exemple.fr", (), ["courriel_invalide"]),
        ("a@exemple..fr", (), ["courriel_invalide"]),
        (".a@exemple.fr.", ("a@exemple.fr",), ["courriel_corrige"]),
        ("a" * 64 + "@exemple.fr", ("a" * 64 + "@exemple.fr",), []),
        ("a" * 65 + "@exemple.fr", (), ["courriel_invalide"]),
        (f"a@{'b' * 61}.{'c' * 61}.{'d' * 61}.{'e' * 63}.fr", (LONGEST_EMAIL,), []),
        (f"aa@{'b' * 61}.{'c' * 61}.{'d' * 61}.{'e' * 63}.fr", (), ["courriel_invalide"]),
        ("a@exemple.fr et b@exemple.fr", ("a@exemple.fr", "b@exemple.fr"), ["separateur_corrige"]),
        ("a@exemple.fr / b@exemple.fr", ("a@exemple.fr", "b@exemple.fr"), ["separateur_corrige"]),
        ("Accueil : a@exemple.fr", ("a@exemple.fr",), ["courriel_corrige"]),
        ("a@exemple.fr (mairie), b@exemple.fr", ("a@exemple.fr", "b@exemple.fr"), ["courriel_corrige"]),
        ("a(at)exemple.fr", ("a@exemple.fr",), ["courriel_corrige"]),
        ("a [at] exemple.fr", ("a@exemple.fr",), ["courriel_corrige"]),
        ("a @ exemple.fr", ("a@exemple.fr",), ["courriel_corrige"]),
        ("nous écrire", (), ["courriel_invalide"]),
        ("a@exemple.fr ou b@exemple.fr", ("a@exemple.fr", "b@exemple.fr"), ["separateur_corrige"]),
        ("a@exemple.fr|<script>@x.fr", ("a@exemple.fr",), ["courriel_invalide"]),
        ('"><img src=x>"@exemple.fr', (), ["courriel_invalide", "courriel_invalide"]),
    ],
)
def test_each_e_mail_address_is_checked_separately(cell, addresses, codes):
    found, findings = parse_emails(cell)
    assert (found, [f.code for f in findings]) == (addresses, codes)


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("https://exemple.fr/", "https://exemple.fr/"),
        ("http://exemple.fr", "http://exemple.fr"),
        ("www.exemple.fr", "https://www.exemple.fr"),
        ("exemple.fr/page?a=1&b=2#c", "https://exemple.fr/page?a=1&b=2#c"),
        ("exemple.fr:8080/x", "https://exemple.fr:8080/x"),
        ("HTTP://exemple.fr", "http://exemple.fr"),
        ("https:/exemple.fr", "https://exemple.fr"),
        ("http//exemple.fr", "http://exemple.fr"),
        ("https://médiathèque.exemple.fr/é", "https://médiathèque.exemple.fr/é"),
    ],
)
def test_a_web_address_is_completed(cell, address):
    found, findings = parse_urls("site_web", cell)
    assert found == (address,)
    assert [f.code for f in findings] == ([] if cell == address else ["url_completee"])


@pytest.mark.parametrize(
    "cell",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "javascript://exemple.fr/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        'https://exemple.fr/"onmouseover="alert(1)',
        "https://exemple.fr/<script>",
        "https://[::1",
        "https://exemple.fr:port/",
        "https://",
        "Oui",
        "en mairie",
        "https://localhost",
        "https://mechant.fr\\@exemple.fr",
        *(f"https://exemple.fr/{unsafe}" for unsafe in "<>\"'`\\^{}"),
        "https://exemple.fr/" + "a" * 1_982,
        "https://-exemple.fr",
    ],
)
def test_what_is_no_web_address_is_refused(cell):
    found, findings = parse_urls("site_web", cell)
    assert found == () and {f.code for f in findings} == {"url_refusee"}


def test_a_web_address_may_have_2000_characters():
    address = "https://exemple.fr/" + "a" * 1_981
    assert len(address) == 2_000
    assert parse_urls("site_web", address) == ((address,), ())


@given(st.text(max_size=60))
def test_an_accepted_web_address_is_one_a_link_may_hold(text):
    found, _ = parse_urls("site_web", text)
    for address in found:
        assert address.startswith(("http://", "https://"))
        assert not set(address) & set(" \t\r\n<>\"'`|")


@given(st.text(max_size=60))
def test_accepted_contacts_are_accepted_again_without_findings(text):
    addresses, _ = parse_emails(text)
    assert parse_emails("|".join(addresses)) == (addresses, ())
    pages, _ = parse_urls("site_web", text)
    assert parse_urls("site_web", "|".join(pages)) == (pages, ())
