"""init's network with a real kernel, a real dhcpcd and a real DHCP server (dnsmasq)."""

import re

import pytest
from lab import Lab, Watched, program

STATIC = """link    = eth0
address = 10.9.0.2/24 fd09::2/64
gateway = 10.9.0.1 fd09::1
route   = 10.77.0.0/16 via 10.9.0.7
mtu     = 1400
dns     = 10.9.0.53 fd09::53
search  = lab.example
"""
DHCP = "link = eth0\naddress = dhcp\n"
# Both with -x: the clock of the machine that tests is left alone.
TIME_SERVER = ("-d", "-x", "-U", "local stratum 1", "allow", "pidfile /", "bindcmdaddress /")
DNSMASQ = ("--interface=up-eth0", "--interface=up-eth1", "--dhcp-range=10.8.0.50,10.8.0.59,255.255.255.0,120",
            "--dhcp-range=10.9.0.50,10.9.0.59,255.255.255.0,120", "--dhcp-option=option:dns-server,10.9.0.53",
           "--dhcp-option=option:domain-search,lab.example", "--dhcp-option=option:ntp-server,10.9.0.1",
           "--dhcp-option=option:router,10.9.0.1",
           "--enable-ra", "--dhcp-range=fd09::50,fd09::59,64,120", "--dhcp-option=option6:dns-server,[fd09::53]")


def test_static_addresses_routes_and_names():
    with Lab({"eth0": STATIC}) as lab:
        lab.cable("eth0")
        lab.start_links()
        assert lab.online() == (0, "")
        assert lab.addresses("eth0") == {"10.9.0.2/24", "fd09::2/64"}
        assert sorted(lab.routes()) == ["10.77.0.0/16 via 10.9.0.7 dev eth0", "default via 10.9.0.1 dev eth0"]
        assert lab.routes(6) == ["default via fd09::1 dev eth0"]
        assert lab.link("eth0")["mtu"] == 1400
        assert lab.read("/run/network/resolv.conf") == "nameserver 10.9.0.53\nnameserver fd09::53\nsearch lab.example\n"
        assert lab.read("/proc/sys/net/ipv6/conf/eth0/accept_ra") == "0\n"
        assert "denyinterfaces *" in lab.read("/run/network/dhcpcd.conf")


def test_a_file_of_the_machine_stands_for_the_image_s():
    with Lab({"eth0": STATIC, "eth1": "link = eth1\naddress = 10.8.0.2/24\n"}) as lab:
        lab.sh("echo 'link = eth0\naddress = 10.9.0.9/24' >/run/config/network/eth0; : >/run/config/network/eth1")
        lab.cable("eth0")
        lab.cable("eth1")
        lab.start_links()
        assert lab.online() == (0, "")
        assert lab.addresses("eth0") == {"10.9.0.9/24"}
        assert lab.addresses("eth1") == set()


def test_a_bridge_of_links_that_come_one_after_the_other():
    with Lab({"br0": "link = br0\nbridge = eth0 eth1\naddress = 10.9.0.2/24\n"}) as lab:
        lab.cable("eth0")
        lab.start_links()
        assert lab.online() == (0, "")
        with lab.run_monitor("link") as events:
            lab.cable("eth1")
            events.wait_for(r"eth1.*master br0.* state UP")
        assert [lab.link(name)["master"] for name in ("eth0", "eth1")] == ["br0", "br0"]
        assert lab.addresses("br0") == {"10.9.0.2/24"}


@pytest.mark.parametrize(("kind", "file", "shown"), (
    ("vlan", "vlan = 100 on eth0", r'"id": ?100'),
    ("bond", "bond = active-backup eth0", r'"mode": ?"active-backup"'),
))
def test_links_that_this_kernel_may_lack(kind, file, shown):
    with Lab({"made": f"link = made\n{file}\naddress = 10.9.0.2/24\n"}) as lab:
        lab.cable("eth0")
        needs = "link eth0 name probe type vlan id 7" if kind == "vlan" else f"name probe type {kind}"
        if lab.run("ip", "link", "add", *needs.split(), check=False)[0] != 0:
            pytest.skip(f"this kernel has no {kind}: tests/boot looks at it in Copal's own")
        lab.start_links()
        assert lab.online() == (0, "")
        assert re.search(shown, lab.run("ip", "-json", "-details", "link", "show", "made"))
        assert lab.addresses("made") == {"10.9.0.2/24"}


