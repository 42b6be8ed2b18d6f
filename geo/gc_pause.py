"""Python's collector of cycles, held back while much is read that holds none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Let no cycles be looked for meanwhile: each search walks all the records read so far again.

    What is in no cycle is freed at once as ever. Threads may overlap: the last to leave finds the
    collector as the first found it, or searching again a little early.
    """
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()
