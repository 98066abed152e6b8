"""`make fuzz`: transactions by the hundred thousand, each compared with the model.

    python -m tests.invariant.fuzz --transactions 200000 --seed 20140101

Exit status 1: a difference, fewer than 40 % of the transactions succeeded, or a documented transition, an error of the ABIs or a listed
situation was reached fewer than 20 times. A difference is printed with its seed and the fewest calls that show it. Work is done in pieces
which are kept under .build/fuzz, by seed and by the digest of contracts and tests: a run that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from scripts.deployment.artifacts import ROOT, compile_if_stale
from tests.city import TestCity

from .receivables.drivers import Failed, episode
from .receivables.lifecycles import (
    CORE_UNREACHABLE,
    ENOUGH,
    SITUATIONS,
    TRANSITIONS,
    UNREACHABLE,
    missing,
    required_errors,
)
from .receivables.world import World

KEPT = ROOT / ".build" / "fuzz"
PIECE = 5_000
SHARE = 0.40
_world: World | None = None


def piece(seed: str, number: int, size: int) -> dict[str, Any]:
    """One piece: as many episodes as make `size` transactions. The same seed and number always give the same."""
    global _world  # noqa: PLW0603 - one founded city per process
    if _world is None:
        _world = World(TestCity())
    _world.tally.clear()
    calls, episodes, begun = 0, 0, time.perf_counter()
    failure = None
    try:
        while calls < size:
            calls += episode(_world, f"{seed}:{number}:{episodes}", min(250, size - calls))
            episodes += 1
    except Failed as failed:
        failure = str(failed)
    seconds = time.perf_counter() - begun
    return {"number": number, "tally": dict(_world.tally), "seconds": seconds, "failure": failure}


def _digest() -> str:
    """Of all that decides what a seed does."""
    digest = hashlib.sha256()
    files = [p for p in (ROOT / "contracts").rglob("*.sol") if ".cache" not in p.parts]
    files += (ROOT / "contracts").rglob("manifest.yaml")
    files += [
        *(ROOT / "tests" / "invariant" / "receivables").glob("*.py"),
        Path(__file__),
        ROOT / "scripts/charter.yaml",
    ]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sizes(transactions: int) -> dict[int, int]:
    return {n: min(PIECE, transactions - n * PIECE) for n in range((transactions + PIECE - 1) // PIECE)}


def run(transactions: int, seed: str, jobs: int, fresh: bool) -> Iterator[dict[str, Any]]:
    """The pieces, those that are kept first, the others as they are finished."""
    folder = KEPT / f"{_digest()}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = _sizes(transactions)
    for number, size in tuple(wanted.items()):
        path = folder / f"{number}-{size}.json"
        if path.exists() and not fresh:
            yield json.loads(path.read_text()) | {"kept": True}
            del wanted[number]
    if not wanted:
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting: dict[Future[dict[str, Any]], int] = {
            pool.submit(piece, seed, number, size): number for number, size in wanted.items()
        }
        for done in as_completed(waiting):
            result = done.result()
            if result["failure"] is None:
                path = folder / f"{result['number']}-{wanted[result['number']]}.json"
                draft = path.with_suffix(".part")
                draft.write_text(json.dumps(result))
                draft.replace(path)
            yield result
            if result["failure"] is not None:
                pool.shutdown(cancel_futures=True)
                return


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _table(tally: Counter[str]) -> Iterator[str]:
    def row(name: str, count: int, lack: int = ENOUGH) -> str:
        return f"  {count:>8,}  {name}{'   <- fewer than ' + str(ENOUGH) if count < lack else ''}"

    calls = sorted({key.split(" ", 1)[1] for key in tally if key.startswith(("done ", "refused "))})
    yield f"\ncalls: {'done':>8} {'refused':>9}"
    for call in calls:
        yield f"  {tally[f'done {call}']:>11,} {tally[f'refused {call}']:>9,}  {call}"
    yield "\nerrors"
    for key in sorted(required_errors(), key=lambda k: k.removeprefix("*: ")):
        yield row(key.removeprefix("*: "), tally[f"error {key}"])
    yield "\nerrors that nothing can bring about, by construction"
    for name, why in sorted((UNREACHABLE | CORE_UNREACHABLE).items()):
        yield f"            {name}: {why}"
    yield "\ntransitions"
    for key in sorted(TRANSITIONS):
        yield row(key, tally[f"transition {key}"])
    yield "\nsituations"
    for key in sorted(SITUATIONS):
        yield row(key, tally[f"situation {key}"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.invariant.fuzz", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--transactions", type=int, default=200_000)
    parser.add_argument("--seed", default="20140101")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--fresh", action="store_true", help="do not go on from what is kept")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args(arguments)
    if options.transactions < 1 or options.jobs < 1:
        parser.error("--transactions and --jobs are at least 1")
    compile_if_stale()

    commit, begun = _commit(), time.perf_counter()
    print(f"seed {options.seed}, {options.transactions:,} transactions, commit {commit}", file=sys.stderr, flush=True)
    tally: Counter[str] = Counter()
    failures: list[str] = []
    in_pieces = 0.0
    kept = 0
    for result in run(options.transactions, options.seed, options.jobs, options.fresh):
        tally.update(result["tally"])
        in_pieces += result["seconds"]
        kept += "kept" in result
        if result["failure"] is not None:
            failures.append(result["failure"])
        how = "kept" if "kept" in result else f"{time.perf_counter() - begun:.0f} s"
        print(f"  {tally['calls']:,} of {options.transactions:,} ({how})", file=sys.stderr, flush=True)

    share = tally["succeeded"] / max(1, tally["calls"])
    lacking = [] if failures else missing(tally)
    good = not failures and not lacking and share >= SHARE
    speed = tally["calls"] / in_pieces if in_pieces else 0.0
    if options.json:
        found = {
            "seed": options.seed,
            "commit": commit,
            "transactions": tally["calls"],
            "succeeded": tally["succeeded"],
            "share": round(share, 4),
            "perSecondAndProcess": round(speed),
            "failures": failures,
            "notReached": lacking,
            "tally": {key: count for key, count in sorted(tally.items()) if not key.startswith("why ")},
            "ok": good,
        }
        print(json.dumps(found, indent=1))
        return 0 if good else 1
    for failure in failures:
        print(f"\nDIFFERENCE\n{failure}")
    for line in () if failures else _table(tally):
        print(line)
    print(
        f"\nseed {options.seed}, commit {commit}: {speed:,.0f} transactions a second and process, {kept} pieces kept from before"
    )
    if lacking:
        print(f"reached fewer than {ENOUGH} times:", *lacking, sep="\n  ")
    print(
        f"fuzz: {tally['calls']:,} transactions, {share:.1%} succeeded, {len(failures)} differences, "
        f"{len(required_errors())} errors, {len(TRANSITIONS)} transitions and {len(SITUATIONS)} situations, "
        f"{'not counted' if failures else f'{len(lacking)} of them reached too rarely'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted: what was done is kept, the same command goes on")
