"""`portee`: the command line. A module of `portee.commands` is imported only when its command is run."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from typer._completion_classes import completion_init
from typer._completion_shared import Shells, get_completion_script, install

import geo
from portee.interrupt import raise_from_now_on
from portee.language import LANGUAGES, _
from portee.lazy import LazyCommand, PorteeGroup

COMMANDS: Final = {
    name: LazyCommand(f"portee.commands.{module}", attribute, text)
    for name, module, attribute, text in (
        (
            "db",
            "db",
            "app",
            "Démarrer, arrêter, mettre à jour, sauvegarder et restaurer la base de données.",
        ),
        (
            "territory",
            "territory",
            "app",
            "Communes et regroupements : construire les fichiers, les charger.",
        ),
        (
            "roads",
            "roads",
            "app",
            "Réseau routier des temps de trajet : construire, examiner, retirer.",
        ),
        (
            "people",
            "people",
            "app",
            "Grilles de population : où les habitants sont comptés.",
        ),
        (
            "addresses",
            "addresses",
            "app",
            "Adresses utilisées par la recherche : charger, décrire, essayer, retirer.",
        ),
        (
            "indicators",
            "indicators",
            "app",
            "Indicateurs de besoin, utilisés comme poids explicites.",
        ),
        (
            "import",
            "imports",
            "import_files",
            "Importe des lieux : lit, valide, compare avec ce qui est en service, enregistre en "
            "une transaction."
            "\n\n"
            "Chaque FICHIER est enregistré en entier ou pas du tout. Le premier qui est refusé arrête la "
            "commande : ceux d'avant sont enregistrés, ceux d'après ne le sont pas. Code de sortie "
            "1 quand un "
            "fichier est refusé ou qu'aucune de ses fiches n'est acceptée.",
        ),
        ("imports", "import_runs", "app", "Lister, examiner et annuler les imports de lieux."),
        ("datasets", "datasets", "app", "Lister, examiner, retirer et remettre des jeux de données."),
        ("sites", "sites", "app", "Lister, vérifier, comparer et exporter les lieux en service."),
        ("snapshots", "snapshots", "app", "Garder, lister et oublier des états datés des données."),
        ("token", "tokens", "app", "Créer, lister et révoquer les jetons de l'API."),
        (
            "partners",
            "partners",
            "app",
            "Lister, ajouter et retirer les partenaires, leurs conventions et leurs lieux.",
        ),
        ("fund", "fund", "app", "Contributions, abondement, engagements, paiements, rapports."),
        (
            "passes",
            "passes",
            "app",
            "Le Pass Numérique : commandes, dons, utilisations, expirations, rapports.",
        ),
        (
            "actions",
            "actions",
            "app",
            "Enregistrer et lister les actions : équipement, formation, reconditionnement…",
        ),
        ("reports", "reports", "app", "Lister, lire et clore les signalements des lecteurs sur les lieux."),
        (
            "account",
            "account",
            "account",
            "Bilan d'un territoire : qui y aide, à quelle distance, argent, pass, actions."
            "\n\n"
            "Les petits nombres de personnes sont masqués, comme partout où le bilan est public.",
        ),
        (
            "coverage",
            "coverage",
            "coverage",
            "Mesure la couverture : temps jusqu'au lieu le plus proche, personnes en deçà et au-delà, offre, "
            "écart.",
        ),
        (
            "gaps",
            "gaps",
            "gaps",
            "Plus grands écarts, une phrase chacun : personnes × besoin × minutes au-delà du seuil.",
        ),
        (
            "isochrones",
            "isochrones",
            "isochrones",
            "Écrit en GeoJSON ce qui se trouve à tant de minutes d'un lieu ou d'un point.",
        ),
        (
            "siting",
            "siting",
            "siting",
            "Choisit où ouvrir, les lieux existants qui conviennent restant en place.",
        ),
        ("scenario", "scenarios", "app", "Évaluer, enregistrer et comparer des scénarios."),
        (
            "trend",
            "trend",
            "trend",
            "Couverture du territoire d'un état daté à l'autre ; aujourd'hui vient en dernier.",
        ),
        (
            "print",
            "print_",
            "print_",
            "Écrit des affiches pour les mairies et l'annuaire de tous les lieux : gros "
            "caractères, téléphone "
            "d'abord.",
        ),
        (
            "report",
            "report",
            "report",
            "Écrit un rapport à imprimer : qui est loin d'une aide, où, ce qui y manque, et ce qui est sûr.",
        ),
        (
            "render",
            "render",
            "render",
            "Écrit la carte interactive et ses données dans un dossier : tout hébergeur la montre, "
            "ou un double "
            "clic.",
        ),
        (
            "embed",
            "embed",
            "embed",
            "Écrit la carte des lieux en un fichier : un double clic l'ouvre, elle ne demande que "
            "ses tuiles.",
        ),
        ("serve", "serve", "serve", "Sert l'API et la carte interactive jusqu'à une interruption."),
        (
            "demo",
            "demo",
            "demo",
            "Prépare la démonstration et la sert : des lieux inventés dans les communes réelles."
            "\n\n"
            "Démarre le PostGIS embarqué (ou utilise DATABASE_URL), crée les tables, charge le "
            "territoire, les "
            "lieux, l'argent, les pass et les actions inventés, calcule l'accès, écrit la carte, la sert. "
            "Recommencer ne change rien. Si de vrais lieux sont enregistrés, les inventés sont "
            "laissés de côté.",
        ),
        (
            "doctor",
            "doctor",
            "doctor",
            "Dit ce qui manque sur cette machine, pourquoi cela compte et comment l'obtenir."
            "\n\n"
            "Code de sortie 3 s'il manque quelque chose d'essentiel, ou un des points nommés.",
        ),
    )
}


class Portee(PorteeGroup):
    """The commands of Portée."""

    lazy_commands = COMMANDS


completion_init()

app = typer.Typer(
    name="portee",
    cls=Portee,
    help="La médiation numérique à portée : importer des lieux, mesurer la couverture, dessiner et servir "
    "des cartes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"portee {geo.__version__}")
        raise typer.Exit


def _check_language(code: str | None) -> str | None:
    if code is not None and code not in LANGUAGES:
        raise typer.BadParameter(
            _("« %(code)s » n'est pas une langue : %(known)s.", code=code, known=", ".join(LANGUAGES))
        )
    return code


def _install_completion(shell: Shells | None) -> None:
    if shell is not None:
        name, path = install(shell=shell.value, prog_name="portee")
        typer.echo(_("Complétion pour %(shell)s installée dans %(path)s.", shell=name, path=path))
        typer.echo(_("Elle agit dès qu'un nouveau terminal est ouvert."))
        raise typer.Exit


def _show_completion(shell: Shells | None) -> None:
    if shell is not None:
        typer.echo(
            get_completion_script(prog_name="portee", complete_var="_PORTEE_COMPLETE", shell=shell.value)
        )
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Affiche la version.")
    ] = False,
    lang: Annotated[
        str | None,
        typer.Option(
            metavar="fr|en",
            callback=_check_language,
            is_eager=True,
            help="Langue de l'aide et des messages ; celle de PORTEE_LANG, sinon le français.",
        ),
    ] = None,
    install_completion: Annotated[
        Shells | None,
        typer.Option(
            callback=_install_completion,
            is_eager=True,
            help="Installe la complétion des commandes pour cet interpréteur.",
        ),
    ] = None,
    show_completion: Annotated[
        Shells | None,
        typer.Option(
            callback=_show_completion,
            is_eager=True,
            help="Affiche le script de complétion, à copier ou à adapter.",
        ),
    ] = None,
) -> None:
    """Check the environment before any command."""
    from portee.console import report_errors  # noqa: PLC0415 - --help and --version need neither
    from portee.environment import require_usable, warn_unknown  # noqa: PLC0415

    with report_errors():
        require_usable()
    warn_unknown()
    raise_from_now_on()
