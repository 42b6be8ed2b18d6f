"""Write the demonstration's invented fund, passes and actions: `python scripts/make_demo_funding.py`.

Everything but the communes is made up. Partners are called « Partenaire fictif … », references begin
with FICTIF, and sums repeat one digit (3 333,33 €) so that nobody takes them for those of a real body.
The same communes and invented sites always give the same bytes.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from geo.funding.action_kinds import load_kinds
from geo.funding.template_columns import ACTION, templates
from geo.funding.templates import template_row
from geo.settings import ROOT
from geo.sites.model import LOCAL_PREFIX
from geo.tables_out import csv_bytes, text_columns
from geo.territory.files import read_territory
from geo.territory.model import Commune

SEED = 47
FOLDER = ROOT / "data" / "demo-fonds"
SITES = ROOT / "data" / "demo" / "lieux-fictifs-47.csv"
ACCEPTS = LOCAL_PREFIX + "pass_numerique"
LAST_DAY = date(2026, 10, 31)
YEARS = (2025, 2026)

Row = Mapping[str, object]

PARTNERS = (
    ("Agence des Tilleuls", "public", "local"), ("Caisse des Cigales", "public", "national"),
    ("Syndicat du Petit Gué", "public", "local"), ("Chambre des Noisetiers", "public", "european"),
    ("Office de la Belle Étoile", "public", "national"), ("Amis du Martin-Pêcheur", "association", "local"),
    ("Le Fil des Libellules", "association", "local"), ("Le Moulin bleu", "association", "local"),
    ("La Clairière solidaire", "association", "local"), ("Télécom du Grand Chêne", "operator", "national"),
    ("Réseau des Hirondelles", "operator", "local"), ("Atelier du Vieux Pressoir", "company", "local"),
)  # fmt: skip
LINES = {
    "equipment": "aide à l'équipement",
    "training": "formation",
    "refurbishing": "reconditionnement",
    "event": "forums et événements",
}
PASSES = "Pass Numérique"
ORDERED = {2025: 1_111, 2026: 1_222}


@dataclass(frozen=True)
class World:
    """What is real: communes, and the invented sites already made."""

    communes: tuple[Commune, ...]
    sites: tuple[str, ...]
    accepting: tuple[str, ...]


def world() -> World:
    """The communes of the repository, and the sites of the demonstration."""
    territory = read_territory(ROOT / "data" / "communes", "47")
    with SITES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    name = "demonstration--{}".format
    return World(
        territory.communes,
        tuple(name(row["id"]) for row in rows),
        tuple(name(row["id"]) for row in rows if row[ACCEPTS] == "true"),
    )


def code(rank: int) -> str:
    """Code of a partner."""
    return f"partenaire-fictif-{rank:02d}"


def repeated(digit: int, digits: int = 6) -> int:
    """Cents that repeat a digit: 3, 6 is 3 333,33 €."""
    return int(str(digit) * digits)


def made(rng: random.Random, real: World) -> Iterator[tuple[str, list[Row]]]:
    """Each kind of file and its rows, in the order they load."""
    everyone = range(1, len(PARTNERS) + 1)
    yield (
        "partners",
        [
            {
                "code": code(rank),
                "name": f"Partenaire fictif – {PARTNERS[rank - 1][0]}",
                "kind": PARTNERS[rank - 1][1],
                "contact_role": "responsable fictif de l'inclusion numérique",
                "website": f"https://example.org/partenaire-fictif-{rank:02d}" if rank % 2 else "",
                "note": "Inventé pour la démonstration.",
                "network_from": date(2024 + rank % 2, 1 + rank % 6, 1) if rank % 4 else None,
                "network_to": date(2026, 3, 31) if rank == 7 else None,
                "fictif": True,
            }
            for rank in everyone
        ],
    )
    yield (
        "partner-sites",
        [
            {"partner": code(1 + n % len(PARTNERS)), "site": site, "role": "runs" if n % 3 else "supports"}
            for n, site in enumerate(real.sites)
            if n % 2
        ],
    )
    yield (
        "conventions",
        [
            {
                "partner": code(rank),
                "year": year,
                "reference": f"FICTIF-CONV-{year}-{rank:02d}",
                "note": "Convention inventée.",
            }
            for year in YEARS
            for rank in everyone
        ],
    )
    yield (
        "contributions",
        [
            {
                "reference": f"FICTIF-{year}-C{rank:02d}",
                "day": date(year, 1 + rank % 4, 1 + 2 * rank),
                "partner": code(rank),
                "amount": repeated(1 + (rank * (year - 2020)) % 9, 5 if rank % 5 == 2 else 6),
                "level": PARTNERS[rank - 1][2],
                "memo": "Somme inventée",
                "fictif": True,
            }
            for year in YEARS
            for rank in everyone
        ],
    )
    commitments, payments = spent(rng, real)
    yield "commitments", commitments
    yield "payments", payments
    yield (
        "pass-orders",
        [
            {
                "reference": f"FICTIF-{year}",
                "day": date(year, 2, 1),
                "count": count,
                "expires_on": date(year + 1, 1, 31),
                "funders": ((code(1), count - 111), (code(2), 111)),
                "value": 1_000,
                "note": "Commande inventée",
                "fictif": True,
            }
            for year, count in ORDERED.items()
        ],
    )
    yield "pass-events", [event for year in YEARS for event in events(rng, real, year)]
    for kind in LINES:
        yield f"{ACTION}{kind}", [action for year in YEARS for action in done(rng, real, kind, year)]


def spent(rng: random.Random, real: World) -> tuple[list[Row], list[Row]]:
    """Money set aside each year, and what of it was paid."""
    commitments: list[Row] = []
    payments: list[Row] = []
    for year in YEARS:
        commitments.append(
            {
                "reference": f"FICTIF-{year}-E-PASS",
                "day": date(year, 2, 1),
                "amount": 1_000 * ORDERED[year],
                "action_line": PASSES,
                "memo": "Engagement inventé",
                "fictif": True,
            }
        )
        for n in range(1, 17):
            reference, day = f"FICTIF-{year}-E{n:02d}", date(year, 3 + n % 5, 1 + n)
            parts = 1 + n % 3
            commitments.append(
                {
                    "reference": reference,
                    "day": day,
                    "amount": parts * repeated(1 + n % 2, 6),
                    "action_line": list(LINES.values())[n % len(LINES)],
                    "partner": code(1 + n % len(PARTNERS)),
                    "commune": somewhere(rng, real).code,
                    "site": real.sites[(5 * n + year) % len(real.sites)] if n % 4 == 0 else None,
                    "memo": "Engagement inventé",
                    "fictif": True,
                }
            )
            for part in range(1, parts + (n % 4 != 1)):
                paid = day + timedelta(days=40 * part)
                if paid <= LAST_DAY:
                    payments.append(
                        {
                            "reference": f"{reference}-P{part}",
                            "day": paid,
                            "amount": repeated(1 + n % 2, 6),
                            "commitment": reference,
                            "memo": "Paiement inventé",
                            "fictif": True,
                        }
                    )
    return commitments, payments


def events(rng: random.Random, real: World, year: int) -> Iterator[Row]:
    """Passes given in communes, used at accepting sites, expired, and paid to sites by the quarter."""
    order, first, expiry = f"FICTIF-{year}", date(year, 2, 2), date(year + 1, 1, 31)
    left = ORDERED[year] * 9 // 10
    used_at: dict[tuple[str, date], int] = defaultdict(int)
    unused: dict[str, int] = defaultdict(int)
    rank = 0
    while left > 0:
        rank += 1
        commune, count = somewhere(rng, real), min(left, rng.choice((2, 3, 5, 8, 12, 15)))
        given_on = first + timedelta(days=rng.randrange(260))
        if given_on > LAST_DAY:
            continue
        left -= count
        yield {
            "reference": f"{order}-D{rank:03d}",
            "order": order,
            "kind": "given",
            "day": given_on,
            "count": count,
            "commune": commune.code,
            "partner": code(1 + rank % len(PARTNERS)),
        }
        used_on = given_on + timedelta(days=rng.randrange(3, 120))
        used = rng.randint(0, count)
        if used and used_on <= min(LAST_DAY, expiry):
            site = rng.choice(real.accepting)
            used_at[site, quarter_end(used_on)] += used
            unused[commune.code] += count - used
            yield {
                "reference": f"{order}-U{rank:03d}",
                "order": order,
                "kind": "used",
                "day": used_on,
                "count": used,
                "commune": commune.code,
                "site": site,
            }
        else:
            unused[commune.code] += count
    if expiry < LAST_DAY:
        for n, (insee, count) in enumerate(sorted(unused.items()), start=1):
            if count:
                yield {
                    "reference": f"{order}-X{n:03d}",
                    "order": order,
                    "kind": "expired",
                    "day": expiry + timedelta(days=1),
                    "count": count,
                    "commune": insee,
                }
    for n, ((site, day), count) in enumerate(
        sorted(used_at.items(), key=lambda i: (i[0][1], i[0][0])), start=1
    ):
        if day <= LAST_DAY:
            yield {
                "reference": f"{order}-R{n:03d}",
                "order": order,
                "kind": "reimbursed",
                "day": day,
                "count": count,
                "site": site,
                "commitment": f"FICTIF-{year}-E-PASS",
            }


def done(rng: random.Random, real: World, kind: str, year: int) -> Iterator[Row]:
    """Actions of one kind in one year, with what they measure."""
    for n in range(1, 15):
        day = date(year, 1 + n % 10, 1 + (7 * n) % 28)
        small = n % 5 == 0
        people = rng.randint(1, 4) if small else rng.randint(6, 60)
        measures: dict[str, dict[str, object]] = {
            "equipment": {"households": people, "devices": people + n % 2},
            "training": {
                "audience": "helpers" if n % 3 == 0 else "users",
                "sessions": 1 + n % 6,
                "hours": 2.5 * (1 + n % 6),
                "participants": people,
            },
            "refurbishing": {
                "collected": 44 + n,
                "refurbished": 33 + n // 2,
                "given": 22 + n // 3,
                "insertion_hours": 111,
            },
            "event": {"place": f"Salle fictive n° {n}", "attendance": people * 2},
        }
        yield {
            "reference": f"FICTIF-{year}-{kind}-{n:02d}",
            "day": day,
            "until": day + timedelta(days=n) if kind == "training" and n % 2 else None,
            "title": f"Action fictive : {LINES[kind]} n° {n}",
            "commune": somewhere(rng, real).code,
            "partner": code(1 + (n + year) % len(PARTNERS)),
            "site": real.sites[(11 * n) % len(real.sites)] if kind == "training" else None,
            "amount": repeated(1 + n % 7, 5),
            "fictif": True,
            **measures[kind],
        }


def somewhere(rng: random.Random, real: World) -> Commune:
    """A commune, the larger ones more often."""
    return rng.choices(real.communes, weights=[c.population**0.5 for c in real.communes])[0]


def quarter_end(day: date) -> date:
    """Last day of the quarter of a day."""
    month = 3 * ((day.month + 2) // 3)
    return date(day.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def write(folder: Path) -> None:
    """Write a CSV for each kind of file, its headings those of its template."""
    known = templates(load_kinds())
    folder.mkdir(parents=True, exist_ok=True)
    for kind, rows in made(random.Random(SEED), world()):  # noqa: S311 - nothing is at stake
        template = known[kind]
        headings = [column.heading for column in template.columns]
        (folder / f"{kind}.csv").write_bytes(
            csv_bytes(text_columns(headings), [template_row(template, row) for row in rows])
        )


if __name__ == "__main__":
    write(FOLDER)
