"""Holds script/tidy to what it says of its list: whatever a finding can come from makes it look again. Run by
script/lint, on a project made up for it."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

TIDY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "script", "tidy")
RULES = "Checks: '-*,readability-else-after-return,modernize-use-nullptr'\nWarningsAsErrors: '*'\nHeaderFilterRegex: '.*'\n"
CLEAN = "#pragma once\ninline int one(bool b) {\n  if (b) return 1;\n  return 2;\n}\n"
DIRTY = "#pragma once\ninline int one(bool b) {\n  if (b) return 1;\n  else return 2;\n}\n"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path) as file:
        return file.read()


class Project:
    """src/a/a.cc includes src/a/middle.h, which includes src/a/deep.h; src/b/b.cc includes nothing."""

    def __init__(self, root):
        self.root = root
        write(f"{root}/.clang-tidy", RULES)
        write(f"{root}/src/a/deep.h", CLEAN)
        write(f"{root}/src/a/middle.h", '#pragma once\n  #  include "a/deep.h"\n')
        write(f"{root}/src/a/a.cc", '#include "middle.h"\nint a() { return one(true); }\n')
        write(f"{root}/src/b/b.cc", "int b() { return 1; }\n#ifdef NULL_AS_ZERO\nchar* c() { return 0; }\n#endif\n")
        os.makedirs(f"{root}/script")
        self.compile("")

    def compile(self, flags):
        commands = [{"directory": self.root, "file": f"{self.root}/{unit}",
                     "command": f"g++ -I{self.root}/src {flags} -std=c++23 -o x.o -c {self.root}/{unit}"}
                    for unit in ("src/a/a.cc", "src/b/b.cc")]
        write(f"{self.root}/build/release/compile_commands.json", json.dumps(commands))

    def tidy(self, *arguments):
        """The exit code, and the files that were found to have something."""
        ran = subprocess.run([sys.executable, TIDY, *arguments], capture_output=True, text=True,
                             env={**os.environ, "SPL_TIDY_ROOT": self.root})
        return ran.returncode, ran.stdout + ran.stderr

    def listed(self):
        return {line.split()[1]: line.split()[0] for line in read(f"{self.root}/script/tidy.clean").splitlines()}


failures = []


def test(name):
    """A function that is given a project whose files are clean and in the list."""
    def run(body):
        with tempfile.TemporaryDirectory() as root:
            project = Project(os.path.realpath(root))
            code, out = project.tidy("--update")
            try:
                assert code == 0 and len(project.listed()) == 2, out
                body(project)
            except AssertionError as error:
                failures.append(name)
                print(f"tests/tidy_test.py: {name}: FAILED\n{error}")
    return run


def looked_at(out, count):
    assert f"clang-tidy of {count} of 2 files" in out, out


@test("what is in the list is looked at again, a few files a run")
def _(project):
    code, out = project.tidy()
    assert code == 0, out
    looked_at(out, 2)
    assert "0 are known" in out, out


@test("a named file that is in the list is not looked at")
def _(project):
    code, out = project.tidy("src/b/b.cc")
    assert code == 0 and "clang-tidy of 0 of 1 files" in out, out


@test("a finding in a header that another header includes")
def _(project):
    write(f"{project.root}/src/a/deep.h", DIRTY)
    code, out = project.tidy("src/a/a.cc", "src/b/b.cc")
    assert code == 1 and "deep.h:4" in out, out
    looked_at(out, 1)
    project.tidy("--update")
    assert list(project.listed()) == ["src/b/b.cc"]


@test("a header that comes to stand before the other")
def _(project):
    write(f"{project.root}/src/a/a/deep.h", DIRTY)
    code, out = project.tidy("src/a/a.cc", "src/b/b.cc")
    assert code == 1, out
    looked_at(out, 1)


@test("a flag")
def _(project):
    project.compile("-DNULL_AS_ZERO")
    code, out = project.tidy("src/a/a.cc", "src/b/b.cc")
    assert code == 1 and "b.cc:3" in out, out
    looked_at(out, 2)


@test("the rules, and those of one folder")
def _(project):
    write(f"{project.root}/src/b/.clang-tidy", RULES)
    looked_at(project.tidy("src/a/a.cc", "src/b/b.cc")[1], 1)
    write(f"{project.root}/.clang-tidy", RULES + "# other\n")
    looked_at(project.tidy("src/a/a.cc", "src/b/b.cc")[1], 2)


@test("a line that was copied from another file or another day")
def _(project):
    lines = project.listed()
    before = read(f"{project.root}/script/tidy.clean")
    write(f"{project.root}/src/a/deep.h", DIRTY)
    write(f"{project.root}/script/tidy.clean", before + f"{lines['src/b/b.cc']} src/a/a.cc\n")
    code, out = project.tidy("src/a/a.cc")
    assert code == 1 and "deep.h:4" in out, out


@test("a line whose hash somebody computed for a file that has findings")
def _(project):
    write(f"{project.root}/src/a/deep.h", DIRTY)
    computed = subprocess.run(
        [sys.executable, "-c", "import sys; sys.dont_write_bytecode = True\n"
         "from importlib.machinery import SourceFileLoader\n"
         "import os; os.chdir(sys.argv[2])\n"
         "print(SourceFileLoader('tidy', sys.argv[1]).load_module().Units().hash('src/a/a.cc'))", TIDY, project.root],
        capture_output=True, text=True, check=True).stdout.strip()
    write(f"{project.root}/script/tidy.clean", f"{computed} src/a/a.cc\n")
    assert project.tidy("src/a/a.cc")[0] == 0  # it is trusted ...
    code, out = project.tidy()  # ... until it is chosen
    assert code == 1 and "says that it is clean, and it is not" in out, out


@test("a finding does not get into the list, and one that is gone does")
def _(project):
    write(f"{project.root}/src/a/deep.h", DIRTY)
    assert project.tidy("--update")[0] == 1
    assert "src/a/a.cc" not in project.listed()
    write(f"{project.root}/src/a/deep.h", CLEAN + "// other\n")
    assert project.tidy("--update")[0] == 0
    assert "src/a/a.cc" in project.listed()


@test("the clone stands elsewhere")
def _(project):
    with tempfile.TemporaryDirectory() as other:
        project.root = shutil.copytree(project.root, os.path.realpath(other) + "/clone")
        project.compile("")
        looked_at(project.tidy("src/a/a.cc", "src/b/b.cc")[1], 0)


sys.exit(1 if failures else 0)
