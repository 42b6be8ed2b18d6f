"""Check what no other linter here does: sizes of files, names of classes, words of docstrings.

    python scripts/check_house.py

Prints one line for each problem, and exits with 1 when there is any:

- a Python file of more than 500 lines;
- a class name defined in two modules of the packages;
- a docstring or comment that uses a word of `WORDS`, each with the plain word to use instead.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PACKAGES: Final = ("geo", "api", "static_maps", "portee")
MAX_LINES: Final = 500
WORDS: Final = {
    r"tell|tells|told": "say what is done: return, report, print, show",
    r"bear|bears|bore|borne": "have, carry, hold",
    r"does no harm": "is idempotent",
    r"had by": "computed by, found by",
    r"thereof|whereof|wherein": "of it, in which",
    r"come to naught|came to": "resulted in, totalled",
}
"""Words of no technical English that once stood in this code, with what to write instead."""

_WORDS: Final = {re.compile(rf"\b(?:{words})\b", re.IGNORECASE): advice for words, advice in WORDS.items()}


def tracked() -> list[Path]:
    """Return the Python files that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for path in map(Path, listed.splitlines()) if path.exists()]


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of each docstring and comment."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield from enumerate(node.value.value.splitlines(), node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def french(line: str) -> str:
    """Return a line without what it quotes: « … », "…" and `…` may say anything."""
    return re.sub(r"«[^»]*»|\"[^\"]*\"|`[^`]*`", "", line)


def problems(paths: list[Path]) -> Iterator[str]:
    """Yield each problem as `file:line: what is wrong`."""
    classes: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        source = path.read_text("utf-8")
        count = len(source.splitlines())
        if count > MAX_LINES:
            yield f"{path}:{MAX_LINES}: {count} lines; at most {MAX_LINES}: split it by subject"
        for line, text in prose(source):
            for pattern, advice in _WORDS.items():
                if found := pattern.search(french(text)):
                    yield f"{path}:{line}: “{found[0]}”: {advice}"
        if path.parts[0] in PACKAGES:
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.ClassDef):
                    classes[node.name].append(f"{path}:{node.lineno}")
    for name, places in sorted(classes.items()):
        if len({place.split(":")[0] for place in places}) > 1:
            yield f"{places[-1]}: class {name} is also defined in {', '.join(places[:-1])}"


def main() -> int:
    """Print all problems; return the exit code."""
    found = sorted(problems(tracked()))
    print("\n".join(found) or "No problem found.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
