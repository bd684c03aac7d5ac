"""`python -m tests.crash` tries every point and prints how many were tried and how many failed."""

from __future__ import annotations

import sys
import time

from tests.crash.proofs import MUTANTS, PROOFS, missing, mutant_found
from tests.crash.sweep import sweep


def main() -> int:
    """Print the table; exit code 1 when anything failed."""
    if missing():
        print(f"not run: needs {missing()}")
        return 1
    begun, points, bad = time.monotonic(), 0, 0
    print(f"{'':48}{'tried':>8}{'failed':>8}")
    for name, trials in PROOFS.items():
        tally = sweep(name, trials())
        points += tally.tried
        bad += len(tally.failures)
        print(f"{name:48}{tally.tried:8}{len(tally.failures):8}", flush=True)
        print("".join(f"    {failure}\n" for failure in tally.failures), end="")
    print(f"{'all together':48}{points:8}{bad:8}")
    print("\nengines with one thing wrong")
    for name in MUTANTS:
        tally = mutant_found(name)
        bad += not tally.failures
        print(f"{name.replace('_', ' '):48}{tally.tried:8}  {'found' if tally.failures else 'NOT FOUND'}")
    print(f"\n{time.monotonic() - begun:.0f} seconds")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
