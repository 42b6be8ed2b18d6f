"""`portee render`: the map of the current state as a folder that works from any static host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.settings import Settings
from portee.console import out, print_json, report_errors
from portee.coverage_options import load_context
from static_maps.build import render as render_site


def render(
    folder: Annotated[Path, typer.Option("--out", help="Folder to write; made if it is not there.")],
    as_json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
) -> None:
    """Write the interactive map and its data as a folder: any web host shows it, or a double click."""
    with report_errors():
        frame = load_context(Settings())
        rendered = render_site(frame, folder)
    if as_json:
        print_json(
            {
                "index": str(rendered.index),
                "bytes": rendered.octets,
                "snapshot": rendered.snapshot_version,
                "sites": len(frame.snapshot.sites),
            }
        )
    else:
        out.print(
            f"{rendered.index} : {len(frame.snapshot.sites)} lieux, état n° {rendered.snapshot_version}."
        )
