"""Check of CSV files against the official schema of the national standard."""

from __future__ import annotations

import csv
import io
import json
import re

from tests.support.shared import SHARED


def violations(text: str) -> list[tuple[str, str]]:
    """Cells of a CSV that the official schema refuses: (field, cell)."""
    schema = json.loads((SHARED / "reference/standard-mediation-num.schema.v1.0.2.json").read_text("utf-8"))
    lines = list(csv.DictReader(io.StringIO(text)))
    refused = []
    for field in schema["fields"]:
        rules = field.get("constraints", {})
        for line in lines:
            cell = line[field["name"]]
            if not cell:
                wrong = rules.get("required", False)
            elif field["type"] == "number":
                wrong = not re.fullmatch(r"-?\d+(\.\d+)?([eE]-?\d+)?", cell)
            elif field["type"] == "date":
                wrong = not re.fullmatch(r"\d{4}-\d\d-\d\d", cell)
            else:
                wrong = len(cell) > rules.get("maxLength", len(cell)) or (
                    "pattern" in rules and not re.search(rules["pattern"], cell)
                )
            if wrong:
                refused.append((field["name"], cell))
    return refused
