"""What goes wrong around PID 1, as far as a namespace shows it. The letters are those of docs/init-faults.md.

Under Meson, or: INIT=build/init ACTOR=build/tests/actor pytest init/tests/test_faults.py
"""

import errno
import os
import signal
import sys
from pathlib import Path

from pid1 import Pid1 as Confining
from pid1 import main

PYTHON = "/usr/bin/python3"
SLEEP = "run = /actor sleep\nuser = root\n"
QUICK = "restart = always 1ms..20ms\n"


class Pid1(Confining):
    """These tests are about what processes do, not about what they may do and see."""

    def __init__(self, files, *more, **options):
        bare = "mounts = machine\nlandlock = no\n"
        every = "caps = all\n"
        super().__init__({name: text if isinstance(text, bytes) else text + bare + (every if "user = root" in text else "")
                          for name, text in files.items()}, *more, **options)


def actor(what, *more):
    """A service that does what actor.cc knows."""
    return "\n".join([f"run = /actor {what}", "user = root", *more]) + "\n"


def python(text, *more):
    return "\n".join([f'run = {PYTHON} -c "{text}"', "user = root", *more]) + "\n"


def script(text, *more):
    return "\n".join([f'run = /bin/sh -c "{text}"', "user = root", *more]) + "\n"


def pid_of(init, name):
    """Of a service's main process, inside: the only child of PID 1 with this command line."""
    return init.shell(f"pgrep -P 1 -f '{name}'").stdout.split()[0]


def test_f4_exec_errors():
    """Every reason why a program cannot be executed is told, and fails that service alone."""
    with Pid1({"absent": "run = /log/absent\nuser = root\nrestart = never\n",
               "folder": "run = /log\nuser = root\nrestart = never\n",
               "good": SLEEP}) as init:
        init.wait_for("init: good: ready")
        for name, text in (("absent", "No such file or directory"), ("folder", "Permission denied")):
            init.wait_for(f"init: {name}: exec \\S+: {text}")
            init.wait_for(f"init: {name}: failed")
        assert init.stop() == "poweroff"


def exec_error(prepare, message):
    """A service whose program is prepared before it is started: it comes after one that we hold up."""
    files = {"gate": "task = /bin/sh -c \"until [ -e /log/open ]; do sleep 0.01; done\"\nuser = root\n",
             "victim": "run = /log/program\nuser = root\nneeds = gate\nrestart = always 5ms..20ms\n"}
    with Pid1(files) as init:
        held = prepare(init.work / "program")
        (init.work / "open").touch()
        init.wait_for(f"init: victim: exec \\S+: {message}", 3)
        assert not init.find("init: victim: ready")
        if held:
            held.close()
        os.unlink(init.work / "program")
        (init.work / "program").symlink_to("/actor")
        init.wait_for("init: victim: ready")
        assert init.stop() == "poweroff"


def test_f4_etxtbsy():
    def prepare(path):
        path.write_bytes(Path("/bin/true").read_bytes())
        path.chmod(0o755)
        return path.open("ab")
    exec_error(prepare, os.strerror(errno.ETXTBSY))


def test_f4_eloop():
    exec_error(lambda path: path.symlink_to("program"), os.strerror(errno.ELOOP))


def test_f4_enoexec():
    def prepare(path):
        path.write_text("this is no program\n")
        path.chmod(0o755)
    exec_error(prepare, os.strerror(errno.ENOEXEC))


def test_f4_eacces():
    def prepare(path):
        path.write_text("#!/bin/sh\n")
    exec_error(prepare, os.strerror(errno.EACCES))


def test_f6_dies_after_ready():
    """Who needs it goes on, and it comes back."""
    with Pid1({"a": actor("notify", "ready = notify 5s", QUICK), "b": actor("sleep", "needs = a")}) as init:
        for n in range(1, 6):
            init.wait_for("init: a: ready", n)
            init.wait_for("init: b: ready")
            init.shell("pkill -KILL -P 1 -f 'actor notify'")
        init.wait_for("init: a: ready", 6)
        assert len(init.find("init: b: exec")) == 1
        assert init.stop() == "poweroff"


