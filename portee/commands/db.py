"""`portee db`: the embedded database, or the server of `DATABASE_URL`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from geo.errors import DatabaseUnavailable, OperatorError
from geo.services.site_register import build_migrated
from geo.settings import Settings
from geo.store import backup, cluster, snapshots
from geo.store.database import database_status, engine_for, migrate, open_engine, parse_url
from portee.console import (
    INSTALLATION,
    confirm,
    file_size,
    print_json,
    print_text,
    progress,
    report_errors,
)
from portee.language import _, foreign
from portee.options import AsJson, Yes

app = typer.Typer(
    help="Démarrer, arrêter, mettre à jour, sauvegarder et restaurer la base de données.",
    no_args_is_help=True,
)


@app.command(help="Démarre le PostGIS embarqué, créé si nécessaire.")
def start() -> None:
    """Start the embedded PostGIS, creating it if necessary."""
    with report_errors():
        embedded = _embedded(Settings())
        cluster.start(embedded)
        pid = cluster.status(embedded).pid
        print_text(
            _("PostGIS fonctionne dans %(folder)s (processus %(pid)s).", folder=embedded.folder, pid=pid)
        )


@app.command(help="Arrête le PostGIS embarqué.")
def stop() -> None:
    """Stop the embedded PostGIS."""
    with report_errors():
        stopped = cluster.stop(_embedded(Settings()))
        print_text(_("PostGIS est arrêté.") if stopped else _("PostGIS ne fonctionnait pas."))


@app.command(
    help="""Dit si la base répond et à quelle version sont ses tables ; ne démarre rien.

Code de sortie 3 si elle ne répond pas."""
)
def status(
    as_json: AsJson = False,
) -> None:
    """Report whether the database answers and the revision of its tables; starts nothing.

    Exit code 3 when it does not answer.
    """
    with report_errors():
        state = _state(Settings())
    if as_json:
        print_json(state)
    else:
        for name, value in (state["cluster"] or {}).items():
            print_text(f"{name}: {value}")
        for name, value in (state["database"] or {}).items():
            print_text(f"{name}: {value}")
        print_text(foreign(state["problem"]) if state["problem"] else _("La base répond."))
    if state["problem"]:
        raise typer.Exit(INSTALLATION)


@app.command("migrate", help="Met les tables à la version que ce Portée utilise.")
def migrate_tables() -> None:
    """Bring the tables to the revision this version of Portée uses."""
    with report_errors(), _closing(engine_for(Settings())) as engine:
        migrate(engine)
        with engine.begin() as connection:
            build_migrated(connection)
        revision = database_status(engine).revision
        print_text(_("Les tables sont à la révision %(revision)s.", revision=revision))


@app.command(help="Sauvegarde toutes les tables de Portée dans un fichier.")
def dump(
    file: Annotated[
        Path | None, typer.Argument(help="Fichier à écrire ; portee-<date>-<heure>.dump par défaut.")
    ] = None,
) -> None:
    """Write all of Portée's tables to one file."""
    path = file or Path(f"portee-{datetime.now(UTC):%Y%m%d-%H%M%S}.dump")
    with report_errors():
        with _closing(engine_for(Settings())) as engine, progress() as bars:
            task = bars.add_task(_("Sauvegarde"), total=None)
            size = backup.dump(
                engine,
                path,
                progress=lambda done, total: bars.update(task, completed=done, total=total),
            )
        print_text(_("Écrit : %(file)s (%(size)s).", file=path, size=file_size(size)))


@app.command(help="Remplace tout le contenu de la base par une sauvegarde.")
def restore(
    file: Annotated[Path, typer.Argument(help="Sauvegarde écrite par « portee db dump ».")],
    yes: Yes = False,
) -> None:
    """Replace the whole content of the database with a dump."""
    confirm(_("Remplacer tout le contenu de la base par celui de %(file)s ?", file=file), yes=yes)
    with report_errors():
        with _closing(engine_for(Settings())) as engine, progress() as bars:
            task = bars.add_task(_("Restauration"), total=None)
            backup.restore(
                engine,
                file,
                progress=lambda done, total: bars.update(task, completed=done, total=total),
            )
            with engine.begin() as connection:
                build_migrated(connection)
                version = snapshots.version(connection)
        print_text(
            _("%(file)s est restauré ; l'état des données a le n° %(version)s.", file=file, version=version)
        )


def _embedded(settings: Settings) -> cluster.Cluster:
    if settings.database_url:
        raise OperatorError(
            _("DATABASE_URL désigne un serveur ; cette commande ne concerne que la base embarquée."),
            _("Pour utiliser la base embarquée : unset DATABASE_URL"),
        )
    return cluster.cluster_at(settings.home)


def _state(settings: Settings) -> dict[str, Any]:
    """Cluster (None on a server), database (None while it does not answer), and what is wrong."""
    state: dict[str, Any] = {"cluster": None, "database": None, "problem": None}
    if settings.database_url:
        engine = open_engine(parse_url(settings.database_url))
    else:
        embedded = cluster.cluster_at(settings.home)
        known = cluster.status(embedded)
        state["cluster"] = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(known).items()}
        if not known.running:
            return {
                **state,
                "problem": _("La base embarquée ne fonctionne pas. Pour la démarrer : portee db start"),
            }
        engine = open_engine(embedded.url())
    try:
        with _closing(engine):
            found = database_status(engine)
    except DatabaseUnavailable as problem:
        return {**state, "problem": str(problem)}
    return {**state, "database": {**asdict(found), "up_to_date": found.up_to_date}}


@contextmanager
def _closing(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()
