"""Runs the real init as PID 1, without root: in its own user, PID, mount, network... namespaces.

The machine's /usr is what services are made of (they are shell scripts), and /dev/kmsg is a plain
file, so that what init says can be read while it runs.
"""

import os
import pwd
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

# The outer shell waits for its user namespace to be mapped, then makes the others.
OUTER = r"""
set -eu
echo
read -r _
exec unshare --pid --fork --mount --uts --net --ipc $CGROUP_NS sh -c "$SET_UP"
"""

SET_UP = r"""
set -eu
mount -t tmpfs root "$ROOT"
cd "$ROOT"
mkdir dev etc proc run sys tmp usr var log
for dir in bin lib lib64 sbin; do
    if [ -L /$dir ]; then cp -P /$dir $dir
    elif [ -d /$dir ]; then mkdir $dir; mount --rbind /$dir $dir; fi
done
mount --rbind /usr usr
mount --bind "$WORK" log
for node in null zero; do touch dev/$node; mount --bind /dev/$node dev/$node; done
ln -s /log/kmsg dev/kmsg
cp -r "$WORK/etc/." etc
cp "$INIT" pid1
cp "$COPALCTL" copalctl
mount -t proc proc proc
mount --bind "$WORK/cmdline" proc/cmdline
[ -z "${ACTOR-}" ] || cp "$ACTOR" actor
# As the kernel has it for its first process.
ulimit -S -n 1024
exec chroot . /pid1
"""


# A filter of system calls (BPF) that allows all. The image's come from packages/seccomp.
ALLOW_ALL = struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000)


class Pid1:
    """A booted init. `files` are service files by name; `etc` other files below /etc; `cmdline` is the kernel's command line."""

    def __init__(self, files, etc=(), cgroups=True, cmdline="copal.console=info"):
        self._dir = tempfile.TemporaryDirectory(prefix="pid1-")
        self.work = Path(self._dir.name) / "work"
        root = Path(self._dir.name) / "root"
        root.mkdir()
        (self.work / "etc/init").mkdir(parents=True)
        for name, text in files.items():
            (self.work / "etc/init" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        (self.work / "etc/seccomp").mkdir()
        (self.work / "etc/seccomp/service").write_bytes(ALLOW_ALL)
        for name, text in dict(etc).items():
            data = text if isinstance(text, bytes) else text.encode()
            (self.work / "etc" / name).write_bytes(data)
        (self.work / "kmsg").touch()
        (self.work / "cmdline").write_text(cmdline + "\n")
        self._cgroup = self._make_cgroup() if cgroups else None
        copalctl = str(Path(os.environ["INIT"]).with_name("copalctl"))
        environment = dict(os.environ, COPALCTL=copalctl, ROOT=str(root), WORK=str(self.work), SET_UP=SET_UP,
                           CGROUP_NS="--cgroup" if self._cgroup else "")
        self._parent = subprocess.Popen(
            ["unshare", "--user", "sh", "-c", OUTER], env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=(self.work / "stderr").open("w"))
        self._parent.stdout.readline()
        self._map_users()
        if self._cgroup:
            (self._cgroup / "cgroup.procs").write_text(str(self._parent.pid))
        self._parent.stdin.write(b"\n")
        self._parent.stdin.close()

    @staticmethod
    def _make_cgroup():
        """A cgroup of its own for the test; without one it would use the machine's root."""
        for mount in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
            if not (mount / "cgroup.procs").exists() or not os.access(mount, os.W_OK):
                continue
            try:
                return Path(tempfile.mkdtemp(prefix="pid1-", dir=mount))
            except OSError:
                continue
        return None

    def _map_users(self):
        proc = Path(f"/proc/{self._parent.pid}")
        if os.getuid() == 0:
            (proc / "uid_map").write_text("0 0 65536")
            (proc / "gid_map").write_text("0 0 65536")
            return
        # Others need the ranges of /etc/subuid, and the programs that know them.
        for program, me, file in (("newuidmap", os.getuid(), "/etc/subuid"),
                                  ("newgidmap", os.getgid(), "/etc/subgid")):
            user = pwd.getpwuid(os.getuid()).pw_name
            first = re.search(rf"^{user}:(\d+):", Path(file).read_text(), re.M)[1]
            subprocess.run([program, str(self._parent.pid), "0", str(me), "1",
                            "1", first, "65535"], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._parent.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self._parent.wait()
        if self._cgroup:
            for folder, _, _ in os.walk(self._cgroup, topdown=False):
                os.rmdir(folder)
        self._dir.cleanup()

    @property
    def pid(self):
        """Of PID 1, as it is seen from outside."""
        children = f"/proc/{self._parent.pid}/task/{self._parent.pid}/children"
        return int(Path(children).read_text().split()[0])

    def log(self):
        """init's lines, without level."""
        text = (self.work / "kmsg").read_text(errors="replace")
        return [re.sub(r"^<\d+>", "", line) for line in text.splitlines()]

    def find(self, pattern):
        return [line for line in self.log() if re.search(pattern, line)]

    def wait_for(self, pattern, count=1, seconds=15):
        """Waits until so many lines match, and returns them."""
        end = time.monotonic() + seconds
        while True:
            found = self.find(pattern)
            if len(found) >= count:
                return found
            assert time.monotonic() < end, f"no {pattern!r} in:\n" + "\n".join(self.log())
            ended = self._parent.poll() is not None and len(self.find(pattern)) < count
            assert not ended, "\n".join(self.log()) + (self.work / "stderr").read_text()
            time.sleep(0.01)

    @property
    def has_cgroups(self):
        return self._cgroup is not None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds=20):
        """Waits for the end: "poweroff" or "reboot"."""
        self._parent.wait(seconds)
        # In a PID namespace reboot(2) ends PID 1 by a signal, which unshare passes on.
        ends = {-signal.SIGINT: "poweroff", -signal.SIGHUP: "reboot"}
        return ends.get(self._parent.returncode, self._parent.returncode)

    def stop(self, seconds=20):
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def ctl(self, *arguments):
        """Runs copalctl inside: its exit code and what it printed."""
        done = self.shell("/copalctl " + " ".join(arguments))
        # The shell's own complaint that it started outside of the root it is in.
        errors = [line for line in done.stderr.splitlines(True) if not line.startswith("sh: ")]
        return done.returncode, done.stdout + "".join(errors)

    def shell(self, command):
        """Runs something inside."""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-U", "-m", "-u", "-p", "-n", "-C", "-r", "-w/",
             "--preserve", "sh", "-c", command], text=True, capture_output=True, timeout=20)

    def until(self, command, seconds=15):
        """Waits until a command inside succeeds."""
        end = time.monotonic() + seconds
        while self.shell(command).returncode != 0:
            assert time.monotonic() < end, f"never: {command}\n" + "\n".join(self.log())


def seconds(line):
    """The time in a line, such as "init: a: ready 1.234s"."""
    return float(re.search(r" (\d+\.\d\d\d)s", line)[1])


def main(names):
    """Runs the tests of a module without pytest, for Meson: TAP. The arguments choose some."""
    chosen = sys.argv[1:]
    tests = [(name, test) for name, test in sorted(names.items()) if name.startswith("test_")
             and (not chosen or name in chosen)]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        begin = time.monotonic()
        try:
            test()
            print(f"ok {number} {name} # {time.monotonic() - begin:.1f} s", flush=True)
        except Exception:  # noqa: BLE001 - one test's failure, whatever it is, must not end the others
            failed += 1
            print(f"not ok {number} {name}", flush=True)
            traceback.print_exc()  # which Meson shows; of what is on stdout it shows nothing
    return 1 if failed else 0
