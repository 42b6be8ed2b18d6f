"""Kinds of files of funding: one table for each kind of record, with French headings.

What each column holds is declared once, here: the templates people fill, the reading of what they
filled, the exports and the schema of the open data all follow from it. Meaning: docs/funding-files.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from geo.funding.action_kinds import ActionKind, Kinds, MeasureType
from geo.funding.ledger import Level
from geo.funding.partners import PartnerKind, SiteRole
from geo.funding.passes import EventKind
from geo.sites.readers.content import column_name
from geo.sites.text import fold

EXAMPLE: Final = "exemple"
"""Prefix of the key of a template's example row, which is never imported."""
ACTION: Final = "action-"
"""Prefix of kinds of files of actions; the code of the kind of action follows."""


class CellType(StrEnum):
    """Type of a column, which decides how its cells are read and written."""

    TEXT = "text"
    REFERENCE = "reference"
    DATE = "date"
    EUROS = "euros"
    COUNT = "count"
    """A whole number; negative in corrections of passes."""
    NUMBER = "number"
    YEAR = "year"
    CHOICE = "choice"
    FLAG = "flag"
    COMMUNE = "commune"
    PARTNER = "partner"
    SITE = "site"
    ORDER = "order"
    FUNDERS = "funders"


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """A column of a file.

    Attributes
    ----------
    name
        English; accepted as a heading too.
    heading, explains
        In French.
    choices
        For a choice: the values and their French words; cells may have either.
    """

    name: str
    heading: str
    cell: CellType
    explains: str
    example: str = ""
    required: bool = False
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def allowed(self) -> str:
        """The values that a cell may have, in French."""
        return " ou ".join(self.choices.values()) if self.choices else _ALLOWED[self.cell]


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of file: its code, French name, columns, and the columns that identify a record."""

    kind: str
    label: str
    columns: tuple[TemplateColumn, ...]
    key: tuple[str, ...] = ("reference",)

    def column(self, name: str) -> TemplateColumn | None:
        """Return the column that has a name, or None."""
        return next((c for c in self.columns if c.name == name), None)

    def heading(self, name: str) -> str:
        """Return the French heading of a column; the name itself if there is no such column."""
        column = self.column(name)
        return column.heading if column else name

    @property
    def action_kind(self) -> str | None:
        """Code of the kind of action; None if the file is not one of actions."""
        return self.kind.removeprefix(ACTION) if self.kind.startswith(ACTION) else None

    def columns_of(self, headings: Sequence[str]) -> list[TemplateColumn | None]:
        """Return the column that each heading names, ignoring case and accents; None if there is none."""
        by_name = {folded: c for c in self.columns for folded in (fold(c.name), fold(c.heading))}
        return [by_name.get(fold(column_name(heading))) for heading in headings]


_ALLOWED: Final = {
    CellType.TEXT: "texte",
    CellType.REFERENCE: "de 1 à 100 signes, différente sur chaque ligne",
    CellType.DATE: "2026-03-12 ou 12/03/2026",
    CellType.EUROS: "1 234,56 ou 1234.56",
    CellType.COUNT: "nombre entier",
    CellType.NUMBER: "12 ou 12,5",
    CellType.YEAR: "de 2000 à 2100",
    CellType.CHOICE: "",
    CellType.FLAG: "oui, non, ou rien (non)",
    CellType.COMMUNE: "code INSEE (47001), ou nom s'il n'y en a qu'une de ce nom",
    CellType.PARTNER: "code d'un partenaire enregistré",
    CellType.SITE: "identifiant public d'un lieu enregistré",
    CellType.ORDER: "référence d'une commande de pass enregistrée",
    CellType.FUNDERS: "code=pass, séparés par |",
}

_REFERENCE = TemplateColumn(
    "reference",
    "Référence",
    CellType.REFERENCE,
    "Désigne la ligne pour toujours : la renvoyer ne la compte pas deux fois.",
    "EXEMPLE-001",
    required=True,
)
_AMOUNT = TemplateColumn(
    "amount", "Montant (€)", CellType.EUROS, "En euros, au-dessus de zéro.", "1 111,11", True
)

_FICTIF = TemplateColumn(
    "fictif", "Fictif", CellType.FLAG, "Oui pour une ligne inventée : tout ce qui la montre le dit.", "oui"
)
_MEMO = TemplateColumn("memo", "Mémo", CellType.TEXT, "Remarque ; ni nom ni coordonnées d'une personne.")
_NOTE = TemplateColumn("note", "Note", CellType.TEXT, "Remarque ; ni nom ni coordonnées d'une personne.")
_COMMUNE = TemplateColumn(
    "commune", "Commune", CellType.COMMUNE, "Commune concernée, s'il y en a une.", "47001"
)
_SITE = TemplateColumn("site", "Identifiant du lieu", CellType.SITE, "Lieu concerné, s'il y en a un.")


def _day(heading: str = "Date", explains: str = "Jour où cela compte.") -> TemplateColumn:
    return TemplateColumn("day", heading, CellType.DATE, explains, "2026-03-12", required=True)


def _partner(explains: str, *, required: bool = False) -> TemplateColumn:
    return TemplateColumn("partner", "Partenaire", CellType.PARTNER, explains, "exemple-partenaire", required)


def _choice(name: str, heading: str, explains: str, of: type[StrEnum], example: str) -> TemplateColumn:
    choices = {each.value: str(each.label) for each in of}  # type: ignore[attr-defined]  # all have one
    return TemplateColumn(name, heading, CellType.CHOICE, explains, example, required=True, choices=choices)


_FIXED: Final = (
    Template(
        "partners",
        "Partenaires",
        (
            TemplateColumn(
                "code",
                "Code",
                CellType.REFERENCE,
                "Nom court et unique : minuscules sans accent, chiffres et tirets.",
                "exemple-partenaire",
                required=True,
            ),
            TemplateColumn(
                "name", "Nom", CellType.TEXT, "Dénomination usuelle.", "Partenaire fictif Exemple", True
            ),
            _choice("kind", "Nature", "Ce qu'est le partenaire.", PartnerKind, "association"),
            TemplateColumn("siret", "SIRET", CellType.TEXT, "Quatorze chiffres ; vide s'il est inconnu."),
            TemplateColumn(
                "contact_role",
                "Fonction du contact",
                CellType.TEXT,
                "Une fonction, jamais une personne ni ses coordonnées.",
                "responsable de l'inclusion numérique",
            ),
            TemplateColumn(
                "website", "Site web", CellType.TEXT, "Adresse qui commence par https:// ou http://."
            ),
            _NOTE,
            TemplateColumn(
                "network_from", "Entrée dans le réseau", CellType.DATE, "Vide : n'en est pas.", "2026-01-01"
            ),
            TemplateColumn("network_to", "Sortie du réseau", CellType.DATE, "Vide : en est encore."),
            _FICTIF,
        ),
        key=("code",),
    ),
    Template(
        "partner-sites",
        "Lieux des partenaires",
        (
            _partner("Qui porte ou soutient le lieu.", required=True),
            TemplateColumn(
                "site",
                "Identifiant du lieu",
                CellType.SITE,
                "Le lieu.",
                "demonstration--lieu-fictif-001",
                True,
            ),
            _choice("role", "Rôle", "Ce que le partenaire y fait.", SiteRole, "soutient"),
        ),
        key=("partner", "site", "role"),
    ),
    Template(
        "conventions",
        "Conventions",
        (
            _partner("Qui l'a signée.", required=True),
            TemplateColumn("year", "Année", CellType.YEAR, "Année qu'elle couvre.", "2026", True),
            TemplateColumn(
                "reference", "Référence", CellType.TEXT, "De la délibération ou du contrat.", "CONV-01", True
            ),
            _NOTE,
        ),
        key=("partner", "year", "reference"),
    ),
    Template(
        "contributions",
        "Contributions",
        (
            _REFERENCE,
            _day("Date de réception", "Jour où elle a été reçue : il fixe la règle d'abondement."),
            _partner("Qui contribue.", required=True),
            _AMOUNT,
            _choice("level", "Source", "D'où vient l'argent.", Level, "local"),
            _COMMUNE,
            _MEMO,
            _FICTIF,
        ),
    ),
    Template(
        "commitments",
        "Engagements",
        (
            _REFERENCE,
            _day(),
            _AMOUNT,
            TemplateColumn(
                "action_line", "Ligne d'action", CellType.TEXT, "À quoi il servira.", "formation", True
            ),
            _partner("À qui il est destiné."),
            _COMMUNE,
            _SITE,
            _MEMO,
            _FICTIF,
        ),
    ),
    Template(
        "payments",
        "Paiements",
        (
            _REFERENCE,
            _day(),
            _AMOUNT,
            TemplateColumn(
                "commitment",
                "Engagement",
                CellType.TEXT,
                "Référence de l'engagement payé.",
                "2026-ENG-01",
                True,
            ),
            _partner("Qui est payé, s'il n'est pas celui de l'engagement."),
            _COMMUNE,
            _SITE,
            _MEMO,
            _FICTIF,
        ),
    ),
    Template(
        "pass-orders",
        "Commandes de pass",
        (
            _REFERENCE,
            _day("Date", "Jour de la commande."),
            TemplateColumn("count", "Nombre", CellType.COUNT, "Pass commandés.", "100", True),
            TemplateColumn("value", "Valeur faciale (€)", CellType.EUROS, "D'un pass ; vide : 10 €.", "10"),
            TemplateColumn(
                "expires_on", "Expire le", CellType.DATE, "Dernier jour où ils valent.", "2026-12-31", True
            ),
            TemplateColumn(
                "funders",
                "Financeurs",
                CellType.FUNDERS,
                "Qui paie combien de pass ; leur somme est la commande.",
                "exemple-partenaire=100",
                True,
            ),
            _NOTE,
            _FICTIF,
        ),
    ),
    Template(
        "pass-events",
        "Événements de pass",
        (
            _REFERENCE,
            TemplateColumn("order", "Commande", CellType.ORDER, "Dont ils sont.", "2026-A", True),
            TemplateColumn(
                "kind",
                "Événement",
                CellType.CHOICE,
                "Ce qui leur arrive.",
                "donnés",
                True,
                {each.value: each.label for each in EventKind},
            ),
            _day("Date", "Jour de l'événement."),
            TemplateColumn(
                "count", "Nombre", CellType.COUNT, "De pass ; négatif pour une correction.", "12", True
            ),
            TemplateColumn(
                "commune", "Commune", CellType.COMMUNE, "Des habitants ; il la faut pour un don.", "47001"
            ),
            _partner("Prescripteur qui les a donnés."),
            TemplateColumn(
                "site", "Identifiant du lieu", CellType.SITE, "Où ils sont utilisés, ou qui est remboursé."
            ),
            TemplateColumn(
                "corrects", "Corrige", CellType.TEXT, "Référence de l'événement corrigé, s'il y en a un."
            ),
            TemplateColumn(
                "commitment",
                "Engagement",
                CellType.TEXT,
                "Référence de l'engagement du fonds qui paie ; il la faut pour un remboursement.",
            ),
        ),
    ),
)


def templates(kinds: Kinds) -> dict[str, Template]:
    """Return every kind of file by its code, in the order they can be loaded; one for each kind of action."""
    found = [*_FIXED, *(_of_action(kind) for kind in kinds.values())]
    return {each.kind: each for each in found}


def _of_action(kind: ActionKind) -> Template:
    own = [
        _REFERENCE,
        _day("Date", "Jour, ou premier jour."),
        TemplateColumn("until", "Jusqu'au", CellType.DATE, "Dernier jour, si l'action dure."),
        TemplateColumn("title", "Titre", CellType.TEXT, "En quelques mots.", "Action fictive"),
        TemplateColumn("commune", "Commune", CellType.COMMUNE, "Où elle se tient.", "47001", True),
        _partner("Qui la mène."),
        _SITE,
        TemplateColumn("amount", "Montant (€)", CellType.EUROS, "Son coût ; vide : 0.", "777,77"),
    ]
    taken = {fold(c.heading) for c in (*own, _FICTIF)}
    for measure in kind.measures:
        label = measure.label[:1].upper() + measure.label[1:]
        if fold(label) in taken:
            label = f"{label} ({measure.name})"
        taken.add(fold(label))
        cell = {MeasureType.INT: CellType.COUNT, MeasureType.FLOAT: CellType.NUMBER}.get(
            measure.type, CellType.TEXT
        )
        unit = f" ({measure.unit})" if measure.unit else ""
        own.append(
            TemplateColumn(
                measure.name,
                label,
                CellType.CHOICE if measure.choices else cell,
                f"Mesure{unit}." + (" Petits nombres jamais publiés." if measure.secret else ""),
                next(iter(measure.choices.values()), "12" if measure.additive else "Salle fictive"),
                measure.required,
                measure.choices,
            )
        )
    return Template(f"{ACTION}{kind.code}", f"Actions – {kind.label}", (*own, _FICTIF))
