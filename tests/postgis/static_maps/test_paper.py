"""Paper to pin up and hand over, read back: what it says, its pages, its tags, its code to photograph."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import segno
from pypdf import PdfReader
from pypdf.generic import IndirectObject
from typer.testing import CliRunner

from geo.errors import InvalidParameter, UnknownTerritory
from geo.hours.calendar import Calendar
from geo.hours.weekly import TIME_ZONE
from geo.matching.criteria import receives_public
from geo.matching.upcoming_visits import upcoming_visits
from geo.places.model import Place, PlaceKind
from geo.reach.modes import Mode
from geo.services import import_sites
from geo.services.find_help import SearchOrigin
from geo.services.snapshot_view import SnapshotView
from geo.settings import ROOT, Settings
from geo.sites.model import ItinerantStop
from geo.snapshot import Snapshot
from geo.store import snapshots, territories
from geo.store.database import engine_for
from geo.territory.files import read_territory
from geo.territory.model import TerritoryKind
from geo.wording.language import language
from portee.cli import app
from static_maps.print_content import Desk, hours_lines, site_slip, slug, territory_directory, territory_sheet
from static_maps.print_layout import LINK_MOST, directory_pdf, qr_svg, sheet_pdf, slip_pdf
from tests.support.serving import serving
from tests.support.world import TERRITORY, at, site, snapshot

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=TIME_ZONE)
"""A Friday."""
A4, A5 = (595, 842), (420, 595)
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


def desk(found: Snapshot, code: str = "fr", base: str = "https://portee.example") -> Desk:
    view = SnapshotView(found, home=Path("/nonexistent"), detour_factor=1.3, clock=lambda: NOW)
    return Desk(view, Calendar(), code, base, NOW)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))


def root_of(reader: PdfReader) -> Any:
    """The catalogue of a file, where its language and its tags are."""
    return reader.trailer["/Root"]


def text(pdf: bytes) -> str:
    """All text of a file, white space made one."""
    said = " ".join(page.extract_text() for page in read(pdf).pages)
    return re.sub(r"[\s\u2060\u200b]+", " ", said)


def size(pdf: bytes) -> tuple[int, int]:
    box = read(pdf).pages[0].mediabox
    return round(box.width), round(box.height)


def commune_sheet(found: Snapshot, code: str = "99001", **settings: str) -> bytes:
    return sheet_pdf(territory_sheet(desk(found, **settings), TerritoryKind.COMMUNE, code))


@pytest.fixture(scope="module")
def shipped() -> Snapshot:
    """The shipped territory with the demonstration's sites."""
    territory = read_territory(ROOT / "data" / "communes", "47")
    sites = [
        each
        for path in sorted((ROOT / "data" / "demo").glob("*.csv"))
        for each in import_sites.read(
            path, territory=territory, today=NOW.date(), max_bytes=10_000_000
        ).validated.sites
    ]
    return Snapshot(1, NOW, territory, tuple(sorted(sites, key=lambda s: s.id)))


FULL: dict[str, Any] = {
    "telephone": "+33553000102",
    "horaires": "Mo-Fr 09:00-12:00,13:30-17:00; PH off",
    "pass_numerique": True,
    "source": "Fichier d'essai",
}


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


BUS = site(
    "bus",
    5,
    nom="Le bus",
    telephone="+33553000103",
    itinerance=("Itinérant",),
    arrets=(
        ItinerantStop("Deux Etangs, place du marché", "Tu", "09:00-12:00"),
        ItinerantStop("devant l'école", "2026-12-03", "14:00-17:00"),
        ItinerantStop("Estbourg", "2026-12-01", "08:00-09:00"),
    ),
)


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
        local_id="h",
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


