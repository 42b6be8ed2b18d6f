"""What is kept of each import; reads no file, no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from geo.sites.model import Tally


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One import of a file: where it came from, what validation said, what it changed.

    `read == accepted + rejected`. `label` is the French name of the format and `licence` that of
    the file, both as shown in the sources of every answer. `id` is None until it is recorded.
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
        """The counts of validation."""
        return Tally(self.read, self.accepted, self.rejected, self.flagged, self.repaired)
