"""Workbooks: visible sheets, several sheets, titles, calendars, and bounded memory."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from geo.errors import UnreadableFile
from geo.sites.dates import parse_update_date
from geo.sites.readers import open_source, workbook
from tests.unit.geo.sites.test_source_text import HEADER, LIEU, archive, site


def saved(tmp_path, sheets, *, states=None, change=None):
    """Save a workbook of title → rows; open it as a source."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = (states or {}).get(title, "visible")
    if change:
        change(book)
    path = tmp_path / "classeur.xlsx"
    book.save(path)
    return path


def opened(path):
    return open_source(path, max_bytes=10_000_000)


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
@pytest.mark.parametrize("order", [("Archive", "Lieux"), ("Lieux", "Archive")])
def test_a_hidden_sheet_is_not_read_and_this_is_told(tmp_path, state, order):
    rows = {"Archive": [HEADER, site(id="old")], "Lieux": [HEADER, LIEU]}
    path = saved(tmp_path, {title: rows[title] for title in order}, states={"Archive": state})
    source = opened(path)
    assert [row.values["id"] for row in source.rows()] == ["1"]
    (issue,) = source.issues
    assert issue.code == "feuilles_lues"
    assert issue.reason == "La feuille « Lieux » est lue, et non « Archive » (masquée)."


def test_several_visible_sheets_of_sites_are_all_read(tmp_path):
    path = saved(
        tmp_path,
        {
            "Lisez-moi": [["Notes"], ["rien"]],
            "Nord": [HEADER, LIEU],
            "Vide": [],
            "Sud": [["Les lieux du sud"], [name.upper() for name in HEADER], site(id="2"), site(id="3")],
            "Brouillon": [HEADER, site(id="4")],
        },
        states={"Brouillon": "hidden"},
    )
    source = opened(path)
    assert [(row.sheet, row.line, row.values["id"]) for row in source.rows()] == [
        ("Nord", 2, "1"),
        ("Sud", 3, "2"),
        ("Sud", 4, "3"),
    ]
    assert [issue.code for issue in source.issues] == ["feuilles_lues", "entete_trouve", "entetes_adaptes"]
    assert source.issues[0].reason == (
        "Les feuilles « Nord » et « Sud » sont lues, et non « Lisez-moi » (pas une liste de lieux connue), "
        "« Vide » (pas une liste de lieux connue), « Brouillon » (masquée)."
    )


def test_a_sheet_of_another_format_is_left_and_named(tmp_path):
    services = {"id_fs": "1", "lib_fs": "Fictive", "lib_com": "X", "itinerance": "Oui"}
    path = saved(tmp_path, {"Lieux": [HEADER, LIEU], "FS": [list(services), list(services.values())]})
    source = opened(path)
    assert source.format == "standard" and len(list(source.rows())) == 1
    assert "« FS » (d'un autre format)" in source.issues[0].reason


def test_a_mapping_may_ask_for_a_hidden_sheet(tmp_path):
    path = saved(
        tmp_path, {"Lieux": [HEADER, LIEU], "Archive": [HEADER, site(id="old")]}, states={"Archive": "hidden"}
    )
    mapping = tmp_path / "m.toml"
    mapping.write_text('version = 2\nsheet = "Archive"\n[columns]\nid = "id"\nnom = "nom"\n', "utf-8")
    source = open_source(path, max_bytes=10_000_000, mapping=mapping)
    assert [row.values["id"] for row in source.rows()] == ["old"]
    assert source.issues[0].reason == "La feuille « Archive » est lue, et non « Lieux » (non demandée)."


def test_a_workbook_of_one_sheet_tells_nothing(tmp_path):
    assert opened(saved(tmp_path, {"Lieux": [HEADER, LIEU]})).issues == ()


def test_a_workbook_whose_list_is_hidden_is_refused_with_the_name_of_the_sheet(tmp_path):
    path = saved(tmp_path, {"Notes": [["Notes"]], "Lieux": [HEADER, LIEU]}, states={"Lieux": "hidden"})
    with pytest.raises(UnreadableFile, match="masquées ne sont pas lues : « Lieux »"):
        opened(path)
    path = saved(tmp_path, {"Notes": [], "Lieux": [HEADER, LIEU]}, states={"Lieux": "hidden"})
    with pytest.raises(UnreadableFile, match="masquées : « Lieux »"):
        opened(path)


def test_the_header_is_found_below_merged_titles(tmp_path):
    titles = [["Liste des lieux de médiation"], [], ["Version", datetime(2026, 10, 1)], ["Ne pas modifier"]]  # noqa: DTZ001
    path = saved(
        tmp_path,
        {"Lieux": [*titles, HEADER, LIEU]},
        change=lambda book: book["Lieux"].merge_cells("A1:H1"),
    )
    source = opened(path)
    assert [(row.line, row.values["nom"]) for row in source.rows()] == [(6, "Lieu fictif")]
    assert [(issue.code, issue.line) for issue in source.issues] == [("entete_trouve", 5)]
    assert "les lignes 1, 3, 4 sont des titres" in source.issues[0].reason


