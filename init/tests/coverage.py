#!/usr/bin/python3
"""Lines and branches of init's core that its unit tests reach.

usage: coverage.py [FOLDER]     (builds in FOLDER, default output/coverage)

Prints each file of src/core with the lines that were never run. The exit code says whether all were.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

INIT = Path(__file__).resolve().parent.parent
SETTINGS = ["-Dtests=true", "-Db_coverage=true", "-Db_ndebug=true", "-Doptimization=0", "-Dwerror=false"]


def run(*command, **options):
    subprocess.run([str(word) for word in command], check=True, **options)


def counts(folder):
    """{file: {line: times}} and {file: {(line, branch): times}}, summed over all programs that contain the file."""
    lines, branches = defaultdict(lambda: defaultdict(int)), defaultdict(lambda: defaultdict(int))
    data = [str(path) for path in folder.rglob("*.gcda")]
    done = subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--stdout", *data], cwd=folder, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for report in done.stdout.splitlines():
        for entry in json.loads(report)["files"]:
            path = Path(os.path.normpath(folder / entry["file"]))
            if path.parent != INIT / "src/core":
                continue
            for line in entry["lines"]:
                number = line["line_number"]
                lines[path.name][number] += line["count"]
                for position, branch in enumerate(line["branches"]):
                    # By function, too: a template is there several times.
                    branches[path.name][number, line.get("function_name"), position] += branch["count"]
    return lines, branches


def percent(table):
    return 100 * sum(1 for times in table.values() if times) / len(table) if table else 100


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=INIT.parent / "output/coverage")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if not (folder / "build.ninja").exists():
        run("meson", "setup", folder, INIT, *SETTINGS, stdout=subprocess.DEVNULL)
    run("ninja", "-C", folder, "--quiet", "tests/unit")
    for old in folder.rglob("*.gcda"):
        old.unlink()
    run(folder / "tests/unit", "--gtest_brief=1")
    lines, branches = counts(folder)
    missing = 0
    print(f"{'':24}{'lines':>9}{'branches':>10}")
    for name in sorted(lines):
        never = sorted(line for line, times in lines[name].items() if not times)
        missing += len(never)
        print(f"  {name:<22}{percent(lines[name]):>8.1f}%{percent(branches[name]):>9.1f}%  {'never run: ' if never else ''}"
              + ", ".join(map(str, never)))
    every_line = {(name, line): times for name in lines for line, times in lines[name].items()}
    every_branch = {(name, key): times for name in branches for key, times in branches[name].items()}
    print(f"  {'core':<22}{percent(every_line):>8.1f}%{percent(every_branch):>9.1f}%")
    return 1 if missing else 0


sys.exit(main())
