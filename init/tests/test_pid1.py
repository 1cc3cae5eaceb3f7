"""init as PID 1, in namespaces. Under Meson, or: INIT=build/init pytest init/tests/test_pid1.py"""

import signal
import sys
import time

from pid1 import Pid1, main, seconds

PYTHON = "/usr/bin/python3"
SLEEP = "run = /bin/sleep 1000\nuser = root\n"


def script(text, *more):
    """A service that runs a line of shell."""
    return "\n".join([f'run = /bin/sh -c "{text}"', "user = root", *more]) + "\n"


def test_boot_and_poweroff():
    with Pid1({"a": SLEEP}, {"hostname": "amber\n"}) as init:
        init.wait_for("init: a: ready")
        assert seconds(init.find("init: boot")[0]) <= seconds(init.find("init: a: exec")[0])
        assert init.shell("hostname").stdout == "amber\n"
        assert init.shell("cat /sys/class/net/lo/flags").stdout == "0x9\n"
        assert init.stop() == "poweroff"
        assert init.find("init: a: stopped") and not init.find("bug|killing")
        # Nothing is left, so nothing is waited for (but a busy machine may take time to sync).
        assert seconds(init.find("init: poweroff")[0]) - seconds(init.find("log: stopped")[0]) < 4


def test_what_is_no_host_name_is_said():
    for name in ("a/b", "x" * 65):
        with Pid1({"a": SLEEP}, {"hostname": "amber\n"}, cmdline=f"copal.hostname={name}") as init:
            init.wait_for(f"init: copal.hostname: '{name}' is no name of a host")
            init.wait_for("init: a: ready")
            assert init.shell("hostname").stdout == "amber\n"
            assert init.stop() == "poweroff"


def test_reboot_on_sigint():
    with Pid1({"a": SLEEP}) as init:
        init.wait_for("init: a: ready")
        init.signal(signal.SIGINT)
        assert init.wait() == "reboot"


def test_nothing_to_do():
    with Pid1({}) as init:
        init.wait_for("init: log: ready")
        assert init.stop() == "poweroff"


def test_output_reaches_the_log():
    with Pid1({"talker": script("echo one; echo two >&2; printf three; exec sleep 1000")}) as init:
        init.wait_for("^talker: two")
        assert init.find("^talker: one")
        assert init.stop() == "poweroff"
        assert init.find("^talker: three")  # without a newline: told at the end


def test_flood_is_cut_short():
    flood = "seq 1 20000; echo over; exec sleep 1000"
    with Pid1({"flood": script(flood), "calm": script("sleep 1; echo hello; exec sleep 99")}) as init:
        init.wait_for("^calm: hello")
        init.wait_for(r"^flood: \(\d+ lines left out\)")
        assert len(init.find("^flood: ")) < 2000
        assert init.stop() == "poweroff"


def test_the_last_line_of_a_run_is_its_own():
    with Pid1({"a": script("printf fatal-$$; exit 1", "restart = always 1ms..20ms")}) as init:
        init.wait_for(r"^a: fatal-\d+$", 3)
        assert init.stop() == "poweroff"
        assert not init.find("fatal.*fatal")


def test_what_a_service_says_of_itself_is_limited():
    """As all else that it says: `log` counts for STATUS=, too."""
    flood = ("import socket,os; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET']); "
             "[s.send(b'STATUS=number %d '%n+bytes([27])+b'[2J') for n in range(20000)]; s.send(b'READY=1'); s.recv(1)")
    with Pid1({"a": f'run = {PYTHON} -c "{flood}"\nuser = root\nready = notify\nlog = 10/s\n'}) as init:
        init.wait_for("init: a: ready")
        init.wait_for(r"^a: status: number \d+ .\[2J")
        assert len(init.find("number")) < 500
        assert not init.find("\x1b")
        assert init.stop() == "poweroff"


def test_crash_restarts_with_growing_delays():
    with Pid1({"a": script("exit 3", "restart = always 20ms..200ms")}) as init:
        restarts = init.wait_for("init: a: restart", 6)
        delays = [float(line.split(" in ")[1].rstrip("s")) for line in restarts]
        for delay, meant in zip(delays, [0.02, 0.04, 0.08, 0.16, 0.2, 0.2]):
            assert abs(delay - meant) <= meant * 0.11 + 0.001
        assert init.find("init: a: exited .*: code 3")
        assert init.stop() == "poweroff"


def test_killed_service_restarts():
    with Pid1({"a": SLEEP + "restart = always 1ms..1ms\n"}) as init:
        for n in range(1, 6):
            init.wait_for("init: a: ready", n)
            init.shell("pkill -KILL -x sleep")
        init.wait_for("init: a: ready", 6)
        assert init.find("init: a: exited .*: signal 9")
        assert init.stop() == "poweroff"


