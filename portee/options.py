"""Options that many commands share, declared once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import typer

ISO_DAY: Final = ["%Y-%m-%d"]

AsJson = Annotated[bool, typer.Option("--json", help="Affiche le résultat en JSON, pour les machines.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Affiche toutes les lignes en CSV (RFC 4180).")]
ForExcel = Annotated[
    bool,
    typer.Option(
        "--excel-fr", help="Affiche un CSV pour Excel en français : points-virgules, virgules décimales."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Montre ce qui changerait, sans rien enregistrer.")]
Yes = Annotated[bool, typer.Option("--yes", help="Ne demande pas de confirmation.")]
Year = Annotated[int | None, typer.Option("--year", min=2000, max=2100, help="Seulement cette année.")]
Day = Annotated[
    datetime | None,
    typer.Option("--day", formats=ISO_DAY, help="Jour de l'écriture ; aujourd'hui par défaut."),
]
