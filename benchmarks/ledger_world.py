"""The fund that the benchmarks of the ledger work on: fictitious partners, budget lines and days."""

from __future__ import annotations

from datetime import date

ACTOR = "Banc"
FIRST = date(2021, 1, 1)
DAYS = 5 * 365
PARTNERS = tuple(f"partenaire-{n}" for n in range(17))
LINES = ("pass-numerique", "equipement", "formation", "reconditionnement", "evenements")
