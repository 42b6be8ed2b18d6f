"""Printed documents read back in tests: their makers, pages, text and tags."""

from __future__ import annotations

import re
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from pypdf import PdfReader

from geo.hours.calendar import Calendar
from geo.hours.weekly import TIME_ZONE
from geo.services.snapshot_view import SnapshotView
from geo.sites.model import ItinerantStop
from geo.snapshot import Snapshot
from geo.territory.model import TerritoryKind
from static_maps.print_content import Desk, territory_sheet
from static_maps.print_layout import sheet_pdf
from tests.support.world import site

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=TIME_ZONE)
"""A Friday."""
A4, A5 = (595, 842), (420, 595)


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


FULL: dict[str, Any] = {
    "telephone": "+33553000102",
    "horaires": "Mo-Fr 09:00-12:00,13:30-17:00; PH off",
    "pass_numerique": True,
    "source": "Fichier d'essai",
}

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
