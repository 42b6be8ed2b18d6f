"""`portee embed`: the map of sites as one HTML file, for hosts that take nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import typer

from geo.errors import InvalidParameter
from geo.services.embed_options import read
from geo.settings import Settings
from geo.wording.language import language
from portee.console import misused, print_written, report_errors
from portee.coverage_options import load_context
from portee.language import _
from static_maps.resident_map import one_file
from static_maps.settings import MapSettings
from static_maps.sites_map import outline_json


def embed(
    path: Annotated[Path, typer.Option("--out", help="Fichier à écrire, par exemple carte.html.")],
    territory: Annotated[
        str,
        typer.Option(
            "--territory", help="Code d'une commune, d'un canton ou d'un EPCI : seulement ses lieux."
        ),
    ] = "",
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", help="NOM=VALEUR d'une page intégrable (docs/embed.md) ; à répéter pour plusieurs."
        ),
    ] = None,
    address: Annotated[
        str, typer.Option("--address", help="Adresse du service, pour les liens vers les pages des lieux.")
    ] = "",
) -> None:
    """Write the map of sites as one file: it opens by a double click and asks for nothing but tiles."""
    pairs = [("territoire", territory)] if territory else []
    for each in where or []:
        name, equals, value = each.partition("=")
        if not equals:
            misused(_("« %(text)s » n'est pas NOM=VALEUR.", text=each), "--where")
        pairs.append((name.strip(), value.strip()))
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.netloc):
        misused(_("« %(address)s » n'est pas une adresse http(s).", address=address), "--address")
    settings = Settings()
    with report_errors():
        snapshot = load_context(settings).snapshot
        asked, embedded, unusable = read(urlencode(pairs).encode(), snapshot.territory)
        if unusable:
            raise InvalidParameter(" ".join(each.message(language("fr")) for each in unusable), "")
        html = one_file(
            snapshot,
            asked,
            embedded,
            outline=outline_json(snapshot.territory),
            settings=MapSettings(),
            address=address.rstrip("/"),
        ).html
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(html, "utf-8")
        fresh.replace(path)
    print_written(path, len(html.encode()), snapshot.version)
