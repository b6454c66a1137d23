"""The rows of services: backup, restore, the restore of one context, and the pause."""
import os
import pathlib
import signal
import subprocess
import time

from measure import LoopDisk, Missing, Sample, median, need, remove
from result import Figure, Result, limit_share
from rows import checked, in_turn

BYTES_AT_FULL_SIZE = 2 << 30
FULL_SIZE = 1_000_000
CONTEXTS = 20
PAUSED_FILES = (1_000, 10_000, 100_000)
DECLARATION = """name    = "tree"
version = "1"
schema  = 1
{run}
[[surface]]
name = "files"
kind = "files"
path = "{path}"
"""
RUN = '\n[run]\ncommand = ["/bin/sleep", "1000000"]\n'


def octets_of(size):
    """Of a tree: 2 GiB at the full size, and less in proportion."""
    return size * BYTES_AT_FULL_SIZE // FULL_SIZE


class Key:
    """An age key that is made for the run."""

    def __init__(self, bench):
        need("age-keygen")
        self.file = bench.scratch / "age-key.txt"
        if not self.file.exists():
            subprocess.run(["age-keygen", "-o", str(self.file)], capture_output=True, check=True)
        shown = subprocess.run(["age-keygen", "-y", str(self.file)], capture_output=True, text=True, check=True)
        self.recipient = shown.stdout.strip()


def declare(home, path, run=""):
    (home / "services").mkdir(parents=True, exist_ok=True)
    (home / "services" / "tree.toml").write_text(DECLARATION.format(path=path, run=run))


def source_home(bench, tree, name="backup-home", run=""):
    """A home whose one service has its files in `tree`, where that is."""
    home = bench.data.new_home(name)
    declare(home, tree, run)
    return home


