"""The boards that tests/run builds, for the tests that look at them."""

import os

TEST_OUT = os.environ.get("TEST_OUT", "output/test")


def output_of(board):
    """The output folder of a board."""
    out = os.path.join(TEST_OUT, board)
    assert os.path.exists(os.path.join(out, "images", "SHA256SUMS")), f"{out} is not built: run `make test`"
    return out
