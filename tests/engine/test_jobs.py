"""Parallel makes, one budget of jobs, and builds that are interrupted."""

import os
import re
import signal
from pathlib import Path

import pytest

from .tree import GATE, eventually, read

GATED = "step_build() {\n" + GATE + "}\nstep_install() { mkdir -p /out/usr; echo good >/out/usr/good; }\n"

# Two targets of an inner make that end only if they run at the same time: each waits for the other.
MEETING = r"""
step_build() {
    mkfifo left right
    printf '%s\n' '.RECIPEPREFIX := >' 'all: a b' \
        'a: ; @read -r word <left; echo met >right' \
        'b: ; @echo met >left; read -r word <right' >Makefile
    echo "MAKEFLAGS=$MAKEFLAGS"
    timeout 60 make
}
step_install() { mkdir -p /out/usr; echo good >/out/usr/good; }
"""


def complaints_of_make(done, *logs):
    lines = (done.all + "".join(logs)).splitlines()
    return [line for line in lines if re.search("jobserver|tokens|warning", line) and "MAKEFLAGS" not in line]


def started(tree, *names):
    return {name for name in names if "waiting" in tree.log(name).splitlines()}


def test_packages_build_at_the_same_time(tree):
    names = ("a", "b", "c")
    for name in names:
        tree.package(name, GATED)
    tree.package("d", depends=" ".join(names))
    tree.configure("d")
    make = tree.start("-j4", "d")
    for name in names:
        tree.awaits(name, "waiting")
    assert tree.log("d") == "", "d was started before its dependencies were there"
    for name in names:
        tree.open_gate(name)
    done = make.wait()
    assert done.code == 0, done.err
    assert complaints_of_make(done) == []
    assert sorted(done.built()) == ["a", "b", "c", "d"] and done.built()[-1] == "d"


def test_no_more_packages_at_once_than_jobs(tree):
    names = ("a", "b", "c")
    for name in names:
        tree.package(name, GATED)
    tree.configure(*names)
    make = tree.start("-j2", *names)
    first = eventually(lambda: len(found := started(tree, *names)) >= 2 and found, "two builds wait")
    assert len(first) == 2
    (last,) = set(names) - first
    assert tree.log(last) == ""
    tree.open_gate(sorted(first)[0])
    tree.awaits(last, "waiting")
    tree.open_gate(sorted(first)[1])
    tree.open_gate(last)
    assert make.wait().code == 0


def test_one_job_unless_told_otherwise_is_one_per_processor(tree):
    tree.package("a", 'step_build() { echo "MAKEFLAGS=$MAKEFLAGS"; }\n')
    tree.configure("a")
    tree.make("a")
    processors = len(os.sched_getaffinity(0))
    assert processors == 1 or f"-j{processors} " in tree.log("a")


def test_job_server_reaches_makes_in_the_sandbox(tree):
    tree.package("a", MEETING)
    tree.configure("a")
    done = tree.make("-j2", "a")
    assert "--jobserver-auth=" in tree.log("a")
    assert complaints_of_make(done, tree.log("a")) == []


def test_inner_makes_share_one_budget(tree):
    """Two packages under -j2 take both slots, so that neither inner make gets a second one: together they run two jobs."""
    script = MEETING.replace("timeout 60 make", GATE + "timeout 3 make && echo 'one job too many' || echo 'alone'")
    for name in ("a", "b"):
        tree.package(name, script)
    tree.configure("a", "b")
    make = tree.start("-j2", "a", "b")
    for name in ("a", "b"):
        tree.awaits(name, "waiting")
    tree.open_gate("a")
    tree.awaits("a", "alone")
    tree.open_gate("b")
    assert make.wait().code == 0
    assert "one job too many" not in tree.log("a")


TAKE_JOBS = 'step_build() { take_jobs; echo "JOBS=$JOBS"; }\n'


def test_take_jobs_takes_the_free_slots_and_gives_them_back(tree):
    tree.package("a", TAKE_JOBS)
    tree.package("b", TAKE_JOBS, depends="a")
    tree.configure("b")
    done = tree.make("-j4", "b")
    assert "JOBS=4" in tree.log("a").splitlines()
    assert "JOBS=4" in tree.log("b").splitlines()
    assert complaints_of_make(done, tree.log("a"), tree.log("b")) == []


def test_take_jobs_twice_in_a_build(tree):
    """In the steps build and install, say."""
    tree.package("a", TAKE_JOBS + 'step_install() { take_jobs; echo "later JOBS=$JOBS"; mkdir /out/usr; }\n')
    tree.package("b", TAKE_JOBS, depends="a")
    tree.configure("b")
    done = tree.make("-j4", "b")
    assert "later JOBS=4" in tree.log("a").splitlines()
    assert "JOBS=4" in tree.log("b").splitlines()
    assert complaints_of_make(done, tree.log("a"), tree.log("b")) == []


def test_take_jobs_gives_back_after_a_failure(tree):
    tree.package("a", TAKE_JOBS + "step_install() { false; }\n")
    tree.package("b", GATED)
    tree.package("c", TAKE_JOBS)
    tree.configure("a", "b", "c")
    done = tree.fails("-j4", "a")
    assert complaints_of_make(done, tree.log("a")) == []


