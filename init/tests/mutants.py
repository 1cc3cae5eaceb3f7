#!/usr/bin/python3
"""Proof that the tests of the core can fail: each mutant is one small mistake, and something has to notice.

usage: mutants.py [NAME]...     (works in a temporary copy; some minutes for all)

Prints who noticed what: the compiler (the table's static_asserts), the simulator, or the unit tests. Exits with 1 if a mutant lives.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

INIT = Path(__file__).resolve().parent.parent
SIMULATED = ("1", "100000")

# Mistakes that make no difference are not here: the core is careful twice in some places.
# name: (file of src/core, what stands there, what to write instead)
MUTANTS = {
    "only failures are lost": (
        "supervisor.cc", "(state == State::done && specs_[need].kind == Kind::service)", "false"),
    "what is needed is stopped first": (
        "supervisor.cc", "return !services_[other].wanted && !at_rest(services_[other].state);",
        "return services_[other].wanted && false;"),
    "who is not stopped is waited for in a stop": (
        "supervisor.cc",
        "return !services_[other].wanted && !at_rest(services_[other].state);", "return !at_rest(services_[other].state);"),
    "`after` is not waited for": (
        "supervisor.cc", "if (!std::all_of(edges.after.begin(), edges.after.end(), had_turn)) return;", ""),
    "one need is enough": (
        "supervisor.cc", "if (!std::all_of(edges.needs.begin(), edges.needs.end(), is_satisfied)) return;",
        "if (!edges.needs.empty() && !std::any_of(edges.needs.begin(), edges.needs.end(), is_satisfied)) return;"),
    "neighbours are not looked at": (
        "supervisor.cc", "for (const Index other : graph_[i].waiters) enqueue(other);", ""),
    "those it needs are not looked at": (
        "supervisor.cc", "for (const Index other : graph_[i].needs) enqueue(other);", ""),
    "no limit for stopping": (
        "supervisor.cc", "service.deadline = now + spec.stop_limit;", ""),
    "no limit for getting ready": (
        "supervisor.cc", "if (spec.kind == Kind::service) service.deadline = now + spec.ready_limit;", ""),
    "tasks have a limit": (
        "supervisor.cc", "if (spec.kind == Kind::service) service.deadline", "service.deadline"),
    "no limit for sweeping": (
        "supervisor.cc", "service.deadline = now + kSweepLimit;", ""),
    "SIGKILL is not repeated": (
        "supervisor.cc", "service.deadline = now + kKillLimit;", ""),
    "the tree is swept though only main should be": (
        "supervisor.cc", "if (spec.kill == Kill::main) return Event::emptied;", ""),
    "the tree is not swept": (
        "supervisor.cc", "if (spec.kill == Kill::main) return Event::emptied;", "return Event::emptied;"),
    "death by a signal is success": (
        "supervisor.cc", "!service.exit.by_signal && ", ""),
    "ending before being ready is success": (
        "supervisor.cc", "(service.was_up || spec.kind == Kind::task)", "true"),
    "the last run's readiness counts": (
        "supervisor.cc", "      service.was_up = false;\n", ""),
    "what has lost its needs is tried again": (
        "supervisor.cc", "if (service.deps_failed) return Event::give_up;", ""),
    "a stop looks like a crash": (
        "supervisor.cc", "if (!service.wanted) return Event::stopped;", ""),
    "`restart = never` is not heard": (
        "supervisor.cc", "if (spec.restart == Restart::never) return Event::give_up;", ""),
    "`restart = always` ends when all is well": (
        "supervisor.cc", "if (success && spec.restart != Restart::always)", "if (success)"),
    "no process, and nobody is told": (
        "supervisor.cc", "return Event::spawn_failed;", "return {};"),
    "more spawns than allowed": (
        "supervisor.cc", "--spawns_left_;", ""),
    "who may not start yet is forgotten": (
        "supervisor.cc", "if (spawns_left_ == 0) return enqueue(i);", "if (spawns_left_ == 0) return;"),
    "in the queue twice": (
        "supervisor.cc", "if (services_[i].queued) return;", ""),
    "a deadline comes one too late": (
        "supervisor.cc", "services_[i].deadline <= now", "services_[i].deadline < now"),
    "bad files are started": (
        "supervisor.cc", "if (specs[i].bad) services_[i].state = State::failed;", ""),
    "only being up is a turn": (
        "supervisor.cc", " || service.state == State::cleaning ||\n        service.state == State::failed", ""),
    "who has no turn to come is waited for": (
        "supervisor.cc", "services_[other].had_turn || !services_[other].wanted", "services_[other].had_turn"),
    "a start while it ends is forgotten": (
        "supervisor.cc", "service.again = ends(service.state);", ""),
    "an operator waits for the back-off": (
        "supervisor.cc", "if (service.state == State::backoff) service.deadline = now;", ""),
    "what is needed is not started with it": (
        "supervisor.cc", "if (!comes(need, now)) start(need, now);", ""),
    "all ways to what is needed are walked": (
        "supervisor.cc", "if (!comes(need, now)) start", "start"),
    "a stop spares who needs it": (
        "supervisor.cc", "if (needed && services_[waiter].wanted) stop(waiter, now);", ""),
    "a restart waits for the back-off": (
        "supervisor.cc", "if (service.again) service.deadline = now;", ""),
    "an extension takes time away": (
        "supervisor.cc", "std::max(service.deadline, now + std::min(more, kMostTime))", "now + std::min(more, kMostTime)"),
    "an extension has no end": (
        "supervisor.cc", "now + std::min(more, kMostTime)", "now + more"),
    "a watchdog bites once fed": (
        "supervisor.cc", "services_[i].deadline = now + specs_[i].watchdog;", "services_[i].deadline = now;"),
    "stopping does not end in killing": ("machine.h", "/* stop */ {{stay_,stay_,stay_,stay_,stay_,never,sweep,slay_",
                                         "/* stop */ {{stay_,stay_,stay_,stay_,stay_,never,sweep,stay_"),
    "waiting is not stopped": ("machine.h", "/* wait */ {{stay_,down_", "/* wait */ {{stay_,stay_"),
    "back-off is not stopped": ("machine.h", "/* back */ {{stay_,down_", "/* back */ {{stay_,stay_"),
    "back-off does not end": ("machine.h", "/* back */ {{stay_,down_,stay_,fail_,stay_,never,never,wait_",
                              "/* back */ {{stay_,down_,stay_,fail_,stay_,never,never,stay_"),
    "ready too late is ready": ("machine.h", "/* stop */ {{stay_,stay_,stay_,stay_,stay_", "/* stop */ {{stay_,stay_,stay_,stay_,is_up"),
    "up, and lost needs do not matter": ("machine.h", "/* up   */ {{stay_,term_,stay_,term_", "/* up   */ {{stay_,term_,stay_,stay_"),
    "back-off triples": ("policy.h", "delay *= 2;", "delay *= 3;"),
    "back-off has no end": ("policy.h", "delay = std::min(delay, longest);", ""),
    "back-off never forgives": ("policy.h", "if (uptime >= kForgive) failures_ = 0;", "(void)uptime;"),
    "jitter of a fifth": ("policy.h", "const auto tenth = delay.count() / 10;", "const auto tenth = delay.count() / 5;"),
    "gives up one too early": ("policy.h", "return ends_[oldest_] != kNone && now", "return now"),
    "an end is noted in one place": ("policy.h", "oldest_ = (oldest_ + 1) % ends_.size();", ""),
    "the window does not slide": ("policy.h", " && now - ends_[oldest_] <= window", " && window > Duration{}"),
    "`after` is not known to those waited for": (
        "graph.cc", "  for (const Index i : edges.after) visit(i);\n", ""),
    "a cycle is not broken": ("graph.cc", "      specs[member].bad = true;\n", ""),
    "an unknown need is no mistake": ("graph.cc", "      spec.bad = true;\n      if (!found)", "      if (!found)"),
}


def sh(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def noticed_by(folder, build):
    """Who finds the mistake that is now in the copy; None if nobody does."""
    compiled = sh("ninja", "-C", build, "--quiet", "tests/simulate")
    if compiled.returncode:
        assert "error: static assertion failed" in compiled.stdout, compiled.stdout[-2000:]
        return "the compiler"
    try:
        if subprocess.run([build / "tests/simulate", *SIMULATED], stdout=subprocess.DEVNULL, timeout=120, check=False).returncode:
            return "the simulator"
    except subprocess.TimeoutExpired:
        return "the simulator, which never ended"
    assert sh("ninja", "-C", build, "--quiet", "tests/unit").returncode == 0, "a mutant that does not compile"
    try:
        done = subprocess.run([build / "tests/unit", "--gtest_brief=1"], stdout=subprocess.DEVNULL, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return "the unit tests, which never ended"
    return "the unit tests" if done.returncode else None


def main():
    chosen = sys.argv[1:] or list(MUTANTS)
    alive = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        folder, build = Path(temporary) / "init", Path(temporary) / "build"
        shutil.copytree(INIT, folder)
        for command in (("meson", "setup", build, folder, "-Dtests=true", "-Db_ndebug=false", "-Doptimization=1", "-Dwerror=false",
                         "-Dcpp_args=-Wno-unused"),
                        ("ninja", "-C", build, "--quiet", "tests/simulate", "tests/unit")):
            done = sh(*command)
            assert done.returncode == 0, done.stdout
        assert noticed_by(folder, build) is None, "the tests fail as it is"
        for name in chosen:
            file, old, new = MUTANTS[name]
            path = folder / "src/core" / file
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{file}: {old!r} is there {text.count(old)} times: the mutant '{name}' has to be written again"
            path.write_text(text.replace(old, new), encoding="utf-8")
            found = noticed_by(folder, build)
            path.write_text(text, encoding="utf-8")
            print(f"  {name:<52} {found or 'NOBODY NOTICED'}", flush=True)
            if not found:
                alive.append(name)
    print(f"{len(chosen) - len(alive)} of {len(chosen)} mutants were noticed")
    return 1 if alive else 0


sys.exit(main())
