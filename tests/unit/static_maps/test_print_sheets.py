"""Poster sheets, directories and slips, read back: content, pages, tags."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from geo.errors import InvalidParameter, UnknownTerritory
from geo.hours.calendar import Calendar
from geo.matching.criteria import receives_public
from geo.matching.upcoming_visits import upcoming_visits
from geo.places.model import Place, PlaceKind
from geo.reach.modes import Mode
from geo.services import import_sites
from geo.services.find_help import SearchOrigin
from geo.settings import ROOT
from geo.snapshot import Snapshot
from geo.territory.files import read_territory
from geo.territory.model import TerritoryKind
from static_maps.print_content import site_slip, territory_directory, territory_sheet
from static_maps.print_layout import directory_pdf, sheet_pdf, slip_pdf
from tests.support.paper import A4, A5, BUS, FULL, NOW, commune_sheet, desk, read, root_of, size, text
from tests.support.world import TERRITORY, as_site, at, site, snapshot

HOSTILE = (
    '#panic("x")',
    "*gras* _it_ $x$ `code` @ref <label>",
    '#read("/etc/passwd") \\u{41} \\',
    "</text><script>alert(1)</script> ]]> <!--",
    "des \"guillemets\" & 'autres'",
    "deux\nlignes\r\nou\u2028trois",
    "{{ 7 * 7 }} %(date)s %s {n}",
    "\u202eretourné\u202c",
    "مركز رقمي",
    "Café 🚌 👵🏽",
    "mot" * 700,
    "bien des mots " * 150,
    "\x00\x07\x1b[31m",
)


@pytest.fixture(scope="module")
def shipped() -> Snapshot:
    """The shipped territory with the demonstration's sites."""
    territory = read_territory(ROOT / "data" / "communes", "47")
    sites = [
        as_site(each)
        for path in sorted((ROOT / "data" / "demo").glob("*.csv"))
        for each in import_sites.read(
            path, territory=territory, today=NOW.date(), max_bytes=10_000_000
        ).validated.records
    ]
    return Snapshot(1, NOW, territory, tuple(sorted(sites, key=lambda s: s.id)))


def test_a_sheet_tells_phone_time_hours_price_and_where():
    pdf = commune_sheet(snapshot(site("a", 20, "99002", **FULL)))
    assert len(read(pdf).pages) == 1
    assert size(pdf) == A4
    said = text(pdf).replace("\u2019", "'")
    for expected in (
        "Besoin d'aide avec le numérique ?",
        "Ouestville",
        "Lieu a",
        "05 53 00 01 02",
        "26 min en voiture",
        "Gratuit",
        "Accepte le Pass Numérique",
        "Du lundi au vendredi : 9 h – 12 h et 13 h 30 – 17 h",
        "1 place de l'Exemple, 99100 Deux-Étangs",
        "Vérifiez par téléphone avant de vous déplacer.",
        "portee.example/?lieu=commune-99001",
        "Imprimé le 27 novembre 2026.",
        "estimés à vol d'oiseau",
        "Source : Fichier d'essai",
        "Données de démonstration",
    ):
        assert expected in said, expected


def test_true_sites_are_not_told_as_invented():
    assert "démonstration" not in text(commune_sheet(snapshot(site("a", 5, fictif=False))))


def test_the_soonest_reached_are_told_first_and_those_who_receive_nobody_never():
    said = text(
        commune_sheet(
            snapshot(
                site("loin", 30, "99003"),
                site("ici", 6),
                site("pres", 12, "99002"),
                site("clos", 5, modalites_acces=("Ce lieu n'accueille pas de public",)),
                replace(site("perdu", None), code_insee=""),
            )
        )
    )
    assert said.index("Lieu ici") < said.index("Lieu pres") < said.index("Lieu loin")
    assert "clos" not in said
    assert "perdu" not in said
    assert "Dans la commune" in said


def test_a_sheet_without_any_site_still_says_so():
    assert "Aucun lieu n'est connu" in text(commune_sheet(snapshot())).replace("\u2019", "'")


def sizes(pdf: bytes) -> dict[str, float]:
    """The size each text is set in, in points."""
    found: dict[str, float] = {}

    def visit(said: str, _cm: Any, matrix: list[float], _font: Any, points: float) -> None:
        if said.strip():
            found[said.strip()] = min(found.get(said.strip(), 999.0), abs(points * matrix[0]))

    for page in read(pdf).pages:
        page.extract_text(visitor_text=visit)
    return found


def test_type_is_large_and_the_phone_the_largest():
    found = sizes(commune_sheet(snapshot(site("a", 20, "99002", **FULL))))
    assert min(found.values()) >= 14
    assert max(points for said, points in found.items() if "05 53 00 01 02" in said) >= 24


