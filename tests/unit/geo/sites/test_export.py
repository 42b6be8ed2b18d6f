"""Export of sites: formulas escaped, columns, and the strict form against the official schema."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.sites import standard
from geo.sites.export import write_csv
from geo.sites.model import LOCAL_FIELDS, LOCAL_PREFIX, Position
from geo.tables_out import escape_formula, unescape_formula
from tests.support.shared import needs_shared
from tests.support.standard_schema import violations
from tests.support.world import as_site
from tests.unit.geo.sites.test_validate import exported, full


def test_no_cell_of_an_export_is_a_formula():
    line = next(csv.DictReader(io.StringIO(exported(full))))
    for name, text in line.items():
        assert name in ("telephone", "latitude", "longitude") or not re.match(r"[=+\-@]", text), name


@given(st.text(st.sampled_from("'=+-@ab"), max_size=6))
def test_neutralising_is_undone_exactly(text):
    assert unescape_formula(escape_formula(text)) == text or unescape_formula(text) != text
    assert unescape_formula(escape_formula(text)) == text


def test_columns_are_the_standards_then_ours():
    assert exported().strip().split(",") == [*standard.FIELDS, *(LOCAL_PREFIX + f for f in LOCAL_FIELDS)]
    assert exported(strict=True).strip().split(",") == list(standard.FIELDS)


@needs_shared
def test_a_strict_export_meets_the_official_schema():
    assert violations(exported(full, strict=True)) == []


@needs_shared
def test_the_check_of_the_schema_can_fail():
    foreign = replace(full, telephone="+34910000000", code_insee="20001", date_maj=None)
    assert {name for name, _ in violations(exported(foreign))} == {
        "telephone",
        "code_insee",
        "date_maj",
        "formations_labels",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"telephone": "+34910000000"}, "telephone"),
        ({"code_insee": "20001"}, "code_insee"),
        ({"position": Position.APPROXIMATIVE}, "latitude"),
    ],
)
def test_a_strict_export_leaves_empty_what_it_could_not_say_rightly(changes, field):
    (line,) = csv.DictReader(io.StringIO(exported(replace(full, **changes), strict=True)))
    assert line[field] == ""


@pytest.mark.parametrize("field", ["commune", "code_postal", "adresse"])
def test_a_strict_export_leaves_out_and_counts_sites_without_a_required_value(field):
    empty: dict[str, Any] = {field: ""}
    stream = io.StringIO(newline="")
    sites = [as_site(full), as_site(replace(full, **empty)), as_site(replace(full, date_maj=None))]
    assert write_csv(sites, stream, strict=True) == 2
    assert len(list(csv.DictReader(io.StringIO(stream.getvalue())))) == 1
    assert write_csv(sites, io.StringIO(newline="")) == 0
