"""What a service may do and see, by running it under init as PID 1 of a namespace."""

import struct
import sys

from pid1 import ALLOW_ALL, Pid1, main

ACCOUNTS = {"passwd": "a:x:201:202::/:\n", "group": "a:x:202:\nmore:x:50:\n"}


def run(text, *more, user="a", etc=()):
    """What a service that runs this line of shell prints."""
    files = {"a": "\n".join([f'task = /bin/sh -c "{text}; echo over"', f"user = {user}", *more]) + "\n"}
    with Pid1(files, {**ACCOUNTS, **dict(etc)}) as init:
        # A log that is stopped before it has begun to listen takes nothing down: only then is it the time to stop.
        init.wait_for("^a: over|init: a: failed")
        assert init.stop() == "poweroff"
        # Only now has the log told all.
        said = [line.removeprefix("a: ") for line in init.find("^a: ")]
        assert said[-1:] == ["over"], "\n".join(init.log())
        return said[:-1]


def test_nothing_may_be_written():
    for user in ("a", "root"):
        said = run("for f in /x /etc/x /run/x /var/x /proc/self/comm /dev/x; do touch $f 2>&1; echo x >$f; done 2>&1",
                   user=user)
        assert len(said) >= 6 and all("Read-only" in line or "Permission" in line or "ermitted" in line for line in said), said


def test_tmp_is_its_own():
    files = {name: f'task = /bin/sh -c "ls /tmp; touch /tmp/{name}; ls /tmp"\nuser = a\n' for name in "bc"}
    files["c"] += "needs = b\n"
    with Pid1({**files, "b": files["b"]}, ACCOUNTS) as init:
        init.wait_for("init: c: done")
        init.wait_for("^[bc]: ", 2)
        assert init.find("^[bc]: ") == ["b: b", "c: c"]
        assert init.shell("ls /tmp").stdout == ""
        assert init.stop() == "poweroff"


def test_what_is_written_is_made_for_the_user():
    said = run("cd /var/lib/a; touch f; stat -c '%n %u %g %a' f /var/lib/a /var/lib; touch /var/lib/x 2>/dev/null || echo no",
               "write = /var/lib/a")
    assert said == ["f 201 202 644", "/var/lib/a 201 202 750", "/var/lib 0 0 755", "no"]


def test_no_link_is_followed_to_what_is_written():
    files = {"a": "task = /bin/ln -s /etc /run/a\nuser = root\nwrite = /run\n",
             "b": "task = /bin/true\nuser = root\nwrite = /run/a/init\nneeds = a\n"}
    with Pid1(files) as init:
        init.wait_for("init: b: write /run/a/init: ")
        assert init.stop() == "poweroff"


def test_devices():
    minimum = ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"]
    said = run("ls /dev; echo x >/dev/null && touch /dev/shm/x && echo works")
    # The test's own /dev has not all of them.
    assert set(said) <= {*minimum, "works"} and {"null", "zero", "shm", "works"} <= set(said), said
    assert run("ls /dev", "dev = none") == []
    assert "kmsg" in run("ls /dev", "dev = all")
    assert "kmsg" in run("ls /dev", "dev = kmsg") and "pts" not in run("ls /dev", "dev = kmsg")


def test_processes_of_others_are_not_seen():
    see = "ls -d /proc/1 2>/dev/null; test -d /proc/$$ && echo self"
    assert run(see) == ["self"]
    assert run(see, "proc = all") == ["/proc/1", "self"]


def test_hide_bind_and_tmpfs():
    said = run("ls /etc/init; cat /etc/group; cat /usr/share/passwd; touch /var/log/x && stat -c %u /var/log",
               "hide = /run/init /etc/init /etc/group", "bind = /etc:/usr/share", "tmpfs = /var/log:1M")
    assert [line for line in said if "ermission" not in line] == ["a:x:201:202::/:", "201"], said


def test_no_capability_unless_asked():
    status = "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d '\\t'"
    for user in ("a", "root"):
        said = run(status, user=user)
        assert said == ["CapInh:0000000000000000", "CapPrm:0000000000000000", "CapEff:0000000000000000",
                        "CapBnd:0000000000000000", "CapAmb:0000000000000000", "NoNewPrivs:1", "Seccomp:2"], said
        said = run(status, "caps = net_raw chown", user=user)
        assert said[:5] == [f"Cap{which}:0000000000002001" for which in ("Inh", "Prm", "Eff", "Bnd", "Amb")], said


def test_groups():
    assert run("id -u; id -g; id -G", "groups = more 7") == ["201", "202", "202 7 50"]


def test_seccomp_filter_is_in_force():
    # struct sock_filter: load the number; is it mkdir (83) or mkdirat (258)? then EPERM, else allowed.
    deny = b"".join(struct.pack("HBBI", *row) for row in (
        (0x20, 0, 0, 0), (0x15, 1, 0, 83), (0x15, 0, 1, 258), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7fff0000)))
    etc = {"seccomp/strict": deny, "seccomp/service": ALLOW_ALL}
    assert run("mkdir /tmp/x || echo refused; touch /tmp/y && echo fine", "seccomp = strict", etc=etc)[-2:] == ["refused", "fine"]
    assert run("mkdir /tmp/x && echo fine", etc=etc) == ["fine"]
    assert "Seccomp:0" in run("grep Seccomp: /proc/self/status | tr -d '\\t'", "seccomp = none", etc=etc)


def test_landlock_keeps_from_signals():
    victim = "run = /bin/sleep 1000\nuser = a\n"
    kill = 'task = /bin/sh -c "kill -TERM $(pidof sleep); echo code $?"\nuser = a\nproc = all\nneeds = victim\n'
    with Pid1({"victim": victim, "a": kill, "b": kill + "after = a\nlandlock = no\n"}, ACCOUNTS) as init:
        if init.find("has no Landlock"):
            print("# skipped: no Landlock here")
            return
        init.wait_for("^b: code")
        assert init.find("^[ab]: code") == ["a: code 1", "b: code 0"]
        init.wait_for("init: victim: exited")
        assert init.stop() == "poweroff"


def test_namespaces():
    said = run("grep -c : /proc/net/dev; cat /proc/net/dev | grep -c lo:; echo $$", "net = none", "namespaces = pid ipc uts")
    assert said == ["1", "1", "1"], said


def test_limits_of_a_process():
    said = run("ulimit -c; ulimit -l; nice", "nice = 5", "memlock = 64K")
    assert said == ["0", "64", "5"]


def test_machine_mounts_are_the_machines():
    files = {"a": 'task = /bin/sh -c "mkdir /run/m; mount -t tmpfs m /run/m; touch /run/m/x"\nuser = root\ncaps = sys_admin\n'
                  "mounts = machine\nlandlock = no\n",
             "b": "task = /bin/ls /run/m\nuser = a\nneeds = a\n"}
    with Pid1(files, ACCOUNTS) as init:
        init.wait_for("^b: x")
        assert init.shell("ls /run/m").stdout == "x\n"
        assert init.stop() == "poweroff"


def test_mounts_of_a_service_stay_with_it():
    files = {"a": 'run = /bin/sh -c "mount -t tmpfs m /tmp && touch /tmp/x && echo set; exec sleep 99"\nuser = root\n'
                  "caps = sys_admin\nlandlock = no\n"}
    with Pid1(files) as init:
        init.wait_for("^a: set")
        assert init.shell("ls /tmp").stdout == ""
        assert init.stop() == "poweroff"


if __name__ == "__main__":
    sys.exit(main(globals()))
