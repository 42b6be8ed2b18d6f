"""`portee doctor`: check what this machine has and lacks, why it matters and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from geo.errors import PorteeError
from geo.reach import graph_files
from geo.settings import Settings
from geo.store import addresses, indicators, people, roads
from geo.store.cluster import cluster_at, status
from geo.store.database import database_status, engine_for
from geo.store.postgres_programs import find_binaries
from geo.territory.files import read_territory
from portee.console import INSTALLATION, count, misused, out, plain, print_json, report_errors, short_day
from portee.language import N_, _, foreign
from portee.options import AsJson
from static_maps.assets import VENDOR

CHROMIUM_NAMES = (
    "chromium",
    "google-chrome",
    "google-chrome-stable",
    "chromium-browser",
)
ENOUGH_DISK_MB = 500
"""A cluster with a département takes about 100 MB; imports and rendered pages need more."""


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    `essential`: Portée does not run without it.
    """

    check: str
    ok: bool
    essential: bool
    found: str
    why: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """One check: `look` returns what was found, or raises a `PorteeError` whose advice is the remedy."""

    name: str
    why: str
    look: Callable[[Settings], str]
    essential: bool = True

    def run(self, settings: Settings) -> CheckResult:
        """Run the check and return its result."""
        try:
            return CheckResult(self.name, True, self.essential, self.look(settings), _(self.why))
        except PorteeError as problem:
            return CheckResult(self.name, False, self.essential, problem.message, _(self.why), problem.advice)


class Lacking(PorteeError):
    """A check found something missing."""


def _python(_settings: Settings) -> str:
    return _("Python %(version)s dans %(folder)s", version=platform.python_version(), folder=sys.prefix)


def _postgis(settings: Settings) -> str:
    if settings.database_url:
        return _("inutile ici : DATABASE_URL désigne un serveur")
    cluster_at(settings.home)
    binaries = find_binaries()
    return _(
        "PostgreSQL %(version)s avec PostGIS dans %(folder)s",
        version=binaries.version,
        folder=binaries.folder,
    )


def _database(settings: Settings) -> str:
    embedded = not settings.database_url
    if embedded and not status(cluster_at(settings.home)).running:
        raise Lacking(
            _("la base embarquée ne fonctionne pas"),
            _("« portee demo », « portee serve » et d'autres la démarrent ; ou : portee db start"),
        )
    engine = engine_for(settings)
    try:
        known = database_status(engine)
    finally:
        engine.dispose()
    if not known.up_to_date:
        raise Lacking(
            _(
                "%(address)s : tables à la version %(revision)s, non %(head)s",
                address=known.address,
                revision=known.revision or _("aucune"),
                head=known.head,
            ),
            _("Lancez : portee db migrate"),
        )
    return _(
        "%(address)s : PostgreSQL %(postgresql)s, PostGIS %(postgis)s, tables à jour",
        address=known.address,
        postgresql=known.postgresql,
        postgis=known.postgis,
    )


@contextmanager
def _stored(settings: Settings) -> Iterator[Connection]:
    """Open a connection to the database after checking that it answers and is up to date."""
    _database(settings)
    engine = engine_for(settings)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _roads(settings: Settings) -> str:
    with _stored(settings) as connection:
        about = roads.current(connection)
    if about is None:
        return _("aucune : les temps sont estimés à vol d'oiseau (portee roads build FICHIER)")
    graph = graph_files.read_graph(graph_files.roads_folder(settings.home) / about.checksum)
    modes = ", ".join(mode.value for mode in graph.modes)
    return _(
        "%(file)s, %(vintage)s : %(modes)s, dans %(folder)s",
        file=about.file_name,
        vintage=about.vintage,
        modes=modes,
        folder=graph_files.roads_folder(settings.home),
    )


def _people(settings: Settings) -> str:
    with _stored(settings) as connection:
        stored = people.described(connection)
    if stored is None:
        return _("aucune grille : les habitants sont comptés à leur mairie (portee people load FICHIER)")
    return _(
        "%(file)s, %(vintage)s : carreaux de %(size)s m",
        file=stored.file_name,
        vintage=stored.provenance.vintage,
        size=stored.cell_m,
    )


def _addresses(settings: Settings) -> str:
    with _stored(settings) as connection:
        files = addresses.about(connection)
    if not files:
        return _("aucune : on cherche par commune et code postal seulement (portee addresses load FICHIER)")
    return ", ".join(
        _("%(file)s, chargé le %(day)s", file=file.file_name, day=short_day(file.loaded_at)) for file in files
    )


def _indicators(settings: Settings) -> str:
    with _stored(settings) as connection:
        found = indicators.read(connection)
    if not found:
        return _("aucun : le besoin de chacun compte autant (portee indicators load FICHIER)")
    return ", ".join(f"{code} ({each.provenance.vintage})" for code, each in sorted(found.items()))


def _territory(settings: Settings) -> str:
    territory = read_territory(settings.territory_dir, settings.departement)
    return _(
        "%(name)s : %(count)s communes dans %(folder)s",
        name=territory.name,
        count=len(territory.communes),
        folder=settings.territory_dir,
    )