def test_take_jobs_without_a_job_server(tree):
    tree.package("a", TAKE_JOBS)
    tree.configure("a")
    tree.make("-j1", "a")
    assert "JOBS=1" in tree.log("a").splitlines()


def test_two_makes_share_a_store(tree, new_tree):
    """The second one waits for the first one's build, then finds the entry."""
    other = new_tree("other", checkout="elsewhere")
    other.store = tree.store
    for each in (tree, other):
        each.package("a", GATED)
        each.package("b", depends="a")
        each.configure("b")
    first = tree.start("b")
    tree.awaits("a", "waiting")
    second = other.start("b")
    eventually((other.o / "built").exists, "the second make has come to building")
    tree.open_gate("a")
    done = [first.wait(), second.wait()]
    assert [each.code for each in done] == [0, 0], [each.err for each in done]
    assert sorted(done[0].built() + done[1].built()) == ["a", "b"]
    assert len(tree.entries("a")) == len(tree.entries("b")) == 1


def test_a_second_make_takes_over_when_the_first_is_killed(tree, new_tree):
    other = new_tree("other", checkout="elsewhere")
    other.store = tree.store
    for each in (tree, other):
        each.package("a", GATED)
        each.configure("a")
    first = tree.start("a")
    tree.awaits("a", "waiting")
    second = other.start("a")
    eventually((other.o / "built").exists, "the second make has come to building")
    first.signal(signal.SIGKILL)
    other.awaits("a", "waiting")
    other.open_gate("a")
    assert second.wait().code == 0
    assert other.out("a", "/usr/good") == "good\n"


def processes_with(word):
    """Processes that have a word on their command line."""
    def command(folder):
        try:
            return (folder / "cmdline").read_bytes()
        except OSError:
            return b""
    return [folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit() and word.encode() in command(folder)]


@pytest.mark.parametrize("output", ["V=0", "V=1"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_an_interrupted_build_leaves_nothing_that_needs_cleaning(tree, number, output):
    marker = f"copal-test-{os.getpid()}-{number}-{output}"
    tree.package("a", f"step_build() {{ touch half; echo waiting; bash -c 'read -r word; exit 1' {marker} < <(sleep 3600); }}\n")
    tree.configure("a")
    make = tree.start("a", output)
    tree.awaits("a", "waiting")
    make.signal(number)
    assert make.wait().code != 0
    eventually(lambda: not processes_with(marker), "nothing of the build runs any more")
    assert tree.entries("a") == []

    again = tree.start("a", output)
    eventually(lambda: processes_with(marker), "the build was started again")
    again.signal(signal.SIGINT)
    again.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_after_an_interruption_make_goes_on(tree, number):
    """Nothing is cleaned by hand; the build starts from its sources, not from what was left."""
    tree.package("before")
    tree.package("a", GATED.replace(GATE, "[ ! -e half ]; touch half\n" + GATE), depends="before")
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("a", "waiting")
    work = list((tree.store / ".work").iterdir())
    assert len(work) == 1
    make.signal(number)
    assert make.wait().code != 0
    assert tree.entries("a") == []

    (tree.o / "logs/a.log").unlink()
    again = tree.start("a")
    tree.awaits("a", "waiting")
    tree.open_gate("a")
    done = again.wait()
    assert (done.code, done.built()) == (0, ["a"]), done.err
    assert tree.out("a", "/usr/good") == "good\n"
    eventually(lambda: not list((tree.store / ".work").iterdir()), "nothing is left")


def test_kill_while_the_result_is_moved_in_leaves_no_half_entry(tree):
    """The rename is the last thing: until then there is no path with the entry's name."""
    tree.package("a", GATED)
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("a", "waiting")
    entry = tree.keys()["a"]
    seen = set()
    tree.open_gate("a")
    # As often as this can look: whenever the entry is there, it is whole.
    while make.process.poll() is None:
        if (tree.store / entry).exists():
            seen.add(tuple(sorted(path.name for path in (tree.store / entry).iterdir())))
    assert make.wait().code == 0
    assert seen <= {("inputs", "manifest", "tree")}
    assert sorted(path.name for path in (tree.store / entry).iterdir()) == ["inputs", "manifest", "tree"]


def test_other_packages_are_kept_when_one_fails(tree):
    tree.package("a", "step_build() {\n" + GATE + "false\n}\n")
    tree.package("b", GATED)
    tree.configure("a", "b")
    make = tree.start("-j2", "a", "b")
    for name in ("a", "b"):
        tree.awaits(name, "waiting")
    tree.open_gate("a")
    eventually(lambda: "FAILED" in read(make.folder / "err"), "a failed")
    tree.open_gate("b")
    done = make.wait()
    assert done.code == 2
    assert tree.out("b", "/usr/good") == "good\n"
    assert tree.entries("a") == []
    assert tree.make("b").built() == []


def test_keep_going(tree):
    tree.package("a", "step_build() { false; }\n")
    tree.package("b")
    tree.package("c", depends="a")
    tree.configure("a", "b", "c")
    done = tree.fails("-k", "-j1", "a", "b", "c")
    assert done.built() == ["a", "b"]
    assert tree.entries("b") and not tree.entries("c")
