"""Addresses of records looked up in the stored base: number, then street, then none; and their import."""

from __future__ import annotations

from datetime import date

import pytest

from geo.crs import project
from geo.places.ban import read_addresses
from geo.settings import ROOT
from geo.sites.commune_resolver import Clues, CommuneResolver
from geo.sites.findings import CATALOGUE
from geo.sites.model import Position, RawRow, Severity
from geo.sites.readers import open_source
from geo.sites.validate import validate
from geo.store import addresses
from geo.store.address_locator import locator
from geo.territory.files import read_former_communes, read_territory
from tests.support.addresses import WORLD, row, write
from tests.support.shared import SHARED, needs_shared
from tests.support.world import TERRITORY, at


@pytest.fixture
def located(connection, tmp_path):
    loaded = read_addresses([write(tmp_path / "adresses-99.csv", WORLD)], TERRITORY)
    addresses.replace(connection, loaded, {})
    return locator(connection)


def test_without_addresses_there_is_no_locator(connection):
    assert locator(connection) is None


@pytest.mark.parametrize(
    ("address", "communes", "found"),
    [
        ("12 rue de l'Église", ["99001"], [("99001", 4.1, Position.ADRESSE)]),
        ("12 bis rue de l'Église", ["99001"], [("99001", 4.2, Position.ADRESSE)]),
        ("12 ter rue de l'Église", ["99001"], [("99001", 4.1, Position.RUE)]),
        ("7 rue de l'Église", ["99001"], [("99001", None, Position.RUE)]),
        ("rue de l'Église", ["99001"], [("99001", None, Position.RUE)]),
        # Only one of the two communes has the number.
        ("12 rue de l'Église", ["99001", "99004"], [("99001", 4.1, Position.ADRESSE)]),
        ("1 rue de l'Église", ["99001", "99004"],
         [("99001", 4, Position.ADRESSE), ("99004", 34, Position.ADRESSE)]),
        ("7 rue de l'Église", ["99001", "99004"],
         [("99001", None, Position.RUE), ("99004", None, Position.RUE)]),
        ("Lagarde", ["99001"], [("99001", None, Position.RUE)]),
        ("7 Lagarde", ["99001"], [("99001", 6, Position.ADRESSE)]),
        ("2 rue des Écoles", ["99001"], []),
        ("2 rue des Écoles", [], []),
        ("2 rue des Écoles", ["00000"], []),
    ],
)  # fmt: skip
def test_an_address_is_found_at_its_number_or_in_its_street(located, address, communes, found):
    matches = located.locate(address, communes)
    assert [(m.commune, m.position) for m in matches] == [(c, p) for c, _, p in found]
    for match, (_, x_km, _) in zip(matches, found, strict=True):
        if x_km is not None:
            point = at(x_km)
            assert (match.longitude, match.latitude) == pytest.approx((point.x, point.y), abs=1e-6)


def one(located, **values):
    raw = {"id": "1", "nom": "Lieu fictif", "services": "x", **values}
    result = validate(
        [RawRow(2, raw)], territory=TERRITORY, dataset="essai", today=date(2026, 11, 2), addresses=located
    )
    return result.records[0], [i.code for i in result.issues]


def test_a_record_without_coordinates_is_placed_at_its_house_number(located):
    record, codes = one(located, commune="Ouestville", code_postal="99100", adresse="12 rue de l'Église")
    point = at(4.1)
    assert (record.longitude, record.latitude) == pytest.approx((point.x, point.y), abs=1e-6)
    assert record.position is Position.ADRESSE and "position_adresse" in codes
    assert "position_adresse" in record.signalements


def test_a_record_whose_number_is_unknown_is_placed_in_its_street(located):
    record, codes = one(located, commune="Ouestville", code_postal="99100", adresse="99 rue de l'Église")
    assert record.position is Position.RUE and "position_rue" in codes


def test_a_record_whose_street_is_unknown_stays_at_the_town_hall(located):
    record, codes = one(located, commune="Ouestville", code_postal="99100", adresse="1 rue Nouvelle")
    assert record.position is Position.APPROXIMATIVE and "position_approximative" in codes


