"""The rows of records: what is run, and its peer. Each takes the Bench and returns the results to print."""
import shutil
import subprocess

from measure import Daemon, LoopDisk, Missing, Sample, need, remove, synced
from result import Figure, Result, limit_share

BATCH = 1000
POSTS_AT_ONCE = 8


def in_turn(bench, name, ours, peer):
    """Runs both in turn, A B A B, after one of each that is not counted. `peer` may be a reason why there is none."""
    a, b = [], []
    for turn in range(bench.runs + 1):
        bench.say(f"{name}: " + (f"run {turn} of {bench.runs}" if turn else "warm-up"))
        sample_a = ours()
        sample_b = None if isinstance(peer, Missing) else peer()
        if turn > 0:
            a.append(sample_a)
            if sample_b is not None:
                b.append(sample_b)
    return a, b


def checked(*checks):
    """The reason why a peer cannot run, or None."""
    try:
        for check in checks:
            check()
    except Missing as why:
        return why
    return None


def put_once(bench, count):
    """Into a daemon with a new home; the sample is the daemon's."""
    runner, home = bench.runner, bench.data.new_home("put-home")
    with Daemon(runner, home) as daemon:
        before_s = daemon.cpu_s()
        answer, _ = runner.answer(runner.tool("put_client"), daemon.socket, bench.data.records(count), BATCH, 1)
        sample = Sample(answer["seconds"], daemon.cpu_s() - before_s, daemon.peak_bytes(), answer)
        status, _ = runner.answer(runner.spl, "status", "--home", home, "-o", "json")
    if status["record_count"] != count:
        raise RuntimeError(f"{count} records were acknowledged and {status['record_count']} are there")
    remove(home)
    return sample


def put(bench):
    count, runner = bench.size, bench.runner
    records = bench.data.records(count)

    def ours():
        return put_once(bench, count)

    def peer():
        database = bench.scratch / "peer.db"
        for suffix in ("", "-wal", "-shm"):
            remove(f"{database}{suffix}")
        answer, sample = runner.answer(runner.tool("put_peer"), database, records, BATCH)
        return Sample(answer["seconds"], answer["processor_s"], sample.peak_bytes, answer)

    a, b = in_turn(bench, "put", ours, peer)
    limits, sizes = bench.limits, bench.data.sizes(count)
    share = limit_share(a, serial={"SQLite insert": count / limits["sqlite_insert_rows_s"],
                                   "fsyncs": count / BATCH * limits["small_fsync_seconds"]},
                        spread={"SHA-256": sizes["content_bytes"] / limits["sha256_bytes_s"]})
    return [Result("put", count, a, "SQLite's C API, same rows, indexes, durability and batches", b, share=share, notes=[
        "put: one connection, each batch of 1000 durable before the next; the daemon parses, checks and hashes within "
        "the time, the peer before it; processor seconds are the daemon's and the transactions'"])]


def put_one(bench):
    count, runner = max(200, bench.size // 200), bench.runner
    records, counter = bench.data.records(bench.size), bench.scratch / "syncs"

    def load(daemon, posts):
        before = synced(counter)
        answer, _ = runner.answer(runner.tool("put_client"), daemon.socket, records, 1, POSTS_AT_ONCE, posts)
        answer["fsyncs"] = synced(counter) - before
        return answer

    def ours():
        home = bench.data.new_home("put-home")
        with Daemon(runner, home, env=runner.preload(counter)) as daemon:
            before_s = daemon.cpu_s()
            answer = load(daemon, count)
            return Sample(answer["seconds"], daemon.cpu_s() - before_s, daemon.peak_bytes(), answer)

    def peer():
        database = bench.scratch / "peer.db"
        for suffix in ("", "-wal", "-shm"):
            remove(f"{database}{suffix}")
        answer, sample = runner.answer(runner.tool("put_peer"), database, records, 1, count)
        return Sample(answer["seconds"], answer["processor_s"], sample.peak_bytes, answer)

    a, b = in_turn(bench, "put-one", ours, peer)
    share = limit_share(a, serial={"fsyncs": count / POSTS_AT_ONCE * bench.limits["small_fsync_seconds"]}, spread={})
    fsyncs = Figure.of("fsyncs a post", [sample.extra["fsyncs"] / count for sample in a], better="lower")
    return [Result("put-one", count, a, "one SQLite transaction each", b, share=share, figures=[fsyncs], notes=[
        f"put-one: {POSTS_AT_ONCE} connections; fsyncs a post {fsyncs.value:.3f}, counted by a preloaded library; "
        + strace_says(bench, load)])]


def strace_says(bench, load):
    """Holds the preloaded library's count against strace's, in a run of its own that is not timed."""
    runner, counter, said = bench.runner, bench.scratch / "syncs", bench.scratch / "strace.txt"
    try:
        need("strace")
    except Missing as why:
        return f"not held against strace's: {why}"
    env = runner.preload(counter)
    around = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync,syncfs,sync_file_range", "-o", str(said), "-E",
              "LD_PRELOAD=" + env.pop("LD_PRELOAD"), "-E", "SPL_BENCH_SYNC_COUNT=" + env.pop("SPL_BENCH_SYNC_COUNT")]
    home = bench.data.new_home("put-home")
    try:
        with Daemon(runner, home, env=env, around=around) as daemon:
            load(daemon, 200)
    except RuntimeError as why:
        return f"not held against strace's: {why}"
    calls = 0
    for line in said.read_text().splitlines():
        words = line.split()
        if words and words[-1] in ("fsync", "fdatasync", "syncfs", "sync_file_range"):
            calls += int(words[3])
    whole = synced(counter)
    agrees = "agrees" if calls == whole else "DOES NOT AGREE"
    return f"strace {agrees}: {calls} and {whole} in the whole life of another daemon"


