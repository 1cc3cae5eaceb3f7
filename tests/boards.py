"""The boards that tests/run builds, for the tests that look at them."""

import json
import os
import subprocess

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEST_OUT = os.environ.get("TEST_OUT", "output/test")


def is_built(board):
    return os.path.exists(os.path.join(TEST_OUT, board, "images", "SHA256SUMS"))


def output_of(board):
    """The output folder of a board."""
    assert is_built(board), f"{TEST_OUT}/{board} is not built: run `make test`"
    return os.path.join(TEST_OUT, board)


def tree_of(out, package):
    """What a package of a configured output folder installed, in the store."""
    environment = {name: value for name, value in os.environ.items() if name not in ("O", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")}

    def make(goal):
        command = ["make", f"O={out}", goal]
        return subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True).stdout

    store = next(line for line in make("show-vars").splitlines() if line.startswith("STORE="))
    return os.path.join(store.removeprefix("STORE="), json.loads(make("show-info"))[package]["entry"], "tree")


def build(out, board, setting):
    """The board's image with one more line of configuration: only the image differs, which is quick for a small one."""
    environment = {name: value for name, value in os.environ.items() if name != "O"}
    make = ["make", f"O={out}"]
    subprocess.run([*make, f"{board}_defconfig"], env=environment, check=True, capture_output=True)
    with open(os.path.join(out, ".config"), "a", encoding="utf-8") as config:
        config.write(setting + "\n")
    done = subprocess.run([*make, "olddefconfig", "all"], env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return str(out)