@pytest.mark.parametrize(
    ("code", "raw", "lines"),
    [
        ("fr", "Mo-Fr 09:00-12:30; PH off", ("Du lundi au vendredi : 9 h – 12 h 30", "Jours fériés : fermé")),
        ("en", "Mo-We 09:00-12:30", ("Du Monday au Wednesday : 9 am – 12:30 pm",)),
        ("fr", "Th[1] 14:00-17:00", ("Premier jeudi du mois : 14 h – 17 h",)),
        (
            "fr",
            "Mo,We 09:00-12:00; SH off",
            ("Semaine du 30 novembre 2026 (une autre peut différer) :", "Lundi, mercredi : 9 h – 12 h"),
        ),
        ("fr", "sur rendez-vous, téléphoner", ("Sur rendez-vous, téléphoner",)),
        ("fr", "", ("Horaires inconnus",)),
    ],
)
def test_hours_are_said_as_far_as_they_are_known(code, raw, lines):
    said = hours_lines(_in_french_words(code), site("a", 5, horaires=raw), NOW, Calendar())
    assert tuple(re.sub(r"[\s\u2060]+", " ", line) for line in said) == lines


def _in_french_words(code: str) -> Any:
    """A language whose sentences are not translated yet: only its days and hours differ."""
    return replace(language(code), translations=language("fr").translations)


def modules(svg: str) -> list[list[bool]]:
    """The dark squares of a code, from its drawing: strokes one unit high."""
    width = int(re.search(r'width="(\d+)"', svg)[1])  # type: ignore[index]
    dark = [[False] * width for _ in range(width)]
    path = re.search(r'stroke="#000"[^>]* d="([^"]+)"', svg)
    assert path
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path[1]):
        values = [float(n) for n in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            for at_x in range(int(x), int(x + values[0])):
                dark[int(y)][at_x] = True
            x += values[0]
    return dark


BLOCKS = {  # ISO/IEC 18004, table 9: data bytes of each block, versions 2 to 5
    ("L", 2): [34], ("M", 2): [28], ("Q", 2): [22], ("H", 2): [16],
    ("L", 3): [55], ("M", 3): [44], ("Q", 3): [17] * 2, ("H", 3): [13] * 2,
    ("L", 4): [80], ("M", 4): [32] * 2, ("Q", 4): [24] * 2, ("H", 4): [9] * 4,
    ("L", 5): [108], ("M", 5): [43] * 2, ("Q", 5): [15, 15, 16, 16], ("H", 5): [11, 11, 12, 12],
}  # fmt: skip
MASKS = (
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)


def decoded(dark: list[list[bool]], quiet: int = 4) -> str:
    """Read a code of version 2 to 5 in byte mode (ISO/IEC 18004), without correcting any error."""
    assert not any(any(row) for row in (*dark[:quiet], *dark[-quiet:]))
    grid = [row[quiet:-quiet] for row in dark[quiet:-quiet]]
    side = len(grid)
    version = (side - 17) // 4
    level = "MLHQ"[2 * (not grid[8][0]) + grid[8][1]]  # masked with 10
    mask = MASKS[4 * (not grid[8][2]) + 2 * grid[8][3] + (not grid[8][4])]  # masked with 101

    def fixed(i: int, j: int) -> bool:
        centre = side - 7
        return (
            (i < 9 and (j < 9 or j >= side - 8))
            or (i >= side - 8 and j < 9)
            or 6 in (i, j)
            or (abs(i - centre) <= 2 and abs(j - centre) <= 2)
        )

    bits, up = [], True
    for right in (*range(side - 1, 6, -2), *range(5, 0, -2)):
        for i in range(side - 1, -1, -1) if up else range(side):
            bits += [grid[i][j] != (mask(i, j) == 0) for j in (right, right - 1) if not fixed(i, j)]
        up = not up
    words = [sum(b << (7 - n) for n, b in enumerate(bits[k : k + 8])) for k in range(0, len(bits) - 7, 8)]
    lengths = BLOCKS[level, version]
    blocks: list[list[int]] = [[] for _ in lengths]
    order = [(n, b) for n, b in product(range(max(lengths)), range(len(lengths))) if n < lengths[b]]
    for (_n, b), word in zip(order, words, strict=False):
        blocks[b].append(word)
    data = "".join(f"{word:08b}" for block in blocks for word in block)
    assert data[:4] == "0100"  # bytes
    count = int(data[4:12], 2)
    return bytes(int(data[k : k + 8], 2) for k in range(12, 12 + 8 * count, 8)).decode()


@pytest.mark.parametrize(
    "address",
    [
        "https://portee.example/",
        "https://portee.example/?ou=Agm%C3%A9&lieu=commune-47002",
        "https://portee.example/lieux/essai--a?lang=en",
        "https://aide-numerique.un-long-departement.example/?ou=Nerac&lieu=commune-47195",
    ],
)
def test_the_code_reads_as_the_address(address):
    assert decoded(modules(qr_svg(address))) == address
    assert [list(map(bool, row)) for row in segno.make_qr(address, error="m").matrix] == [
        row[4:-4] for row in modules(qr_svg(address))[4:-4]
    ]


def test_the_code_of_a_sheet_leads_to_its_commune():
    link = territory_sheet(desk(snapshot(), "en"), TerritoryKind.COMMUNE, "99002").link
    assert link.address == "https://portee.example/?ou=Deux-%C3%89tangs&lieu=commune-99002&lang=en"
    assert link.shown == "portee.example/?lieu=commune-99002&lang=en"


def test_an_address_too_long_to_photograph_has_no_code():
    assert qr_svg("https://portee.example/" + "x" * LINK_MOST) == ""
    long = site("x" * 500, 5)
    assert len(read(slip_pdf(site_slip(desk(snapshot(long)), long, SearchOrigin(), Mode.CAR))).pages) == 1


# Over HTTP


@pytest.fixture(scope="module")
def client():
    with serving(snapshot(site("a", 5, nom='Maison "é" \r\n; x', **FULL), BUS), search_rate="") as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/imprimer/commune/99001.pdf", "affiche-aide-numerique-ouestville.pdf"),
        ("/imprimer/canton/9901.pdf", "affiche-aide-numerique-canton-9901.pdf"),
        ("/imprimer/epci/200000001.pdf", "affiche-aide-numerique-cc-1.pdf"),
        ("/imprimer/annuaire.pdf", "annuaire-aide-numerique-pays-d-essai.pdf"),
        ("/lieux/essai--a/fiche.pdf", "fiche-maison-e-x.pdf"),
    ],
)
def test_paper_is_shown_in_the_browser_under_a_good_name(client, path, name):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
    assert answer.content.startswith(b"%PDF-")