def test_give_up():
    with Pid1({"a": script("exit 1", "restart = always 1ms..1ms", "give-up = 3 in 1m"),
               "b": SLEEP + "needs = a\n", "c": SLEEP + "after = a\n"}) as init:
        init.wait_for("init: a: failed")
        init.wait_for("init: b: (stopping|failed) .*what it needs")
        init.wait_for("init: b: failed")
        init.wait_for("init: c: ready")
        assert len(init.find("init: a: exited")) == 3
        assert init.stop() == "poweroff"


def test_program_that_is_not_there():
    with Pid1({"a": "run = /no/such\nuser = root\nrestart = never\n", "b": SLEEP}) as init:
        init.wait_for("init: a: exec /no/such: No such file or directory")
        init.wait_for("init: a: failed")
        init.wait_for("init: b: ready")
        assert init.stop() == "poweroff"


def test_bad_file_fails_alone():
    with Pid1({"a": SLEEP + "redy = exec\n", "b": SLEEP, "c": SLEEP + "needs = a\n"}) as init:
        init.wait_for("init: b: ready")
        assert init.find(r"/etc/init/a:3:1: unknown key 'redy': did you mean 'ready'\?")
        init.wait_for("init: c: failed")
        assert init.stop() == "poweroff"


def test_order_of_start_and_stop():
    note = "trap 'sleep 0.2; exit' TERM; echo set; while :; do sleep 0.01; done"
    with Pid1({"a": script(note), "b": script(note, "needs = a"),
               "c": script(note, "after = b")}) as init:
        init.wait_for("^[abc]: set", 3)
        ready = init.wait_for("init: [abc]: ready", 3)
        assert [line[6] for line in ready] == ["a", "b", "c"]
        assert init.stop() == "poweroff"
        assert [line[6] for line in init.find("init: [abc]: stopped")] == ["c", "b", "a"]


def test_stop_in_parallel():
    slow = script("trap 'sleep 1; exit' TERM; echo set; while :; do sleep 0.01; done")
    with Pid1({f"s{n}": slow for n in range(8)}) as init:
        init.wait_for("^s.: set", 8)
        assert init.stop() == "poweroff"
        begin = seconds(init.find("init: shutdown")[0])
        assert seconds(init.find("init: s.: stopped")[-1]) - begin < 4


def test_stop_limit():
    deaf = script("trap '' TERM; echo set; while :; do sleep 0.01; done", "stop = TERM 300ms")
    with Pid1({"deaf": deaf, "base": SLEEP, "above": deaf + "needs = base\n"}) as init:
        init.wait_for("^(deaf|above): set", 2)
        assert init.stop() == "poweroff"
        stopping = seconds(init.find("init: deaf: stopping")[0])
        killed = seconds(init.find("init: deaf: killing")[0])
        assert 0.29 <= killed - stopping < 2


def test_stopped_process_can_be_stopped():
    with Pid1({"a": SLEEP}) as init:
        init.wait_for("init: a: ready")
        init.shell("pkill -STOP -x sleep")
        assert init.stop() == "poweroff"
        assert not init.find("killing")


def test_orphans_are_reaped():
    orphans = "for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.1 &); done; exec sleep 1000"
    with Pid1({"a": script(orphans)}) as init:
        init.wait_for("init: a: ready")
        time.sleep(0.5)
        assert init.shell("ps -eo stat= | grep -c Z").stdout == "0\n"
        assert init.stop() == "poweroff"


def test_leftovers_are_ended():
    """`kill = main` leaves the rest of a service alone, until the very end."""
    leaver = "(trap '' TERM; echo set; exec sleep 1000) & exec sleep 1000"
    with Pid1({"a": script(leaver, "kill = main 1500ms")}) as init:
        init.wait_for("^a: set")
        assert init.stop() == "poweroff"
        begin = seconds(init.find("init: a: stopped")[0])
        assert 1.4 < seconds(init.find("init: killing what is left")[0]) - begin < 5


def test_a_service_can_tell_that_the_machine_goes_down():
    tell = script("trap 'echo told:$(cat /run/ending); exit' TERM; echo set; while :; do sleep 0.01; done", "restart = always 1ms..1ms")
    with Pid1({"a": tell}) as init:
        init.wait_for("^a: set")
        init.ctl("restart", "a")
        init.wait_for("^a: told", 1)
        init.wait_for("^a: set", 2)
        assert init.stop() == "poweroff"
        assert init.find("^a: told") == ["a: told:", "a: told:poweroff"]