class Room:
    """Where each restore of a row begins with nothing: a fresh ext4 on a loop device, for a with statement. On a file
    system that other runs have written to a run pays for what the one before it has removed: ext4 looks at each inode
    that was freed in the last seconds before it gives one out. Without root it is the scratch directory."""

    def __init__(self, bench, octets, files):
        self.scratch, self.disk = bench.scratch, None

        def make_disk():
            self.disk = LoopDisk(bench.runner, (octets * 5 // 4 + (1 << 30)) >> 20 << 20, files * 5 // 4 + 10_000)
            with self.disk:
                pass

        bench.say("restore: making a loop-mounted file system")
        self.why_not = checked(make_disk)

    def __enter__(self):
        return self.scratch if self.why_not else self.disk.__enter__()

    def __exit__(self, *what):
        if not self.why_not:
            self.disk.__exit__(*what)


def bare_home(bench, path, name="restore-home", within=None):
    """What a machine has that services are brought to: the declaration, and nothing else."""
    home = (within or bench.scratch) / name
    remove(home)
    declare(home, path)
    return home


def backup_once(bench, home, out, key):
    """The sample, with the report as its `report`."""
    remove(out)
    settle(bench)
    report, sample = bench.runner.answer(bench.runner.spl, "service", "all", "backup", "--home", home, "--to", out,
                                         "--recipient", key.recipient, "-o", "json")
    sample.extra["bytes"] = out.stat().st_size
    return report, sample


def restore_words(bench, home, bundle, key, *more):
    return [bench.runner.spl, "service", "all", "restore", "--home", str(home), "--from", str(bundle),
            "--age-identity", str(key.file), "-o", "json", *more]


def restore_once(bench, home, bundle, key, *more):
    settle(bench, home)
    return bench.runner.run(restore_words(bench, home, bundle, key, *more))


def settle(bench, *places):
    """Nothing that ran before is still to be written, so that no run pays for another."""
    for place in (bench.scratch, *places):
        subprocess.run(["sync", "-f", str(place)], check=True)


def same(source, found):
    done = subprocess.run(["diff", "-r", "--no-dereference", str(source), str(found)], capture_output=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")[:500]
        raise RuntimeError(f"what was restored is not what was backed up: {said}")


class Peer:
    """A tool that backs a tree up and brings it back. Both samples are ended by a sync of what was written, which
    counts; `unsynced_wall_s` is the time without it."""
    label = what_backup = what_restore = ""
    programs = ()

    def __init__(self, bench, key):
        self.bench, self.runner, self.key = bench, bench.runner, key
        self.kept = bench.scratch / f"peer-{self.label}"
        self.why = checked(lambda: need(*self.programs, "sync"))

    def prepare(self):
        """What comes before a first backup, not timed."""
        remove(self.kept)

    def backup(self, tree):
        self.prepare()
        settle(self.bench)
        return self.timed(self.backup_stages(tree), self.kept)

    def restore(self, tree, within):
        target = within / "peer-restored"
        remove(target)
        target.mkdir()
        settle(self.bench, within)
        sample = self.timed(self.restore_stages(target), target)
        same(tree, self.found(target, tree))
        remove(target)
        return sample

    def timed(self, stages, written):
        done = self.runner.run(*stages, env=self.environment())
        whole = done.plus(self.runner.run(["sync", "-f", written]))
        whole.extra = {"unsynced_wall_s": done.wall_s, "bytes": octets_below(self.kept)}
        return whole

    def environment(self):
        return None

    def found(self, target, _):
        return target


class Restic(Peer):
    label, programs = "restic", ("restic",)
    what_backup, what_restore = "restic backup into a fresh repository", "restic restore"

    def environment(self):
        return dict(os.environ, RESTIC_REPOSITORY=str(self.kept), RESTIC_PASSWORD="bench", HOME=str(self.bench.scratch),
                    RESTIC_CACHE_DIR=str(self.bench.scratch / "restic-cache"))

    def prepare(self):
        super().prepare()
        remove(self.bench.scratch / "restic-cache")
        self.runner.run(["restic", "init", "-q"], env=self.environment())

    def backup_stages(self, tree):
        return [["restic", "backup", "-q", tree]]

    def restore_stages(self, target):
        return [["restic", "restore", "-q", "latest", "--target", target]]

    def found(self, target, tree):
        return pathlib.Path(f"{target}{tree}")


class Borg(Peer):
    label, programs = "borg", ("borg", "env")
    what_backup, what_restore = "borg create into a fresh encrypted repository", "borg extract"

    def environment(self):
        return dict(os.environ, BORG_REPO=str(self.kept), BORG_PASSPHRASE="", BORG_RELOCATED_REPO_ACCESS_IS_OK="yes",
                    BORG_BASE_DIR=str(self.bench.scratch / "borg-base"))

    def prepare(self):
        super().prepare()
        remove(self.bench.scratch / "borg-base")
        (self.bench.scratch / "borg-base").mkdir()
        self.runner.run(["borg", "init", "-e", "repokey"], env=self.environment())

    def backup_stages(self, tree):
        return [["env", "-C", tree, "borg", "create", "::first", "."]]

    def restore_stages(self, target):
        return [["env", "-C", target, "borg", "extract", "::first"]]


class Pipe(Peer):
    label, programs = "pipe", ("tar", "zstd", "age")
    what_backup, what_restore = "tar to zstd -3 -T0 to age", "age -d to zstd -d to tar -x"

    def backup_stages(self, tree):
        return [["tar", "-c", "-C", tree, "."], ["zstd", "-3", "-T0", "-q"],
                ["age", "-r", self.key.recipient, "-o", self.kept]]

    def restore_stages(self, target):
        return [["age", "-d", "-i", self.key.file, self.kept], ["zstd", "-dcq"], ["tar", "-x", "-C", target]]


def octets_below(path):
    if not path.is_dir():
        return path.stat().st_size
    return sum(os.lstat(os.path.join(directory, name)).st_size for directory, _, names in os.walk(path)
               for name in names)


def in_turn_with_all(bench, title, ours, peers):
    """Ours, then each peer that is there, then ours again; a round that is not counted comes first. `peers` are
    functions by label. The samples by label; ours are under the empty one."""
    samples = {label: [] for label in ("", *peers)}
    for turn in range(bench.runs + 1):
        bench.say(f"{title}: " + (f"run {turn} of {bench.runs}" if turn else "warm-up"))
        for label, work in {"": ours, **peers}.items():
            sample = work()
            if turn > 0:
                samples[label].append(sample)
    return samples


def results_of(title, octets, samples, peers, what, share):
    """A result for each peer, also for one that is not there."""
    results = []
    for peer in peers:
        taken = samples.get(peer.label, [])
        result = Result(f"{title}/{peer.label}", octets, samples[""], what(peer), taken, left_out=peer.why, share=share)
        if taken:
            result.figures.append(Figure.of("ratio without the peer's sync", [
                b.extra["unsynced_wall_s"] / a.wall_s for a, b in zip(samples[""], taken)], better="higher"))
        results.append(result)
    results[-1].figures.append(Figure.of("peak MiB", [s.peak_bytes / 2**20 for s in samples[""]], better="lower"))
    return results


def all_peers(bench, key):
    return [Restic(bench, key), Borg(bench, key), Pipe(bench, key)]


def made_of(counts):
    again = f", the same changed {counts['rounds_of_usr'] - 1} times" if counts["rounds_of_usr"] > 1 else ""
    return (f"{counts['files']} files of {counts['bytes']} octets, {counts['bytes_of_usr']} of them this machine's /usr"
            f"{again}, a quarter random, the rest text")


def backup(bench):
    octets, key = octets_of(bench.size), Key(bench)
    tree, counts = bench.data.tree(octets)
    home, bundle, peers = source_home(bench, tree), bench.scratch / "backup.spl", all_peers(bench, key)
    samples = in_turn_with_all(bench, "backup", lambda: backup_once(bench, home, bundle, key)[1],
                               {peer.label: (lambda peer=peer: peer.backup(tree)) for peer in peers if not peer.why})
    restored = bare_home(bench, "{data}/files")
    restore_once(bench, restored, bundle, key)
    same(tree, restored / "data" / "tree" / "files")
    limits, size = bench.limits, bundle.stat().st_size
    share = limit_share(samples[""], serial={"disk write": size / limits["disk_write_fsync_bytes_s"]}, spread={
        "SHA-256": octets / limits["sha256_bytes_s"], "ChaCha20": size / limits["chacha20_poly1305_bytes_s"]})
    results = results_of("backup", octets, samples, peers, lambda peer: peer.what_backup, share)
    results[-1].notes += [
        f"backup: {made_of(counts)}; the last bundle was restored and is the same by diff -r. First time, page cache "
        "warm, one bundle, encrypted and durable when it ends; so each peer is ended by sync -f, and a figure says its "
        "ratio without. restic and borg as they are by default: their repositories are made before the time. Not "
        "measured: a second backup, which they make of what has changed and spl makes whole", *sizes_note(samples)]
    if samples.get("pipe"):
        ratio = samples[""][-1].extra["bytes"] / samples["pipe"][-1].extra["bytes"]
        results[-1].figures.append(Figure("size to the peer's", ratio, "lower"))
    clear(bench, peers, home, restored, bundle)
    return results


def sizes_note(samples):
    return ["backup: octets written: " + ", ".join(
        f"{label or 'spl'} {taken[-1].extra['bytes']}" for label, taken in samples.items() if taken)]


def clear(bench, peers, *paths):
    for path in (*paths, *(peer.kept for peer in peers), bench.scratch / "restic-cache", bench.scratch / "borg-base"):
        remove(path)


def restore(bench):
    octets, key = octets_of(bench.size), Key(bench)
    tree, counts = bench.data.tree(octets)
    bundle, peers = bench.scratch / "backup.spl", all_peers(bench, key)
    home = source_home(bench, tree)
    backup_once(bench, home, bundle, key)
    for peer in peers:
        if not peer.why:
            peer.backup(tree)
    room = Room(bench, octets, counts["files"])

    def ours():
        with room as within:
            return restore_checked(bench, bundle, key, tree, within)

    def its(peer):
        with room as within:
            return peer.restore(tree, within)

    samples = in_turn_with_all(bench, "restore", ours,
                               {peer.label: (lambda peer=peer: its(peer)) for peer in peers if not peer.why})
    limits, size = bench.limits, bundle.stat().st_size
    share = limit_share(samples[""], serial={"disk write": octets / limits["disk_write_fsync_bytes_s"]}, spread={
        "SHA-256": octets / limits["sha256_bytes_s"], "ChaCha20": size / limits["chacha20_poly1305_bytes_s"]})
    results = results_of("restore", octets, samples, peers, lambda peer: peer.what_restore + ", then sync -f", share)
    results[-1].notes.append(
        "restore: into a home that has the declaration alone; staged, checked against the signature, synced and "
        "switched. Each run's result is the same as the source by diff -r, spl's and the peers', outside of the time. "
        "The pipe checks no signature. A figure says the ratio without the peer's sync. " +
        (f"All on one file system: {room.why_not}" if room.why_not else
         "Each run on a fresh ext4 on a loop device, the peers' too"))
    clear(bench, peers, home, bundle)
    return results


def restore_checked(bench, bundle, key, tree, within=None):
    home = bare_home(bench, "{data}/files", within=within)
    sample = restore_once(bench, home, bundle, key)
    same(tree, home / "data" / "tree" / "files")
    remove(home)
    return sample


def backup_and_restore(bench):
    """Functions of a size, for what compares spl with itself. The bundles are made once and stay."""
    bundles = {}

    def backup_of(size):
        key, bundle = Key(bench), bench.scratch / f"grown-{size}.spl"
        home = source_home(bench, bench.data.tree(octets_of(size))[0])
        _, sample = backup_once(bench, home, bundle, key)
        bundles[size] = bundle
        return sample

    def restore_of(size):
        if size not in bundles:
            backup_of(size)
        return restore_checked(bench, bundles[size], Key(bench), bench.data.tree(octets_of(size))[0])

    return backup_of, restore_of


def octets_read(words):
    """What a program asked the system to read (rchar), from wherever it came: also from the page cache and from its
    own files. The kernel still tells it of one that has ended, until it is waited for."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    taken = pathlib.Path(f"/proc/{process.pid}/io").read_text()
    if process.wait() != 0:
        raise RuntimeError(f"{' '.join(words)[:200]}: exit code {process.returncode}")
    return int(taken.split("rchar:")[1].split()[0])


class ContextRestore:
    """Of a bundle of CONTEXTS contexts of equal size."""

    def __init__(self, bench, octets):
        self.bench, self.key = bench, Key(bench)
        self.names = [f"c{i:02}" for i in range(1, CONTEXTS + 1)]
        self.tree, self.counts = bench.data.contexts(octets, self.names)
        self.bundle = bench.scratch / "contexts.spl"
        home = source_home(bench, f"{self.tree}/{{context}}", "context-home")
        (home / "contexts.toml").write_text("".join(
            f'[[context]]\nname = "{name}"\nid = {i}\n' for i, name in enumerate(self.names, 1)))
        backup_once(bench, home, self.bundle, self.key)
        remove(home)

    def restore(self, name, run):
        """All, or the named one. `run` is given the command's words and what else there is to be done before it."""
        home = bare_home(self.bench, "{data}/{context}")
        more = ["--context", name] if name else []
        settle(self.bench)
        answer = run(restore_words(self.bench, home, self.bundle, self.key, *more))
        found = home / "data" / "tree"
        if name and [path.name for path in found.iterdir()] != [name]:
            raise RuntimeError(f"more than the context {name} was restored")
        same(self.tree / name, found / name)
        remove(home)
        return answer


def one_context(bench):
    octets = octets_of(bench.size)
    contexts = ContextRestore(bench, octets)
    middle = contexts.names[CONTEXTS // 2]
    a, b = in_turn(bench, "one-context", lambda: contexts.restore(middle, bench.runner.run),
                   lambda: contexts.restore("", bench.runner.run))
    one, whole = contexts.restore(middle, octets_read), contexts.restore("", octets_read)
    bundle_bytes = contexts.bundle.stat().st_size
    figures = [Figure.of("share of time", [x.wall_s / y.wall_s for x, y in zip(a, b)], better="lower"),
               Figure("share of reading", one / whole, "lower")]
    remove(contexts.bundle)
    return [Result("one-context", octets, a, "the whole restore", b, figures=figures, notes=[
        f"one-context: 1 of {CONTEXTS} of equal size, in the middle of the bundle, in proportion {1 / CONTEXTS:.2f}; "
        f"share of time {figures[0].value:.3f}, of reading {figures[1].value:.3f}: {one} octets of {whole}, of a "
        f"bundle of {bundle_bytes}. Each result is the same as the source by diff -r, and one context brings no other. "
        "Reading is what spl asked the system for (rchar), also of its own files, of /proc and from the page "
        "cache, in a run of its own that is not timed; it is not what came from the disk"])]


class Running:
    """A home's service, for a with statement; ends its supervisor, too."""
    STOP_S = 30

    def __init__(self, bench, home):
        self.runner, self.home = bench.runner, home

    def __enter__(self):
        try:
            self.service("start")
        except RuntimeError:
            self.end_supervisor()
            raise

    def __exit__(self, *_):
        try:
            self.service("stop")
        finally:
            self.end_supervisor()

    def service(self, action):
        self.runner.run([self.runner.spl, "service", "tree", action, "--home", self.home])

    def supervisor(self):
        """The number of the runsvdir of this home, if one runs."""
        try:
            pid = int((self.home / "run" / "runsvdir.pid").read_text().split()[0])
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            return pid if str(self.home / "run" / "runit") in words else None
        except (OSError, ValueError, IndexError):
            return None

    def end_supervisor(self):
        pid, deadline = self.supervisor(), time.monotonic() + self.STOP_S
        if pid:
            os.kill(pid, signal.SIGHUP)
        while self.supervisor():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the supervisor {pid} does not end")
            time.sleep(0.02)


def paused_at(bench, count, key):
    """Samples of backups of a running service with that many small files, with their pause_ms."""
    tree, _ = bench.data.small_files(count)
    home, bundle, samples = source_home(bench, tree, "pause-home", RUN), bench.scratch / "pause.spl", []
    with Running(bench, home):
        for turn in range(bench.runs + 1):
            bench.say(f"pause: {count} files, " + (f"run {turn} of {bench.runs}" if turn else "warm-up"))
            report, sample = backup_once(bench, home, bundle, key)
            if report["consistency"] != "quiesced":
                raise RuntimeError(f"the backup is {report['consistency']}, not quiesced")
            if turn > 0:
                samples.append(Sample(sample.wall_s, sample.cpu_s, sample.peak_bytes, {"pause_ms": report["pause_ms"]}))
    restored = bare_home(bench, "{data}/files")
    restore_once(bench, restored, bundle, key)
    same(tree, restored / "data" / "tree" / "files")
    for path in (restored, home, bundle):
        remove(path)
    return samples


def pause(bench):
    """Of at most a tenth as many files as the size says."""
    need("runsvdir")
    key, most = Key(bench), bench.size // 10
    counts = [count for count in PAUSED_FILES if count <= most]
    if len(counts) < 2:
        counts = [most // 10, most]
    results, medians = [], {}
    for count in counts:
        samples = paused_at(bench, count, key)
        found = Figure.of("ms", [s.extra["pause_ms"] for s in samples], better="lower")
        medians[count] = median([s.extra["pause_ms"] for s in samples])
        results.append(Result(f"pause {count} files", count, samples, "", [], figures=[found]))
    fewest, most = counts[0], counts[-1]
    more = (medians[most] - medians[fewest]) / (most - fewest) * 1000
    results[-1].figures.append(Figure("ms for each 1,000 more", more, "lower"))
    steps = ", ".join(f"{count} files: {ms:.0f} ms" for count, ms in medians.items())
    results[-1].notes.append(
        f"pause: {steps}; {more:.1f} ms for each 1,000 more. The service is one process that sleeps, its files lie on "
        "a file system without a snapshot; the time is pause_ms of the report, from before the first stop signal until "
        "the last process goes on. Not measured: behind a snapshot, with many bytes, with files that are written "
        "meanwhile. The last backup was restored and is the same by diff -r")
    return results
