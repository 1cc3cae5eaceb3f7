"""What all tests share: a clean environment. The makes that tests run have their own job server, output and language."""

import os
import signal

# Whoever started this may ignore them (a shell's background job does), and what is ignored is inherited by what is tested.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "V"):
    os.environ.pop(name, None)