def test_a_link_that_comes_later():
    with Lab({"eth0": STATIC, "eth1": "link = eth1\naddress = 10.8.0.2/24\n"}) as lab:
        lab.cable("eth0")
        lab.start_links()
        code, said = lab.online("200ms")
        assert code == 1
        assert said == "not online: /etc/network/eth1 lacks a link\n"
        waiting = lab.start(lab.init, "--net", "--wait", "20s")
        lab.cable("eth1")
        assert waiting.wait(20) == 0
        assert lab.addresses("eth1") == {"10.8.0.2/24"}


def test_says_which_link_lacks_what():
    with Lab({"a": "link = eth0\naddress = 10.9.0.2/24\n", "b": "link = eth1\naddress = dhcp\n",
              "c": "link = eth2\naddress = 10.7.0.2/24\noptional = yes\n", "d": "link = ethernet\naddress = dhcp\n"}) as lab:
        lab.cable("eth0")
        lab.cable("eth1")
        lab.sh("ip -n around link set up-eth0 down")
        lab.start_links()
        assert lab.online("200ms") == (1, "not online: /etc/network/a lacks a carrier on eth0\n"
                                          "not online: /etc/network/b lacks an address on eth1\n"
                                          "not online: /etc/network/d lacks a link\n")


def test_a_bad_file_is_reported_and_the_others_count():
    with Lab({"eth0": STATIC, "eth1": "link = eth1\nadress = dhcp\n"}) as lab:
        lab.cable("eth0")
        said = lab.said(lab.start_links())
        assert "/etc/network/eth1:2:1: error: unknown key 'adress': did you mean 'address'?" in said
        assert lab.online("200ms") == (1, said + "not online: /etc/network/eth1 lacks a file without errors\n")
        assert "10.9.0.2/24" in lab.addresses("eth0")


def test_a_router_that_no_network_of_the_link_has():
    with Lab({"eth0": "link = eth0\naddress = 10.9.0.2/32 fd09::2/128\ngateway = 10.1.1.1 fd01::1\n",
              "eth1": "link = eth1\naddress = dhcp\noptional = yes\nroute = 10.78.0.0/16 via 10.8.0.7\n"}) as lab:
        lab.cable("eth0")
        lab.cable("eth1")
        assert lab.said(lab.start_links()) == ""
        assert lab.online() == (0, "")
        assert sorted(lab.routes()) == ["10.78.0.0/16 via 10.8.0.7 dev eth1", "default via 10.1.1.1 dev eth0"]
        assert lab.routes(6) == ["default via fd01::1 dev eth0"]


