"""Sites as XLSX, GeoJSON and GeoPackage: typed, never a formula, and imported again without a change."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date

import openpyxl
import pyogrio
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.sites import standard
from geo.sites.export import COLUMNS
from geo.sites.export_files import FORMAT_BY_SUFFIX, SitesFormat, write_sites
from geo.sites.model import Position
from geo.sites.readers import open_source
from geo.sites.validate import validate
from geo.tables_out import CELL_MAX
from tests.support.world import TERRITORY, as_site
from tests.unit.geo.sites.test_validate import TODAY, TRICKY, VALID, check, exported, full

NOWHERE = replace(
    full,
    nom="Sans position",
    latitude=None,
    longitude=None,
    position=Position.INCONNUE,
    date_maj=None,
    pass_numerique=None,
    courriels=(),
    telephone="",
)


def written(file_format, *records):
    stream = io.BytesIO()
    write_sites([as_site(record) for record in records], stream, file_format)
    return stream.getvalue()


def back(tmp_path, file_format, *records):
    """The records that an export of the sites of some records gives once imported."""
    path = tmp_path / "export"
    path.write_bytes(written(file_format, *records))
    source = open_source(path, max_bytes=10**8)
    assert source.format == "standard"
    return validate(source.rows(), territory=TERRITORY, dataset="autre", today=TODAY).records


def sheet_of(content):
    (sheet,) = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    return sheet


def test_a_workbook_has_one_sheet_with_its_headings_in_view():
    sheet = sheet_of(written(SitesFormat.XLSX, full, NOWHERE))
    assert (sheet.title, sheet.freeze_panes, sheet.max_row) == ("lieux", "A2", 3)
    assert tuple(cell.value for cell in sheet[1]) == COLUMNS


def test_the_cells_of_a_workbook_have_types():
    sheet = sheet_of(written(SitesFormat.XLSX, full, NOWHERE))
    cells = dict(zip(COLUMNS, sheet[2], strict=True))
    assert cells["latitude"].value == full.latitude and cells["latitude"].data_type == "n"
    assert cells["date_maj"].value.date() == date(2026, 3, 2) and cells["date_maj"].is_date
    assert cells["ext_pass_numerique"].value is True and cells["ext_membre_reseau"].value is False
    assert (cells["code_postal"].value, cells["code_postal"].number_format) == ("99100", "@")
    assert cells["telephone"].data_type == "s"
    unknown = dict(zip(COLUMNS, sheet[3], strict=True))
    for name in ("latitude", "date_maj", "ext_pass_numerique", "courriels", "telephone"):
        assert unknown[name].value is None, name


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+33 1",
        "-rue",
        "@x",
        '=HYPERLINK("http://exemple.invalid")',
        "#N/A",
        "#REF!",
        "2026-01-02",
        "12",
        "TRUE",
    ],
)
def test_no_text_of_a_workbook_is_a_formula(text):
    sheet = sheet_of(written(SitesFormat.XLSX, replace(full, nom=text, adresse=text, horaires=text)))
    for name, cell in zip(COLUMNS, sheet[2], strict=True):
        assert cell.data_type != "f", name
        if name in ("nom", "adresse", "horaires"):
            assert (cell.value, cell.data_type) == (text, "s")
            assert bool(cell.quotePrefix) is (text[0] in "=+-@")


@pytest.mark.parametrize(("length", "cut"), [(CELL_MAX, False), (CELL_MAX + 1, True), (60_000, True)])
def test_a_text_longer_than_a_cell_is_cut_and_says_so(length, cut):
    sheet = sheet_of(written(SitesFormat.XLSX, replace(full, presentation_detail="x" * length)))
    value = sheet.cell(2, COLUMNS.index("presentation_detail") + 1).value
    assert len(value) == CELL_MAX
    assert value.endswith("il est entier dans le CSV)") is cut


def test_a_geojson_keeps_to_its_standard():
    content = json.loads(written(SitesFormat.GEOJSON, full, NOWHERE))
    assert set(content) == {"type", "features"}  # RFC 7946 has no member for a reference system
    placed, unplaced = content["features"]
    assert placed["geometry"] == {"type": "Point", "coordinates": [full.longitude, full.latitude]}
    assert unplaced["geometry"] is None
    assert placed["id"] == as_site(full).id
    assert placed["properties"]["courriels"] == ["a@exemple.fr", "b@exemple.fr"]
    assert placed["properties"]["date_maj"] == "2026-03-02"
    assert placed["properties"]["ext_pass_numerique"] is True
    assert unplaced["properties"]["date_maj"] is None and unplaced["properties"]["courriels"] == []


def test_a_geopackage_has_a_layer_of_points_with_typed_fields(tmp_path):
    path = tmp_path / "lieux.gpkg"
    path.write_bytes(written(SitesFormat.GPKG, full, NOWHERE))
    assert pyogrio.list_layers(path).tolist() == [["lieux", "Point"]]
    info = pyogrio.read_info(path)
    assert (info["crs"], info["features"]) == ("EPSG:4326", 2)
    types = dict(zip(info["fields"], info["ogr_types"], strict=True))
    assert (types["date_maj"], types["ext_fictif"], types["nom"]) == ("OFTDate", "OFTInteger", "OFTString")
    assert [name for name in COLUMNS if name not in ("latitude", "longitude")] == list(info["fields"])
    frame = pyogrio.read_dataframe(path)
    assert (frame.geometry[0].x, frame.geometry[0].y) == (full.longitude, full.latitude)
    assert frame.geometry[1] is None
    assert frame["courriels"].tolist()[0] == "a@exemple.fr|b@exemple.fr"
    assert frame["date_maj"].isna().tolist() == [False, True]
    assert frame["ext_pass_numerique"].isna().tolist() == [False, True]


@pytest.mark.parametrize("file_format", SitesFormat)
def test_no_site_gives_a_readable_file(file_format, tmp_path):
    content = written(file_format)
    if file_format is SitesFormat.GPKG:
        (tmp_path / "x.gpkg").write_bytes(content)
        assert pyogrio.read_info(tmp_path / "x.gpkg")["features"] == 0
    elif file_format is SitesFormat.XLSX:
        assert sheet_of(content).max_row == 1
    elif file_format is SitesFormat.GEOJSON:
        assert json.loads(content)["features"] == []
    else:
        assert content.decode().startswith("id,pivot,nom,")


ROWS: tuple[dict[str, str], ...] = (
    {},
    {"nom": "'=x", "presentation_detail": "- un\n- deux", "adresse": "-12 rue", "horaires": "'@"},
    {"latitude": "", "longitude": "", "date_maj": "", "courriels": "a@exemple.fr|+b@exemple.fr"},
    {"ext_pass_numerique": "non", "ext_arrets": "Halle @ Tu 09:00-12:00|Mairie @ 2026-12-03 14:00-16:00"},
)


@pytest.mark.parametrize("file_format", [SitesFormat.CSV, SitesFormat.XLSX, SitesFormat.GEOJSON])
def test_a_file_imported_again_gives_the_same_csv(file_format, tmp_path):
    accepted = check(*({**VALID, "id": str(rank), **row} for rank, row in enumerate(ROWS))).records
    records = back(tmp_path, SitesFormat.CSV, *accepted)
    assert len(records) == len(ROWS)
    again = back(tmp_path, file_format, *records)
    assert again == records
    assert exported(*again) == exported(*records)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional=TRICKY), min_size=1, max_size=3))
@pytest.mark.parametrize("file_format", [SitesFormat.XLSX, SitesFormat.GEOJSON])
def test_whatever_was_accepted_survives(file_format, tmp_path_factory, rows):
    accepted = check(*({**VALID, "id": str(n), **row} for n, row in enumerate(rows))).records
    assume(accepted)  # a GeoJSON without features has no columns to be known by
    again = back(tmp_path_factory.mktemp("export"), file_format, *accepted)
    assert exported(*again) == exported(*accepted)


def test_the_end_of_a_name_says_its_format():
    assert FORMAT_BY_SUFFIX[".csv"] is SitesFormat.CSV
    assert set(FORMAT_BY_SUFFIX.values()) == set(SitesFormat) - {SitesFormat.CSV_STRICT}


def test_a_strict_csv_counts_what_it_leaves_out():
    stream = io.BytesIO()
    sites = [as_site(full), as_site(replace(full, commune=""))]
    assert write_sites(sites, stream, SitesFormat.CSV_STRICT) == 1
    assert stream.getvalue().decode().splitlines()[0] == ",".join(standard.FIELDS)
    stream.write(b"the stream stays open")
