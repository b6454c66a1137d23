"""The benchmarks of spl; script/bench builds what they need and runs this."""
import argparse
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import growth
import report
import rows
import services
from data import Workspace
from measure import Missing, Runner, remove
from result import Result

FULL_SIZE = 1_000_000
# Of disk: files and a file system of them take most, then trees of services and what is made of them.
BYTES_A_RECORD = 28_000
BYTES_A_RECORD_OF_SCALE = 3_000
ROWS = {
    "put": rows.put, "put-one": rows.put_one, "export": rows.export, "import": rows.import_, "verify": rows.verify,
    "sync": rows.sync,
    "reimport": rows.reimport, "backup": services.backup, "restore": services.restore,
    "one-context": services.one_context, "pause": services.pause, "memory": growth.memory, "scale": growth.scale,
    "micro": growth.micro,
}


class Bench:
    """What the rows are given."""

    def __init__(self, options, root):
        self.size = options.size or (FULL_SIZE // 10 if options.quick else FULL_SIZE)
        self.runs = 3 if options.quick else 5
        self.full = options.full
        self.micro = {}
        self.limits = {}
        build = pathlib.Path(os.environ.get("SPL_BENCH_BUILD", root / "build" / "release")).resolve()
        for program in (build / "spl", build / "bench" / "timed"):
            if not program.exists():
                sys.exit(f"bench: no {program}: build the target bench")
        place = root / "build" / "bench"
        self._take(place)
        self.scratch = place / "run"
        clear(self.scratch)
        self.scratch.mkdir()
        self.runner = Runner(build, self.scratch)
        self.data = Workspace(self.runner, root / "bench", place / "cache", self.say)

    def _take(self, place):
        """One at a time: two would measure each other."""
        place.mkdir(parents=True, exist_ok=True)
        self.lock = open(place / "lock", "w", encoding="utf-8")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("bench: another script/bench is running")
        needed = self.size * (BYTES_A_RECORD + (10 * BYTES_A_RECORD_OF_SCALE if self.full else 0))
        free = shutil.disk_usage(place).free
        if free < needed:
            sys.exit(f"bench: {place} has {free >> 20} MiB free, {needed >> 20} are needed")

    def say(self, what):
        print(f"bench: {what}", file=sys.stderr, flush=True)

    def measure_limits(self):
        self.say("physical limits")
        done = subprocess.run([self.runner.tool("limits"), self.scratch], capture_output=True, check=True)
        self.limits = json.loads(done.stdout)


def clear(scratch):
    """Also after a run that was killed."""
    if (scratch / "disk").is_mount():
        subprocess.run(["umount", str(scratch / "disk")], check=True)
    remove(scratch)


def run_rows(bench, names):
    results, failures = [], []
    for name in names:
        try:
            results += ROWS[name](bench)
        except Missing as why:
            results.append(Result(name, bench.size, [], "", [], left_out=why))
        except (RuntimeError, OSError, subprocess.SubprocessError, KeyError, ValueError) as why:
            failures.append(f"FAILED: {name}: {type(why).__name__}: {why}")
            bench.say(failures[-1])
    return results, failures


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="script/bench", description="Measures spl against its peers, in turn.",
        epilog="rows: " + ", ".join(ROWS) + "; limits: only the machine's. Without names: all of them.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, three runs instead of five")
    parser.add_argument("--full", action="store_true", help="scale also at ten times the size")
    parser.add_argument("--size", type=int, metavar="N", help="N records, to try the bench; results stay in build/bench")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in ROWS and name != "limits":
            parser.error(f"no row {name}: {', '.join(ROWS)}, limits")
    if options.size is not None and options.size < 2000:
        parser.error("--size is at least 2000")
    return options


def main(arguments):
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = pathlib.Path(__file__).resolve().parent.parent
    os.chdir(root)
    bench = Bench(options, root)
    about = report.machine(bench.runner)
    goals = json.loads((root / "bench" / "goals.json").read_text())
    directory = root / ("build/bench/results" if options.size else "bench/results")
    try:
        bench.measure_limits()
        wanted = options.names or list(ROWS)
        results, failures = run_rows(bench, [name for name in ROWS if name in wanted])
    finally:
        clear(bench.scratch)
    behind = report.fallen_behind(results, directory)
    written = report.write(directory, about, bench.limits, results, bench.micro) if results else None
    print_all(bench, about, goals, results, [*report.verdicts(results, goals), *behind, *failures])
    if written:
        print(f"\nwritten to {written.relative_to(root)}")
    return 1 if failures else 0


def print_all(bench, about, goals, results, verdicts):
    print(f"{about['processor']}, {about['cores']} cores, {about['memory_mib']} MiB, {about['file_system']}, "
          f"Linux {about['kernel']}, load {about['load_at_start']:.1f} at the start"
          + (": BUSY, absolute numbers say little" if about["load_at_start"] > about["cores"] / 4 else ""))
    for lines in (report.table(results, goals), report.micro_table(bench.micro), report.limits_table(bench.limits)):
        if lines:
            print("\n" + "\n".join(lines))
    notes = [note for result in results for note in result.notes]
    print("\nMedians of the runs; a ratio is the peer's wall time by spl's, run by run. Nothing is dropped from caches.")
    for line in [*notes, *verdicts]:
        print(f"- {line}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
