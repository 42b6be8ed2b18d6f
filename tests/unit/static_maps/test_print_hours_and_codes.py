"""Opening hours on paper, and the QR codes that lead to a page."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import segno

from geo.hours.calendar import Calendar
from geo.reach.modes import Mode
from geo.services.find_help import SearchOrigin
from geo.sites.model import ItinerantStop
from geo.territory.model import TerritoryKind
from geo.wording.language import language
from static_maps.print_content import site_slip, territory_sheet
from static_maps.print_hours import hours_lines
from static_maps.print_layout import LINK_MOST, qr_svg, slip_pdf
from tests.support.paper import NOW, desk, read
from tests.support.world import site, snapshot

STOP = ItinerantStop("Halle", "Tu", "09:00-12:00")


@pytest.mark.parametrize(
    ("code", "raw", "lines"),
    [
        ("fr", "Mo-Fr 09:00-12:30; PH off", ("Du lundi au vendredi : 9 h – 12 h 30", "Jours fériés : fermé")),
        ("en", "Mo-We 09:00-12:30", ("Du Monday au Wednesday : 9 am – 12:30 pm",)),
        ("fr", "Th[1] 14:00-17:00", ("Premier jeudi du mois : 14 h – 17 h",)),
        (
            "fr",
            "Mo,We 09:00-12:00; easter off",
            ("Semaine du 30 novembre 2026 (une autre peut différer) :", "Lundi, mercredi : 9 h – 12 h"),
        ),
        ("fr", "sur rendez-vous, téléphoner", ("Sur rendez-vous, téléphoner",)),
        ("fr", "", ("Horaires inconnus",)),
    ],
)
def test_hours_are_said_as_far_as_they_are_known(code, raw, lines):
    said = hours_lines(_in_french_words(code), site("a", 5, horaires=raw), NOW, Calendar())
    assert tuple(re.sub(r"[\s\u2060]+", " ", line) for line in said) == lines


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (
            {"horaires": "Mo 09:00-12:00", "sur_rendez_vous": True},
            ("Sur rendez-vous uniquement", "Lundi : 9 h – 12 h"),
        ),
        ({"horaires": "", "sur_rendez_vous": True}, ("Sur rendez-vous uniquement",)),
        (
            {"horaires": "Mo 09:00-12:00", "fermetures": ("Aug", "2020 Jan 02")},
            ("Lundi : 9 h – 12 h", "Fermé en août"),
        ),
        (
            {"horaires": "Mo 09:00-12:00; Tu le matin", "remarques_horaires": ("Rendez-vous conseillé",)},
            (
                "Lundi : 9 h – 12 h",
                "Mardi : horaires inconnus",
                "« Tu le matin »",
                "« Rendez-vous conseillé »",
            ),
        ),
        (
            {"horaires": "Mo 09:00-12:00", "itinerance": ("Itinérant",)},
            ("Lieu itinérant : demandez où il sera", "Lundi : 9 h – 12 h"),
        ),
        (
            {"horaires": "Mo 09:00-12:00", "itinerance": ("Itinérant",), "arrets": (STOP,)},
            (),
        ),
        ({"horaires": "lundi 9h-12h (semaines paires)"}, ("Lundi (semaines paires) : 9 h – 12 h",)),
    ],
)
def test_appointments_closures_and_remarks_are_said_with_the_hours(values, lines):
    said = hours_lines(language("fr"), site("a", 5, **values), NOW, Calendar())
    assert tuple(re.sub(r"[\s\u2060]+", " ", line) for line in said) == lines


def test_a_slip_has_the_remark_of_the_telephone():
    where = site("a", 5, telephone="+33553000102", telephone_remarque="poste 12")
    card = site_slip(desk(snapshot(where)), where, SearchOrigin(), Mode.CAR).card
    assert card.phone == "05 53 00 01 02" and "Téléphone : poste 12" in card.reasons
    without = replace(where, telephone="", telephone_remarque="poste 12")
    card = site_slip(desk(snapshot(without)), without, SearchOrigin(), Mode.CAR).card
    assert not any("poste" in reason for reason in card.reasons)


def test_a_slip_of_a_site_by_appointment_only_never_says_when_it_opens():
    where = site("a", 5, horaires="Mo-Fr 09:00-12:00", sur_rendez_vous=True)
    answer = site_slip(desk(snapshot(where)), where, SearchOrigin(), Mode.CAR)
    assert answer.opens == "Sur rendez-vous"


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
