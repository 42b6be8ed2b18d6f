"""Commune of a record from its code, name, postal code, address or point, often incomplete."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.sites.commune_names import normalized_commune_name
from geo.sites.commune_resolver import NEAR_M, Clues, CommuneResolver
from tests.support.world import TERRITORY, at

RESOLVER = CommuneResolver(TERRITORY)
EMPTY = Clues(code_insee="", name="", code_postal="", address="", site_name="", point=None)


def locate(*, x_km: float | None = None, **said: str):
    clues = {name: said.get(name, getattr(EMPTY, name)) for name in EMPTY.__slots__}
    point = at(x_km) if x_km is not None else None
    found = RESOLVER.resolve(Clues(**{**clues, "point": (point.x, point.y) if point else None}))
    return found, [finding.code for finding in found.findings]


@pytest.mark.parametrize(
    ("said", "code", "name", "findings"),
    [
        ({"code_insee": "99002", "name": "Deux-Étangs", "code_postal": "99100"}, "99002", "Deux-Étangs", []),
        (
            {"code_insee": "99002", "name": "DEUX ETANGS CEDEX 9", "code_postal": "99100"},
            "99002",
            "Deux-Étangs",
            ["commune_normalisee"],
        ),
        (
            {"code_insee": "99002", "code_postal": "99100"},
            "99002",
            "Deux-Étangs",
            [],
        ),
        ({"name": "Estbourg", "code_postal": "99100"}, "99004", "Estbourg", ["code_insee_deduit"]),
        ({"name": "Estbourg"}, "99004", "Estbourg", ["commune_deduite", "code_postal_deduit"]),
        ({"name": "Estbourg", "x_km": 39}, "99004", "Estbourg", ["code_insee_deduit", "code_postal_deduit"]),
        ({"code_postal": "96100"}, "96001", "Outre-Borne", ["commune_deduite"]),
        (
            {"code_postal": "99100", "address": "3 rue du Pré 99100 ESTBOURG"},
            "99004",
            "Estbourg",
            ["commune_deduite"],
        ),
        (
            {"code_postal": "99100", "site_name": "Mairie d'Estbourg"},
            "99004",
            "Estbourg",
            ["commune_deduite"],
        ),
        ({"code_postal": "99100", "x_km": 15}, "99002", "Deux-Étangs", ["commune_deduite"]),
        # A former commune or a hamlet keeps its name; its point and postal code locate it.
        (
            {"name": "Le Hameau", "code_postal": "99100", "x_km": 15},
            "99002",
            "Le Hameau",
            ["commune_deduite", "nom_commune_inconnu"],
        ),
        (
            {"name": "Le Hameau", "code_insee": "99002", "code_postal": "99100"},
            "99002",
            "Le Hameau",
            ["nom_commune_inconnu"],
        ),
        # A code that a spreadsheet took for a number.
        (
            {"code_insee": "99002.0", "name": "Deux-Étangs", "code_postal": "99100"},
            "99002",
            "Deux-Étangs",
            ["code_insee_deduit"],
        ),
        # Code and name disagree: the point settles, else the postal code, else the code.
        (
            {"code_insee": "99001", "name": "Estbourg", "code_postal": "99100", "x_km": 35},
            "99004",
            "Estbourg",
            ["commune_discordante"],
        ),
        (
            {"code_insee": "99001", "name": "Outre-Borne", "code_postal": "96100"},
            "96001",
            "Outre-Borne",
            ["commune_discordante"],
        ),
        (
            {"code_insee": "99001", "name": "Estbourg", "code_postal": "99100"},
            "99001",
            "Ouestville",
            ["commune_discordante"],
        ),
        (
            {"code_insee": "99001", "name": "Ouestville", "code_postal": "99123"},
            "99001",
            "Ouestville",
            ["code_postal_discordant"],
        ),
        (
            {"code_insee": "99999", "name": "Estbourg", "code_postal": "99100"},
            "99004",
            "Estbourg",
            ["commune_deduite"],
        ),
    ],
)
def test_a_commune_is_found_from_partial_information(said, code, name, findings):
    found, codes = locate(**said)
    assert (found.code_insee, found.name) == (code, name)
    assert [c for c in codes if c != "code_postal_absent"] == findings


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"code_postal": "99100", "address": "place du Marché"}, "commune_ambigue"),
        ({"name": "Ailleurs", "code_postal": "75001"}, "commune_inconnue"),
        # The same name in another département is another commune.
        ({"name": "Estbourg", "code_postal": "75001"}, "commune_inconnue"),
        ({"name": "Estbourg", "code_insee": "75056"}, "commune_inconnue"),
    ],
)
def test_an_ambiguous_commune_is_not_guessed(said, code):
    found, codes = locate(**said)
    assert found.commune is None and code in codes
    assert found.name == said.get("name", "")


@pytest.mark.parametrize(
    ("written", "official"),
    [
        ("ST-ANDRE-D'ALLAS", "Saint-André-d'Allas"),
        ("Ste Livrade sur Lot", "Sainte-Livrade-sur-Lot"),
        ("AGEN CEDEX 9", "Agen"),
        ("Passage (Le)", "Le Passage"),
        ("PASSAGE LE", "Le Passage"),
        ("Boé", "BOE"),
        ("L’Isle-d’Abeau", "L'Isle d'Abeau"),
    ],
)
def test_names_are_compared_as_people_write_them(written, official):
    assert normalized_commune_name(written) == normalized_commune_name(official)


def test_different_names_stay_different():
    names = [
        "Saint-Martin",
        "Saint-Martin-Curton",
        "Le Mas",
        "Mas-d'Agenais",
        "Sainte-Marthe",
        "Saint-Marthe",
    ]
    assert len({normalized_commune_name(name) for name in names}) == len(names)


def test_a_postal_code_of_no_commune_may_be_a_business_one():
    found, _ = locate(name="Ouestville Cedex", code_insee="99001", code_postal="99123")
    assert "CEDEX" in found.findings[-1].detail
    found, _ = locate(name="Ouestville", code_insee="99001", code_postal="96100")
    assert "CEDEX" not in found.findings[-1].detail


def test_near_ends_five_kilometres_beyond_the_boundary():
    ouestville = TERRITORY.commune_by_code["99001"]  # from 0 to 10 km
    assert NEAR_M == 5_000
    inside, outside = at(14.99), at(15.01)
    assert RESOLVER.is_near(ouestville, inside.x, inside.y)
    assert not RESOLVER.is_near(ouestville, outside.x, outside.y)


@pytest.mark.parametrize(
    "point", [(0, 0), (180, 90), (-180, -90), (1e9, 1e9), (float("nan"), 45), (7.56, 48.0)]
)
def test_no_point_of_the_globe_is_near_by_accident(point):
    assert not any(RESOLVER.is_near(commune, *point) for commune in TERRITORY.commune_by_code.values())


class _Weighing(CommuneResolver):
    """Weighs the evidence of every record, certain or not."""

    def _certain(self, clues: Clues) -> None:
        return None


_WORDS = st.sampled_from(
    ["", "1 rue de Deux-Étangs", "99100 Estbourg", "Mairie de Deux-Étangs", "96100 Voisinville", "Estbourg"]
)


@settings(max_examples=300, deadline=None)
@given(
    code=st.sampled_from([*TERRITORY.commune_by_code, "", "99999"]),
    name=st.sampled_from([*(c.name for c in TERRITORY.commune_by_code.values()), "", "Nullepart"]),
    postal=st.sampled_from(["99100", "99200", "96100", "9910", ""]),
    km=st.sampled_from([None, 2, 12, 25, 38, 44, 49]),
    address=_WORDS,
    site_name=_WORDS,
)
def test_what_is_certain_is_what_the_weighing_of_evidence_finds(code, name, postal, km, address, site_name):
    point = at(km) if km is not None else None
    clues = Clues(
        code_insee=code,
        name=name,
        code_postal=postal,
        address=address,
        site_name=site_name,
        point=(point.x, point.y) if point else None,
    )
    assert RESOLVER.resolve(clues) == _Weighing(TERRITORY).resolve(clues)