def test_f7_dies_during_stop():
    """The time limit is not waited for when the process is gone."""
    with Pid1({"a": actor("deaf", "stop = TERM 1h")}) as init:
        init.wait_for("^a: acting")
        pid = pid_of(init, "actor deaf")
        init.signal(signal.SIGTERM)
        init.wait_for("init: a: stopping")
        init.shell(f"kill -KILL {pid}")
        assert init.wait() == "poweroff"
        assert init.find("init: a: stopped") and not init.find("init: a: killing")


def test_f8_ends_before_it_is_ready():
    """Code 0 or not: who ends without having been ready has failed."""
    with Pid1({"a": actor("exit 0", "ready = notify 5s", "restart = on-failure 1ms..10ms", "give-up = 5 in 1m"),
               "b": actor("sleep", "needs = a")}) as init:
        init.wait_for("init: a: failed")
        init.wait_for("init: b: failed")
        assert len(init.find("init: a: exited")) == 5
        assert not init.find("init: a: (ready|done)|init: b: exec")
        assert init.stop() == "poweroff"


def test_f12_forks_twice_and_leaves():
    with Pid1({"a": actor("leave", QUICK + "stop = TERM 50ms")}) as init:
        if not init.has_cgroups:
            return
        for n in range(1, 4):
            init.wait_for("^a: acting", n)
            main_process = init.shell("pgrep -o -x actor").stdout.strip()
            init.shell(f"kill -KILL {main_process}")
            init.wait_for("init: a: restart", n)
        init.wait_for("^a: acting", 4)
        # The main process and the one that left; what left before is gone.
        init.until("[ $(pgrep -c -r S -x actor) = 2 ]")
        assert init.stop() == "poweroff"
        assert not init.find("killing what is left")


def test_f13_many_orphans():
    """They are reaped as fast as they come, and others are served meanwhile."""
    with Pid1({"bearer": actor("orphans 20000"), "a": actor("sleep", QUICK)}) as init:
        for n in range(1, 4):
            init.wait_for("init: a: ready", n)
            init.shell("pkill -KILL -P 1 -f 'actor sleep'")
        init.wait_for("^bearer: acting", seconds=60)
        init.until("! ps -eo stat= | grep -q Z")
        assert init.stop() == "poweroff"


def test_f15_traced():
    """Somebody traces a service, and never lets it go on: until that one is stopped, too."""
    trace = ("import ctypes,time; c=ctypes.CDLL(None); pid=int(open('/run/pid').read()); "
             "assert c.ptrace(0x4206,pid,None,None)==0; print('attached',flush=True); time.sleep(1000)")
    with Pid1({"a": script("echo $$ > /run/pid; exec /actor sleep", "stop = TERM 200ms"),
               "tracer": python(trace, "after = a", QUICK)}) as init:
        init.wait_for("^tracer: attached")
        assert init.stop() == "poweroff"


def test_f16_notify_abuse():
    """None of it makes the service ready, or disturbs another; what comes after it is heard."""
    abuse = ("import socket,os,array,time\n"
             "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
             "s.connect(os.environ['NOTIFY_SOCKET'])\n"
             "def send(*a):\n"
             "  try: s.sendmsg(*a)\n"
             "  except OSError as e: print(e,flush=True)\n"
             "for d in (b'',b'\\0'*65536,bytes(range(256)),b'READY=0',b'READY=1x',b'XREADY=1',b'\\nREADY',b'STATUS=READY=1'): send([d])\n"
             "f=[os.open('/dev/null',0) for _ in range(253)]\n"
             "send([b'FDSTORE=1'],[(socket.SOL_SOCKET,socket.SCM_RIGHTS,array.array('i',f))])\n"
             "for i in range(20000): send([b'WATCHDOG=1\\nSTATUS=flood'])\n"
             "open('/log/over','w')\n"
             "while not os.path.exists('/log/go'): time.sleep(.01)\n"
             "send([b'READY=1']); send([b'READY=1']); time.sleep(1000)\n")
    with Pid1({"a": f"run = {PYTHON} /etc/abuse\nuser = root\nready = notify 60s\n",
               "b": actor("sleep", QUICK)}, {"abuse": abuse}) as init:
        init.wait_for("init: b: ready")
        init.until("[ -e /log/over ]", seconds=30)
        assert not init.find("init: a: ready")
        init.shell("pkill -KILL -P 1 -f 'actor sleep'")
        init.wait_for("init: b: ready", 2)
        # None of the 253 descriptors is PID 1's now.
        assert int(init.shell("ls /proc/1/fd | wc -l").stdout) < 40
        (init.work / "go").touch()
        init.wait_for("init: a: ready")
        assert init.stop() == "poweroff"
        assert len(init.find("init: a: ready")) == 1 and not init.find("bug")


