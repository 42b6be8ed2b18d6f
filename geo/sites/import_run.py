"""The record of one import. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from geo.sites.model import Tally


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One import of a file: its source, validation counts and changes.

    `read == accepted + rejected`. `label` is the French name of the format and `licence` the
    licence of the file, as shown in the sources of every answer. `id` is None until it is stored.
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
    id: int | None = None

    @property
    def tally(self) -> Tally:
        """Counts of validation."""
        return Tally(self.read, self.accepted, self.rejected, self.flagged, self.repaired)
