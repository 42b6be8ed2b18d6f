"""Routes for import runs and their validation findings, read from the database."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Annotated, Final

import orjson
from fastapi import Path, Request
from fastapi.responses import Response

from api.openapi import failures
from api.parameters import DIALECT, MAX_ID, Query, csv_dialect, paging, refuse
from api.responses import JSON, page_links
from api.routing import router
from api.schemas import ImportAnswer, ImportsAnswer, IssueOut
from api.service import app_state
from geo.sites.import_run import ImportRun
from geo.sites.issue_report import issues_csv
from geo.store import imports as stored

PAGE: Final = 100
PAGING: Final = Query(paging(PAGE))
NO_PARAMETERS: Final = Query()
REPORT_PARAMETERS: Final = Query((DIALECT,))
FRESH: Final = {"Cache-Control": "no-cache"}

RunId = Annotated[str, Path(description="Number of the import.", examples=["1"], pattern=r"^\d+$")]

routes = router("imports")


@routes.get(
    "/imports",
    summary="List import runs, latest first",
    response_model=ImportsAnswer,
    responses=failures(422, not_modified=False),
    openapi_extra=PAGING.openapi,
)
def imports(request: Request) -> Response:
    """Return each import run with its file, record counts and changes. Requires the database."""
    values = PAGING.read(request.scope["query_string"])
    limit, offset = values.get("limit", PAGE), values.get("offset", 0)
    with app_state(request).connect() as connection:
        total = stored.count(connection)
        runs = stored.runs(connection, limit=limit, offset=offset)
    body = {
        "total": total,
        "limit": limit,
        "offset": offset,
        "links": page_links(request, {}, total, limit, offset, JSON),
        "imports": [run_properties(run) for run in runs],
    }
    return Response(orjson.dumps(body), media_type=JSON, headers=FRESH)


@routes.get(
    "/imports/{run_id}",
    summary="Get an import run with its validation findings",
    response_model=ImportAnswer,
    responses=failures(404, 422, not_modified=False),
    openapi_extra=PAGING.openapi,
)
def one_import(request: Request, run_id: RunId) -> Response:
    """Return a run and a page of its findings, in file order. Requires the database."""
    number = run_number(run_id)
    values = PAGING.read(request.scope["query_string"])
    limit, offset = values.get("limit", PAGE), values.get("offset", 0)
    with app_state(request).connect() as connection:
        run = stored.find(connection, number)
        total = stored.issue_count(connection, number)
        issues = stored.issues(connection, number, limit=limit, offset=offset)
    body = {
        "total": total,
        "limit": limit,
        "offset": offset,
        "links": page_links(request, {}, total, limit, offset, JSON),
        "run": run_properties(run),
        # Stored findings name their sheet in the reason.
        "issues": [{name: getattr(issue, name) for name in IssueOut.model_fields} for issue in issues],
    }
    return Response(orjson.dumps(body), media_type=JSON, headers=FRESH)


@routes.get(
    "/imports/{run_id}/report.csv",
    summary="Download the validation findings as CSV",
    response_class=Response,
    responses={
        200: {
            "description": "One row per finding: line, field, value, severity, reason, advice.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **failures(404, 422, not_modified=False),
    },
    openapi_extra=REPORT_PARAMETERS.openapi,
)
def report(request: Request, run_id: RunId) -> Response:
    """Return all findings of a run. Requires the database."""
    number = run_number(run_id)
    dialect, _mark = csv_dialect(REPORT_PARAMETERS.read(request.scope["query_string"]))
    with app_state(request).connect() as connection:
        stored.find(connection, number)
        issues = stored.issues(connection, number)
    stream = io.StringIO(newline="")
    issues_csv(issues, stream, dialect)
    return Response(
        stream.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={**FRESH, "Content-Disposition": f'attachment; filename="import-{number}.csv"'},
    )


def run_number(run_id: str) -> int:
    """Parse the run number of a path.

    Raises
    ------
    Refused
        If it is not a number.
    """
    if not (run_id.isascii() and run_id.isdigit() and int(run_id) <= MAX_ID):
        raise refuse("run_id", run_id, "Un import se désigne par son numéro, par exemple 12.")
    return int(run_id)


def run_properties(run: ImportRun) -> dict[str, object]:
    """Return a run as a JSON-serialisable dict."""
    return {
        "id": run.id,
        "file_name": run.file_name,
        "sha256": run.sha256,
        "format": run.format,
        "label": run.label,
        "licence": run.licence,
        "datasets": run.datasets,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "tally": asdict(run.tally),
        "changes": {
            "new": run.new,
            "changed": run.changed,
            "unchanged": run.unchanged,
            "vanished": run.vanished,
        },
    }