@pytest.mark.parametrize(
    ("calendar_1904", "cell", "found"),
    [
        (False, 46296, date(2026, 10, 1)),
        (False, 46296.75, date(2026, 10, 1)),
        (True, 44834, date(2026, 10, 1)),
        (False, datetime(2026, 10, 1), date(2026, 10, 1)),  # noqa: DTZ001 (a spreadsheet knows no time zone)
        (True, datetime(2026, 10, 1), date(2026, 10, 1)),  # noqa: DTZ001
        (True, datetime(2026, 10, 1, 9, 30), date(2026, 10, 1)),  # noqa: DTZ001
        (False, "1er octobre 2026", date(2026, 10, 1)),
        (True, "46296", date(2030, 10, 2)),
    ],
)
def test_day_numbers_and_cells_of_dates_follow_the_calendar_of_the_workbook(
    tmp_path, calendar_1904, cell, found
):
    def change(book):
        if calendar_1904:
            book.epoch = CALENDAR_MAC_1904

    path = saved(tmp_path, {"Lieux": [HEADER, site(date_maj=cell)]}, change=change)
    (row,) = opened(path).rows()
    assert parse_update_date(row.values["date_maj"], today=date(2031, 1, 1))[0] == found


def test_a_number_that_is_no_date_keeps_its_value_in_a_column_of_dates(tmp_path):
    def change(book):
        book["Lieux"]["G2"].number_format = "dd/mm/yyyy"

    path = saved(tmp_path, {"Lieux": [HEADER, site(date_maj=99_999_999)]}, change=change)
    (row,) = opened(path).rows()
    assert row.values["date_maj"] == "99999999"


def test_shared_texts_and_their_parts_in_several_styles_are_read(tmp_path):
    path = saved(tmp_path, {"Lieux": [HEADER, LIEU]})
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet, names = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
    parts[sheet] = with_shared_name(parts[sheet])
    parts[names] = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>x</t></si>'
        b"<si><r><t>Lieu </t></r><r><rPr><b/></rPr><t>fictif</t></r><rPh><t>no</t></rPh></si></sst>"
    )
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    )
    path.write_bytes(archive(parts))
    assert [row.values["nom"] for row in opened(path).rows()] == ["Lieu fictif"]


def with_shared_name(xml: bytes) -> bytes:
    start = xml.index(b'<c r="C2"')
    end = xml.index(b"</c>", start) + 4
    return xml[:start] + b'<c r="C2" t="s"><v>1</v></c>' + xml[end:]


# Memory.

EMPTY_ROWS = "".join(
    f'<row r="{n}" s="1"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(3, 200_000)
)
FAR_CELL = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t> </t></is></c></row>'


def with_rows(tmp_path, rows: str, **parts: bytes):
    path = saved(tmp_path, {"Lieux": [HEADER, LIEU]})
    with zipfile.ZipFile(path) as packed:
        found = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    found[sheet] = found[sheet].replace(b"</sheetData>", rows.encode() + b"</sheetData>")
    path.write_bytes(archive(found | parts))
    return path


COUNT = """
import resource, sys
from pathlib import Path
from geo.errors import UnreadableFile
from geo.sites.readers import open_source
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(sum(1 for _ in open_source(Path(sys.argv[1]), max_bytes=100_000_000).rows()))
except UnreadableFile as problem:
    print(problem.message)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def measured(path) -> tuple[str, int]:
    """What reading a file gives, and the memory it takes, in MiB."""
    run = subprocess.run([sys.executable, "-c", COUNT, str(path)], capture_output=True, text=True, check=True)
    said, memory = run.stdout.splitlines()
    return said, int(memory)


@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured otherwise there")
@pytest.mark.parametrize("rows", [EMPTY_ROWS, FAR_CELL, "<row/>" * 500_000], ids=["styled", "far", "bare"])
def test_rows_that_are_merely_formatted_or_announced_take_no_memory(tmp_path, rows):
    said, memory = measured(with_rows(tmp_path, rows))
    assert said == "1"
    assert memory < 30


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (
            '<row r="3"><c r="A3" t="inlineStr"><is><t>' + "a" * 4_200_000 + "</t></is></c></row>",
            "une ligne ou un texte",
        ),
        ('<row r="3">' + '<c r="A3"/>' * 400_000 + "</row>", "une ligne ou un texte"),
        ('<row r="3"><c r="ZZZZZ3"><v>1</v></c></row>', "abîmé"),
    ],
    ids=["text", "cells", "column"],
)
def test_a_row_without_end_is_refused(tmp_path, rows, word):
    with pytest.raises(UnreadableFile, match=word):
        list(opened(with_rows(tmp_path, rows)).rows())


@pytest.mark.parametrize(
    ("part", "bound", "word"),
    [
        ("xl/sharedStrings.xml", "STRINGS_BYTES", "ses textes"),
        ("xl/styles.xml", "SETTINGS_BYTES", "ses styles"),
        ("xl/media/image.png", "UNPACKED_BYTES", "son contenu"),
    ],
)
def test_each_bound_is_said_in_the_refusal(tmp_path, part, bound, word):
    path = with_rows(tmp_path, "", **{part: bytes(getattr(workbook, bound) + 1)})
    with pytest.raises(UnreadableFile, match=rf"{word} dépasse \d+\sMo"):
        opened(path)


@pytest.mark.parametrize("gap", [0, 1, 2_000, 50_000])
@pytest.mark.parametrize("numbered", [True, False])
def test_rows_after_merely_formatted_ones_keep_their_number(tmp_path, gap, numbered):
    empty = "".join(
        f'<row r="{n}"><c r="A{n}" s="1"/></row>' if numbered else "<row><c/></row>"
        for n in range(3, 3 + gap)
    )
    cells = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in site(id="after"))
    after = f'<row r="{3 + gap}">{cells}</row>' if numbered else f"<row>{cells}</row>"
    rows = list(opened(with_rows(tmp_path, empty + after)).rows())
    assert [(row.line, row.values["id"]) for row in rows] == [(2, "1"), (3 + gap, "after")]