def test_a_point_far_from_its_commune_gives_way_to_the_address(located):
    far = at(38)
    record, codes = one(
        located, commune="Ouestville", code_postal="99100", code_insee="99001", adresse="1 rue de l'Église",
        latitude=repr(far.y), longitude=repr(far.x),
    )  # fmt: skip
    assert record.position is Position.ADRESSE
    assert {"hors_commune", "position_adresse"} <= set(codes)


def test_an_address_distinguishes_communes_of_one_postal_code(located):
    record, codes = one(located, code_postal="99100", adresse="8 rue du 8 mai 1945")
    assert record.commune == "Deux-Étangs" and record.position is Position.ADRESSE
    assert "commune_deduite" in codes
    clues = Clues(code_insee="", name="", code_postal="99100", address="rue du 8 mai 1945", site_name="",
                  point=None)  # fmt: skip
    found = CommuneResolver(TERRITORY, located).resolve(clues)
    assert found.name == "Deux-Étangs" and "la base d'adresses" in found.findings[0].detail
    both, codes = one(located, code_postal="99100", adresse="1 rue de l'Église")
    assert both.code_insee == "" and "commune_ambigue" in codes


COMMUNE_OF = {
    "24634": "47052", "47111124": "47175", "4075": "47001", "4786": "47001", "5803": "47145", "5906": "47031",
    "6067": "47165", "7229": "47168", "13770": "47157", "20823": "47157", "20843": "47157",
    "47010146": "47001", "47010497": "47001", "47011391": "47001", "47110050": "47086", "47110062": "47203",
    "47110197": "47252", "47110344": "47203", "47110409": "47004", "47210029": "47032", "47210370": "47157",
    "47210591": "47157", "47210988": "47157", "47310122": "47323", "47410283": "47310", "47410485": "47142",
    "47510634": "47185", "47910289": "47001",
}  # fmt: skip
"""Identifier of each structure → the commune it is in, found by hand."""


@needs_shared
def test_most_real_structures_are_placed_by_an_address_base_made_of_their_addresses(connection, tmp_path):
    """The base is invented: each street gets its real name and number at an invented place in the commune."""
    territory = read_territory(ROOT / "data/communes", "47")
    source = SHARED / "data/sites/aidants-connect-47-2023-01.json"
    rows = list(open_source(source, max_bytes=10**6).rows())
    assert {r.values["id"] for r in rows} == COMMUNE_OF.keys()
    known = []
    for rank, each in enumerate(rows):
        commune = territory.commune_by_code[COMMUNE_OF[each.values["id"]]]
        number, _, street = each.values["adresse"].partition(" ")
        if not number.strip(",").isdecimal():
            number, street = "1", each.values["adresse"]
        repetition, _, rest = street.partition(" ")
        if repetition == "bis":
            street = rest
        street = street.rpartition("\n")[2].removesuffix(" AGEN")
        point = commune.town_hall
        x, y = project(point.x + 0.001, point.y + 0.001, territory.metric_crs)[0]
        known.append(
            row(f"{commune.code}_{rank:04}", street, int(number.strip(",")), 1)
            | {
                "rep": "bis" if repetition == "bis" else "",
                "id": f"{commune.code}_{rank:04}_{int(number.strip(',')):05}"
                + ("_bis" if repetition == "bis" else ""),
                "code_postal": commune.postal_codes[0],
                "code_insee": commune.code,
                "nom_commune": commune.name,
                "x": f"{x:.2f}",
                "y": f"{y:.2f}",
                "lon": f"{point.x + 0.001:.6f}",
                "lat": f"{point.y + 0.001:.6f}",
            }
        )
    loaded = read_addresses([write(tmp_path / "adresses-47.csv", known)], territory)
    assert loaded.files[0].tally.rejected == 0
    addresses.replace(connection, loaded, {})
    result = validate(
        rows,
        territory=territory,
        dataset="aidants-connect",
        today=date(2026, 11, 29),
        addresses=locator(connection),
        former=read_former_communes(ROOT / "data/communes", "47"),
    )
    placed = [r for r in result.records if r.position in (Position.ADRESSE, Position.RUE)]
    assert len(placed) >= 22
    assert {r.local_id: r.code_insee for r in placed}.items() <= COMMUNE_OF.items()
    flagged = {i.line for i in result.issues if CATALOGUE.get(i.code) and i.severity is Severity.FLAGGED}
    for rank, record in enumerate(result.records, start=1):
        assert record.located and record.code_insee == COMMUNE_OF[record.local_id]
        assert rank in flagged
