"""The boot tests run once for each architecture whose boards tests/run has built."""

import pytest
from boards import is_built, output_of

ROLES = ("nomad", "test", "minimal")
# Without the first there is nothing to test, and each test says so.
ARCHITECTURES = ["x86_64", *(arch for arch in ("arm64",) if all(is_built(f"{role}_{arch}") for role in ROLES))]


@pytest.fixture(name="arch", scope="session", params=ARCHITECTURES)
def architecture(request):
    return request.param


@pytest.fixture(name="board", scope="session")
def board_of_role(arch):
    """The output folder of nomad, test or minimal."""
    return lambda role: output_of(f"{role}_{arch}")
