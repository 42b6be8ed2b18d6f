"""Invented rows in the format of the Base Adresse Nationale, in the test country (`tests.support.world`)."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

from benchmarks.make_addresses import HEADER
from geo.crs import project
from tests.support.world import TERRITORY, at

LIEUX_DITS = (
    *("id", "nom_lieu_dit", "code_postal", "code_insee", "nom_commune", "code_insee_ancienne_commune"),
    *("nom_ancienne_commune", "x", "y", "lon", "lat", "source_position", "source_nom_voie"),
)


def row(code: str, name: str, number: int, x_km: float, **changes: str) -> dict[str, str]:
    """An address at so many kilometres from the west; `code` is commune and street: 99001_0010."""
    point = at(x_km)
    x, y = project(point.x, point.y, TERRITORY.metric_crs)[0]
    commune = code.split("_", maxsplit=1)[0]
    named = TERRITORY.commune_by_code.get(commune)
    rep = changes.get("rep", "")
    told = {
        "id": f"{code}_{number:05d}" + (f"_{rep}" if rep else ""),
        "numero": str(number),
        "nom_voie": name,
        "code_postal": f"{commune[:2]}100",
        "code_insee": commune,
        "nom_commune": named.name if named else "Ailleurs",
        "x": f"{x:.2f}",
        "y": f"{y:.2f}",
        "lon": f"{point.x:.6f}",
        "lat": f"{point.y:.6f}",
    }
    return {**dict.fromkeys(HEADER, ""), **told, **changes}


def hamlet(code: str, name: str, x_km: float, **changes: str) -> dict[str, str]:
    """A row of the file of lieux-dits."""
    told = row(code, name, 1, x_km)
    kept = {column: told.get(column, "") for column in LIEUX_DITS}
    return {**kept, "id": code, "nom_lieu_dit": name, **changes}


def write(path: Path, rows: list[dict[str, str]], *, encoding: str = "utf-8") -> Path:
    """Write rows as the register publishes them, packed when the name says so."""
    text = io.StringIO(newline="")
    out = csv.DictWriter(text, list(rows[0]), delimiter=";", lineterminator="\n")
    out.writeheader()
    out.writerows(rows)
    data = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


WORLD = [
    row("99001_0010", "Rue de l'Église", 1, 4),
    row("99001_0010", "Rue de l'Église", 12, 4.1),
    row("99001_0010", "Rue de l'Église", 12, 4.2, rep="bis"),
    row("99001_0020", "Avenue du Général Fictif", 3, 5),
    row("99001_a1b2c3", "Lagarde", 7, 6),
    row("99002_0010", "Rue des Écoles", 2, 14),
    row("99002_0020", "Rue du 8 Mai 1945", 8, 15),
    row("99004_0010", "Rue de l'Église", 1, 34),
    row("99004_0030", "Chemin Ørsted", 4, 35, nom_ancienne_commune="Vieux-Bourg"),
    row("99004_0040", "Le Pont", 99999, 36),
]
"""A street of one name in two communes, a hamlet, a former commune, a letter without an accent."""
