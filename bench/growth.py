"""Rows that compare spl with itself at other sizes, and the micro-benchmarks."""
import json
import math
import subprocess

from measure import Missing, Sample, median, remove
from result import Figure, Result
from rows import import_once, put_once, thread_list
from services import backup_and_restore

MICRO_LIMITS = {
    "sha256_stream": "sha256_bytes_s", "sha256_500_bytes": "sha256_bytes_s", "zstd_3_frame": "zstd_3_bytes_s",
    "zstd_read": "zstd_decompress_bytes_s", "age_encrypt": "chacha20_poly1305_bytes_s",
    "age_decrypt": "chacha20_poly1305_bytes_s", "ed25519_verify": "ed25519_verify_s",
}


def operations(bench):
    """Name and function of a size, which gives a sample."""
    runner, data = bench.runner, bench.data
    out, home = bench.scratch / "grown.tar.zst", bench.scratch / "import-home"

    def export(count):
        remove(out)
        return runner.run([runner.spl, "export", "--home", data.home(count), "--out", out])

    def import_(count):
        remove(home)
        return import_once(bench, data.bundle(count), home, count)

    def reimport(count):
        return runner.run([runner.spl, "import", "--home", data.home(count), data.bundle(count)])

    def verify(count):
        return runner.run([runner.spl, "bundle", "verify", data.bundle(count)])

    backup, restore = backup_and_restore(bench)
    return {"export": export, "import": import_, "verify": verify, "reimport": reimport, "backup": backup,
            "restore": restore, "put": lambda count: put_once(bench, count),
            "thread-list": lambda count: thread_list(bench, count)}


def at_sizes(bench, title, operation, sizes, runs):
    """Samples by size, taken in turn after a warm-up of each."""
    samples = {size: [] for size in sizes}
    for turn in range(runs + 1):
        for size in sizes:
            bench.say(f"{title}: {size}, " + (f"run {turn} of {runs}" if turn else "warm-up"))
            sample = operation(size)
            if turn > 0:
                samples[size].append(sample)
    return samples


def memory(bench):
    small, full = bench.size // 10, bench.size
    results = []
    for name in ("put", "export", "import", "verify", "reimport", "backup", "restore"):
        title = f"memory {name}"
        samples = at_sizes(bench, title, operations(bench)[name], [small, full], 3)
        peaks = {size: median([s.peak_bytes for s in samples[size]]) for size in samples}
        growth = Figure("growth", peaks[full] / peaks[small], "lower")
        results.append(Result(title, full, samples[full], f"itself at {small}", [], figures=[growth], notes=[
            f"{title}: peak {peaks[small] / 2**20:.1f} MiB at {small}, {peaks[full] / 2**20:.1f} MiB at {full}"]))
    return results


def slope(sizes, seconds):
    """Of the least-squares line on log-log axes."""
    x, y = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)


def scale(bench):
    sizes = [bench.size // 10, bench.size] + ([bench.size * 10] if bench.full else [])
    results = []
    for name in ("export", "import", "thread-list"):
        title = f"scale {name}"
        samples = at_sizes(bench, title, operations(bench)[name], sizes, 3)
        walls = [median([s.wall_s for s in samples[size]]) for size in sizes]
        processor = [median([s.cpu_s for s in samples[size]]) for size in sizes]
        found = Figure("slope", slope(sizes, walls), "lower")
        steps = ", ".join(f"{size}: {wall:.3f} s" for size, wall in zip(sizes, walls))
        left_out = "" if bench.full else f"; {sizes[-1] * 10} is left out: --full has it"
        results.append(Result(title, sizes[-1], samples[sizes[-1]], "itself, smaller", [], figures=[found], notes=[
            f"{title}: {steps}; slope of processor seconds {slope(sizes, processor):.2f}{left_out}"]))
    return results


def micro(bench):
    program = bench.runner.tools / "micro"
    if not program.exists():
        raise Missing("no Google Benchmark (libbenchmark-dev)")
    bench.say("micro")
    done = subprocess.run([program, "--benchmark_format=json", f"--benchmark_repetitions={bench.runs}",
                           "--benchmark_report_aggregates_only=true"], capture_output=True, check=True)
    found = {}
    for row in json.loads(done.stdout)["benchmarks"]:
        if row["aggregate_name"] == "median":
            found[row["run_name"].split("/")[0]] = row
    for name, row in found.items():
        limit = MICRO_LIMITS.get(name, "memory_copy_bytes_s")
        rate = row["items_per_second"] if limit == "ed25519_verify_s" else row["bytes_per_second"]
        row["limit"], row["share"] = limit, rate / bench.limits[limit]
        # Held against the last results in this machine's and moment's own measure.
        row["to_sha256"] = row["bytes_per_second"] / bench.limits["sha256_bytes_s"]
    bench.micro = found
    return [Result(f"micro {name}", 0, [], "", [], figures=[Figure("to SHA-256", row["to_sha256"], "higher")])
            for name, row in found.items()]