def export(bench):
    count, runner = bench.size, bench.runner
    home, out = bench.data.home(count), bench.scratch / "export.tar.zst"
    peer_out = bench.scratch / "peer.tar.zst"
    why = checked(lambda: need("tar", "zstd"))
    files = None if why else bench.data.files(count)

    def ours():
        remove(out)
        sample = runner.run([runner.spl, "export", "--home", home, "--out", out])
        sample.extra["bytes"] = out.stat().st_size
        return sample

    def peer():
        remove(peer_out)
        sample = runner.run(["tar", "-c", "-C", files, "records"], ["zstd", "-3", "-T0", "-q", "-o", peer_out])
        sample.extra["bytes"] = peer_out.stat().st_size
        return sample

    a, b = in_turn(bench, "export", ours, why or peer)
    limits, sizes = bench.limits, bench.data.sizes(count)
    share = limit_share(a, serial={"disk write": a[-1].extra["bytes"] / limits["disk_write_fsync_bytes_s"]},
                        spread={"zstd 3": sizes["tar_bytes"] / limits["zstd_3_bytes_s"]})
    result = Result("export", count, a, "tar -c of the files, piped to zstd -3 -T0", b, left_out=why, share=share, notes=[
        "export: both read from a warm page cache; spl's file is durable (fsync) when it ends, the peer's is not"])
    result.figures.append(Figure.of("peak MiB", [s.peak_bytes / 2**20 for s in a], better="lower"))
    if b:
        size = a[-1].extra["bytes"] / b[-1].extra["bytes"]
        result.figures.append(Figure("size to the peer's", size, "lower"))
        result.notes.append(f"export: {a[-1].extra['bytes']} octets, the peer's {b[-1].extra['bytes']}: {size:.3f}")
    return [result]


def import_once(bench, bundle, home, expected):
    report, sample = bench.runner.answer(bench.runner.spl, "import", bundle, "--home", home, "-o", "json")
    if report["records_inserted"] != expected:
        raise RuntimeError(f"{report['records_inserted']} records were imported, not {expected}")
    return sample


