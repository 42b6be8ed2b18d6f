"""The files money, passes and actions come in: one table for each kind of record, with French headings.

What each column holds is declared once, here: the templates people fill, the reading of what they
filled, the exports and the schema of the open data all follow from it. Meaning: docs/funding-files.md.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum
from io import BytesIO, StringIO
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from geo.funding import money
from geo.funding.actions import ActionKind, Kinds, MeasureType
from geo.funding.ledger import Level
from geo.funding.partners import PartnerKind, SiteRole
from geo.funding.passes import EventKind
from geo.sites.export import escape_formula
from geo.sites.readers.content import column_name
from geo.sites.text import fold

EXAMPLE: Final = "exemple"
"""What the key of a template's example row begins with: such a row is never kept."""

README: Final = "Lisez-moi"
DEMONSTRATION: Final = "Données de démonstration"

ACTION: Final = "action-"
"""What the kinds of file of actions begin with; the code of the kind of action follows."""

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_READY_ROWS: Final = 200
_WIDTHS: Final = (12, 40)


class CellType(StrEnum):
    """What a column holds, and so how its cells are read and written."""

    TEXT = "text"
    REFERENCE = "reference"
    DATE = "date"
    EUROS = "euros"
    COUNT = "count"
    """A whole number; below 0 where passes are taken back."""
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
class Column:
    """A column of a file.

    Attributes
    ----------
    name
        English, as the record has it; accepted as a heading too.
    heading, explains
        In French, as people read them.
    choices
        Of a choice: the values, and their French words, which a cell may hold as well.
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
        """What a cell may hold, in French."""
        return " ou ".join(self.choices.values()) if self.choices else _ALLOWED[self.cell]


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of file: its code, its French name, its columns, those that tell one record from another."""

    kind: str
    label: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("reference",)

    def column(self, name: str) -> Column | None:
        """The column of a name; None when the kind has none of it."""
        return next((c for c in self.columns if c.name == name), None)

    def heading(self, name: str) -> str:
        """The French heading of a column; what is given when it is none of the kind's."""
        column = self.column(name)
        return column.heading if column else name

    @property
    def action_kind(self) -> str | None:
        """Code of the kind of action; None when the file is not one of actions."""
        return self.kind.removeprefix(ACTION) if self.kind.startswith(ACTION) else None

    def columns_of(self, headings: Sequence[str]) -> list[Column | None]:
        """The column each heading names, whatever its case and accents; None: none of the kind's."""
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

_REFERENCE = Column(
    "reference",
    "Référence",
    CellType.REFERENCE,
    "Désigne la ligne pour toujours : la renvoyer ne la compte pas deux fois.",
    "EXEMPLE-001",
    required=True,
)
_AMOUNT = Column("amount", "Montant (€)", CellType.EUROS, "En euros, au-dessus de zéro.", "1 111,11", True)
_FICTIF = Column(
    "fictif", "Fictif", CellType.FLAG, "Oui pour une ligne inventée : tout ce qui la montre le dit.", "oui"
)
_MEMO = Column("memo", "Mémo", CellType.TEXT, "Remarque ; ni nom ni coordonnées d'une personne.")
_NOTE = Column("note", "Note", CellType.TEXT, "Remarque ; ni nom ni coordonnées d'une personne.")
_COMMUNE = Column("commune", "Commune", CellType.COMMUNE, "Commune concernée, s'il y en a une.", "47001")
_SITE = Column("site", "Identifiant du lieu", CellType.SITE, "Lieu concerné, s'il y en a un.")


def _day(heading: str = "Date", explains: str = "Jour où cela compte.") -> Column:
    return Column("day", heading, CellType.DATE, explains, "2026-03-12", required=True)


def _partner(explains: str, *, required: bool = False) -> Column:
    return Column("partner", "Partenaire", CellType.PARTNER, explains, "exemple-partenaire", required)


def _choice(name: str, heading: str, explains: str, of: type[StrEnum], example: str) -> Column:
    choices = {each.value: str(each.label) for each in of}  # type: ignore[attr-defined]  # all have one
    return Column(name, heading, CellType.CHOICE, explains, example, required=True, choices=choices)


