"""Exceptions of the package: the only place where domain failures are defined.

A message is one sentence in French for citizens and clerks, or, for failures only an operator sees
(`OperatorError`), one sentence in English. `advice` says what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class PorteeError(Exception):
    """Base class of all expected failures.

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
    """A parameter of a query has an invalid value.

    Parameters
    ----------
    parameter
        Name of the parameter, as in commands and URLs.
    """

    def __init__(self, message: str, advice: str = "", *, parameter: str = "") -> None:
        super().__init__(message, advice)
        self.parameter = parameter


class UnknownTerritory(PorteeError):
    """No commune or grouping has this code."""


class UnknownSite(PorteeError):
    """No site has this identifier."""


class UnknownPlace(PorteeError):
    """No commune, postcode, street or address has this identifier."""


class UnknownReport(PorteeError):
    """No site report has this number."""


class UnknownImport(PorteeError):
    """No import has this number."""


class UnknownDataset(PorteeError):
    """No dataset of sites has this name."""


class UnknownCorrection(PorteeError):
    """No correction of a site has this number."""


class InvalidCorrection(PorteeError):
    """A correction names a field that cannot be corrected, or a value that the field cannot have.

    Parameters
    ----------
    issues
        All its errors, or those of a file of corrections, as `geo.sites.model.Issue` records.
    """

    def __init__(self, message: str, advice: str = "", *, issues: Sequence[Any] = ()) -> None:
        super().__init__(message, advice)
        self.issues = tuple(issues)


class ContradictoryDecision(PorteeError):
    """Records of two sites were decided to be different, so that others of them cannot be one place."""


class NotUndoable(PorteeError):
    """An import cannot be undone, or a dataset not be withdrawn or restored, in its present state."""


class UnreadableFile(PorteeError):
    """A source file cannot be read: too big, empty, binary, truncated or of an unknown format."""


class IncompleteBoundaries(PorteeError):
    """A boundary file lacks some communes of the territory."""


class SuspiciousRetirement(PorteeError):
    """An import would retire most of the records of a dataset; it needs a confirmation."""


class InvalidCrs(PorteeError):
    """Coordinates are in the wrong reference system, such as degrees where metres are required."""


class SnapshotUnavailable(PorteeError):
    """No snapshot has been loaded yet, so the service cannot answer."""


class OperatorError(PorteeError):
    """A fault of the installation; its message is in English, which the command line translates."""


class DatabaseUnavailable(OperatorError):
    """The database cannot be reached or started."""


class MissingPostgis(DatabaseUnavailable):
    """No PostGIS was found on this machine and no `DATABASE_URL` was given."""


class RoadsUnavailable(OperatorError):
    """The stored road graph is missing, damaged, or of another version of Portée."""


class InvalidScenario(PorteeError):
    """Scenario edits are unreadable, or contradict each other or the base data."""


class UnknownScenario(PorteeError):
    """No scenario has this name or number."""


class NameTaken(PorteeError):
    """The name is already used."""


class UnknownSnapshot(PorteeError):
    """No dated snapshot has this name."""


class UnknownJob(PorteeError):
    """No job has this identifier."""


class TooManyJobs(PorteeError):
    """Too many long computations are already waiting."""


class UnknownToken(PorteeError):
    """No token has this number."""


class ImpossibleQuestion(PorteeError):
    """A siting problem cannot be solved: no candidate, too many sites, or negative population."""


class UnknownPartner(PorteeError):
    """No partner has this code."""


class UnknownEntry(PorteeError):
    """No ledger entry has this reference."""


class InsufficientFunds(PorteeError):
    """The amount exceeds what is available, or what remains of a commitment."""


class ClosedPeriod(PorteeError):
    """The entry is dated in a closed period, to which nothing can be added."""


class AlreadyReversed(PorteeError):
    """The entry has already been reversed."""


class DuplicateReference(PorteeError):
    """The reference is already used by another entry."""


class NoRule(PorteeError):
    """No match rule is active on the day of a contribution."""


class InUse(PorteeError):
    """The object cannot change any more because other records depend on it."""


class RefusedPasses(PorteeError):
    """An order or event of passes contradicts earlier ones, such as more passes given than ordered.

    Parameters
    ----------
    reference
        Reference of the refused event, when there is exactly one.
    """

    def __init__(self, message: str, advice: str = "", *, reference: str = "") -> None:
        super().__init__(message, advice)
        self.reference = reference


class UnknownOrder(PorteeError):
    """No order of passes has this reference."""


class InvalidAction(PorteeError):
    """An action is invalid.

    Parameters
    ----------
    issues
        All its errors, as `geo.sites.model.Issue` records.
    """

    def __init__(self, message: str, advice: str = "", *, issues: Sequence[Any] = ()) -> None:
        super().__init__(message, advice)
        self.issues = tuple(issues)


class UnknownAction(PorteeError):
    """No action has this reference."""
