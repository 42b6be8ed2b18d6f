"""Open data of the fund: a descriptor that matches its tables, and no small count anywhere."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest

from geo.funding.account_sections import persons_of_passes
from geo.funding.datapackage import (
    DESCRIPTOR,
    LICENCES,
    Field,
    PackageMetadata,
    Resource,
    TableSchemaType,
    package,
)
from geo.funding.disclosure_control import THRESHOLD, published_together
from geo.funding.pass_reports import by_territory
from geo.services.open_data import open_data_package
from geo.store import passes
from geo.territory.model import TerritoryKind
from tests.postgis.geo.services.test_funding_files import load, load_all, stocked
from tests.support.funding_files import GOOD, KINDS
from tests.support.world import TERRITORY

DAY = date(2026, 11, 23)
NAME = re.compile(r"[a-z0-9._-]+")
READ: dict[str, Callable[[str], object]] = {
    "string": str,
    "integer": int,
    "number": Decimal,
    "boolean": {"true": True, "false": False}.__getitem__,
    "date": date.fromisoformat,
    "year": int,
}


@pytest.fixture
def fund(connection):
    return stocked(connection)


def published(connection):
    return open_data_package(connection, TERRITORY, KINDS, licence="etalab-2.0", today=DAY)


def validated(files):
    """Tables of a package by name, read as its descriptor says; fails where that is not true.

    What the profiles « tabular-data-package » and « tabular-data-resource » and Table Schema require.
    """
    descriptor = json.loads(files[DESCRIPTOR])
    assert descriptor["profile"] == "tabular-data-package" and NAME.fullmatch(descriptor["name"])
    assert descriptor["title"] and descriptor["description"] and descriptor["resources"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", descriptor["created"])
    assert all(licence["name"] and licence["path"] for licence in descriptor["licenses"])
    assert all(source["title"] for source in descriptor["sources"])
    assert {r["path"] for r in descriptor["resources"]} == set(files) - {DESCRIPTOR}
    tables = {}
    for resource in descriptor["resources"]:
        content, schema = files[resource["path"]], resource["schema"]
        assert NAME.fullmatch(resource["name"]) and resource["profile"] == "tabular-data-resource"
        assert resource["title"] and resource["description"]
        assert (resource["format"], resource["mediatype"], resource["encoding"]) == (
            "csv",
            "text/csv",
            "utf-8",
        )
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        header, *rows = csv.reader(StringIO(content.decode("utf-8"), newline=""), strict=True)
        assert header == [field["name"] for field in schema["fields"]] and len(set(header)) == len(header)
        read = [
            {field["name"]: value(field, cell) for field, cell in zip(schema["fields"], row, strict=True)}
            for row in rows
        ]
        keys = [tuple(row[name] for name in schema["primaryKey"]) for row in read]
        assert len(set(keys)) == len(keys) and all(None not in key for key in keys)
        tables[resource["name"]] = read
    for resource in descriptor["resources"]:
        for foreign in resource["schema"].get("foreignKeys", ()):
            there = foreign["reference"]
            own, theirs = foreign["fields"], there["fields"]
            known = {tuple(row[n] for n in theirs) for row in tables[there["resource"]]}
            assert {tuple(row[n] for n in own) for row in tables[resource["name"]]} <= known
    return descriptor, tables


def value(field, cell):
    constraints = field.get("constraints", {})
    if cell == "":
        assert not constraints.get("required")
        return None
    assert "enum" not in constraints or cell in constraints["enum"]
    return READ[field["type"]](cell)


def test_the_package_is_what_its_descriptor_says(fund, tmp_path):
    load_all(fund, tmp_path)
    descriptor, tables = validated(published(fund))
    assert set(tables) == {"territories", "partners", "fund", "passes", "actions"}
    (fictif,) = (
        field
        for resource in descriptor["resources"]
        for field in resource["schema"]["fields"]
        if (resource["name"], field["name"]) == ("fund", "fictif")
    )
    assert fictif["constraints"]["required"] is True
    assert all(rows for rows in tables.values())
    assert "Données de démonstration" in descriptor["title"], "one partner is invented"
    [whole] = [
        r for r in tables["fund"] if (r["by"], r["period"]) == ("departement", "total") and r["key"] == "99"
    ]
    assert whole["matched_eur"] == Decimal("0.01") and whole["committed_eur"] == 1_500


def test_an_empty_fund_is_a_package_too(fund):
    _, tables = validated(published(fund))
    assert tables["fund"] == tables["passes"] == tables["actions"] == []


def test_no_small_count_of_persons_is_told(fund, tmp_path):
    load_all(fund, tmp_path)
    event = GOOD["pass-events"][0]
    small = [
        {**event, "reference": f"Z{n}", "commune": code, "count": str(count), "day": day}
        for n, (code, count, day) in enumerate(
            [("99001", 3, "2026-03-01"), ("99002", 2, "2026-04-01"), ("99004", 40, "2026-05-01")]
        )
    ]
    assert load(fund, tmp_path, "pass-events", small, name="small").kept
    files = published(fund)
    _, tables = validated(files)
    for row in tables["passes"]:
        assert row["withheld"] == (row["passes"] is None)
        assert row["passes"] is None or row["passes"] >= THRESHOLD
    secret = {(k.code, m.name) for k in KINDS.values() for m in k.measures if m.secret}
    told = [row for row in tables["actions"] if (row["action_kind"], row["measure"]) in secret]
    assert told and all(row["withheld"] or row["value"] >= THRESHOLD for row in told)
    assert [row["value"] for row in told if row["action_kind"] == "equipment"].count(None) >= 2


def test_totals_published_are_the_sums_of_what_they_hold(fund, tmp_path):
    load_all(fund, tmp_path)
    _, tables = validated(published(fund))
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in tables["fund"]:
        if row["period"] == "total":
            sums[row["by"]] += row["contributed_eur"]
    assert set(sums.values()) == {Decimal("1000.51")}


def test_a_count_withheld_is_not_told_by_another_of_the_same_actions(fund, tmp_path):
    load_all(fund, tmp_path)
    row = GOOD["action-equipment"][0]
    rows = [
        {**row, "reference": f"B{n}", "commune": code, "households": str(h), "devices": str(d)}
        for n, (code, h, d) in enumerate([("99001", 4, 5), ("99002", 30, 31), ("99004", 20, 21)])
    ]
    assert load(fund, tmp_path, "action-equipment", rows, name="more").kept
    _, tables = validated(published(fund))
    withheld: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for r in tables["actions"]:
        if r["measure"] in ("households", "devices"):
            withheld[r["territory"], r["period"]].add(r["withheld"])
    assert withheld["99001", "2026"] == {True} and {len(flags) for flags in withheld.values()} == {1}


def test_what_is_withheld_is_what_accounts_withhold(fund, tmp_path):
    load_all(fund, tmp_path)
    given, used = GOOD["pass-events"][:2]
    more = [
        {**used, "reference": "U9", "commune": "99004", "count": "7"},
        {**given, "reference": "G9", "commune": "99002", "count": "2"},
    ]
    assert load(fund, tmp_path, "pass-events", more, name="elsewhere").kept
    _, tables = validated(published(fund))
    counts = passes.counts(fund)
    expected = {}
    for year in {int(each) for each in counts.year}:
        communes = by_territory(counts, TERRITORY, TerritoryKind.COMMUNE, year=year).rows
        for (kind, code, measure), count in published_together(
            persons_of_passes(communes), TERRITORY
        ).items():
            if count != 0:
                expected[kind.value, code, str(year), measure] = count
    told = {
        (r["territory_kind"], r["territory"], r["period"], r["measure"]): r["passes"]
        for r in tables["passes"]
    }
    assert told == expected and None in told.values()


def test_texts_cannot_act_as_formulas_and_lists_are_typed():
    resource = Resource(
        "essai",
        "Essai",
        "Une table.",
        (
            Field("code", TableSchemaType.STRING, "Code", required=True),
            Field("when", TableSchemaType.DATE, "Jour"),
            Field("sum", TableSchemaType.NUMBER, "Somme"),
            Field("yes", TableSchemaType.BOOLEAN, "Oui"),
        ),
        [("=1+1", DAY, Decimal("-3.5"), True), ('a,"b"\né', None, None, False)],
        ("code",),
    )
    about = PackageMetadata("essai", "Essai", "Un essai.", "odbl-1.0", ("Nous",), DAY)
    descriptor, tables = validated(package([resource], about))
    assert descriptor["licenses"] == [LICENCES["odbl-1.0"]]
    assert tables["essai"] == [
        {"code": "'=1+1", "when": DAY, "sum": Decimal("-3.5"), "yes": True},
        {"code": 'a,"b"\né', "when": None, "sum": None, "yes": False},
    ]
