"""A machine that goes down while a job runs, and comes back with the same disk."""

import json
import re
import subprocess

import pytest
from machine import Machine, free_port
from nomad import Nomad

GRACE = 8
JOB = {
    "ID": "patient", "Name": "patient", "Type": "service", "Datacenters": ["dc1"],
    "TaskGroups": [{
        "Name": "patient", "Count": 1,
        "Tasks": [{
            # It takes its time, on a signal that is not the usual one.
            "Name": "patient", "Driver": "exec", "KillSignal": "SIGUSR1", "KillTimeout": 25 * 10**9,
            "Config": {"command": "/bin/busybox", "args": ["sh", "-c", f"""
                trap 'busybox sleep {GRACE}; echo bye; exit 0' USR1
                echo here
                while :; do busybox sleep 0.2; done"""]},
            "Resources": {"CPU": 50, "MemoryMB": 32},
        }],
    }],
}


@pytest.fixture(name="boot", scope="module")
def booted(board, tmp_path_factory):
    """Boots the machine anew, with the same disk."""
    folder = tmp_path_factory.mktemp("end")
    disk = folder / "disk"
    with open(disk, "wb") as image:
        image.truncate(512 << 20)
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-L", "persist", disk], check=True)
    nomad = Nomad(0)
    machines = []

    def boot():
        port = free_port()
        own = folder / str(len(machines))
        own.mkdir()
        machine = Machine(board("test"), own, cmdline="copal.disk=LABEL=persist", netdev=f",hostfwd=tcp:127.0.0.1:{port}-:4646",
                          qemu=["-drive", f"file={disk},format=raw,if=virtio"])
        machines.append(machine.__enter__())
        machine.open_shell()
        machine.wait_for(r"init: nomad: ready", 240)
        machine.nomad, token = Nomad(port), nomad.token
        machine.nomad.token = token
        if not token:
            machine.nomad.log_in()
            nomad.token = machine.nomad.token
        return machine

    yield boot
    for machine in machines:
        machine.__exit__()


def running(nomad, but=()):
    """The allocation of the job that runs, once one does."""
    index = 1
    while True:
        allocations, index = nomad.wait("job/patient/allocations", index)
        for allocation in allocations:
            if allocation["ClientStatus"] == "running" and allocation["ID"] not in but:
                return allocation["ID"]


def wait_for_output(nomad, allocation, text):
    with nomad.request(f"client/fs/logs/{allocation}?task=patient&type=stdout&plain=true&follow=true") as stream:
        while text not in stream.readline().decode():
            pass


def power_off(machine):
    machine.shell_stream.write("kill -TERM 1\n")
    machine.shell_stream.flush()
    assert machine.wait_for_end(180) == 0
    assert "reboot: Power down" in machine.console


def test_a_job_has_its_kill_timeout_and_the_node_comes_back(boot):
    machine = boot()
    machine.nomad.call("jobs", {"Job": JOB})
    first = running(machine.nomad)
    wait_for_output(machine.nomad, first, "here")
    # Only the agent is started again: its tasks stay.
    machine.shell("kill -INT $(cat /sys/fs/cgroup/services/nomad/cgroup.procs | head -n 1)")
    machine.wait_for(r"init: nomad: ready", 240)
    assert running(machine.nomad) == first
    power_off(machine)
    times = {word: float(re.search(rf"init: nomad: {word} (\d+\.\d+)s", machine.console[machine.console.index("init: shutdown"):])[1])
             for word in ("stopping", "exited")}
    assert GRACE <= times["exited"] - times["stopping"] < GRACE + 40
    assert "killing" not in machine.console

    machine = boot()
    second = running(machine.nomad, but=[first])
    assert machine.nomad.call("nodes")[0]["SchedulingEligibility"] == "eligible"
    with machine.nomad.request(f"client/fs/logs/{first}?task=patient&type=stdout&plain=true") as log:
        assert log.read().decode().split() == ["here", "bye"], "the first one was not asked, or did not have its time"
    events = json.dumps(machine.nomad.call(f"allocation/{first}")["TaskStates"]["patient"]["Events"])
    assert '"Exit Code: 0' in events, events
    assert second != first
    power_off(machine)
