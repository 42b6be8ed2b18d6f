"""Find the format that a file nearly has: which columns it lacks, and whether it can be read without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from geo.errors import UnreadableFile
from geo.sites.model import Issue, Severity
from geo.sites.readers.content import Content, Format
from geo.sites.readers.header import adapted
from geo.wording import figures

_LEAST_SHARE: Final = 0.5
"""Least share of a format's required columns that a file must have to be compared with it."""

_LEAST_COLUMNS: Final = 3
"""Least number of columns that a file must share with a format."""


@dataclass(frozen=True, slots=True)
class NearFormat:
    """A list that a format nearly recognises.

    `content` has the names of columns that the format reads; `missing` are the required ones it lacks, in
    alphabetical order.
    """

    content: Content
    format: Format
    missing: tuple[str, ...]

    @property
    def can_be_read(self) -> bool:
        """Whether each record still has its identifier and its name."""
        return self.format.identity.isdisjoint(self.missing)

    def lenient(self) -> Content:
        """Return the content, with an issue that says which columns are missing."""
        unknown = "ces valeurs restent inconnues" if len(self.missing) > 1 else "cette valeur reste inconnue"
        issue = Issue(
            self.content.line,
            "",
            ", ".join(self.missing),
            Severity.FLAGGED,
            "colonnes_absentes",
            f"Le fichier est lu sans {_columns(self.missing)} : {unknown}.",
            "Demandez une liste complète à son producteur.",
        )
        return replace(self.content, issues=(*self.content.issues, issue))

    def refusal(self, name: str) -> UnreadableFile:
        """Return the error for the file `name`: what it looks like, what it lacks, what can be done."""
        several = len(self.missing) > 1
        like = (
            "au standard national"
            if self.format.name.startswith("standard")
            else f"au format « {self.format.label} »"
        )
        if self.can_be_read:
            advice = (
                f"Ajoutez-{'les' if several else 'la'}, ou lisez le fichier tel quel avec --lenient : "
                f"{'ces valeurs resteront inconnues' if several else 'cette valeur restera inconnue'}."
            )
        else:
            needed = [column for column in self.missing if column in self.format.identity]
            advice = (
                f"Sans {_columns(needed)}, ses lieux ne peuvent pas être reconnus d'une liste à la suivante. "
                "Ajoutez ce qui manque, ou décrivez le fichier : portee import --suggest-mapping."
            )
        return UnreadableFile(
            f"« {name} » ressemble {like} ; il lui manque {_columns(self.missing)}.", advice
        )


def nearest(contents: Sequence[Content], formats: Sequence[Format]) -> NearFormat | None:
    """Return the format that a file lacks the fewest columns of, or None when it looks like none."""
    found: list[tuple[int, int, NearFormat]] = []
    for content in contents:
        for known in formats:
            renamed = adapted(content, known.columns)
            present = set(renamed.columns)
            missing = known.required - present
            shared = len(present & (known.columns | known.required))
            enough = len(known.required - missing) >= _LEAST_SHARE * len(known.required)
            if enough and shared >= _LEAST_COLUMNS and known.among(renamed):
                found.append((len(missing), -shared, NearFormat(renamed, known, tuple(sorted(missing)))))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _columns(names: Sequence[str]) -> str:
    quoted = figures.listed([f"« {name} »" for name in names])
    return f"les colonnes {quoted}" if len(names) > 1 else f"la colonne {quoted}"
