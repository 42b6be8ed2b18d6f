"""The command line in tests: called with its arguments, and able to import a small table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from typer.testing import CliRunner

from geo.store import territories
from geo.store.database import open_engine
from portee.cli import app
from tests.support.world import TERRITORY


@dataclass(frozen=True)
class Commands:
    """`portee` over the database of a test; `header` is the first line of the tables it imports."""

    environment: Mapping[str, str]
    folder: Path
    header: str

    def __call__(self, *arguments: object, code: int = 0) -> str:
        """Return what the command prints, on one line; its exit code must be `code`."""
        outcome = CliRunner().invoke(app, [str(each) for each in arguments], env=dict(self.environment))
        assert outcome.exit_code == code, outcome.output
        return " ".join(outcome.output.split())

    def load(self, *rows: str, dataset: str = "jeu") -> Any:
        """Import rows as the file of a dataset; return the report of the import, from JSON."""
        path = self.folder / "liste.csv"
        path.write_text(self.header + "".join(rows), "utf-8")
        return json.loads(self("import", path, "--dataset", dataset, "--accept-vanished", "--json"))


def commands(database_url: str, folder: Path, header: str) -> Commands:
    """Return the command line over a database in which the country of tests is stored."""
    engine = open_engine(make_url(database_url))
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
    engine.dispose()
    environment = {"DATABASE_URL": database_url, "PORTEE_HOME": str(folder), "COLUMNS": "80"}
    return Commands(environment, folder, header)