def test_f16_ready_by_somebody_else():
    """The socket is the service's own: nobody else can speak for it, whoever he is, and ready after the stop is nothing."""
    twin = ("import socket,time; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
            "while True:\n"
            "  try: s.sendto(b'READY=1','/run/init/a.notify'); time.sleep(1000)\n"
            "  except OSError: time.sleep(.01)\n")
    other = ("import socket; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
             "try: s.sendto(b'READY=1','/run/init/a.notify'); print('sent',flush=True)\n"
             "except OSError as e: print('refused',flush=True)\n"
             "import time; time.sleep(1000)\n")
    late = ("import socket,os,signal,time\n"
            "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); a=os.environ['NOTIFY_SOCKET']\n"
            "signal.signal(signal.SIGTERM,lambda *_: (s.sendto(b'READY=1',a),os._exit(0)))\n"
            "print('here',flush=True)\n"
            "while True: time.sleep(1000)\n")
    with Pid1({"a": f"run = {PYTHON} /etc/late\nuser = 201\nready = notify 1h\n",
               "thief": f"run = {PYTHON} /etc/other\nuser = 202\n",
               "twin": f"run = {PYTHON} /etc/twin\nuser = 201\n"},
              {"other": other, "late": late, "twin": twin}) as init:
        init.wait_for("^thief: ")
        assert init.find("^thief: refused")
        init.wait_for("^a: READY=1 and the like count only from the service itself, not from process")
        init.wait_for("^a: here")
        assert init.stop() == "poweroff"
        assert not init.find("init: a: ready|bug")


def test_f16_ready_by_an_earlier_run():
    """With `kill = main` what that started lives on in the same cgroup."""
    early = ("import os,socket,time\n"
             "def say(): socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM).sendto(b'READY=1',os.environ['NOTIFY_SOCKET'])\n"
             "if os.path.exists('/log/second'): time.sleep(1000)\n"
             "if os.fork(): time.sleep(0.1); os._exit(1)\n"
             "open('/log/second','w'); time.sleep(0.5); say(); time.sleep(1000)\n")
    with Pid1({"a": f"run = {PYTHON} /etc/early\nuser = root\nready = notify 1h\nkill = main 100ms\n{QUICK}"},
              {"early": early}) as init:
        init.wait_for("^a: READY=1 and the like count only from the service itself")
        assert init.stop() == "poweroff"
        assert not init.find("init: a: ready|bug")


def test_f23_no_cgroups():
    with Pid1({"a": SLEEP + QUICK}, cgroups=False) as init:
        init.wait_for("init: a: ready")
        assert init.find("there are no cgroups")
        init.shell("pkill -KILL -P 1 -f 'actor sleep'")
        init.wait_for("init: a: ready", 2)
        assert init.stop() == "poweroff"


def test_f25_run_is_full():
    """A service whose socket has no place waits its turn, and the rest goes on."""
    gate = "task = /bin/sh -c \"until [ -e /log/open ]; do sleep 0.01; done\"\nuser = root\n"
    with Pid1({"gate": gate, "a": actor("notify", "ready = notify 5s", "needs = gate", QUICK), "b": actor("sleep", QUICK)}) as init:
        init.wait_for("init: b: ready")
        init.shell("mount -o remount,size=64k,nr_inodes=50 /run && for n in $(seq 99); do : > /run/$n; done")
        assert "100%" in init.shell("df -i /run").stdout
        (init.work / "open").touch()
        init.wait_for("init: a: .*: No space left on device", 3)
        init.shell("pkill -KILL -P 1 -f 'actor sleep'")
        init.wait_for("init: b: ready", 2)
        init.shell("rm /run/[0-9]*")
        init.wait_for("init: a: ready")
        assert init.stop() == "poweroff"


