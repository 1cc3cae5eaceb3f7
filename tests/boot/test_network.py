"""The network of a whole machine, in QEMU."""

import re
import socket
import struct
import threading
import time

import pytest
from machine import Machine


@pytest.fixture(name="machine", scope="module")
def booted_machine(board, tmp_path_factory):
    with Machine(board("test"), tmp_path_factory.mktemp("network")) as machine:
        machine.open_shell()
        machine.wait_for(r"init: network: (done|ready)")
        yield machine


def sets_up(machine, files):
    """What the links are with other files of the machine: what was set up before stays."""
    for name, text in files.items():
        machine.shell(f"mkdir -p /run/config/network; printf '{text}' >/run/config/network/{name}")
    machine.shell("kill $(cat /sys/fs/cgroup/services/links/cgroup.procs)")
    machine.wait_for(r"init: links: ready")
    return machine.shell("init --net --wait 60s")


def test_dhcp_of_qemu_for_ipv4_and_ipv6(machine):
    addresses, _ = machine.shell("ip address show eth0")
    assert "inet 10.0.2.15/24" in addresses
    output, code = machine.shell("until [ -e /run/network/dns/eth0.ra ]; do usleep 100000; done; ip address show eth0")
    assert code == 0 and re.search(r"inet6 fec0::\S+/64 scope site", output), output
    # A restricted network of QEMU's names no router and no name server: tests/net looks at those.
    assert machine.shell("cat /etc/resolv.conf") == ("", 0)
    assert machine.shell("ls /run/network/dns")[0].split() == ["0-static", "eth0.dhcp", "eth0.ra"]
    assert machine.shell("ip -6 route")[0].count("default via fe80::") == 1


def test_who_configures_the_network_is_confined(machine):
    for service, capabilities in (("links", "1000"), ("dhcpcd", "3400"), ("chrony", "2000000")):
        status, _ = machine.shell(f"cat /proc/$(head -1 /sys/fs/cgroup/services/{service}/cgroup.procs)/status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert int(fields["CapEff"], 16) == int(capabilities, 16), service
        assert fields["NoNewPrivs"] == "1", service
        assert fields["Uid"].split()[0] != "0", service
    # Nobody of them writes but in its own folder, which all may read.
    for service in ("links", "dhcpcd"):
        mounts, _ = machine.shell(f"cat /proc/$(head -1 /sys/fs/cgroup/services/{service}/cgroup.procs)/mounts")
        writable = {line.split()[1] for line in mounts.splitlines() if line.split()[3].split(",")[0] == "rw"}
        assert writable == {"/dev/shm", "/proc/sys/net", "/run/network", "/tmp"}, service
    assert machine.shell("stat -c %a /run/network/resolv.conf")[0] == "644\n"


def test_a_static_address_a_bond_and_a_vlan(machine):
    machine.shell("ip link add dummy1 type dummy; ip link add dummy2 type dummy")
    said, code = sets_up(machine, {
        "default": "",
        "bond": r"link = bond0\nbond = 802.3ad dummy1 dummy2\naddress = 10.9.0.2/24\n",
        "vlan": r"link = v100\nvlan = 100 on bond0\naddress = fd09::2/64\nmtu = 1400\n",
        "eth0": r"link = eth0\naddress = 10.0.2.20/24\ngateway = 10.0.2.2\ndns = 10.0.2.3\n"})
    assert code == 0, said
    assert "inet 10.0.2.20/24" in machine.shell("ip address show eth0")[0]
    assert "inet 10.9.0.2/24" in machine.shell("ip address show bond0")[0]
    assert "802.3ad" in machine.shell("cat /sys/class/net/bond0/bonding/mode")[0]
    assert machine.shell("cat /sys/class/net/bond0/bonding/slaves")[0].split() == ["dummy1", "dummy2"]
    vlan, _ = machine.shell("ip address show v100")
    assert "v100@bond0" in vlan and "mtu 1400" in vlan and "inet6 fd09::2/64" in vlan


def test_a_machine_without_a_link_says_so_and_goes_on(board, tmp_path):
    with Machine(board("test"), tmp_path, nic="none") as machine:
        machine.open_shell()
        machine.wait_for(r"network: not online: /etc/network/default lacks a link", 180)
        assert machine.shell("echo alive") == ("alive\n", 0)
        machine.shell_stream.write("kill -TERM 1\n")
        machine.shell_stream.flush()
        assert machine.wait_for_end(90) == 0


class TimeServer:
    """Answers NTP's requests (RFC 5905) with the host's time and `ahead` seconds."""

    def __init__(self):
        self.ahead = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def now(self):
        """Seconds since 1900, and their fraction."""
        return int((time.time() + self.ahead + 2208988800) * 2**32) % 2**64

    def _serve(self):
        while True:
            request, sender = self._socket.recvfrom(512)
            now = self.now()
            # Version 4, server; stratum 1; the client's own time of transmission is what it knows its request by.
            self._socket.sendto(struct.pack("!BBbbII4sQ8sQQ", 0x24, 1, 6, -20, 0, 0, b"TEST", now, request[40:48], now, now), sender)


def test_the_clock_is_set_and_its_jumps_disturb_nobody(board, tmp_path):
    server = TimeServer()
    year = 365 * 86400
    with Machine(board("test"), tmp_path, netdev=",restrict=off") as machine:
        machine.open_shell()
        machine.wait_for(r"init: nomad: ready", 240)
        all_others = "head -qn 1 /sys/fs/cgroup/services/[!c]*/cgroup.procs"
        before, _ = machine.shell(all_others)
        machine.shell(f"echo 'server 10.0.2.2 port {server.port} iburst' >/run/network/ntp/test.sources")
        for ahead in (10 * year, -4 * year):
            server.ahead = ahead
            low, high = (int(time.time()) + ahead + slack for slack in (-600, 600))
            machine.shell("kill $(cat /sys/fs/cgroup/services/chrony/cgroup.procs)")
            # Chrony sets the clock from a few answers, seconds apart.
            machine.shell(f"until now=$(date +%s); [ $now -gt {low} ] && [ $now -lt {high} ]; do usleep 100000; done")
            machine.wait_for(r"init: chrony: exec")
        assert machine.shell(all_others)[0] == before, "all others run on"
