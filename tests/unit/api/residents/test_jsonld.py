"""Linked data of a site, for search engines."""

from __future__ import annotations

from datetime import date, time

import pytest

from api.residents.jsonld import linked
from geo.hours.open_status import Range
from geo.wording.language import language
from tests.support import world
from tests.support.site_pages import (
    HALL,
    MONDAY,
    URL,
    day_of,
    full,
    page_of,
)

FR = language("fr")
pytestmark = pytest.mark.usefixtures("application")


def days_of_linked():
    return (
        day_of(
            MONDAY,
            (
                Range(time(9), time(12)),
                Range(time(14), time(17), by_appointment=True),
                Range(time(18), time(19), stop=HALL),
            ),
        ),
        day_of(date(2026, 12, 22), unknown=True),
    )


def test_linked_data_says_what_the_record_says():
    found = linked(full(), URL, world.TERRITORY, days_of_linked())
    assert found["@type"] == "Library"
    assert found["@id"] == found["url"] == URL
    assert found["telephone"] == "+33553990010"
    assert found["areaServed"] == {"@type": "AdministrativeArea", "name": "Pays d'Essai"}
    assert found["address"] == {
        "@type": "PostalAddress",
        "streetAddress": "1 place de l'Exemple, Au fond de la cour",
        "postalCode": "99100",
        "addressLocality": "Ouestville",
        "addressCountry": "FR",
    }
    assert found["openingHoursSpecification"] == [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": "https://schema.org/Monday",
            "opens": "09:00",
            "closes": "12:00",
            "validFrom": "2026-12-21",
            "validThrough": "2026-12-21",
        }
    ]
    assert found["amenityFeature"][0]["value"] is False
    assert found["sameAs"] == ["https://exemple.fr/lieu", "https://acceslibre.exemple/fiche"]
    assert "isAccessibleForFree" not in found, "free for some, paid by others"


def test_linked_data_says_nothing_that_is_unknown():
    bare = world.site(
        "a",
        None,
        "96001",
        adresse="",
        code_postal="",
        commune="",
        frais_a_charge=(),
        site_web=("javascript:x",),
    )
    assert linked(bare, URL, world.TERRITORY, ()) == {
        "@context": "https://schema.org",
        "@type": ["Organization", "Place"],
        "@id": URL,
        "url": URL,
        "name": "Lieu a",
    }


@pytest.mark.parametrize(
    ("typologie", "types"),
    [
        ((), ["Organization", "Place"]),
        (("ASSO",), ["Organization", "Place"]),
        (("MUNI", "CCAS"), "GovernmentOffice"),
        (("MUNI", "ASSO"), ["Organization", "Place"]),
        (("BIB", "MUNI"), ["Organization", "Place"]),
        (("LA_POSTE",), "PostOffice"),
    ],
)
def test_a_type_is_narrow_only_where_every_kind_agrees(typologie, types):
    assert linked(full(typologie=typologie), URL, world.TERRITORY, ())["@type"] == types


def test_an_invented_site_is_excluded_from_search_engines():
    robots = '<meta name="robots" content="noindex">'
    assert robots in page_of(full()).text
    assert robots not in page_of(full(fictif=False)).text
