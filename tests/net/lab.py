"""A machine's network and the network around it, without a machine: two network namespaces with cables between them.

What runs in them are the programs of the image that tests/run built (init, dhcpcd: static, so that they run anywhere), with files of
their own in /etc/network and /run. Nothing here touches the network of the machine that tests.
"""

import json
import os
import re
import selectors
import socket
import subprocess
import tempfile
import time

from boards import output_of, tree_of

SET_UP = r"""
set -eu
mount -t tmpfs run /run
mkdir -p /run/netns /run/config/network
mount --bind "$LAB/etc" /etc/network 2>/dev/null || {
    mount -t overlay -o "lowerdir=/etc,upperdir=$LAB/upper,workdir=$LAB/work" overlay /etc
    mkdir -p /etc/network && mount --bind "$LAB/etc" /etc/network
}
mount --bind "$LAB/hostname" /etc/hostname
mount --bind "$LAB/libexec" /usr/libexec
hostname image
ip netns add around
ip link set lo up
echo ready
exec sleep infinity
"""


def program(name, path):
    """A file of a package, in the store."""
    return tree_of(output_of("test_x86_64"), name) + path


class Watched:
    """A program whose lines are waited for."""

    def __init__(self, lab, *command):
        self.process = subprocess.Popen(lab.inside(*command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def wait_for(self, pattern, seconds=20):
        deadline = time.monotonic() + seconds
        seen = []
        while self.selector.select(max(0.0, deadline - time.monotonic())):
            seen.append(self.process.stdout.readline().decode())
            if re.search(pattern, seen[-1]):
                return "".join(seen)
        raise AssertionError(f"no {pattern!r} in:\n{''.join(seen)}")


class Lab:
    """Use as a context manager. `files` are those of /etc/network, by name."""

    def __init__(self, files=None):
        # Whoever is not root is, in a user namespace: that is enough for all but the host name.
        self.user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
        self.init = os.environ.get("INIT") or program("init", "/usr/bin/init")
        self.folder = tempfile.TemporaryDirectory(prefix="lab-")
        base = self.folder.name
        for name in ("etc", "libexec", "upper", "work"):
            os.mkdir(f"{base}/{name}")
        for name, text in (files or {}).items():
            self.write(f"{base}/etc/{name}", text)
        self.write(f"{base}/hostname", "image\n")
        os.symlink(os.path.abspath(self.init), f"{base}/libexec/dhcpcd-run-hooks")
        self.started = []
        self.holder = subprocess.Popen(
            ["unshare", *self.user, "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", SET_UP],
            env=os.environ | {"LAB": base}, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n"
        with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children", encoding="utf-8") as children:
            self.pid = children.read().split()[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.started:
            process.kill()
            process.wait()
        self.holder.kill()
        self.holder.wait()
        self.folder.cleanup()

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def inside(self, *command):
        user = ["--user", "--preserve-credentials"] if self.user else []
        return ["nsenter", f"--target={self.pid}", *user, "--net", "--mount", "--uts", "--pid", *command]

    def run(self, *command, check=True, seconds=60, **env):
        """What a program prints on its two outputs, and its exit code with check=False."""
        done = subprocess.run(self.inside(*command), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
                              check=False, env=os.environ | env)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr if check else (done.returncode, done.stdout + done.stderr)

    def sh(self, script):
        return self.run("sh", "-euc", script)

    def start(self, *command, **env):
        """A program that goes on; what it prints is in `lab.said(process)`."""
        log = tempfile.TemporaryFile("w+")  # pylint: disable=consider-using-with
        process = subprocess.Popen(self.inside(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | env)
        process.log = log
        self.started.append(process)
        return process

    @staticmethod
    def said(process):
        process.log.seek(0)
        return process.log.read()

    def start_links(self):
        """`init --net`, until it says that it is ready."""
        path = f"{self.folder.name}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(20)
            process = self.start(self.init, "--net", NOTIFY_SOCKET=path)
            assert notify.recv(64) == b"READY=1"
        os.unlink(path)
        return process

    def start_dhcpcd(self):
        return self.start(program("dhcpcd", "/usr/bin/dhcpcd"), "--nobackground", "--config", "/run/network/dhcpcd.conf")

    def start_dnsmasq(self, *options):
        """DHCP, DHCPv6 and router advertisements around the machine."""
        return self.start("ip", "netns", "exec", "around", "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0",
                          "--user=root", "--group=root", "--dhcp-leasefile=/run/leases", "--pid-file=", "--log-dhcp", *options)

    def run_monitor(self, what):
        """What `ip monitor` says, from now on."""
        watched = Watched(self, "ip", "monitor", what)
        # It listens when it has told of a change that is made until it does.
        while not watched.selector.select(0.1):
            self.sh("ip link add probe type veth peer name eborp && ip link delete probe" if what == "link" else
                    "ip address add 127.9.9.9/32 dev lo && ip address delete 127.9.9.9/32 dev lo")
        return watched

    def online(self, limit="20s"):
        """Exit code and output of `init --net --wait`."""
        return self.run(self.init, "--net", "--wait", limit, check=False)

    def cable(self, name, address=""):
        """A link of the machine; its other end is up-NAME in the network around."""
        self.sh(f"ip link add {name} type veth peer name up-{name} netns around && ip -n around link set up-{name} up")
        for one in address.split():
            self.sh(f"ip -n around address add {one} dev up-{name} nodad")

    def addresses(self, link):
        [found] = json.loads(self.run("ip", "-json", "address", "show", link))
        return {f"{a['local']}/{a['prefixlen']}" for a in found["addr_info"] if a["scope"] != "link"}

    def link(self, name):
        return json.loads(self.run("ip", "-json", "-details", "link", "show", name))[0]

    def routes(self, family=4):
        return [f"{r['dst']} via {r['gateway']} dev {r['dev']}"
                for r in json.loads(self.run("ip", f"-{family}", "-json", "route", "show")) if "gateway" in r]

    def read(self, path):
        return self.run("cat", path)
