"""What the rows work on: records, homes, bundles and trees of files of a size. Records and trees are kept in
build/bench/cache from run to run, under a key of what made them; homes and bundles are made anew in each run, for they
belong to the program that is measured."""
import hashlib
import json
import subprocess

import trees
from measure import need, remove

SEED = 1


class Workspace:
    def __init__(self, runner, bench_sources, cache, say):
        self.runner = runner
        self.cache = cache
        self.say = say
        cache.mkdir(parents=True, exist_ok=True)
        makers = [bench_sources / name for name in ("record_maker.h", "record_maker.cc", "make_records.cc")]
        self.key = hashlib.sha256(b"".join(path.read_bytes() for path in makers)).hexdigest()[:12]
        self._homes = {}
        self._bundles = {}
        self._sizes = {}
        for stale in cache.glob("records-*"):
            if self.key not in stale.name:
                remove(stale)
        self.tree_key = hashlib.sha256((bench_sources / "trees.py").read_bytes()).hexdigest()[:12]
        for stale in [*cache.glob("tree-*"), *cache.glob("*.part")]:
            if self.tree_key not in stale.name or stale.suffix == ".part":
                remove(stale)

    def records(self, count):
        """NDJSON, one {"id","record"} a line."""
        path = self.cache / f"records-{count}-{self.key}.ndjson"
        if not path.exists():
            self.say(f"making {count} records")
            part = path.with_suffix(".part")
            with open(part, "wb") as out:
                subprocess.run([self.runner.tool("make_records"), str(count), str(SEED)], stdout=out, check=True)
            part.rename(path)
        return path

    def sizes(self, count):
        """Of the records: their own octets, and those of a tar of them."""
        if count not in self._sizes:
            content = tar = 0
            around = len('{"id":"","record":}\n') + 64
            with open(self.records(count), "rb") as lines:
                for line in lines:
                    octets = len(line) - around
                    content += octets
                    tar += 512 + (octets + 511) // 512 * 512
            self._sizes[count] = {"content_bytes": content, "tar_bytes": tar}
        return self._sizes[count]

    def new_home(self, name):
        home = self.runner.scratch / name
        remove(home)
        self.runner.run([self.runner.spl, "init", "--home", home])
        return home

    def home(self, count):
        """Holds the records."""
        if count not in self._homes:
            records = self.records(count)
            self.say(f"making a home of {count} records")
            home = self.new_home(f"home-{count}")
            with open(records, "rb") as lines:
                report, _ = self.runner.answer(self.runner.spl, "record", "put", "--ndjson", "--home", home, "-o",
                                               "json", stdin=lines)
            if report["inserted"] != count:
                raise RuntimeError(f"{count} records were put and {report['inserted']} inserted")
            self._homes[count] = home
        return self._homes[count]

    def bundle(self, count):
        """Of the home of that size."""
        if count not in self._bundles:
            path = self.runner.scratch / f"bundle-{count}.tar.zst"
            remove(path)
            self.runner.run([self.runner.spl, "export", "--home", self.home(count), "--out", path])
            self._bundles[count] = path
        return self._bundles[count]

    def files(self, count):
        """A directory that holds the bundle's records as files, below records/."""
        need("zstd", "tar")
        tree = self.cache / f"files-{count}"
        stamp = self.cache / f"files-{count}.json"
        made_of = self._names_digest(self.bundle(count))
        if not stamp.exists() or json.loads(stamp.read_text())["names_sha256"] != made_of:
            self.say(f"making {count} files")
            remove(stamp)
            remove(tree)
            tree.mkdir()
            self.runner.run(["zstd", "-dcq", self.bundle(count)], ["tar", "-x", "-C", tree, "records"])
            subprocess.run(["sync", "-f", str(tree)], check=True)
            stamp.write_text(json.dumps({"names_sha256": made_of}))
        return tree

    def tree(self, octets):
        """A mixed tree of that many octets, and what was counted when it was made."""
        return self._kept_tree(f"mixed-{octets}", lambda root: trees.make_mixed(root, octets))

    def contexts(self, octets, names):
        """A directory with a mixed tree for each name, of that many octets together."""
        return self._kept_tree(f"contexts-{len(names)}-{octets}", lambda root: trees.make_contexts(root, octets, names))

    def small_files(self, count):
        return self._kept_tree(f"small-{count}", lambda root: trees.make_small(root, count))

    def _kept_tree(self, what, make):
        tree = self.cache / f"tree-{what}-{self.tree_key}"
        counted = tree.with_suffix(".json")
        if not counted.exists():
            self.say(f"making the tree {what}")
            remove(tree)
            part = tree.with_suffix(".part")
            part.mkdir()
            counts = make(part)
            part.rename(tree)
            subprocess.run(["sync", "-f", str(tree)], check=True)
            counted.write_text(json.dumps(counts))
        return tree, json.loads(counted.read_text())

    def _names_digest(self, bundle):
        # A record's name tells its content.
        sample = self.runner.run(["zstd", "-dcq", bundle], ["tar", "-t", "records"], ["sha256sum"],
                                 stdout=subprocess.PIPE)
        return sample.extra["stdout"].split()[0]