def test_a_sheet_may_be_kept_for_a_moment_and_a_slip_never(client):
    first = client.get("/imprimer/commune/99001.pdf")
    assert first.headers["cache-control"] == "public, max-age=60"
    known = client.get("/imprimer/commune/99001.pdf", headers={"If-None-Match": first.headers["etag"]})
    assert known.status_code == 304
    slip = client.get("/lieux/essai--a/fiche.pdf?ou=Ouestville")
    assert slip.headers["cache-control"] == "private, no-store"
    assert "depuis Ouestville" in text(slip.content)


def test_each_host_and_language_has_its_own_sheet(client):
    sheets = [
        client.get("/imprimer/commune/99001.pdf", headers={"Host": host}, params=params)
        for host in ("un.test", "deux.test")
        for params in ({}, {"lang": "en"})
    ]
    assert len({sheet.content for sheet in sheets}) == 4
    assert "un.test/?lieu=commune-99001" in text(sheets[0].content)


@pytest.mark.parametrize("host", ["x" * 300 + ".test", "<script>", "a b"])
def test_a_strange_host_is_no_failure(client, host):
    answer = client.get("/imprimer/commune/99002.pdf", headers={"Host": host})
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "path",
    [
        "/imprimer/commune/00000.pdf",
        "/imprimer/commune/%3Cscript%3E.pdf",
        "/imprimer/commune/9901.pdf",
        "/imprimer/departement/99.pdf",
        "/imprimer/rien/99001.pdf",
        "/lieux/inconnu/fiche.pdf",
    ],
)
def test_what_has_no_sheet_is_answered_kindly(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert 'role="alert"' in answer.text
    assert "<script>" not in answer.text
    assert 'action="/imprimer"' in answer.text


def test_a_sheet_is_chosen_without_scripts(client):
    page = client.get("/imprimer?lang=en")
    assert page.status_code == 200
    assert '<option value="99002">Deux-Étangs</option>' in page.text
    assert '<input type="hidden" name="lang" value="en">' in page.text
    chosen = client.get("/imprimer?commune=99002&lang=en", follow_redirects=False)
    assert chosen.status_code == 303
    assert chosen.headers["location"] == "/imprimer/commune/99002.pdf?lang=en"
    refused = client.get("/imprimer", params={"canton": "//ailleurs.test"}, follow_redirects=False)
    assert refused.status_code == 404


def test_the_list_of_a_commune_leads_to_its_sheet(client):
    page = client.get("/?ou=Ouestville")
    assert 'href="/imprimer/commune/99001.pdf"' in page.text
    assert "/imprimer/commune" not in client.get("/").text


@pytest.mark.parametrize("url", ["ftp://x", "https://", "https://a b", "https://x/?q"])
def test_an_address_of_the_pages_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="public_url"):
        Settings(public_url=url)


