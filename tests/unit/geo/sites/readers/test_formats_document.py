"""docs/formats.md is true: its mapping works, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

from geo.sites import legacy, readers
from geo.sites.readers import FORMATS
from geo.sites.readers.vocabularies import VOCABULARIES
from tests.support.source_files import csv_of
from tests.unit.geo.sites.readers.test_column_mapping import TABLE, with_mapping

DOCUMENT = (Path(__file__).resolve().parents[5] / "docs" / "formats.md").read_text(encoding="utf-8")


def test_the_mapping_of_the_document_works(tmp_path):
    mapping = DOCUMENT.split("```toml\n")[1].split("```")[0]
    table = TABLE | {
        "Type de voie": "rue",
        "Voie": "Fictive",
        "Bâtiment": "B",
        "Aide proposée": "démarches, wifi",
        "PMR": "oui",
        "Lundi": "9-12",
        "Mardi matin": "9h-12h",
        "Mardi après-midi": "14h-17h",
    }
    (row,) = with_mapping(tmp_path, csv_of(table), mapping).rows()
    services = "Aide aux démarches administratives|Accès internet et matériel informatique"
    assert row.values["services"] == services
    assert row.values["latitude"] == "44.1"
    assert row.values["adresse"] == "1 rue Fictive"
    assert row.values["horaires"] == "Mo 09:00-12:00; Tu 09:00-12:00,14:00-17:00"


def test_every_vocabulary_and_its_fields_are_in_the_document():
    for name, vocabulary in VOCABULARIES.items():
        assert f"| `{name}` | {', '.join(f'`{field}`' for field in vocabulary.fields)} |" in DOCUMENT


def test_every_format_and_its_dataset_are_in_the_document():
    for known in FORMATS:
        assert f"| `{known.name}` | `{known.dataset}` |" in DOCUMENT


def test_every_code_of_the_document_is_one_the_readers_report():
    folder = Path(readers.__file__).parent
    text = "".join(path.read_text("utf-8") for path in (*folder.glob("*.py"), Path(legacy.__file__)))
    in_table = set(re.findall(r"^\| `(\w+)` \| (?:rejected|flagged|repaired) \|", DOCUMENT, re.MULTILINE))
    assert in_table == {code for code in re.findall(r'"([a-z_]+)"', text) if code in in_table}
