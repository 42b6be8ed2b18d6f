"""The command line in tests: called with its arguments, and able to import a small table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Commands:
    """`portee` over the database of a test; `load` imports rows of a table."""

    run: Callable[..., str]
    load: Callable[..., Any]

    def __call__(self, *arguments: object, code: int = 0) -> str:
        """Return what the command prints; its exit code must be `code`."""
        return self.run(*arguments, code=code)
