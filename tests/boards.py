"""The boards that tests/run builds, for the tests that look at them."""

import os
import subprocess

TEST_OUT = os.environ.get("TEST_OUT", "output/test")


def output_of(board):
    """The output folder of a board."""
    out = os.path.join(TEST_OUT, board)
    assert os.path.exists(os.path.join(out, "images", "SHA256SUMS")), f"{out} is not built: run `make test`"
    return out


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
