"""Make a large file of sites for measuring: real records repeated over communes, with noise.

    python -m benchmarks.make_sites --rows 25000 --out sites.csv

Each record of the folder of source files is read with its reader, then repeated in other
communes of the territory and its neighbours: own identifier, moved point, altered house number
and name; some lose their coordinates, hours, telephone or address, some get them wrong. The file
is the national standard's CSV. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

from geo.settings import Settings
from geo.sites import standard
from geo.sites.readers import open_source
from geo.territory.files import read_territory
from geo.territory.model import Commune

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "sites"
FAULTY = 0.05
"""Share of the rows that each kind of fault spoils."""


def source_records(folder: Path) -> list[dict[str, str]]:
    """Records of every file of a folder, as their readers give them."""
    return [
        row.values
        for path in sorted(folder.iterdir())
        for row in open_source(path, max_bytes=10_000_000).rows()
        if row.values.get("nom")
    ]


def moved(record: dict[str, str], number: int, commune: Commune, chance: random.Random) -> dict[str, str]:
    """One record as it could stand in another commune."""
    east, north = (chance.gauss(0, 0.01) for _ in range(2))
    place = record.get("commune", "")
    name = record["nom"].replace(place, commune.name) if place else record["nom"]
    row = {field: record.get(field, "") for field in standard.FIELDS}
    row |= {
        "id": f"fictif-{number}",
        "nom": name if place and place in record["nom"] else f"{name} {commune.name}",
        "commune": commune.name,
        "code_insee": commune.code,
        "code_postal": commune.postal_codes[0],
        "adresse": f"{chance.randint(1, 99)} {record.get('adresse', '').lstrip('0123456789 ,')}",
        "latitude": f"{commune.town_hall.y + north:.6f}",
        "longitude": f"{commune.town_hall.x + east:.6f}",
        "date_maj": f"2026-{chance.randint(1, 9):02d}-{chance.randint(1, 28):02d}",
    }
    if chance.random() < FAULTY:
        row["latitude"] = row["longitude"] = ""
    if chance.random() < FAULTY:
        row["latitude"], row["longitude"] = row["longitude"], row["latitude"]
    if chance.random() < FAULTY:
        row["telephone"] = "05 53"
    if chance.random() < FAULTY:
        row["horaires"] = "Mo 08:30"
    if chance.random() < FAULTY:
        row["code_insee"] = ""
    if chance.random() < FAULTY / 10:
        row["nom"] = ""
    return row


def write(rows: int, out: Path, *, folder: Path = SHARED, seed: int = 47) -> None:
    """Write that many records of invented places."""
    settings = Settings()
    territory = read_territory(settings.territory_dir, settings.departement)
    communes = [c for c in territory.commune_by_code.values() if c.postal_codes]
    records = source_records(folder)
    chance = random.Random(seed)
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=standard.FIELDS)
        writer.writeheader()
        for number in range(rows):
            writer.writerow(moved(records[number % len(records)], number, chance.choice(communes), chance))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=SHARED, help="source files to repeat")
    arguments = parser.parse_args()
    write(arguments.rows, arguments.out, folder=arguments.folder)