@pytest.mark.parametrize("code", ["fr", "en"])
def test_one_page_whatever_the_commune(shipped, code):
    made = desk(shipped, code)
    communes = shipped.territory.communes
    longest = sorted(communes, key=lambda c: -len(c.name))[:2]
    largest = max(communes, key=lambda c: c.population)
    smallest = min(communes, key=lambda c: c.population)
    by_bus = [c for c in communes if c.name in ("Agmé", "Lavardac")]
    for commune in {c.code: c for c in (*longest, largest, smallest, *by_bus, *communes[::80])}.values():
        pdf = sheet_pdf(territory_sheet(made, TerritoryKind.COMMUNE, commune.code))
        assert len(read(pdf).pages) == 1, commune.name
        said = text(pdf)
        assert commune.name in said
        assert len(re.findall(r"05 36 49 \d\d \d\d", said)) >= 4, commune.name


def test_a_canton_lists_all_its_sites_then_those_beside(shipped):
    canton = next(g for g in shipped.territory.groupings_of(TerritoryKind.CANTON) if g.code == "4712")
    inside = [s for s in shipped.sites if s.code_insee in canton.communes]
    sheet = territory_sheet(desk(shipped), TerritoryKind.CANTON, "4712")
    assert len(sheet.groups[0].cards) == len(inside) > 0
    assert len(sheet.groups[1].cards) == 3
    assert all(" depuis " in card.reasons[0] for card in sheet.groups[1].cards)
    said = text(sheet_pdf(sheet))
    assert all(re.sub(r"\s+", " ", s.nom) in said for s in inside)
    assert f"page 1 sur {len(read(sheet_pdf(sheet)).pages)}" in said


def test_an_epci_without_site_sends_to_the_nearest():
    sheet = territory_sheet(desk(snapshot(site("a", 5))), TerritoryKind.EPCI, "200000002")
    assert sheet.groups[0].cards == ()
    assert "pas encore de lieu" in text(sheet_pdf(sheet))
    assert [card.name for card in sheet.groups[1].cards] == ["Lieu a"]


def test_only_territories_with_sheets_have_one():
    with pytest.raises(UnknownTerritory):
        territory_sheet(desk(snapshot()), TerritoryKind.COMMUNE, "99999")
    with pytest.raises(InvalidParameter, match="arrondissement"):
        territory_sheet(desk(snapshot()), TerritoryKind.ARRONDISSEMENT, "991")


def test_stops_are_dated_and_in_the_commune_they_name():
    found = upcoming_visits((BUS,), TERRITORY, NOW, Calendar(), each=2)
    assert [(p.start.strftime("%m-%d %H"), p.commune) for p in found] == [
        ("12-01 08", "99004"),
        ("12-01 09", "99002"),
        ("12-03 14", "99001"),
        ("12-08 09", "99002"),
    ]


def test_a_sheet_tells_the_next_stops_nearby_only():
    said = text(commune_sheet(snapshot(BUS)))
    first = said.index("Mardi 1er décembre, de 9 h à 12 h · Deux Etangs, place du marché")
    assert first < said.index("Jeudi 3 décembre, de 14 h à 17 h · devant l")
    assert "Estbourg" not in said
    assert said.count("05 53 00 01 03") == 3


def structure(reader: PdfReader) -> list[tuple[str, str]]:
    """Every element of the structure tree in order: its kind and its alternative text."""
    found = []

    def walk(node: Any) -> None:
        node = node.get_object() if isinstance(node, IndirectObject) else node
        if isinstance(node, list):
            for each in node:
                walk(each)
        elif isinstance(node, dict):
            if "/S" in node:
                found.append((str(node["/S"]), str(node.get("/Alt", ""))))
            if "/K" in node:
                walk(node["/K"])

    walk(root_of(reader)["/StructTreeRoot"])
    return found


@pytest.mark.parametrize("code", ["fr", "en"])
@pytest.mark.parametrize("kind", ["commune", "canton", "directory", "slip"])
def test_paper_is_tagged(kind, code):
    place = desk(snapshot(site("a", 5, **FULL), BUS), code)
    pdf = {
        "commune": lambda: sheet_pdf(territory_sheet(place, TerritoryKind.COMMUNE, "99001")),
        "canton": lambda: sheet_pdf(territory_sheet(place, TerritoryKind.CANTON, "9901")),
        "directory": lambda: directory_pdf(territory_directory(place)),
        "slip": lambda: slip_pdf(site_slip(place, BUS, SearchOrigin(), Mode.CAR)),
    }[kind]()
    reader = read(pdf)
    root = root_of(reader)
    assert root["/Lang"].split("-")[0] == code
    assert root["/MarkInfo"]["/Marked"]
    assert reader.metadata is not None
    assert reader.metadata.title
    assert b"pdfuaid:part>1" in pdf
    kinds = structure(reader)
    assert any(name == "/H1" for name, _alt in kinds)
    [figure] = [alt for name, alt in kinds if name == "/Figure"]
    assert "portee.example" in figure
    if kind == "directory":
        assert any(name == "/TH" for name, _alt in kinds)


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_in_a_name_acts_and_all_stays_on_its_page(name):
    hostile = replace(
        BUS,
        id="essai--h",
        nom=name,
        adresse=name,
        complement_adresse=name,
        source=name,
        horaires=name,
        telephone="",
        arrets=tuple(replace(stop, place=name) for stop in BUS.arrets),
    )
    found = snapshot(hostile, site("b", 6, **FULL))
    place = desk(found)
    sheet, slip = commune_sheet(found), slip_pdf(site_slip(place, hostile, SearchOrigin(), Mode.CAR))
    assert (len(read(sheet).pages), size(sheet)) == (1, A4)
    assert (len(read(slip).pages), size(slip)) == (1, A5)
    directory = directory_pdf(territory_directory(place))
    for said in map(text, (sheet, directory)):
        assert "Lieu b" in said
    start = re.sub(r"[\s\x00-\x1f\u202a-\u202e]+", " ", name).strip()[:16]
    if start and start.replace(" ", "").isascii():
        for said in map(text, (sheet, slip, directory)):
            assert start in said, said[:300]
    for pdf in (sheet, slip, directory):
        for page in read(pdf).pages:
            page.extract_text(visitor_text=inside(page))


