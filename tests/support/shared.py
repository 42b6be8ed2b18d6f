"""Real files that may lie beside the checkout; tests over them are skipped where they are absent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

_Test = TypeVar("_Test", bound=Callable[..., Any])

SHARED = Path(__file__).resolve().parents[3] / "shared"


def needs_shared(test: _Test) -> _Test:
    """Mark a test that reads files of `SHARED`."""
    absent = pytest.mark.skipif(not SHARED.is_dir(), reason="no folder « shared » beside the checkout")
    marked: _Test = pytest.mark.shared(absent(test))
    return marked
