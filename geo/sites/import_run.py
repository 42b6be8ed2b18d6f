"""The record of one import, or of an operation on what was imported. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from geo.sites.model import Tally


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One import of a file: its source, validation counts and changes of records.

    `read == accepted + rejected + outside`. `label` is the French name of the format and `licence` the
    licence of the file, as shown in the sources of every answer. `id` is None until it is stored.

    Attributes
    ----------
    kind
        "import"; or an operation on what was imported: "undo", "withdraw", "restore".
    outside
        Rows beyond the territory and its margin, which are not stored.
    provided, refused
        Arguments of `geo.sites.difference.compare`.
    has_content
        Whether what the file listed is stored, so that imports before it can be undone.
    detail
        What an operation other than an import was done to, and by whom.
    undone_by
        The operation that undid this one, unless it was undone itself.
    """

    file_name: str
    sha256: str
    format: str
    datasets: tuple[str, ...]
    started_at: datetime
    finished_at: datetime
    read: int
    accepted: int
    rejected: int
    flagged: int
    repaired: int
    new: int
    changed: int
    unchanged: int
    vanished: int
    label: str = ""
    licence: str = ""
    kind: str = "import"
    outside: int = 0
    provided: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    has_content: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
    undone_by: int | None = None
    id: int | None = None

    @property
    def tally(self) -> Tally:
        """Counts of validation."""
        return Tally(self.read, self.accepted, self.rejected, self.flagged, self.repaired, self.outside)