def _assets(_settings: Settings) -> str:
    if not (VENDOR / "manifest.json").is_file():
        raise Lacking(
            _("les scripts et les styles de la carte manquent"),
            _("Lancez : npm ci && python -m static_maps.assets"),
        )
    return _("dans %(folder)s", folder=VENDOR)


def _disk(settings: Settings) -> str:
    home = settings.home.expanduser().resolve()
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise Lacking(
            _("impossible d'écrire dans %(folder)s", folder=there),
            _("Donnez un autre dossier : export PORTEE_HOME=/chemin"),
        )
    free_mb = shutil.disk_usage(there).free // 1_000_000
    if free_mb < ENOUGH_DISK_MB:
        raise Lacking(
            _(
                "%(free)s Mo libres dans %(folder)s ; il en faut %(least)s",
                free=free_mb,
                folder=there,
                least=ENOUGH_DISK_MB,
            ),
            _("Faites de la place, ou donnez un dossier d'un autre disque : export PORTEE_HOME=/chemin"),
        )
    return _("%(folder)s accessible en écriture, %(free)s Mo libres", folder=home, free=plain(count(free_mb)))


def _chromium(_settings: Settings) -> str:
    return str(find_chromium())


def find_chromium() -> Path:
    """Return a Chromium or Google Chrome that tests can drive: `CHROMIUM`, the machine's, or Playwright's.

    Raises
    ------
    Lacking
        If there is none.
    """
    found = next((path for path in _chromiums() if path.is_file()), None)
    if found is None:
        raise Lacking(
            _("aucun Chromium ni Google Chrome"),
            _(
                "Debian : apt-get install chromium. Ubuntu et autres : python -m playwright install "
                "--with-deps chromium. Ou indiquez-le : export CHROMIUM=/chemin/de/chromium"
            ),
        )
    return found


def _chromiums() -> Iterator[Path]:
    if named := os.environ.get("CHROMIUM"):
        yield Path(named)
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        # Ubuntu's apt package is a stub that only starts a snap, which tests cannot drive.
        if found and "/snap/" not in str(Path(found).resolve()) and not _is_snap_stub(Path(found)):
            yield Path(found)
    browsers = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    yield from sorted(browsers.glob("chromium-*/chrome-linux*/chrome"), reverse=True)


def _is_snap_stub(program: Path) -> bool:
    with program.open("rb") as stream:
        head = stream.read(4_096)
    return head.startswith(b"#!") and b"/snap/bin/" in head


CHECKS = (
    Check("python", N_("Portée est écrit avec."), _python),
    Check("postgis", N_("Les lieux et les communes y sont enregistrés."), _postgis),
    Check("disk", N_("La base embarquée et les pages rendues y sont écrites."), _disk),
    Check("territory", N_("Les communes et leurs limites : là où l'accès est mesuré."), _territory),
    Check("assets", N_("Les cartes s'affichent avec ; rien n'est cherché ailleurs."), _assets),
    Check("database", N_("Les imports, la couverture et l'API la lisent."), _database, essential=False),
    Check("roads", N_("Les temps de trajet les suivent."), _roads, essential=False),
    Check("people", N_("Là où les habitants sont comptés."), _people, essential=False),
    Check("addresses", N_("Elles situent qui tape une adresse."), _addresses, essential=False),
    Check("indicators", N_("Ils peuvent pondérer le besoin."), _indicators, essential=False),
    Check("chromium", N_("Seuls les tests de navigateur s'en servent."), _chromium, essential=False),
)


def doctor(
    checks: Annotated[
        list[str] | None,
        typer.Argument(
            help="Seulement ces points : python, postgis, disk, territory, assets, database, roads, people, "
            "addresses, indicators, chromium.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is missing on this machine, why it matters and how to get it.

    Exit code 3 if something essential is missing, or anything among the checks named.
    """
    with report_errors():
        unknown = set(checks or ()) - {c.name for c in CHECKS}
        if unknown:
            misused(_("point inconnu : %(names)s", names=", ".join(sorted(unknown))))
        settings = Settings()
        findings = [c.run(settings) for c in CHECKS if not checks or c.name in checks]
    if as_json:
        print_json([asdict(f) for f in findings])
    else:
        for finding in findings:
            _print_result(finding)
    if any(not f.ok and (f.essential or checks) for f in findings):
        raise typer.Exit(INSTALLATION)


def _print_result(finding: CheckResult) -> None:
    word, style = (
        ("ok", "green") if finding.ok else (_("manque"), "bold red" if finding.essential else "yellow")
    )
    out.print(f"{word:8}", style=style, end="")
    out.print(f"{finding.check:10} {foreign(finding.found)}", markup=False)
    if not finding.ok:
        out.print(f"{'':19}{_('Pourquoi : %(why)s', why=finding.why)}", markup=False)
        out.print(f"{'':19}{foreign(finding.remedy)}", markup=False)
