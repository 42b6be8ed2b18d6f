"""Pause Python's cyclic garbage collector while many acyclic records are loaded."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Disable the cyclic GC in this block: each pass would rescan every record loaded.

    Reference counting still frees objects that are in no cycle. Blocks of several threads may
    overlap: the GC may then be enabled again before the last of them ends, which only costs time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
