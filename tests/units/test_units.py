"""Runs the C++ unit tests: of the engine's tools, and of init, natively with the sanitizers on."""

import glob
import os
import subprocess
import sys

import pytest

TOOL_MAINS = {"keys.cc", "store.cc", "mkimage.cc"}


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}"
    return done.stdout


def test_tools(tmp_path):
    """tests/tools/*.cc with the sources that the tools share, and the programs that some of them run."""
    folders = ("scripts/tools", "scripts/mkimage", "tests/tools")
    sources = [path for folder in folders for path in sorted(glob.glob(f"{folder}/*.cc")) if os.path.basename(path) not in TOOL_MAINS]
    objects = [str(tmp_path / (path.replace("/", "-") + ".o")) for path in sources]
    compilers = str(os.cpu_count())
    run(["xargs", "-P", compilers, "-n", "2", "sh", "-c", 'exec g++ -std=c++20 -O1 -Iscripts/tools -Iscripts/mkimage -c -o "$1" "$0"'],
        input="\n".join(f"{source}\n{target}" for source, target in zip(sources, objects)))
    run(["g++", "-o", str(tmp_path / "tests"), *objects, "-lgtest", "-lgtest_main", "-lcrypto"])
    assert "[  PASSED  ]" in run([str(tmp_path / "tests")])


@pytest.fixture(name="init", scope="module")
def native_init(tmp_path_factory):
    folder = tmp_path_factory.mktemp("init")
    run(["meson", "setup", str(folder), "init", "-Dtests=true", "-Dmetadata=true", "-Db_sanitize=address,undefined",
         "-Db_lundef=false", "-Db_ndebug=false"])
    run(["ninja", "-C", str(folder)])
    return folder


def test_init(init):
    """Unit tests, the simulator, and init as PID 1 of a namespace of its own (init/tests)."""
    run(["meson", "test", "-C", str(init), "--print-errorlogs"])


def test_coverage(tmp_path):
    """The unit tests reach every line of init's core."""
    run([sys.executable, "-B", "init/tests/coverage.py", str(tmp_path)])


def test_fuzz(tmp_path):
    """Every parser of init with its committed seeds, and some seconds more; `make fuzz` takes its time."""
    run(["tests/fuzz"], env=os.environ | {"O": str(tmp_path), "FUZZ_SECONDS": "5", "SIMULATE_EVENTS": "0"})
