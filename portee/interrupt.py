"""Ctrl-C: one line, exit code 130, no traceback.

Until a command runs, nothing is open, so the process ends at once, even in the middle of the import of a
compiled library, which would turn a `KeyboardInterrupt` into another error. Once a command runs, Ctrl-C
raises `KeyboardInterrupt` as usual: transactions are rolled back and temporary files removed on its way.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
SENTENCES: Final = {"fr": "Interrompu.", "en": "Interrupted."}


def end_at_once() -> None:
    """End the process on Ctrl-C, as nothing is open yet."""
    signal.signal(signal.SIGINT, _end)


def raise_from_now_on() -> None:
    """Raise `KeyboardInterrupt` on Ctrl-C: a command begins."""
    on_main_thread = threading.current_thread() is threading.main_thread()
    if on_main_thread and signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def say_interrupted(language: str) -> None:
    """Write the line about the interruption to standard error, over the `^C` that a terminal shows."""
    start = "\r" if sys.stderr.isatty() else ""
    sys.stderr.write(f"{start}{SENTENCES.get(language, SENTENCES['fr'])}\n")
    sys.stderr.flush()


def _end(_signal: int, _frame: FrameType | None) -> None:
    chosen = sys.modules.get("portee.language")
    say_interrupted(chosen.language() if chosen else os.environ.get("PORTEE_LANG", ""))
    os._exit(INTERRUPTED)
