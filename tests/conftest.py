"""What all tests share: a clean environment. The makes that tests run have their own job server, output and language."""

import os

for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "V"):
    os.environ.pop(name, None)
