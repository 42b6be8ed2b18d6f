"""Communes inferred from what real files hold instead of a code and a name; each inference is flagged."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from geo.settings import ROOT
from geo.sites.commune_resolver import Clues, CommuneResolver
from geo.sites.findings import CATALOGUE
from geo.sites.model import Severity
from geo.territory.files import read_former_communes, read_territory
from geo.territory.model import Territory
from tests.support.world import TERRITORY

EMPTY = Clues(code_insee="", name="", code_postal="", address="", site_name="", point=None)
IN_AGEN = (0.6163, 44.2033)
IN_NERAC = (0.345, 44.134)


@cache
def resolver():
    folder = ROOT / "data/communes"
    return CommuneResolver(read_territory(folder, "47"), former=read_former_communes(folder, "47"))


def locate(**said):
    return resolver().resolve(
        Clues(**{name: said.get(name, getattr(EMPTY, name)) for name in EMPTY.__slots__})
    )


def flags(found):
    return [f.code for f in found.findings if CATALOGUE[f.code].severity is Severity.FLAGGED]


@pytest.mark.parametrize(
    ("name", "postal", "commune"),
    [
        ("Ville de Nérac", "47600", "Nérac"),
        ("VILLE D'AGEN", "47000", "Agen"),
        ("ville d agen", "47000", "Agen"),
        ("Mairie de Boé", "47550", "Boé"),
        ("Mairie du Passage", "47520", "Le Passage"),
        ("La commune de Layrac", "47390", "Layrac"),
        ("Nérac (47)", "47600", "Nérac"),
        ("Nérac - 47", "47600", "Nérac"),
        ("NERAC 47", "47600", "Nérac"),
        ("Nérac (Lot-et-Garonne)", "47600", "Nérac"),
        ("Nérac, Lot-et-Garonne", "", "Nérac"),
        ("Nérac, France", "47600", "Nérac"),
        ("47600 Nérac", "", "Nérac"),
        ("47600 NERAC CEDEX", "", "Nérac"),
        ("F-47600 Nérac", "", "Nérac"),
        ("Nérac 47600", "", "Nérac"),
        ("Nérac (47600)", "", "Nérac"),
        ("St Sylvestre s/ Lot", "47140", "Saint-Sylvestre-sur-Lot"),
        ("St-Sylvestre-S/Lot", "47140", "Saint-Sylvestre-sur-Lot"),
        ("ST SYLVESTRE S LOT", "47140", "Saint-Sylvestre-sur-Lot"),
        ("Villeneuve /s Lot", "47300", "Villeneuve-sur-Lot"),
        ("Villeneuve/Lot", "47300", "Villeneuve-sur-Lot"),
        ("Ste Livrade", "47110", "Sainte-Livrade-sur-Lot"),
        ("Ste. Livrade s/ Lot", "47110", "Sainte-Livrade-sur-Lot"),
        ("Ste Livrade (47)", "", "Sainte-Livrade-sur-Lot"),
        ("Passage", "47520", "Le Passage"),
        ("Le Passage d'Agen", "47520", "Le Passage"),
        ("PASSAGE (LE)", "47520", "Le Passage"),
        ("Mas d'Agenais", "47430", "Le Mas-d'Agenais"),
        ("Casteljalous", "47700", "Casteljaloux"),
        ("Mongaillard", "47230", "Montgaillard-en-Albret"),
        ("Agen et environs", "47000", "Agen"),
        ("Miramont", "47800", "Miramont-de-Guyenne"),
        ("Nérac", "", "Nérac"),
    ],
)
def test_a_name_as_people_write_it_is_found_and_flagged_with_its_evidence(name, postal, commune):
    found = locate(name=name, code_postal=postal)
    assert found.name == commune and found.commune.name == commune
    assert flags(found) == ["commune_deduite"]
    (inference,) = (f for f in found.findings if f.code == "commune_deduite")
    assert f"« {name} »" in inference.detail
    assert postal in inference.detail


@pytest.mark.parametrize(
    ("said", "commune"),
    [
        ({"address": "8 rue X 47600 Nérac"}, "Nérac"),
        ({"address": "8 rue X, 47600 NERAC CEDEX"}, "Nérac"),
        ({"address": "8 rue des Lilas 47390"}, "Layrac"),
        ({"address": "8 rue des Lilas - 47600 NERAC - FRANCE"}, "Nérac"),
        ({"address": "8 rue des Lilas, 47600 Nérac France"}, "Nérac"),
        ({"address": "BP 20, 47110 Ste Livrade"}, "Sainte-Livrade-sur-Lot"),
        ({"address": "Le Bourg 47140 St Sylvestre s/ Lot. Tél. 05 53 00 00 01"}, "Saint-Sylvestre-sur-Lot"),
        ({"address": "Le Bourg, 47170 Lisse"}, "Réaup-Lisse"),
        ({"address": "8 rue des Lilas, Layrac"}, "Layrac"),
        ({"complement": "47390 Layrac"}, "Layrac"),
        ({"address": "Mairie de Layrac, le Bourg"}, "Layrac"),
        ({"address": "3 avenue de Nérac, 47230 Lavardac"}, "Lavardac"),
        ({"address": "1633 avenue du Général Fictif AGEN", "code_postal": "47000"}, "Agen"),
        ({"address": "mairie de Tonneins place Fictive", "code_postal": "47400"}, "Tonneins"),
        ({"site_name": "Mairie de Layrac"}, "Layrac"),
        ({"site_name": "Agence postale communale de Bias", "code_postal": "47300"}, "Bias"),
        ({"site_name": "EPN de Miramont", "code_postal": "47800"}, "Miramont-de-Guyenne"),
        ({"site_name": "CCAS Ste Livrade sur Lot", "code_postal": "47110"}, "Sainte-Livrade-sur-Lot"),
        (
            {"site_name": "France Services de Penne d'Agenais AGORA", "code_postal": "47140"},
            "Penne-d'Agenais",
        ),
        ({"pivot": "214701757 00012", "code_postal": "47150"}, "Monflanquin"),
        ({"point": IN_AGEN}, "Agen"),
        ({"point": IN_AGEN, "code_postal": "4700"}, "Agen"),
        ({"code_postal": "47390"}, "Layrac"),
        ({"code_postal": "F-47390"}, "Layrac"),
    ],
)
def test_a_commune_is_found_without_its_name_and_flagged_with_its_evidence(said, commune):
    found = locate(**said)
    assert found.name == commune
    assert "commune_deduite" in flags(found)
    (inference,) = (f for f in found.findings if f.code == "commune_deduite")
    assert "d'après" in inference.detail


@pytest.mark.parametrize(
    ("site_name", "address", "postal", "commune"),
    [
        ("Agence postale de Montayral", "90 Avenue de Fumel", "47500", "Montayral"),
        ("Médiathèque de Montayral", "12 route de Fumel", "47500", "Montayral"),
        ("Espace numérique, avenue de Fumel, Montayral", "", "47500", "Montayral"),
        ("Mairie de Bias", "chemin de Villeneuve-sur-Lot", "47300", "Bias"),
        ("Mairie de Boé", "1 rue d'Agen", "", "Boé"),
        ("Point numérique", "5 rue de la gare de Fumel", "47500", None),
        ("Médiathèque", "3 bd de Nérac", "47600", None),
        ("Espace de la rue de Nicole", "", "47190", None),
        ("Espace Nicole Fictive", "", "47190", None),
    ],
)
def test_a_commune_in_the_name_of_a_street_is_no_evidence(site_name, address, postal, commune):
    found = locate(site_name=site_name, address=address, code_postal=postal)
    assert (found.commune and found.commune.name) == commune
    assert flags(found)[0] == ("commune_deduite" if commune else "commune_ambigue")


@pytest.mark.parametrize(
    "said",
    [
        {"code_insee": "47195", "name": "Nérac", "code_postal": "47600", "point": IN_NERAC},
        {"code_insee": "47195", "name": "NERAC", "code_postal": "47600", "point": IN_NERAC},
        {"code_insee": "47195", "name": "Nérac CEDEX", "code_postal": "47600", "point": IN_NERAC},
        {"code_insee": "47252", "name": "Ste Livrade s/ Lot", "code_postal": "47110"},
        {"code_insee": "47195", "name": "Ville de Nérac", "code_postal": "47600"},
        {"code_insee": "47195", "name": "47600 Nérac", "code_postal": "47600"},
        {"name": "Nérac", "code_postal": "47600"},
        {"name": "nerac", "point": IN_NERAC},
        {"code_insee": "47195", "code_postal": "47600"},
    ],
)
def test_what_agrees_is_not_flagged(said):
    found = locate(**said)
    assert found.commune is not None
    assert flags(found) == []


@pytest.mark.parametrize(
    ("said", "commune", "postal"),
    [
        ({"name": "Agen", "code_postal": "4700", "point": IN_AGEN}, "Agen", "47000"),
        ({"name": "Agen", "code_postal": "4700"}, "Agen", "47000"),
        ({"name": "Nérac", "code_postal": "7600", "point": IN_NERAC}, "Nérac", "47600"),
        ({"name": "Marmande", "code_postal": "4720"}, "Marmande", "47200"),
        ({"code_insee": "47195", "name": "Nérac", "code_postal": "4600"}, "Nérac", "47600"),
    ],
)
def test_a_postal_code_that_lost_a_digit_is_completed_by_its_commune(said, commune, postal):
    found = locate(**said)
    assert (found.name, found.code_postal) == (commune, postal)
    assert "code_postal_corrige" in flags(found)


@pytest.mark.parametrize("name", ["Digne-les-Bains", "Manosque"])
def test_a_zero_lost_in_front_is_restored_where_no_commune_here_is_named(name):
    found = locate(name=name, code_postal="4000")
    assert found.commune is None and found.code_postal == "04000"
    assert flags(found) == ["commune_inconnue"]


@pytest.mark.parametrize(
    ("said", "commune"),
    [
        ({"name": "Ste Livrade"}, None),  # one is in Haute-Garonne too
        ({"name": "Castres"}, None),
        ({"name": "Agen", "code_postal": "31000"}, None),
        ({"name": "Agen", "code_insee": "75056"}, None),
        ({"name": "Toulouse", "code_postal": "31000", "point": (1.44, 43.6)}, None),
        ({"name": "Un hameau", "code_postal": "47600", "point": IN_AGEN}, None),
        ({"code_postal": "4760"}, None),
    ],
)
def test_what_is_not_certain_enough_is_not_guessed(said, commune):
    assert locate(**said).commune is commune


@pytest.mark.parametrize(
    ("said", "commune"),
    [
        ({"name": "Estillac", "code_insee": "47001", "code_postal": "47310"}, "Estillac"),
        ({"name": "Estillac", "code_insee": "47001"}, "Agen"),
        ({"code_insee": "47001", "code_postal": "47600", "point": IN_NERAC}, "Nérac"),
        ({"name": "Agen", "code_insee": "47195", "point": IN_AGEN}, "Agen"),
        ({"name": "Agen", "code_postal": "47000", "address": "8 rue X 47600 Nérac", "point": IN_NERAC},
         "Nérac"),
        ({"name": "Sainte Livrade sur Lot", "code_postal": "47110", "code_insee": "47110"},
         "Sainte-Livrade-sur-Lot"),
    ],
)  # fmt: skip
def test_the_greater_weight_decides_and_the_contradiction_is_flagged(said, commune):
    found = locate(**said)
    assert found.name == commune
    assert "commune_discordante" in flags(found)
    assert "et non à" in next(f.detail for f in found.findings if f.code == "commune_discordante")


def test_a_name_with_its_point_outweighs_a_postal_code_of_another_departement():
    found = locate(name="Agen", code_postal="04700", point=IN_AGEN)
    assert found.name == "Agen" and flags(found) == ["code_postal_discordant"]


@pytest.mark.parametrize(
    ("said", "present", "former"),
    [
        ({"name": "Lisse", "code_insee": "47149", "code_postal": "47170"}, "Réaup-Lisse", "Lisse"),
        ({"name": "Lisse", "code_postal": "47170"}, "Réaup-Lisse", "Lisse"),
        ({"name": "LISSE"}, "Réaup-Lisse", "LISSE"),
        ({"name": "Gueyze", "code_insee": "47302"}, "Sos", "Gueyze"),
        ({"name": "Meylan (47)", "code_postal": "47170"}, "Sos", "Meylan (47)"),
        ({"name": "St Pierre de Caubel", "code_postal": "47380"}, "Pinel-Hauterive", "St Pierre de Caubel"),
        ({"name": "Villeneuve de Mézin", "code_insee": "47322"}, "Lannes", "Villeneuve de Mézin"),
        ({"name": "Cubjac", "code_postal": "24640"}, "Cubjac-Auvézère-Val d'Ans", "Cubjac"),
    ],
)
def test_a_former_commune_is_replaced_by_that_of_today_and_flagged(said, present, former):
    found = locate(**said)
    assert (found.name, found.former) == (present, former)
    assert "commune_ancienne" in flags(found)
    detail = next(f.detail for f in found.findings if f.code == "commune_ancienne")
    assert present in detail and found.code_insee in detail


@pytest.mark.parametrize(
    ("code", "present"),
    [("47149", "Réaup-Lisse"), ("47261", "Lauzun"), ("47153", "Saint-Hilaire-de-Lusignan")],
)
def test_the_code_of_a_former_commune_leads_to_that_of_today(code, present):
    found = locate(code_insee=code)
    assert found.name == present and flags(found)[0] == "commune_ancienne"


PARIS = replace(
    TERRITORY.communes[0], code="75056", name="Paris", departement_code="75", departement_name="Paris",
    postal_codes=tuple(f"750{n:02}" for n in range(1, 21)),
)  # fmt: skip
LYON = replace(
    TERRITORY.communes[1], code="69123", name="Lyon", departement_code="69", departement_name="Rhône",
    postal_codes=tuple(f"6900{n}" for n in range(1, 10)),
)  # fmt: skip
MARSEILLE = replace(
    TERRITORY.communes[2], code="13055", name="Marseille", departement_code="13",
    departement_name="Bouches-du-Rhône", postal_codes=tuple(f"130{n:02}" for n in range(1, 17)),
)  # fmt: skip
CITIES = CommuneResolver(Territory("75", "Villes", (PARIS, LYON, MARSEILLE), ()))


@pytest.mark.parametrize(
    ("said", "name", "postal"),
    [
        (
            {"code_insee": "75112", "name": "Paris 12e Arrondissement", "code_postal": "75012"},
            "Paris",
            "75012",
        ),
        ({"code_insee": "75112", "name": "Paris"}, "Paris", "75012"),
        ({"code_insee": "75112"}, "Paris", "75012"),
        ({"code_insee": "75056", "name": "Paris 12", "code_postal": "75012"}, "Paris", "75012"),
        ({"code_insee": "75056", "name": "Paris", "code_postal": "75116"}, "Paris", "75116"),
        ({"name": "PARIS 1ER ARRONDISSEMENT"}, "Paris", "75001"),
        ({"name": "75011 Paris"}, "Paris", "75011"),
        ({"code_insee": "69383", "name": "Lyon 3ème"}, "Lyon", "69003"),
        ({"name": "Lyon 09"}, "Lyon", "69009"),
        ({"code_insee": "13216", "name": "Marseille 16e"}, "Marseille", "13016"),
        ({"name": "Marseille 1er arrdt", "code_postal": "13001"}, "Marseille", "13001"),
    ],
)
def test_an_arrondissement_is_its_city_and_gives_the_postal_code(said, name, postal):
    found = CITIES.resolve(Clues(**{n: said.get(n, getattr(EMPTY, n)) for n in EMPTY.__slots__}))
    assert found.commune is not None
    assert found.name == found.commune.name == name
    known = {*PARIS.postal_codes, "75116", *LYON.postal_codes, *MARSEILLE.postal_codes}
    assert found.code_postal == postal and postal in known
    assert found.code_insee in ("75056", "69123", "13055")
    if said.get("code_insee"):
        assert set(flags(found)) <= {"code_postal_discordant"}
