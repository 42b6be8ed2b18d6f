"""`portee render`: the map of the current state as a folder that works from any static host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.coverage.access import AccessParameters
from geo.settings import Settings
from geo.store import snapshots
from geo.store.database import engine_for
from portee.console import failures_told, out, print_json
from static_maps.build import render as render_site


def render(
    folder: Annotated[Path, typer.Option("--out", help="Folder to write; made if it is not there.")],
    as_json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
) -> None:
    """Write the interactive map and its data as a folder: any web host shows it, or a double click."""
    settings = Settings()
    with failures_told():
        with engine_for(settings).connect() as connection:
            snapshot = snapshots.read(connection)
        rendered = render_site(
            snapshot, folder, parameters=AccessParameters(detour_factor=settings.detour_factor)
        )
    if as_json:
        print_json(
            {
                "index": str(rendered.index),
                "bytes": rendered.octets,
                "snapshot": rendered.snapshot_version,
                "sites": len(snapshot.sites),
            }
        )
    else:
        out.print(f"{rendered.index} : {len(snapshot.sites)} lieux, état n° {rendered.snapshot_version}.")
