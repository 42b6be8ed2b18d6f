"""A database with the country of tests, into which tests import a few records."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from geo.services import import_sites
from geo.sites import standard
from geo.store import territories
from tests.support.world import TERRITORY

TODAY = date(2026, 11, 29)


@pytest.fixture
def base(connection):
    territories.save(connection, TERRITORY)
    return connection


@pytest.fixture
def load(base, tmp_path):
    """Import records as the file of a dataset."""

    def run(*records, dataset="un"):
        path = tmp_path / f"{dataset}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=standard.FIELDS)
            writer.writeheader()
            writer.writerows(records)
        arrival = import_sites.read(path, territory=TERRITORY, today=TODAY, max_bytes=10**6, dataset=dataset)
        return import_sites.apply(base, arrival, territory=TERRITORY, accept_vanished=True)

    return run