_FIXED: Final = (
    Template(
        "partners",
        "Partenaires",
        (
            Column(
                "code",
                "Code",
                CellType.REFERENCE,
                "Nom court et unique : minuscules sans accent, chiffres et tirets.",
                "exemple-partenaire",
                required=True,
            ),
            Column("name", "Nom", CellType.TEXT, "Dénomination usuelle.", "Partenaire fictif Exemple", True),
            _choice("kind", "Nature", "Ce qu'est le partenaire.", PartnerKind, "association"),
            Column("siret", "SIRET", CellType.TEXT, "Quatorze chiffres ; vide s'il est inconnu."),
            Column(
                "contact_role",
                "Fonction du contact",
                CellType.TEXT,
                "Une fonction, jamais une personne ni ses coordonnées.",
                "responsable de l'inclusion numérique",
            ),
            Column("website", "Site web", CellType.TEXT, "Adresse qui commence par https:// ou http://."),
            _NOTE,
            Column(
                "network_from", "Entrée dans le réseau", CellType.DATE, "Vide : n'en est pas.", "2026-01-01"
            ),
            Column("network_to", "Sortie du réseau", CellType.DATE, "Vide : en est encore."),
            _FICTIF,
        ),
        key=("code",),
    ),
    Template(
        "partner-sites",
        "Lieux des partenaires",
        (
            _partner("Qui porte ou soutient le lieu.", required=True),
            Column(
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
            Column("year", "Année", CellType.YEAR, "Année qu'elle couvre.", "2026", True),
            Column(
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
            Column("action_line", "Ligne d'action", CellType.TEXT, "À quoi il servira.", "formation", True),
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
            Column(
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
            Column("count", "Nombre", CellType.COUNT, "Pass commandés.", "100", True),
            Column("value", "Valeur faciale (€)", CellType.EUROS, "D'un pass ; vide : 10 €.", "10"),
            Column(
                "expires_on", "Expire le", CellType.DATE, "Dernier jour où ils valent.", "2026-12-31", True
            ),
            Column(
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
            Column("order", "Commande", CellType.ORDER, "Dont ils sont.", "2026-A", True),
            Column(
                "kind",
                "Événement",
                CellType.CHOICE,
                "Ce qui leur arrive.",
                "donnés",
                True,
                {each.value: each.label for each in EventKind},
            ),
            _day("Date", "Jour de l'événement."),
            Column("count", "Nombre", CellType.COUNT, "De pass ; négatif pour une correction.", "12", True),
            Column(
                "commune", "Commune", CellType.COMMUNE, "Des habitants ; il la faut pour un don.", "47001"
            ),
            _partner("Prescripteur qui les a donnés."),
            Column(
                "site", "Identifiant du lieu", CellType.SITE, "Où ils sont utilisés, ou qui est remboursé."
            ),
            Column("corrects", "Corrige", CellType.TEXT, "Référence de l'événement corrigé, s'il y en a un."),
            Column(
                "commitment",
                "Engagement",
                CellType.TEXT,
                "Référence de l'engagement du fonds qui paie ; il la faut pour un remboursement.",
            ),
        ),
    ),
)


def templates(kinds: Kinds) -> dict[str, Template]:
    """Every kind of file, by its code, in the order they can be loaded; one for each kind of action."""
    found = [*_FIXED, *(_of_action(kind) for kind in kinds.values())]
    return {each.kind: each for each in found}


def template_csv(template: Template) -> bytes:
    """A template as French spreadsheets open CSV: `;`, UTF-8 with its mark; headings and an example."""
    return _delimited([_headings(template), _example(template)])


def template_xlsx(template: Template) -> bytes:
    """A template as a workbook: a sheet that explains each column, and one to fill, all cells of text."""
    about = [
        ("Modèle", template.label),
        ("Exemple", "La première ligne est inventée : supprimez-la, elle n'est jamais enregistrée."),
        ("Personnes", "Ni nom, ni adresse, ni téléphone : aucune donnée sur une personne n'a sa place ici."),
        ("Enregistrer", f"portee fund import FICHIER --kind {template.kind}"),
    ]
    book, sheet, said = _book(about)
    readme = book[README]
    _put(readme, said + 2, ("Colonne", "Obligatoire", "Contenu", "Valeurs", "Exemple"), heading=True)
    for line, c in enumerate(template.columns, start=said + 3):
        _put(readme, line, (c.heading, "oui" if c.required else "non", c.explains, c.allowed, c.example))
    for letter, width in zip("ABCDE", (26, 20, 60, 50, 40), strict=True):
        readme.column_dimensions[letter].width = width
    sheet.title = _title(template.label)
    _fill(sheet, _headings(template), [_example(template)])
    for row in sheet.iter_rows(min_row=2, max_row=_READY_ROWS, max_col=len(template.columns)):
        for cell in row:
            cell.number_format = "@"  # so that no spreadsheet takes 01001 for a number or 1/2 for a day
    return _saved(book)


def workbook(
    tables: Mapping[str, tuple[Sequence[str], Iterable[Sequence[str]]]], about: Iterable[tuple[str, str]]
) -> bytes:
    """Tables (headings, rows of text) as a workbook: one sheet each, after what is said of them."""
    book, first, _ = _book(about)
    for rank, (title, (headings, rows)) in enumerate(tables.items()):
        sheet = book.create_sheet() if rank else first
        sheet.title = _title(title)
        _fill(sheet, headings, rows)
    return _saved(book)


def plain_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table as RFC 4180 has it: commas, UTF-8; no text acts as a formula."""
    stream = StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_safe(text) for text in row] for row in rows)
    return stream.getvalue().encode("utf-8", "replace")


def template_row(template: Template, values: Mapping[str, object]) -> list[str]:
    """Values of a record, by the names of its columns, as the cells a file has; absent ones are empty."""
    return [_written(column, values.get(column.name)) for column in template.columns]


def _of_action(kind: ActionKind) -> Template:
    own = [
        _REFERENCE,
        _day("Date", "Jour, ou premier jour."),
        Column("until", "Jusqu'au", CellType.DATE, "Dernier jour, si l'action dure."),
        Column("title", "Titre", CellType.TEXT, "En quelques mots.", "Action fictive"),
        Column("commune", "Commune", CellType.COMMUNE, "Où elle se tient.", "47001", True),
        _partner("Qui la mène."),
        _SITE,
        Column("amount", "Montant (€)", CellType.EUROS, "Son coût ; vide : 0.", "777,77"),
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
            Column(
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


def _headings(template: Template) -> list[str]:
    return [column.heading for column in template.columns]


def _example(template: Template) -> list[str]:
    return [column.example for column in template.columns]


def _written(column: Column, value: object) -> str:
    if value is None or value == "":
        return ""
    if column.cell is CellType.EUROS and isinstance(value, int):
        return money.plain(value)
    if column.cell is CellType.FLAG:
        return "oui" if value else "non"
    if column.cell is CellType.CHOICE:
        code = str(value.value if isinstance(value, Enum) else value)
        return column.choices.get(code, code)
    if column.cell is CellType.FUNDERS and isinstance(value, tuple):
        return " | ".join(f"{code}={passes}" for code, passes in value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _delimited(rows: Iterable[Sequence[str]]) -> bytes:
    stream = StringIO(newline="")
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerows([_safe(text) for text in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def _safe(text: str) -> str:
    """Text no spreadsheet takes for a formula; a number below 0 is one to nobody."""
    return text if text[1:].replace(".", "", 1).isdecimal() else escape_formula(text)


def _book(about: Iterable[tuple[str, str]]) -> tuple[Workbook, Worksheet, int]:
    """A workbook that begins with what is said of it; its next sheet, and the rows said."""
    book = Workbook()
    readme, line = book.worksheets[0], 0
    readme.title = README
    for line, said in enumerate(about, start=1):
        _put(readme, line, said)
        readme.cell(line, 1).font = Font(bold=True)
    readme.column_dimensions["A"].width, readme.column_dimensions["B"].width = 26, 100
    return book, book.create_sheet(), line


def _title(text: str) -> str:
    """A title no spreadsheet refuses."""
    return re.sub(r"[\\/*?:\[\]]", " ", text)[:31]


def _fill(sheet: Worksheet, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    _put(sheet, 1, headings, heading=True)
    for rank, heading in enumerate(headings, start=1):
        width = min(max(_WIDTHS[0], len(heading) + 2), _WIDTHS[1])
        sheet.column_dimensions[get_column_letter(rank)].width = width
    for line, row in enumerate(rows, start=2):
        _put(sheet, line, row)
    sheet.freeze_panes = "B2"


def _put(sheet: Worksheet, line: int, texts: Sequence[str], *, heading: bool = False) -> None:
    """Write a row of texts, which stay texts whatever sign they begin with."""
    for rank, text in enumerate(texts, start=1):
        cell = sheet.cell(line, rank)
        cell.value = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
        cell.data_type = "s"
        if escape_formula(text) != text:
            cell.quotePrefix = True
        if heading:
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E4E8EF")


def _saved(book: Workbook) -> bytes:
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()