def test_a_name_of_file_is_plain():
    assert slug("L'Été à Saint-Pé ?") == "l-ete-a-saint-pe"
    assert slug("🚌") == "portee"


# From the command line


@pytest.fixture
def stored(fresh_settings, monkeypatch, tmp_path):
    engine = engine_for(fresh_settings)
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
        snapshots.publish(connection)
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", fresh_settings.database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    return tmp_path


def run(*arguments: str, **environment: str) -> Any:
    return CliRunner().invoke(app, ["print", *arguments], env=environment)


def test_the_command_writes_what_is_asked(stored):
    done = run(
        *("--commune", "99001", "--commune", "99001", "--canton", "9901", "--epci", "200000002", "--all"),
        *("--out", str(stored)),
        PORTEE_PUBLIC_URL="https://aide.example/ici/",
    )
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in stored.glob("*.pdf")) == [
        "affiche-canton-9901-canton-9901.pdf",
        "affiche-commune-99001-ouestville.pdf",
        "affiche-epci-200000002-cc-2.pdf",
        "annuaire-pays-d-essai.pdf",
    ]
    assert "n'est pas définie" not in done.output
    pdf = (stored / "affiche-commune-99001-ouestville.pdf").read_bytes()
    assert "aide.example/ici/?lieu=commune-99001" in text(pdf)


def test_the_command_writes_one_file_in_english_and_warns_without_address(stored):
    done = run("--commune", "99001", "--out", str(stored / "a.pdf"), "--lang", "en", "--json")
    assert done.exit_code == 0, done.output
    assert "PORTEE_PUBLIC_URL n'est pas définie" in done.stderr
    assert root_of(read((stored / "a.pdf").read_bytes()))["/Lang"].startswith("en")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "dites ce qu'il faut imprimer"),
        (("--commune", "00000"), 1, "Aucun territoire"),
        (("--commune", "99001", "--lang", "xx"), 2, "fr, en"),
        (("--all", "--commune", "99001", "--out", "un.pdf"), 2, "dossier"),
        (("--all", "--out", "nulle-part/un.pdf"), 2, "pas de dossier"),
    ],
)
def test_the_command_refuses_nonsense(stored, arguments, code, said):
    done = run(*arguments)
    assert done.exit_code == code
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.output).split())