def inside(page: Any) -> Any:
    """Asserts that each text starts on the page."""
    width, height = float(page.mediabox.width), float(page.mediabox.height)

    def visit(said: str, cm: list[float], matrix: list[float], _font: Any, _points: float) -> None:
        if said.strip():
            x = matrix[4] * cm[0] + cm[4]
            y = matrix[5] * cm[3] + cm[5]
            assert -1 <= x <= width, (said, x)
            assert -1 <= y <= height, (said, y)

    return visit


def test_the_same_facts_give_the_same_bytes():
    found = snapshot(site("a", 5, **FULL), BUS)
    assert commune_sheet(found) == commune_sheet(found)
    assert directory_pdf(territory_directory(desk(found))) == directory_pdf(territory_directory(desk(found)))


def test_the_directory_sends_every_commune_somewhere():
    directory = territory_directory(
        desk(
            snapshot(
                site("a", 5),
                site("b", 6),
                site("c", 45, "96001"),
                replace(site("d", 34), code_insee="", commune="Là-bas"),
            )
        )
    )
    told = {entry.name: (entry.own, entry.chapter, entry.where) for entry in directory.entries}
    assert list(told) == ["Désert-le-Vide", "Deux-Étangs", "Estbourg", "Ouestville"]
    assert told["Ouestville"] == (True, "99001", "2 lieux")
    assert told["Deux-Étangs"][:2] == (False, "99001")
    assert "Lieu b" in told["Deux-Étangs"][2]
    assert told["Estbourg"][1] == "?Là-bas"
    assert [chapter.name for chapter in directory.chapters] == ["Là-bas", "Ouestville"]
    assert [chapter.name for chapter in directory.beyond] == ["Outre-Borne (Voisinage)"]


def test_the_directory_of_the_shipped_territory_holds_all(shipped):
    pdf = directory_pdf(territory_directory(desk(shipped)))
    pages = [re.sub(r"\s+", " ", page.extract_text()) for page in read(pdf).pages]
    said = " ".join(pages)
    bare = re.sub(r"\s", "", said)  # a long name may be on two lines
    assert all(re.sub(r"\s", "", c.name) in bare for c in shipped.territory.communes)
    for each in shipped.sites:
        assert (re.sub(r"\s", "", each.nom) in bare) is receives_public(each), each.nom
    # The page a commune sends to is the one its sites are on.
    line = re.search(r"Nérac 1 lieu (\d+)", said)
    assert line
    assert "16 place de l'Exemple, 47600 Nérac" in pages[int(line[1]) - 1].replace("\u2019", "'")


def test_a_slip_tells_the_site_and_nothing_of_the_person():
    hall = at(5)
    home = Place("adresse-1", PlaceKind.COMMUNE, "12 rue du Secret", "Ouestville", hall.x, hall.y, "99001")
    chosen = site("a", 20, "99002", acces_fauteuil=True, **FULL)
    slip = site_slip(desk(snapshot(chosen)), chosen, SearchOrigin(hall.x, hall.y, home), Mode.CAR)
    said = text(slip_pdf(slip)).replace("\u2019", "'")
    for expected in (
        "Je vous conseille d'aller ici :",
        "05 53 00 01 02",
        "26 min en voiture depuis Ouestville",
        "Le vendredi 27 novembre : ouvert jusqu'à 12 h",
        "Accessible en fauteuil roulant",
        "Rendez-vous le",
        "Documents à apporter",
    ):
        assert expected in said, expected
    assert "Secret" not in said
    assert slip.link.address == "https://portee.example/lieux/essai--a"


def test_a_slip_says_a_date_that_stays_true():
    chosen = site("a", 20, "99002", **FULL)
    later = replace(desk(snapshot(chosen)), moment=NOW.replace(hour=18))
    assert site_slip(later, chosen, SearchOrigin(), Mode.CAR).opens == "Ouvre le lundi 30 novembre à 9\u00a0h"
