"""Partners over HTTP: listed for all, saved with a token."""

from __future__ import annotations

from api.funding_schemas import PartnerAnswer, PartnersAnswer, PartnerSaved
from tests.support.fund_api import PARTNERS, contribution, floats_of, names, posted, refused


def test_a_partner_is_saved_with_its_agreements_and_sites(fund):
    client, headers = fund
    body = {
        "name": "Mutualité fictive",
        "kind": "association",
        "contact_role": "responsable de l'inclusion",
        "network_from": "2024-01-01",
        "fictif": True,
        "conventions": [{"year": 2026, "reference": "D-12", "note": "trois ans"}],
        "sites": [{"site_id": "essai--a", "role": "runs"}, {"site_id": "essai--b", "role": "supports"}],
    }
    made = client.put(f"{PARTNERS}/msa", json=body, headers=headers)
    assert made.status_code == 201, made.text
    saved = PartnerSaved.model_validate_json(made.content)
    assert saved.partner.member and [s.name for s in saved.sites] == ["Lieu a", "Lieu b"]
    assert client.put(f"{PARTNERS}/msa", json=body, headers=headers).status_code == 200
    fewer = {
        **body,
        "sites": [{"site_id": "essai--a", "role": "runs"}],
        "conventions": [{"year": 2027, "reference": "D-13"}],
    }
    client.put(f"{PARTNERS}/msa", json=fewer, headers=headers)
    posted(fund, "contributions", contribution("M1", 5_000, partner_code="msa"))
    posted(fund, "contributions", contribution("M2", 7_000, partner_code="msa", day="2025-05-01"))
    posted(fund, "contributions", contribution("M3", 9_000, partner_code="msa"))
    posted(fund, "reversals", {"reference": "A", "day": "2026-05-01", "reverses": "M3"})
    response = client.get(f"{PARTNERS}/msa")
    facts = PartnerAnswer.model_validate_json(response.content)
    assert [s.site_id for s in facts.sites] == ["essai--a"]
    assert [c.reference for c in facts.conventions] == ["D-12", "D-13"]
    assert [(y.year, y.contributions, y.contributed_cents, y.matched_cents) for y in facts.years] == [
        (2025, 1, 7_000, 7_000),
        (2026, 1, 5_000, 5_000),
    ]
    assert facts.actions == [] and facts.meta.notice
    assert list(floats_of(response.json())) == []


def test_members_of_the_network_are_listed_for_a_date(fund):
    client, headers = fund
    member = {"name": "M", "kind": "company", "network_from": "2024-01-01", "network_to": "2025-06-30"}
    client.put(f"{PARTNERS}/membre", json=member, headers=headers)
    posted(fund, "contributions", contribution())

    def fetch(query=""):
        return PartnersAnswer.model_validate_json(client.get(f"{PARTNERS}?{query}").content)

    assert [p.code for p in fetch().partners] == ["caf", "membre"]
    assert fetch().partners[0].contributed_cents == 100_000 and fetch().meta.notice is None
    assert [p.code for p in fetch("network=true&on=2025-06-30").partners] == ["membre"]
    assert fetch("network=true&on=2025-07-01").partners == [] and fetch("on=2024-01-01").partners[1].member
    for code in ("nobody", "%00", "x" * 300, "a%0Ab"):
        refused(client.get(f"{PARTNERS}/{code}"), 404)


NO_PARTNERS = [
    ("caf", {}, {"name", "kind"}),
    ("CAF_47", {"name": "x", "kind": "public"}, {"code"}),
    ("caf", {"name": "x", "kind": "public", "siret": "123"}, {"siret"}),
    ("caf", {"name": "x", "kind": "public", "contact_role": "a@b.fr"}, {"contact_role"}),
    ("caf", {"name": "x", "kind": "public", "website": "javascript:1"}, {"website"}),
    ("caf", {"name": "x", "kind": "public", "network_to": "2024-01-01"}, {"network_to"}),
    ("caf", {"name": "x", "kind": "public", "sites": 3, "conventions": [3]}, {"sites", "conventions[0]"}),
    (
        "caf",
        {
            "name": "x",
            "kind": "public",
            "sites": [{"site_id": "essai--z", "role": "runs"}, {"site_id": "essai--a", "role": "owns"}],
            "conventions": [{"year": 1, "reference": "x"}],
        },
        {"sites[0].site_id", "sites[1].role", "conventions[0].year"},
    ),
]


def test_an_invalid_partner_is_not_saved(fund):
    client, headers = fund
    before = client.get(PARTNERS).json()["partners"]
    for code, body, wrong in NO_PARTNERS:
        assert names(refused(client.put(f"{PARTNERS}/{code}", json=body, headers=headers))) == wrong, body
    assert client.get(PARTNERS).json()["partners"] == before
