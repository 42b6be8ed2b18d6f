"""`portee render`: the map of the current state as a folder that works from any static host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.settings import Settings
from portee.console import print_json, print_text, report_errors
from portee.coverage_options import load_context
from portee.language import _
from portee.options import AsJson
from static_maps.build import render as render_site


def render(
    folder: Annotated[Path, typer.Option("--out", help="Dossier à écrire ; créé s'il n'existe pas.")],
    as_json: AsJson = False,
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
        print_text(
            _(
                "%(file)s : %(count)s lieux, état n° %(version)s.",
                file=rendered.index,
                count=len(frame.snapshot.sites),
                version=rendered.snapshot_version,
            )
        )