def test_leftovers_have_their_time_and_are_heard():
    rest = "(trap 'sleep 1; echo bye; exit' TERM; echo set; while :; do sleep 0.01; done) & exec sleep 1000"
    with Pid1({"a": script(rest, "kill = main 20s")}) as init:
        init.wait_for("^a: set")
        assert init.stop() == "poweroff"
        assert init.find("^a: bye")
        assert not init.find("killing what is left")


def test_all_of_a_tree_is_asked():
    """Also who left the process group of the main process, which ends at once."""
    child = "trap 'sleep 0.3; echo bye; exit' TERM\necho set\nwhile :; do sleep 0.01; done\n"
    with Pid1({"a": script("setsid sh /etc/child & exec sleep 1000")}, {"child": child}) as init:
        if not init.has_cgroups:
            return
        init.wait_for("^a: set")
        assert init.stop() == "poweroff"
        assert init.find("^a: bye")
        assert not init.find("killing")


def test_steps_before_and_after_a_stop():
    def step(word, needs=""):
        return f"run = /pid1 --at-stop /bin/sh -c \"sleep 0.2; echo {word}\"\nready = fd\nuser = root\n{needs}"

    service = script("trap 'sleep 0.2; echo itself; exit' TERM; echo set; while :; do sleep 0.01; done", "needs = later")
    with Pid1({"later": step("after"), "service": service, "sooner": step("before", "needs = service\n")}) as init:
        init.wait_for("^service: set")
        init.wait_for("init: sooner: ready")
        assert init.stop() == "poweroff"
        assert init.find(": (before|itself|after)$") == ["sooner: before", "service: itself", "later: after"]


def test_a_shell_that_waits_is_stopped():
    """It acts on the signal only when the program that it waits for has ended."""
    with Pid1({"a": script("trap 'echo bye; exit' TERM; echo set; sleep 1000; echo after")}) as init:
        init.wait_for("^a: set")
        assert init.stop() == "poweroff"
        assert init.find("^a: bye")
        assert not init.find("killing")


def test_notify():
    send = ("import socket,os,time; n=chr(10); "
            "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); a=os.environ['NOTIFY_SOCKET']; "
            "s.sendto(b'',a); s.sendto(b'x'*9000,a); s.sendto(b'STATUS=READY=1',a); time.sleep(0.5); "
            "print('sent',f'{time.monotonic():.3f}s',flush=True); s.sendto(f'STATUS=up{n}READY=1{n}'.encode(),a); time.sleep(1000)")
    with Pid1({"a": f'run = {PYTHON} -c "{send}"\nuser = 201\nready = notify 10s\n',
               "b": SLEEP + "needs = a\n"}) as init:
        init.wait_for("init: b: ready")
        sent = seconds(init.wait_for("^a: sent")[0])
        assert seconds(init.find("init: a: ready")[0]) > sent - 0.2, "what came half a second before did not say it"
        assert init.stop() == "poweroff"


def test_not_ready_in_time():
    with Pid1({"a": SLEEP + "ready = notify 200ms\nrestart = always 10ms..10ms\n"}) as init:
        init.wait_for("init: a: stopping .*: was not ready in time", 2)
        assert not init.find("init: a: ready")
        assert init.stop() == "poweroff"


def test_tcp():
    def service(family, address):
        listen = ("import socket,time; time.sleep(0.5); print('listens',f'{time.monotonic():.3f}s',flush=True); "
                  f"s=socket.create_server(('{address.strip('[]')}',4646),family=socket.{family}); time.sleep(1000)")
        return f'run = {PYTHON} -c "{listen}"\nuser = root\nready = tcp {address}:4646 10s\n'

    with Pid1({"four": service("AF_INET", "127.0.0.1"), "six": service("AF_INET6", "[::1]")}) as init:
        for name in ("four", "six"):
            init.wait_for(f"init: {name}: ready")
            began = seconds(init.wait_for(f"^{name}: listens")[0])
            assert seconds(init.find(f"init: {name}: ready")[0]) > began - 0.2
        assert init.stop() == "poweroff"


def test_tasks():
    with Pid1({"setup": 'task = /bin/sh -c "sleep 0.3; touch /run/made"\nuser = root\nwrite = /run\n',
               "user": script("ls /run/made; exec sleep 1000", "needs = setup"),
               "broken": "task = /bin/false\nuser = root\n",
               "unlucky": SLEEP + "needs = broken\n"}) as init:
        init.wait_for("^user: /run/made")
        assert init.find("init: setup: done")
        init.wait_for("init: broken: failed")
        init.wait_for("init: unlucky: failed")
        assert init.stop() == "poweroff"


