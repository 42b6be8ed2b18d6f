"""Change the code in small ways, and report how many changes the tests notice (by mutmut).

    python scripts/mutate.py [--sample 300] [--seed 47] [PATTERN...]

mutmut writes every mutant of the packages below `mutants/`, runs the tests once to learn which test
runs which function, then runs for each chosen mutant the tests that reach it. Mutants are drawn at
random from all of them (or from those whose name matches a PATTERN), always the same for one seed.

Prints the share noticed and each survivor as a diff. Configuration: `[tool.mutmut]` in pyproject.toml.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from mutmut.stats import status_by_exit_code

MUTANTS: Final = Path("mutants")
MUTMUT: Final = str(Path(sys.executable).with_name("mutmut"))
SMALLEST: Final = "geo.crs.x_departement_code__mutmut_1"
"""The mutant run first, for mutmut writes all mutants and learns which test runs what before it runs one."""
NOTICED: Final = frozenset(("killed", "timeout", "caught by type check", "segfault", "suspicious"))


def verdicts() -> dict[str, str]:
    """Return the status of every mutant, by its name."""
    found: dict[str, str] = {}
    for path in sorted(MUTANTS.rglob("*.meta")):
        for name, code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].items():
            found[name] = status_by_exit_code[code]
    return found


def run(names: list[str]) -> None:
    """Run mutmut over some mutants; raise `CalledProcessError` if the tests fail without any mutant."""
    subprocess.run([MUTMUT, "run", "--max-children", "2", *names], check=True, stdout=sys.stderr)


def main() -> int:
    """Draw, run and report; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("patterns", nargs="*", default=["*"], help="names of mutants, such as geo.hours.*")
    parser.add_argument("--sample", type=int, default=300, help="how many mutants to draw (default: 300)")
    parser.add_argument("--seed", type=int, default=47, help="seed of the draw (default: 47)")
    chosen = parser.parse_args()

    start = time.monotonic()
    run([SMALLEST])
    names = [name for name in verdicts() if any(fnmatch.fnmatch(name, each) for each in chosen.patterns)]
    drawn = sorted(random.Random(chosen.seed).sample(names, min(chosen.sample, len(names))))  # noqa: S311
    run(drawn)

    results = verdicts()
    counts = Counter(results[name] for name in drawn)
    survivors = [name for name in drawn if results[name] not in NOTICED]
    for name in survivors:
        print(f"\n{name}: {results[name]}")
        print(subprocess.run([MUTMUT, "show", name], capture_output=True, text=True, check=False).stdout)
    print(f"\n{len(drawn)} of {len(names)} mutants, seed {chosen.seed}: {dict(counts)}")
    share = (len(drawn) - len(survivors)) / len(drawn) if drawn else 0
    print(f"Noticed: {share:.1%}. {(time.monotonic() - start) / 60:.0f} minutes.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
