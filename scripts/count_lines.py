"""Count lines of Python code in the packages: blanks, comments and docstrings left out.

    python scripts/count_lines.py [--by-folder]

A line counts once when at least one token of code stands on it. String literals that are not
docstrings count: SQL or templates written inside Python are code too.
"""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from collections import Counter
from pathlib import Path
from typing import Final

PACKAGES: Final = ("geo", "api", "static_maps", "portee")
SILENT: Final = frozenset(
    (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
)
"""Tokens that are no code by themselves."""


def docstring_lines(tree: ast.Module) -> set[int]:
    """Return the line numbers of all strings that stand alone as a statement."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def code_lines(source: str) -> int:
    """Count the lines of a module that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SILENT:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstring_lines(ast.parse(source)))


def main() -> None:
    """Print the count of each package, or of each folder, and their sum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--by-folder", action="store_true", help="one line for each folder")
    by_folder = parser.parse_args().by_folder
    counts: Counter[str] = Counter()
    for package in PACKAGES:
        for path in Path(package).rglob("*.py"):
            counts[str(path.parent) if by_folder else package] += code_lines(path.read_text("utf-8"))
    for name, count in sorted(counts.items()):
        print(f"{count:7,} {name}")
    print(f"{sum(counts.values()):7,} in all")


if __name__ == "__main__":
    main()
