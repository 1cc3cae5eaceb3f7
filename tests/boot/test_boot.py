"""Boots what was built, in QEMU. tests/run builds the boards."""

import json
import re

import pytest
from boards import build
from machine import Machine, free_port
from nomad import Nomad

JOB = {
    "ID": "probe", "Name": "probe", "Type": "batch", "Datacenters": ["dc1"],
    "TaskGroups": [{
        "Name": "probe", "Count": 1,
        "RestartPolicy": {"Attempts": 0, "Mode": "fail"},
        "ReschedulePolicy": {"Attempts": 0, "Unlimited": False},
        "Tasks": [{
            "Name": "probe", "Driver": "exec",
            # Its root holds what the agent's chroot_env lists (overlay/etc/nomad/default/90-test.hcl) and nothing of the machine's.
            "Config": {"command": "/bin/busybox", "args": ["sh", "-c", "busybox id | busybox cut -d' ' -f1,2; echo /[a-r]*; exit 7"]},
            "Resources": {"CPU": 50, "MemoryMB": 32},
        }],
    }],
}


@pytest.fixture(name="production", scope="module")
def production_machine(board, tmp_path_factory):
    with Machine(board("nomad"), tmp_path_factory.mktemp("production")) as machine:
        yield machine


def test_production_boots_into_a_ready_nomad(production):
    production.wait_for(r"init: nomad: ready", 240)
    assert not re.search(r"Kernel panic|Oops|BUG:", production.console)


def test_production_powers_off_cleanly_and_never_had_a_shell(production):
    production.type("")
    production.type("echo a''b")
    production.monitor("system_powerdown")
    assert production.wait_for_end(90) == 0
    assert re.search(r"reboot: Power down", production.console), "the machine ended without powering itself off"
    assert "init: nomad: stopped" in production.console, "nomad was not stopped before the power went"
    assert "ab" not in production.console.split(), "something on the console ran a command"


@pytest.fixture(name="dev", scope="module")
def dev_machine(board, tmp_path_factory):
    port = free_port()
    with Machine(board("test"), tmp_path_factory.mktemp("dev"), netdev=f",hostfwd=tcp:127.0.0.1:{port}-:4646") as machine:
        machine.open_shell()
        machine.wait_for(r"init: nomad: ready", 240)
        machine.nomad = Nomad(port)
        machine.nomad.log_in()
        yield machine


def test_root_is_read_only(dev):
    output, _ = dev.shell("touch /usr/bin/x /etc/x /x")
    assert output.count("Read-only file system") == 3
    mounts, _ = dev.shell("cat /proc/mounts")
    root = [line.split() for line in mounts.splitlines() if " / " in line][-1]
    assert root[3].split(",")[0] == "ro", root
    assert root[2] != "rootfs", "a rootfs cannot be pivoted away from"


def test_what_may_be_written_is_fresh_memory(dev):
    for folder in ("/run", "/tmp", "/var"):
        _, code = dev.shell(f"touch {folder}/x && rm {folder}/x")
        assert code == 0, folder


def test_nothing_runs_but_what_was_declared(dev):
    output, _ = dev.shell("ps -o pid,ppid,args | grep -v '\\['")
    assert re.search(r"^ *1 +0 .*init", output, re.M)
    assert "nomad agent" in output


def test_nomad_sees_disk_cpu_and_memory(dev):
    node = dev.nomad.call("nodes")[0]
    attributes = dev.nomad.call(f"node/{node['ID']}")["Attributes"]
    assert int(attributes["unique.storage.bytestotal"]) > 0
    assert int(attributes["memory.totalbytes"]) > 0
    assert attributes["driver.exec"] == "1"


def test_an_exec_job_runs_in_its_own_root(dev):
    nomad = dev.nomad
    nomad.call("jobs", {"Job": JOB})
    index = 1
    while True:
        allocations, index = nomad.wait("job/probe/allocations", index)
        if allocations and allocations[0]["ClientStatus"] in ("complete", "failed"):
            break
    allocation = allocations[0]
    events = allocation["TaskStates"]["probe"]["Events"]
    exits = [event["ExitCode"] for event in events if event["Type"] == "Terminated"]
    assert exits == [7], json.dumps(events, indent=1)
    with nomad.request(f"client/fs/logs/{allocation['ID']}?task=probe&type=stdout&plain=true") as log:
        said = log.read().decode().splitlines()
    assert said == ["uid=65534(nobody) gid=65534(nobody)", "/alloc /bin /dev /etc /executor.out /local /private /proc"]


def test_a_dead_service_is_started_again(dev):
    def agent():
        processes, _ = dev.shell("cat /sys/fs/cgroup/services/nomad/cgroup.procs")
        return processes.split()[0]

    before = agent()
    dev.shell(f"kill -KILL {before}")
    dev.wait_for(r"init: nomad: ready", 120)
    assert agent() != before


def test_dev_powers_off_cleanly(dev):
    dev.shell_stream.write("kill -TERM 1\n")
    dev.shell_stream.flush()
    assert dev.wait_for_end(90) == 0
    assert "reboot: Power down" in dev.console


def test_the_plain_layout_is_read_only_too(arch, tmp_path):
    out = build(tmp_path / "out", f"minimal_{arch}", "CONFIG_IMAGE_LAYOUT_CPIO=y")
    with Machine(out, tmp_path, nic="none") as machine:
        machine.wait_for(r"init: console: ready")
        assert "Read-only file system" in machine.ask("touch /usr/bin/x 2>&1")
        assert re.search(r"^\S+ / tmpfs ro,", machine.ask("cat /proc/mounts"), re.M)
        machine.type("copalctl poweroff")
        assert machine.wait_for_end(60) == 0