def test_f26_files_that_are_none():
    """Each is reported and has failed, and the good ones run."""
    with Pid1({"line": b"run = /actor " + b"x" * 1_000_000 + b"\nuser = root\n", "long": b"# x\n" * 60_000,
               "nul": b"run = /actor\0sleep\nuser = root\n", "bom": b"\xef\xbb\xbfrun = /actor sleep\nuser = root\n",
               "crlf": b"run = /actor sleep\r\nuser = root\r\n", "empty": b"", "binary": bytes(range(256)) * 64,
               "self": SLEEP + "needs = self\n", "missing": SLEEP + "needs = nothing\n",
               "one": SLEEP + "needs = two\n", "two": SLEEP + "needs = one\n", "Capital": SLEEP, "good": SLEEP}) as init:
        init.wait_for("init: good: ready")
        for name in ("line", "long", "nul", "bom", "crlf", "empty", "binary", "self", "missing", "Capital"):
            assert init.find(f"/etc/init/{name}:"), name
        assert init.find("a cycle: ")
        assert {line.split()[1] for line in init.find("init: .*: exec")} == {"log:", "good:"}
        assert init.stop() == "poweroff"


def test_f26_ten_thousand_files():
    """More than there may be: it says so, runs those for which there is room, and can be told to stop."""
    with Pid1({f"s{n}": "task = /bin/true\nuser = root\n" for n in range(10_000)}) as init:
        init.wait_for("init: /etc/init: at most 1023 service files: 8977 too many")
        init.wait_for("init: s[0-9]*: done")
        init.wait_for("init: log: ready")
        assert init.stop() == "poweroff"


def test_f29_signals_at_any_moment():
    """A storm of signals is one shutdown, whenever it begins; what came first decides."""
    for moment in ("init: boot", "init: services", "init: a: exec", "init: b: restart"):
        with Pid1({"a": SLEEP, "b": actor("exit 1", "restart = always 1h..1h"), "c": actor("notify", "ready = notify 1h")}) as init:
            init.wait_for(moment)
            for _ in range(7):
                init.signal(signal.SIGINT)
            init.wait_for("init: shutdown")
            for _ in range(500):
                try:
                    init.signal(signal.SIGTERM)
                except (ProcessLookupError, IndexError, FileNotFoundError):
                    break
            assert init.wait() == "reboot", moment
            assert len(init.find("init: shutdown")) == 1


def test_f31_pids_wrap_and_run_out():
    """With few numbers they come around often, and are used up by a service that forks: which others survive (F3, F11)."""
    bomb = ("import os,time\nwhile True:\n  try:\n    if os.fork() == 0: time.sleep(1000)\n"
            "  except OSError: time.sleep(.001)\n")
    with Pid1({"crash": actor("exit 1", "restart = always 1ms..1ms"),
               "gate": "task = /bin/sh -c \"until [ -e /log/open ]; do sleep 0.01; done\"\nuser = root\n",
               "bomb": f"run = {PYTHON} /etc/bomb\nuser = root\nneeds = gate\nrestart = never\n", "a": SLEEP}, {"bomb": bomb}) as init:
        init.wait_for("init: a: ready")
        outside = Path("/proc/sys/kernel/pid_max").read_text()
        init.shell("echo 400 > /proc/sys/kernel/pid_max")
        assert Path("/proc/sys/kernel/pid_max").read_text() == outside
        if init.shell("cat /proc/sys/kernel/pid_max").stdout != "400\n":
            assert init.stop() == "poweroff"  # a kernel in which the limit is the whole machine's
            return
        init.wait_for("init: crash: exited", 450, seconds=60)
        assert not init.find("bug")
        (init.work / "open").touch()
        init.wait_for("init: crash: clone3: Resource temporarily unavailable", 3, seconds=60)
        begin = len(init.find("init: crash: exited"))
        if init.has_cgroups:
            # Its main process ends, and all that it has forked is swept up.
            os.kill(int(bomb_pid(init)), signal.SIGKILL)
            init.wait_for("init: bomb: failed", seconds=60)
            init.wait_for("init: crash: exited", begin + 10, seconds=60)
        assert init.stop(60) == "poweroff"
        assert not init.find("bug")


def bomb_pid(init):
    """Of the first of them, seen from outside: inside there is no room for another process."""
    cgroup = next(path for path in Path("/sys/fs/cgroup").glob("**/services/bomb/cgroup.procs"))
    return min(int(pid) for pid in cgroup.read_text().split())


if __name__ == "__main__":
    sys.exit(main(globals()))