def test_tree_is_swept():
    """What the main process leaves behind is gone before its successor starts."""
    leaver = "(trap '' TERM; exec sleep 1000) & sleep 0.3; exit 1"
    with Pid1({"a": script(leaver, "restart = always 1ms..1ms\nstop = TERM 50ms")}) as init:
        if not init.has_cgroups:
            return
        init.wait_for("init: a: exec", 4)
        left = init.shell("pgrep -c -f '^sleep 1000'").stdout
        assert left in ("0\n", "1\n"), left
        assert init.stop() == "poweroff"
        assert not init.find("killing what is left")


def test_cgroups():
    with Pid1({"a": SLEEP}) as init:
        if not init.has_cgroups:
            return
        init.wait_for("init: a: ready")
        assert init.shell("cat /proc/1/cgroup").stdout.endswith("/init\n")
        assert init.shell("cat /proc/$(pgrep -x sleep)/cgroup").stdout.endswith("/services/a\n")
        assert init.stop() == "poweroff"


def test_user():
    text = "task = /bin/sh -c \"id -u; id -g; id -G; exit 0\"\nuser = "
    etc = {"passwd": "x:x:7:8::/:\nnomad:x:201:202::/:/bin/false\n", "group": "staff:x:50:nomad\n"}
    with Pid1({"a": text + "nomad\n", "b": text + "77\n", "c": text + "nomad\ngroup = staff\n",
               "d": text + "nobody\n"}, etc) as init:
        init.wait_for("^[abc]: ", 9)
        for name, user, group in (("a", 201, 202), ("b", 77, 77), ("c", 201, 50)):
            assert init.find(f"^{name}: ") == [f"{name}: {user}", f"{name}: {group}",
                                               f"{name}: {group}"]
        assert init.find("/etc/init/d:2:8: there is no user 'nobody' in this image")
        assert init.stop() == "poweroff"


def test_environment_and_limits():
    with Pid1({"a": script("env; ulimit -n; cat /proc/self/oom_score_adj; ls -l /proc/self/fd | cat;"
                           " grep Sig /proc/self/status; exec sleep 99",
                           "env = COLOUR=amber HOME=/var", "env = A=b", "nofile = 4242",
                           "oom = 250")}) as init:
        for line in ["COLOUR=amber", "HOME=/var", "A=b", "PATH=/usr/bin:/usr/sbin:/bin:/sbin",
                     "4242", "250", "SigBlk:\t0000000000000000".replace("\t", " "),
                     "SigIgn: 0000000000000000"]:
            init.wait_for(f"^a: {line}$")
        # Nothing of PID 1's is left open.
        assert not init.find("^a: .* -> .*(kmsg|anon_inode)")
        assert init.stop() == "poweroff"


def test_log_service_comes_back():
    with Pid1({"a": script("while :; do echo tick; sleep 0.05; done")}) as init:
        init.wait_for("^a: tick", 3)
        init.shell("pkill -KILL -f -- --log")
        init.wait_for("init: log: exec", 2)
        seen = len(init.find("^a: tick"))
        init.wait_for("^a: tick", seen + 3)
        assert init.stop() == "poweroff"


def test_shutdown_twice_and_during_backoff():
    slow = script("trap 'sleep 0.5; exit' TERM; echo set; while :; do sleep 0.01; done")
    with Pid1({"a": script("exit 1", "restart = always 10s..10s"), "b": slow}) as init:
        init.wait_for("init: a: restart")
        init.wait_for("^b: set")
        init.signal(signal.SIGTERM)
        init.wait_for("init: shutdown")
        init.signal(signal.SIGTERM)
        init.signal(signal.SIGINT)
        assert init.wait() == "poweroff"  # what came first
        assert len(init.find("init: shutdown")) == 1


def test_shutdown_during_start():
    never = SLEEP + "ready = notify 1h\n"
    with Pid1({"a": never, "b": SLEEP + "needs = a\n", "c": "task = /bin/sleep 1000\nuser = root\n"}
              ) as init:
        init.wait_for("init: [ac]: exec", 2)
        assert init.stop() == "poweroff"
        assert not init.find("init: b: exec")


def test_many_services():
    count = 400
    with Pid1({f"s{n:03}": SLEEP for n in range(count)}) as init:
        ready = init.wait_for(r"init: s\d+: ready", count, seconds=60)
        begin = seconds(init.find("init: services")[0])
        print(f"# {count} services ready in {seconds(ready[-1]) - begin:.3f} s")
        assert init.stop(60) == "poweroff"
        assert len(init.find(r"init: s\d+: stopped")) == count


if __name__ == "__main__":
    sys.exit(main(globals()))
