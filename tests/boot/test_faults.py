"""What goes wrong with a machine, as far as it takes a real kernel to show it. docs/init-faults.md has the whole list."""

import os
import re

import pytest
from boards import build
from machine import Machine


@pytest.fixture(name="boot")
def booted(board, tmp_path):
    """Boots the minimal image, whose console has a root shell."""
    machines = []

    def boot(*qemu, out=None):
        folder = tmp_path / str(len(machines))
        folder.mkdir()
        machines.append(Machine(out or board("minimal"), folder, qemu=qemu, nic="none").__enter__())
        machines[-1].wait_for(r"init: console: ready")
        return machines[-1]

    yield boot
    for machine in machines:
        machine.__exit__()


def power_off(machine):
    machine.type("copalctl poweroff")
    assert machine.wait_for_end(90) == 0
    assert "reboot: Power down" in machine.console


def pid_of(machine, service):
    return re.search(r"^\d+$", machine.ask(f"cat /sys/fs/cgroup/services/{service}/cgroup.procs"), re.M)[0]


def test_the_watchdog_resets_a_machine_whose_pid_1_hangs(boot):
    # Nothing else happens in such a machine, and QEMU's clock does not wait for real time to pass.
    machine = boot("-device", "i6300esb", "-action", "watchdog=pause", "-icount", "shift=auto,sleep=off")
    assert "watchdog: hardware, 60 s" in machine.console
    event = machine.wait_for_event("WATCHDOG", lambda _: machine.type("echo 1 >/sys/fs/cgroup/init/cgroup.freeze"))
    assert event["data"] == {"action": "pause"}


def test_the_watchdog_is_quiet_when_the_machine_is_switched_off(boot):
    machine = boot("-device", "i6300esb", "-action", "watchdog=pause", "-icount", "shift=auto,sleep=off")
    assert "uptime" in machine.ask("sleep 200; echo uptime")
    power_off(machine)


def test_pid_1_goes_on_after_a_fault_and_the_next_is_the_end(boot):
    machine = boot()
    before = pid_of(machine, "log")
    machine.type("kill -SEGV 1")
    machine.wait_for(r"init: fault: signal 11: starting again")
    machine.wait_for(r"init: recovered")
    assert pid_of(machine, "log") == before
    machine.ask(f"kill -KILL {before}")
    machine.wait_for(r"init: log: ready")
    assert "up" in machine.ask("copalctl status log")
    # It cannot be trusted any more: the machine is better off with a clean start.
    machine.type("kill -SEGV 1")
    machine.wait_for(r"Kernel panic - not syncing: Attempted to kill init")
    assert machine.wait_for_end(60) == 0


def test_a_clock_that_starts_in_1970(boot):
    machine = boot("-rtc", "base=1970-01-01T00:00:00")
    assert int(re.search(r"^(\d{4})$", machine.ask("date +%Y"), re.M)[1]) >= 2024
    power_off(machine)


def test_run_is_full(boot):
    machine = boot()
    assert "No space left" in machine.ask("dd if=/dev/zero of=/run/fill bs=64k 2>&1")
    machine.ask(f"kill -KILL {pid_of(machine, 'log')}")
    machine.wait_for(r"init: log: ready")
    assert "up" in machine.ask("copalctl status log")
    power_off(machine)


def test_a_machine_with_little_memory(boot, monkeypatch):
    monkeypatch.setenv("MEMORY", "96")
    machine = boot()
    # The kernel ends the greedy one, and nobody else notices.
    machine.ask("tail /dev/zero")
    assert re.search(r"Out of memory: Killed process \d+ \(tail\)", machine.console)
    assert not re.search(r"init: (log|console): exited", machine.console)
    power_off(machine)


@pytest.fixture(name="troubled", scope="module")
def image_with_troubles(arch, tmp_path_factory):
    return build(tmp_path_factory.mktemp("troubled"), f"minimal_{arch}", 'CONFIG_IMAGE_OVERLAY="tests/boot/troubles"')


def test_a_service_that_takes_more_than_its_limit(boot, troubled):
    machine = boot(out=troubled)
    machine.wait_for(r"init: hog: exited [\d.]+s: signal 9")
    machine.wait_for(r"init: hog: failed")
    assert re.search(r"Memory cgroup out of memory: Killed process \d+ \(tail\)", machine.console)
    power_off(machine)


def test_a_service_that_handed_its_controllers_on_starts_again(boot, troubled):
    machine = boot(out=troubled)
    for name in ("delegated", "delegated-main"):
        machine.said(rf"init: {name}: failed")
        assert len(re.findall(rf"init: {name}: exec", machine.console)) == 4, "the others could not be started"
    power_off(machine)


def test_kexec_without_a_kernel_is_a_reboot(boot):
    machine = boot()
    machine.type("copalctl kexec")
    machine.wait_for(r"init: kexec: no kernel is loaded; rebooting")
    assert machine.wait_for_end(60) == 0


def test_reboots_in_a_row(boot):
    machine = boot("-action", "reboot=reset")
    for _ in range(int(os.environ.get("REBOOTS", "3"))):
        machine.type("copalctl reboot")
        machine.wait_for(r"reboot: Restarting system")
        machine.wait_for(r"init: console: ready")
    power_off(machine)
    assert not re.search(r"Kernel panic|Oops|BUG:|init: \S+: failed", machine.console)