def import_(bench):
    count, runner = bench.size, bench.runner
    bundle = bench.data.bundle(count)
    disk = None

    def make_disk():
        nonlocal disk
        need("tar", "zstd", "sync")
        bytes_needed = count * (4096 + 256) * 5 // 4 + (1 << 30)
        disk = LoopDisk(runner, bytes_needed >> 20 << 20, count * 5 // 4 + 10_000)
        with disk:
            pass

    bench.say("import: making a loop-mounted file system")
    why = checked(make_disk)

    def ours():
        if why:
            remove(bench.scratch / "import-home")
            return import_once(bench, bundle, bench.scratch / "import-home", count)
        with disk as mount:
            return import_once(bench, bundle, mount / "home", count)

    def peer():
        with disk as mount:
            unpack = runner.run(["zstd", "-dcq", bundle], ["tar", "-x", "-C", mount])
            whole = unpack.plus(runner.run(["sync", "-f", mount]))
            whole.extra["unsynced_wall_s"] = unpack.wall_s
            return whole

    a, b = in_turn(bench, "import", ours, why or peer)
    result = Result("import", count, a, "zstd -dc piped to tar -x, then sync -f", b, left_out=why,
                    share=import_share(bench, a, count))
    result.figures.append(Figure.of("peak MiB", [s.peak_bytes / 2**20 for s in a], better="lower"))
    if b:
        unsynced = Figure.of("ratio without the peer's sync",
                             [y.extra["unsynced_wall_s"] / x.wall_s for x, y in zip(a, b)], better="higher")
        result.figures.append(unsynced)
        result.notes.append(
            "import: each run on a fresh ext4 on a loop device, spl's home too. spl's records are durable when it ends, "
            f"so the peer is ended by sync -f; were it not, the ratio would be {unsynced.value:.2f}")
    remove(bench.scratch / "import-home")
    return [result]


def import_share(bench, samples, count):
    limits, sizes = bench.limits, bench.data.sizes(count)
    return limit_share(samples,
                       serial={"SQLite insert": count / limits["sqlite_insert_rows_s"],
                               "disk write": sizes["content_bytes"] / limits["disk_write_fsync_bytes_s"]},
                       spread=reading_s(limits, sizes))


def reading_s(limits, sizes):
    """Seconds of one core for what every reader of a bundle must do."""
    return {"SHA-256": sizes["content_bytes"] / limits["sha256_bytes_s"],
            "zstd -d": sizes["tar_bytes"] / limits["zstd_decompress_bytes_s"]}


def verify(bench):
    count, runner = bench.size, bench.runner
    bundle = bench.data.bundle(count)
    why = checked(lambda: need("zstd", "sha256sum"))
    a, b = in_turn(bench, "verify", lambda: runner.run([runner.spl, "bundle", "verify", bundle]),
                   why or (lambda: runner.run(["zstd", "-dcq", bundle], ["sha256sum"])))
    share = limit_share(a, serial={}, spread=reading_s(bench.limits, bench.data.sizes(count)))
    return [Result("verify", count, a, "zstd -dc piped to sha256sum", b, left_out=why, share=share)]


def reimport(bench):
    count, runner = bench.size, bench.runner
    bundle, home = bench.data.bundle(count), bench.scratch / "import-home"
    imports = []

    def ours():
        remove(home)
        imports.append(import_once(bench, bundle, home, count))
        return import_once(bench, bundle, home, 0)

    a, b = in_turn(bench, "reimport", ours, lambda: imports[-1])
    remove(home)
    share = limit_share(a, serial={}, spread=reading_s(bench.limits, bench.data.sizes(count)))
    return [Result("reimport", count, a, "the import before it", b, share=share)]


def sync(bench):
    """From a daemon on loopback into a new home; the peer is an import, and fetching the same pages to nowhere."""
    count, runner = bench.size, bench.runner
    source, bundle = bench.scratch / "sync-source", bench.data.bundle(count)
    home, imported = bench.scratch / "sync-home", bench.scratch / "import-home"

    def said(where, *words):
        return runner.answer(runner.spl, *words, "--home", where, "-o", "json")[0]

    # The home that other rows use stays without a pair.
    remove(source)
    shutil.copytree(bench.data.home(count), source)
    with Daemon(runner, source) as daemon:
        status = said(source, "status")
        url, did = f"http://127.0.0.1:{status['port']}", status["did"]

        def paired():
            bench.data.new_home("sync-home")
            said(home, "federation", "pair", url, "--wait", "0")
            said(source, "aitl", "approve", said(source, "aitl", "list")[0]["id"])
            said(home, "federation", "pair", url, "--wait", "0")

        def ours():
            paired()
            before_s = daemon.cpu_s()
            report, sample = runner.answer(runner.spl, "sync", "--home", home, "-o", "json")
            if report["inserted"] != count:
                raise RuntimeError(f"{report['inserted']} records came, not {count}")
            return Sample(sample.wall_s, sample.cpu_s + daemon.cpu_s() - before_s,
                          max(sample.peak_bytes, daemon.peak_bytes()), report)

        def peer():
            remove(imported)
            one = import_once(bench, bundle, imported, count)
            answer, fetch = runner.answer(runner.tool("fetch_pages"), home, url, did)
            both = one.plus(fetch)
            both.extra["fetch_s"] = answer["seconds"]
            return both

        a, b = in_turn(bench, "sync", ours, peer)
    for one in (home, imported, source):
        remove(one)
    result = Result("sync", count, a, "import, and fetching the same pages to nowhere", b,
                    share=import_share(bench, a, count))
    result.figures.append(Figure.of("peak MiB", [s.peak_bytes / 2**20 for s in a], better="lower"))
    return [result]


def thread_list(bench, count):
    runner = bench.runner
    return runner.run([runner.spl, "thread", "list", "-o", "json", "--home", bench.data.home(count)],
                      stdout=subprocess.DEVNULL)