def test_what_the_kernel_refuses_is_said_once():
    with Lab({"eth0": "link = eth0\naddress = fd09::2/64\n"}) as lab:
        lab.sh("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
        lab.cable("eth0")
        said = lab.said(lab.start_links())
        assert re.fullmatch(r"eth0: address \(/etc/network/eth0\): Permission denied: .*\n", said), said
        assert lab.online("200ms") == (1, "not online: /etc/network/eth0 lacks an address on eth0\n")


@pytest.fixture(name="leased", scope="module")
def leased_lab():
    """A machine that got all it has by DHCP and router advertisements."""
    with Lab({"eth0": DHCP, "eth1": "link = eth1\naddress = dhcp\noptional = yes\n"}) as lab:
        lab.cable("eth0", "10.9.0.1/24 fd09::1/64")
        mac = lab.link("eth0")["address"]
        lab.server = lab.start_dnsmasq(*DNSMASQ, f"--dhcp-host={mac},named-by-dhcp,10.9.0.55")
        lab.start_links()
        lab.dhcpcd = lab.start_dhcpcd()
        lab.said_online = lab.online()
        yield lab


def test_dhcp_brings_the_machine_online(leased):
    assert leased.said_online[0] == 0, leased.said(leased.dhcpcd) + leased.said(leased.server)
    assert "10.9.0.55/24" in leased.addresses("eth0")
    assert leased.routes() == ["default via 10.9.0.1 dev eth0"]
    if not leased.user:
        assert leased.said_online[1] == "this is named-by-dhcp, says DHCP\n"
        assert leased.run("hostname") == "named-by-dhcp\n"
    assert leased.read("/run/network/ntp/eth0.sources") == "server 10.9.0.1 iburst\n"
    resolv = leased.read("/run/network/resolv.conf")
    assert "nameserver 10.9.0.53\n" in resolv and "search lab.example\n" in resolv


def test_ipv6_comes_by_router_advertisement_and_dhcpv6(leased):
    with leased.run_monitor("address") as events:
        while not any(re.fullmatch(r"fd09::5\w/128", one) for one in leased.addresses("eth0")):
            events.wait_for(r"inet6 fd09::5")
    assert leased.routes(6)[0].startswith("default via fe80::")


def test_a_dhcp_link_that_comes_later_is_told_to_dhcpcd(leased):
    with leased.run_monitor("address") as events:
        leased.cable("eth1", "10.8.0.1/24")
        while not leased.addresses("eth1"):
            seen = events.wait_for(r"eth1.*10\.8\.0\.5")
            assert not re.search(r"Deleted.*eth0", seen), f"eth0 was disturbed:\n{seen}"


def test_without_a_carrier_its_names_are_gone_and_come_again(leased):
    with leased.run_monitor("address") as events:
        leased.sh("ip -n around link set up-eth0 down")
        events.wait_for(r"Deleted.*eth0.*10\.9\.0\.55")
        leased.sh("ip -n around link set up-eth0 up")
        events.wait_for(r"^\d+: eth0.*10\.9\.0\.55")
    assert leased.online()[0] == 0
    assert "nameserver 10.9.0.53\n" in leased.read("/run/network/resolv.conf")


def test_chrony_takes_the_server_that_dhcp_named(leased):
    chronyd = program("chrony", "/usr/bin/chronyd")
    conf = leased.sh(f"sed 's,^sourcedir /etc/chrony,,' {program('chrony', '/etc/chrony.conf')} >/run/chrony.conf; cat /run/chrony.conf")
    assert "sourcedir /run/network/ntp" in conf
    leased.start("ip", "netns", "exec", "around", chronyd, *TIME_SERVER)
    with Watched(leased, chronyd, "-d", "-x", "-U", "-f", "/run/chrony.conf") as client:
        client.wait_for(r"Selected source 10\.9\.0\.1")


HOOK = "/usr/libexec/dhcpcd-run-hooks"
BOUND = {"interface": "eth0", "protocol": "dhcp", "reason": "BOUND", "if_up": "true", "if_down": "false"}


def test_the_hook_takes_nothing_that_is_not_what_it_should_be():
    with Lab() as lab:
        lab.run(HOOK, **BOUND, new_domain_name_servers="10.0.0.1 evil 10.0.0.2;x fe80::1%eth0",
                new_domain_search="good.example bad/\n options", new_host_name="../../x",
                new_ntp_servers="10.0.0.3 pool.example")
        assert lab.read("/run/network/resolv.conf") == "nameserver 10.0.0.1\nnameserver fe80::1%eth0\nsearch good.example options\n"
        assert lab.read("/run/network/ntp/eth0.sources") == "server 10.0.0.3 iburst\n"
        assert lab.sh("ls /run/network") == "dns\nntp\nresolv.conf\n"
        lab.run(HOOK, **(BOUND | {"interface": "../../x"}), new_domain_name_servers="10.0.0.9")
        assert lab.sh("ls /run/network/dns") == "eth0.dhcp\n"


def test_the_hook_joins_what_several_links_say():
    with Lab() as lab:
        lab.run(HOOK, **BOUND, new_domain_name_servers="10.0.0.1 10.0.0.2", new_domain_name="a.example")
        lab.run(HOOK, **(BOUND | {"interface": "eth1"}), new_domain_name_servers="10.0.0.2 10.0.0.3 10.0.0.4")
        lab.run(HOOK, **(BOUND | {"protocol": "ra", "reason": "ROUTERADVERT"}), nd1_rdnss1_servers="fd00::1",
                nd1_dnssl1_search="b.example")
        assert lab.read("/run/network/resolv.conf") == ("nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver fd00::1\n"
                                                        "search a.example b.example\n")
        lab.run(HOOK, **(BOUND | {"protocol": "link", "reason": "NOCARRIER", "if_up": "false", "if_down": "true"}))
        assert lab.read("/run/network/resolv.conf") == "nameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n"
