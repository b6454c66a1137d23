"""Trees of files, as services keep them: seeded, and the same again on the same machine. Half of a tree's octets are
files from below /usr, a quarter is random and cannot be made smaller, a quarter is text in made-up words."""
import itertools
import os
import pathlib
import random
import stat

SEED = 1
USR = ("bin", "include", "lib", "libexec", "share")
FILES_A_DIRECTORY = 200
PIECE = 16 << 10
SMALL_BYTES = 300


class Tree:
    """Writes the files of one tree below `root`, and counts them."""

    def __init__(self, root, octets, seed):
        self.root = root
        self.octets = octets
        self.random = random.Random(seed)
        self.counts = {"files": 0, "bytes": 0, "bytes_of_usr": 0, "rounds_of_usr": 0}

    def write(self, name, content, mode=0o644):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        self.counts["files"] += 1
        self.counts["bytes"] += len(content)

    def fill(self, sources):
        self.copy_usr(sources, self.octets // 2)
        self.make("random", self.octets // 4, 64 << 10, 8 << 20, self.random.randbytes)
        words = ["".join(self.random.choices("etaoinshrdlucmfw", k=self.random.randint(2, 11))) for _ in range(5000)]
        self.make("text", self.octets - self.counts["bytes"], 1 << 10, 1 << 20, lambda size: self.text(words, size))
        return self.counts

    def copy_usr(self, sources, wanted):
        """A file is at most a sixteenth of what is wanted, so that a small tree has many, too."""
        fitting = [source for source in sources if source[1] <= wanted // 16]
        self.random.shuffle(fitting)
        left = wanted
        for turn in itertools.count(1):
            for path, _, mode in fitting:
                if left <= 0:
                    break
                content = path.read_bytes()[:left]
                name = path.relative_to("/usr")
                if turn > 1:
                    content, name = changed(content, turn), pathlib.Path(f"again-{turn}", name)
                self.write(pathlib.Path("usr", name), content, mode)
                left -= len(content)
            self.counts["rounds_of_usr"] = turn
            if left <= 0:
                break
            if left == wanted:
                raise RuntimeError("there are no files below /usr that the tree could be made of")
        self.counts["bytes_of_usr"] = wanted - left

    def make(self, directory, wanted, smallest, largest, content):
        """Files of sizes from smallest to largest, as many of one order of magnitude as of the next."""
        for i in itertools.count():
            if wanted <= 0:
                break
            size = min(wanted, int(smallest * (largest / smallest) ** self.random.random()))
            self.write(f"{directory}/{i // FILES_A_DIRECTORY}/{i}", content(size))
            wanted -= size

    def text(self, words, size):
        lines, length = [], 0
        while length < size:
            lines.append(" ".join(self.random.choices(words, k=12)))
            length += len(lines[-1]) + 1
        return ("\n".join(lines) + "\n").encode()[:size]


def changed(content, turn):
    """With another octet in each piece, so that who looks for repeated pieces finds none."""
    octets = bytearray(content)
    for i in range(0, len(octets), PIECE):
        octets[i] ^= turn & 0xFF or 1
    return bytes(octets)


def files_of_usr():
    """Path, size and mode of what is a file that has content and can be read, in an order that stays."""
    found = []
    for top in USR:
        for directory, directories, names in os.walk(f"/usr/{top}"):
            directories.sort()
            for name in sorted(names):
                path = pathlib.Path(directory, name)
                about = path.lstat()
                if stat.S_ISREG(about.st_mode) and about.st_size > 0 and os.access(path, os.R_OK):
                    found.append((path, about.st_size, stat.S_IMODE(about.st_mode) & 0o777 | 0o600))
    return found


def make_mixed(root, octets):
    return Tree(root, octets, SEED).fill(files_of_usr())


def make_contexts(root, octets, names):
    """A tree of its own for each name, all of the same size."""
    sources = files_of_usr()
    made = {name: Tree(root / name, octets // len(names), f"{SEED} {name}").fill(sources) for name in names}
    return {key: sum(counts[key] for counts in made.values()) for key in ("files", "bytes")}


def make_small(root, count):
    tree = Tree(root, count * SMALL_BYTES, SEED)
    for i in range(count):
        tree.write(f"{i // FILES_A_DIRECTORY}/{i}", b"%0*d" % (SMALL_BYTES, i))
    return tree.counts
