"""What a program takes, and the places that it is measured in: a daemon, a fresh file system."""
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import statistics
import struct
import subprocess
import time


class Missing(Exception):
    """Something that a row needs is not there; the row says so."""


@dataclasses.dataclass
class Sample:
    """One run. A pipeline's processor seconds and peaks are the sums over its programs."""
    wall_s: float
    cpu_s: float
    peak_bytes: int
    extra: dict = dataclasses.field(default_factory=dict)

    def plus(self, other):
        return Sample(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s, max(self.peak_bytes, other.peak_bytes))


def median(values):
    return statistics.median(values)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise Missing(f"no {program}")


def need_root():
    if os.geteuid() != 0:
        raise Missing("needs root for loop mounts")
    need("mkfs.ext4", "mount", "umount")


def remove(path):
    path = pathlib.Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class Runner:
    """Runs the programs of one build."""

    def __init__(self, build, scratch):
        self.spl = str(build / "spl")
        self.tools = build / "bench"
        self.scratch = scratch

    def tool(self, name):
        return str(self.tools / name)

    def run(self, *stages, stdin=None, stdout=subprocess.DEVNULL, env=None):
        """Runs a command, or a pipeline of several, to its end under `timed`. Raises when one fails."""
        words = []
        for stage in stages:
            words += (["|"] if words else []) + [str(word) for word in stage]
        result = self.scratch / "timed.json"
        done = subprocess.run([self.tool("timed"), str(result), *words], stdin=stdin or subprocess.DEVNULL,
                              stdout=stdout, stderr=subprocess.PIPE, env=env, check=False)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            raise RuntimeError(f"{' '.join(words)[:200]}: exit code {done.returncode}: {said}")
        taken = json.loads(result.read_text())
        cpu = sum(stage["user_s"] + stage["system_s"] for stage in taken["stages"])
        sample = Sample(taken["wall_s"], cpu, sum(stage["peak_bytes"] for stage in taken["stages"]))
        if done.stdout:
            sample.extra["stdout"] = done.stdout.decode()
        return sample

    def answer(self, *words, stdin=None, env=None):
        """The JSON that a command prints, and what it took."""
        sample = self.run(words, stdin=stdin, stdout=subprocess.PIPE, env=env)
        return json.loads(sample.extra.pop("stdout")), sample

    def preload(self, counter):
        """An environment in which calls of fsync and its kin are counted in the file `counter`."""
        remove(counter)
        library = self.tools / "libcount_sync.so"
        return dict(os.environ, LD_PRELOAD=str(library), SPL_BENCH_SYNC_COUNT=str(counter))


def synced(counter):
    """The count in the file that Runner.preload() was given."""
    octets = counter.read_bytes() if counter.exists() else b""
    if len(octets) != 8:
        raise RuntimeError("fsyncs were not counted: the program was not linked dynamically")
    return struct.unpack("=Q", octets)[0]


class Daemon:
    """`spl serve` of a home, for a with statement. `around` is put before the command."""
    START_S = 30
    STOP_S = 120

    def __init__(self, runner, home, env=None, around=()):
        self.home = home
        self.socket = home / "run" / "spl.sock"
        self.log = runner.scratch / "daemon.log"
        words = [*around, runner.spl, "serve", "--home", str(home), "--port", "0"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    def __enter__(self):
        deadline = time.monotonic() + self.START_S
        while not self.socket.exists() or self.pid is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError("spl serve did not start: " + self.log.read_text(errors="replace")[-500:])
            time.sleep(0.01)
        return self

    @property
    def pid(self):
        """Of spl itself, not of what is around it."""
        try:
            return int((self.home / "run" / "spl.pid").read_text())
        except (OSError, ValueError):
            return None

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_bytes(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmHWM")

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.kill(self.pid or self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(self.STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class LoopDisk:
    """A new ext4 file system on a loop device each time that it is mounted, for a with statement. The blocks of its
    image are all written beforehand and never given back, so that no run pays for finding them."""

    def __init__(self, runner, image_bytes, files):
        need_root()
        self.image = runner.scratch / "disk.img"
        self.mount = runner.scratch / "disk"
        self.files = files
        if not self.image.exists() or self.image.stat().st_size != image_bytes:
            self._write_image(image_bytes)

    def _write_image(self, image_bytes):
        piece = b"\0" * (1 << 20)
        with open(self.image, "wb") as image:
            for _ in range(image_bytes // len(piece)):
                image.write(piece)
            os.fsync(image.fileno())

    def __enter__(self):
        self.mount.mkdir(exist_ok=True)
        subprocess.run(["mkfs.ext4", "-F", "-q", "-N", str(self.files), "-E",
                        "nodiscard,lazy_itable_init=0,lazy_journal_init=0", str(self.image)], check=True)
        mounted = subprocess.run(["mount", "-o", "loop", str(self.image), str(self.mount)], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            raise Missing("cannot mount a loop device: " + mounted.stderr.decode().strip())
        return self.mount

    def __exit__(self, *_):
        subprocess.run(["umount", str(self.mount)], check=True)
