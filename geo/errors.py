"""The package's own exceptions; nothing else in the tree names a failure of the domain.

A message is one sentence a citizen or a clerk could read (in French), or, for faults only an
operator meets (`OperatorError`), one sentence in English. `advice` says what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class PorteeError(Exception):
    """Base of all failures Portée foresees.

    Parameters
    ----------
    message
        What went wrong, in one sentence.
    advice
        What the reader can do about it, in one sentence; may be empty.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class InvalidParameter(PorteeError):
    """A value given for one parameter of a question cannot be used.

    Parameters
    ----------
    parameter
        Name of the parameter, as commands and addresses have it.
    """

    def __init__(self, message: str, advice: str = "", *, parameter: str = "") -> None:
        super().__init__(message, advice)
        self.parameter = parameter


class UnknownTerritory(PorteeError):
    """No commune or grouping bears this code."""


class UnknownSite(PorteeError):
    """No site bears this identifier."""


class UnknownPlace(PorteeError):
    """No commune, postcode, street or address bears this identifier."""


class UnknownReport(PorteeError):
    """No report of a reader bears this number."""


class UnknownImport(PorteeError):
    """No import bears this number."""


class UnreadableFile(PorteeError):
    """A source file cannot be read at all: too big, empty, binary, truncated, unknown format."""


class IncompleteBoundaries(PorteeError):
    """A boundary file does not hold every commune of the territory."""


class SuspiciousRetirement(PorteeError):
    """An import would retire most of what an earlier one brought; it needs a confirmation."""


class InvalidCrs(PorteeError):
    """Coordinates are not in the reference system a measure needs (degrees given for metres)."""


class SnapshotUnavailable(PorteeError):
    """No snapshot has ever been read: the service has nothing to answer from."""


class OperatorError(PorteeError):
    """A fault of the installation; its message is in English, for whoever runs Portée."""


class DatabaseUnavailable(OperatorError):
    """The database cannot be reached or started."""


class MissingPostgis(DatabaseUnavailable):
    """No PostGIS was found on this machine and no `DATABASE_URL` was given."""


class RoadsUnavailable(OperatorError):
    """The stored road graph is missing, damaged, or of another version of Portée."""


class InvalidScenario(PorteeError):
    """Edits of a what-if cannot be read, or contradict each other or the data they start from."""


class UnknownScenario(PorteeError):
    """No scenario is kept under this name or number."""


class NameTaken(PorteeError):
    """Something else is kept under this name already."""


class UnknownSnapshot(PorteeError):
    """No dated snapshot is kept under this name."""


class UnknownJob(PorteeError):
    """No job bears this identifier."""


class TooManyJobs(PorteeError):
    """Too many long computations are waiting already."""


class UnknownToken(PorteeError):
    """No token bears this number."""


class ImpossibleQuestion(PorteeError):
    """A question about sites to open has no answer: no candidate, too many sites, negative people."""


class UnknownPartner(PorteeError):
    """No partner bears this code."""


class UnknownEntry(PorteeError):
    """No entry of the fund's ledger bears this reference."""


class InsufficientFunds(PorteeError):
    """More money is asked for than is available, or than is left of a commitment."""


class ClosedPeriod(PorteeError):
    """An entry bears a day of a closed period, which nothing may be added to."""


class AlreadyReversed(PorteeError):
    """An entry was reversed once already."""


class DuplicateReference(PorteeError):
    """Something else was posted under this reference already."""


class NoRule(PorteeError):
    """No rule of the match is in force on the day of a contribution."""


class InUse(PorteeError):
    """Something cannot change any more: what was made with it stands."""


class RefusedPasses(PorteeError):
    """An order or an event of passes contradicts what is kept: more given than ordered, and the like.

    Parameters
    ----------
    reference
        Of the event refused, where one alone is at fault.
    """

    def __init__(self, message: str, advice: str = "", *, reference: str = "") -> None:
        super().__init__(message, advice)
        self.reference = reference


class UnknownOrder(PorteeError):
    """No order of passes bears this reference."""


class InvalidAction(PorteeError):
    """An action cannot be kept as it is.

    Parameters
    ----------
    issues
        All that is wrong with it: records of `geo.sites.model.Issue`.
    """

    def __init__(self, message: str, advice: str = "", *, issues: Sequence[Any] = ()) -> None:
        super().__init__(message, advice)
        self.issues = tuple(issues)


class UnknownAction(PorteeError):
    """No action bears this reference."""
