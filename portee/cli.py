"""`portee`: the one command. Groups of commands live in `portee.commands`."""

from __future__ import annotations

import typer

import geo
from portee.commands import (
    account,
    actions,
    addresses,
    coverage,
    db,
    demo,
    doctor,
    embed,
    fund,
    funding_files,
    gaps,
    imports,
    indicators,
    isochrones,
    partners,
    passes,
    people,
    print_,
    render,
    report,
    reports,
    roads,
    scenarios,
    serve,
    sites,
    siting,
    snapshots,
    territory,
    tokens,
    trend,
)
from portee.console import report_errors
from portee.environment import require_usable

app = typer.Typer(
    name="portee",
    help="Digital mediation within reach: import sites, measure coverage, draw maps, serve them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"portee {geo.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Say the version."
    ),
) -> None:
    """Options that come before any command."""
    with report_errors():
        require_usable()


app.add_typer(db.app, name="db")
app.add_typer(territory.app, name="territory")
app.add_typer(roads.app, name="roads")
app.add_typer(people.app, name="people")
app.add_typer(addresses.app, name="addresses")
app.add_typer(indicators.app, name="indicators")
app.command("import")(imports.import_files)
app.add_typer(sites.app, name="sites")
app.add_typer(snapshots.app, name="snapshots")
app.add_typer(tokens.app, name="token")
app.add_typer(partners.app, name="partners")
fund.app.command("template")(funding_files.template)
fund.app.command("import")(funding_files.import_)
fund.app.command("export")(funding_files.export)
app.add_typer(fund.app, name="fund")
app.add_typer(passes.app, name="passes")
app.add_typer(actions.app, name="actions")
app.add_typer(reports.app, name="reports")
app.command()(account.account)
app.command()(coverage.coverage)
app.command()(gaps.gaps)
app.command()(isochrones.isochrones)
app.command()(siting.siting)
app.add_typer(scenarios.app, name="scenario")
app.command()(trend.trend)
app.command("print")(print_.print_)
app.command()(report.report)
app.command()(render.render)
app.command()(embed.embed)
app.command()(serve.serve)
app.command()(demo.demo)
app.command()(doctor.doctor)
