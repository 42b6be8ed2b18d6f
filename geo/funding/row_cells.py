"""Cells of files of funding: each type of column, read from French text; all faults worded in French."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from geo.funding import money, passes
from geo.funding.row_records import RowReferences
from geo.funding.template_columns import EXAMPLE, CellType, TemplateColumn
from geo.sites.commune_names import normalized_commune_name
from geo.sites.text import fold
from geo.tables_out import unescape_formula

TEXT_MAX: Final = 1_000
REFERENCE_MAX: Final = 100
YEARS: Final = (2000, 2100)

_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_FRENCH: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_CODE: Final = re.compile(r"\d[0-9AB]\d{2,3}", re.ASCII)
_FUNDER: Final = re.compile(r"([^=|]+)=\s*(\d{1,10})\s*", re.ASCII)
_FLAGS: Final = {
    **dict.fromkeys(("oui", "true", "vrai", "1"), True),
    **dict.fromkeys(("non", "false", "faux", "0"), False),
}


class CellFault(Exception):
    """A cell cannot be read: code, reason and advice, in French."""

    def __init__(self, code: str, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason, self.advice = code, reason, advice


class CellParser:
    """Parses cells of one file; days and communes met before are cached."""

    def __init__(self, references: RowReferences) -> None:
        self.references = references
        self.days: dict[str, date] = {}
        self.codes: dict[str, str] = {}
        self.parsers: dict[CellType, Callable[[str, TemplateColumn], Any]] = {
            CellType.TEXT: _text,
            CellType.REFERENCE: _reference,
            CellType.DATE: self._day,
            CellType.EUROS: _euros,
            CellType.COUNT: _count,
            CellType.NUMBER: _text,
            CellType.YEAR: _year,
            CellType.CHOICE: _choice,
            CellType.FLAG: _flag,
            CellType.COMMUNE: self._commune,
            CellType.PARTNER: self._partner,
            CellType.SITE: self._site,
            CellType.ORDER: self._order,
            CellType.FUNDERS: _funders,
        }

    def parse(self, text: str, column: TemplateColumn, *, as_text: bool = False) -> Any:
        """Return the value of a cell; None when it is empty.

        Parameters
        ----------
        as_text
            Return the text itself, once it was found readable.

        Raises
        ------
        CellFault, PorteeError
            If the text is not of the column's type, or names something unknown.
        """
        if not text.isprintable():
            text = " ".join(text.split())
            if not text.isprintable():
                raise CellFault(
                    "signes_invisibles",
                    "La cellule contient des signes qui ne s'impriment pas.",
                    "Tapez-la de nouveau.",
                )
        if not text:
            if column.required:
                raise CellFault(
                    "valeur_absente", f"« {column.heading} » doit être dit.", f"Attendu : {column.allowed}."
                )
            return None
        if text[0] == "=":
            raise CellFault(
                "formule", "La cellule contient une formule, pas une valeur.", "Collez la valeur seule."
            )
        if text[0] == "'":
            text = unescape_formula(text)
        return text if as_text else self.parsers[column.cell](text, column)

    def _day(self, text: str, _: TemplateColumn) -> date:
        if (known := self.days.get(text)) is not None:
            return known
        try:
            if iso := _ISO.fullmatch(text):
                day = date(int(iso[1]), int(iso[2]), int(iso[3]))
            elif french := _FRENCH.fullmatch(text):
                day = date(int(french[3]), int(french[2]), int(french[1]))
            else:
                raise ValueError
        except ValueError:
            raise CellFault(
                "date_illisible", "Ce n'est pas une date.", "Écrivez 2026-03-12 ou 12/03/2026."
            ) from None
        if not YEARS[0] <= day.year <= YEARS[1]:
            raise CellFault(
                "date_invraisemblable", f"L'année n'est pas de {YEARS[0]} à {YEARS[1]}.", "Vérifiez-la."
            )
        self.days[text] = day
        return day

    def _commune(self, text: str, _: TemplateColumn) -> str:
        if (known := self.codes.get(text)) is not None:
            return known
        self.codes[text] = code = self._found_commune(text)
        return code

    def _found_commune(self, text: str) -> str:
        if _CODE.fullmatch(text.upper()):
            code = text.upper().zfill(5)  # a spreadsheet loses the first 0
            if code in self.references.territory.commune_by_code:
                return code
            raise CellFault(
                "commune_inconnue",
                "Aucune commune du territoire ou de ses voisins ne porte ce code.",
                "Donnez son code INSEE (et non postal), comme 47001.",
            )
        found: list[str] = []
        if len(text) <= REFERENCE_MAX:
            found = self.references.communes.get(normalized_commune_name(text), [])
        if len(found) == 1:
            return found[0]
        if found:
            raise CellFault(
                "commune_ambigue",
                f"{len(found)} communes portent ce nom : {', '.join(found[:8])}.",
                "Donnez le code INSEE de la bonne.",
            )
        raise CellFault(
            "commune_inconnue",
            "Aucune commune du territoire ou de ses voisins ne porte ce nom.",
            "Donnez son code INSEE, comme 47001.",
        )

    def _partner(self, text: str, _: TemplateColumn) -> str:
        if text not in self.references.partners:
            raise CellFault(
                "partenaire_inconnu",
                "Aucun partenaire ne porte ce code.",
                "Enregistrez d'abord le partenaire : portee fund import … --kind partners.",
            )
        return text

    def _site(self, text: str, _: TemplateColumn) -> str:
        if text not in self.references.sites:
            raise CellFault(
                "lieu_inconnu",
                "Aucun lieu, en service ou retiré, ne porte cet identifiant.",
                "Donnez l'identifiant public du lieu : portee sites list.",
            )
        return text

    def _order(self, text: str, _: TemplateColumn) -> str:
        if text not in self.references.orders:
            raise CellFault(
                "commande_inconnue",
                "Aucune commande ne porte cette référence.",
                "Enregistrez d'abord la commande : portee fund import … --kind pass-orders.",
            )
        return text


def _text(text: str, _: TemplateColumn) -> str:
    if len(text) > TEXT_MAX:
        raise CellFault("texte_trop_long", f"Le texte dépasse {TEXT_MAX} signes.", "Abrégez-le.")
    return text


def _reference(text: str, _: TemplateColumn) -> str:
    if len(text) > REFERENCE_MAX:
        raise CellFault(
            "reference_trop_longue", f"La référence dépasse {REFERENCE_MAX} signes.", "Abrégez-la."
        )
    if fold(text).startswith(EXAMPLE):
        raise CellFault("exemple", "C'est la ligne d'exemple du modèle.", "Supprimez-la.")
    return text


def _euros(text: str, _: TemplateColumn) -> int:
    return money.parse(text)


def _count(text: str, _: TemplateColumn) -> int:
    bare = text.replace(" ", "")
    if not _WHOLE.fullmatch(bare) or abs(int(bare)) > passes.COUNT_MAX:
        raise CellFault("nombre_illisible", "Ce n'est pas un nombre entier.", "Écrivez par exemple 12.")
    return int(bare)


def _year(text: str, column: TemplateColumn) -> int:
    year = _count(text, column)
    if not YEARS[0] <= year <= YEARS[1]:
        raise CellFault(
            "annee_invraisemblable", f"L'année n'est pas de {YEARS[0]} à {YEARS[1]}.", "Vérifiez-la."
        )
    return year


def _choice(text: str, column: TemplateColumn) -> str:
    folded = fold(text)
    for code, word in column.choices.items():
        # Singular is accepted for plural: « donné », « donnés ».
        if folded in (code, fold(word), fold(word).removesuffix("s")):
            return code
    raise CellFault(
        "valeur_inconnue", "Ce n'est pas une des valeurs possibles.", f"Écrivez {column.allowed}."
    )


def _flag(text: str, _: TemplateColumn) -> bool:
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise CellFault("oui_non", "Ce n'est ni oui ni non.", "Écrivez oui, non, ou rien.")
    return flag


def _funders(text: str, _: TemplateColumn) -> tuple[tuple[str, int], ...]:
    found = [_FUNDER.fullmatch(part) for part in text.split("|")]
    funders = tuple((match[1].strip(), int(match[2])) for match in found if match)
    if len(funders) < len(found):
        raise CellFault(
            "financeurs_illisibles",
            "Un financeur s'écrit code=pass.",
            "Séparez-les par | : caf-47=300 | msa-47=200.",
        )
    return funders
