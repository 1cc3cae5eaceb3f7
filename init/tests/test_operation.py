"""What a running machine is asked for, and how PID 1 gets over its own faults."""

import json
import re
import signal
import sys

from pid1 import Pid1, main, seconds

PYTHON = "/usr/bin/python3"
SLEEP = "run = /bin/sleep 1000\nuser = root\n"


def state(init, name):
    code, text = init.ctl("status", name)
    assert code == 0, text
    return text.split()[1]


def order(init, *words):
    """An order that has to be obeyed."""
    assert init.ctl(*words) == (0, ""), init.ctl(*words)


def pid(init, name):
    return re.search(r"pid (\d+)", init.ctl("status", name)[1])[1]


# Programs that get ready 0.6 s after their exec, which PID 1 may see a moment later.
AT_LEAST = 0.2


def test_ready_by_newline():
    text = "exec 9>&3; sleep 0.6; echo >&9; exec sleep 1000"
    with Pid1({"a": f'run = /bin/sh -c "{text}"\nuser = root\nready = fd 10s\n', "b": SLEEP + "needs = a\n"}) as init:
        init.wait_for("init: b: ready")
        assert seconds(init.find("init: a: ready")[0]) - seconds(init.find("init: a: exec")[0]) >= AT_LEAST
        assert init.stop() == "poweroff"


def test_ready_by_path():
    text = "sleep 0.6; touch /run/a/here; exec sleep 1000"
    with Pid1({"a": f'run = /bin/sh -c "{text}"\nuser = root\nwrite = /run/a\nready = path /run/a/here\n'}) as init:
        init.wait_for("init: a: ready")
        assert seconds(init.find("init: a: ready")[0]) - seconds(init.find("init: a: exec")[0]) >= AT_LEAST
        assert init.stop() == "poweroff"


def test_ready_by_http():
    serve = ("import http.server as h; n=[0]; "
             "R=type('R',(h.BaseHTTPRequestHandler,),{'do_GET':lambda s:(n.append(s.path),"
             "s.send_response(200 if len(n)>3 else 503),s.end_headers())}); "
             "h.HTTPServer(('127.0.0.1',8080),R).serve_forever()")
    with Pid1({"a": f'run = {PYTHON} -c "{serve}"\nuser = root\nready = http 127.0.0.1:8080/health 20s\n'}) as init:
        init.wait_for("init: a: ready")
        # Two answers of 503 came first.
        assert len(init.wait_for("^a: .*GET /health", 3)) == 3
        assert init.stop() == "poweroff"


NOTIFY = ("import socket,os,time; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); "
          "say=lambda t:s.sendto(t.encode(),os.environ['NOTIFY_SOCKET']); ")


def test_watchdog():
    alive = NOTIFY + ("print(os.environ['WATCHDOG_USEC'], os.environ['WATCHDOG_PID'] == str(os.getpid()), flush=True); "
                      "say('READY=1'); [(say('WATCHDOG=1'),time.sleep(0.1)) for i in range(10)]; time.sleep(1000)")
    with Pid1({"a": f'run = {PYTHON} -c "{alive}"\nuser = root\nready = notify 10s\nwatchdog = 500ms\nrestart = always 1ms..1ms\n'}
              ) as init:
        init.wait_for("init: a: stopping .*: its watchdog was not fed")
        assert seconds(init.find("init: a: stopping")[0]) - seconds(init.find("init: a: ready")[0]) >= 1.3
        init.wait_for("init: a: ready", 2)
        assert init.find("^a: 500000 True$")
        assert init.stop() == "poweroff"


def test_more_time_when_asked():
    slow = NOTIFY + "say('EXTEND_TIMEOUT_USEC=3000000'); say('STATUS=slow'); time.sleep(1); say('READY=1'); time.sleep(1000)"
    with Pid1({"a": f'run = {PYTHON} -c "{slow}"\nuser = root\nready = notify 700ms\n'}) as init:
        init.wait_for("init: a: ready")
        assert init.find("^a: status: slow$") and not init.find("in time")
        assert init.stop() == "poweroff"


def test_task_limit():
    with Pid1({"a": "task = /bin/sleep 1000\nuser = root\nlimit = 300ms\n"}) as init:
        init.wait_for("init: a: stopping .*: took too long")
        init.wait_for("init: a: failed")
        assert init.stop() == "poweroff"


def test_shutdown_tasks_run_last_and_are_heard():
    last = 'task = /bin/sh -c "ls /run/a; echo bye"\nuser = root\nwhen = shutdown\n'
    first = "run = /bin/sh -c \"trap 'rm /run/a/x; exit' TERM; touch /run/a/x; echo set; while :; do sleep 0.01; done\"\n"
    with Pid1({"a": first + "user = root\nwrite = /run/a\n", "z": last,
               "slow": "task = /bin/sleep 1000\nuser = root\nwhen = shutdown\nlimit = 300ms\n"}) as init:
        init.wait_for("^a: set")
        assert not init.find("init: z: exec")
        assert init.stop() == "poweroff"
        assert init.find("^z: ") == ["z: bye"]
        assert init.find("init: slow: stopping .*: took too long")
        assert seconds(init.find("init: z: exec")[0]) >= seconds(init.find("init: a: stopped")[0])


def test_give_up_may_reboot():
    with Pid1({"a": "run = /bin/false\nuser = root\nrestart = always 1ms..1ms\ngive-up = 3 in 1m reboot\n"}) as init:
        assert init.wait() == "reboot"


def test_status_and_orders():
    files = {"a": SLEEP + "reload = HUP\n", "b": SLEEP + "needs = a\n", "t": "task = /bin/true\nuser = root\nneeds = a\n"}
    with Pid1(files) as init:
        init.wait_for("init: b: ready")
        init.wait_for("init: t: done")
        assert [state(init, name) for name in "abt"] == ["up", "up", "done"]
        order(init, "stop", "a")
        init.wait_for("init: a: stopped")
        assert init.find("init: [ab]: stopped")[0].startswith("init: b")
        assert [state(init, name) for name in "ab"] == ["down", "down"]
        order(init, "start", "b")
        init.wait_for("init: b: ready", 2)
        before = pid(init, "b")
        order(init, "restart", "b")
        init.wait_for("init: b: ready", 3)
        assert pid(init, "b") != before
        order(init, "start", "t")
        init.wait_for("init: t: done", 2)
        order(init, "reload", "a")  # HUP ends a sleep
        init.wait_for("init: a: exited .*: signal 1")
        for request, answer in ((("start", "x"), "no such service"), (("reload", "b"), "has no `reload`"),
                                (("stop", "log"), "stops last"), (("dance", "a"), "usage: copalctl")):
            code, text = init.ctl(*request)
            assert code != 0 and answer in text, text
        init.wait_for("init: a: ready", 3)
        code, text = init.ctl("tree")
        assert code == 0 and "b (up)\n  a (up)\n" in text, text
        code, text = init.ctl("blame")
        assert code == 0 and re.search(r"^b +\d+\.\d{3}s, started at ", text, re.M), text
        order(init, "reboot")
        assert init.wait() == "reboot"


TASK = "task = /bin/true\nuser = root\n"


def test_a_tree_tells_of_each_service_once():
    """Twenty-four layers of two that need both of the layer below: 2^24 ways down."""
    files = {f"{side}{layer:02}": TASK + (f"needs = a{layer - 1:02} b{layer - 1:02}\n" if layer else "")
             for layer in range(24) for side in "ab"}
    with Pid1(files) as init:
        init.wait_for("init: [ab]23: done", 2, seconds=60)
        code, text = init.ctl("tree")
        assert code == 0, text
        lines = text.splitlines()
        assert lines[1:3] == ["a23 (done)", "  a22 (done)"] and lines[-1] == "  b22 (done), as above" and len(lines) < 100, text
        assert init.stop() == "poweroff"


def test_a_row_of_any_length():
    names = [f"{n:02}-{'x' * 45}" for n in range(60)]
    needs = "".join(f"needs = {name}\n" for name in names)
    with Pid1(dict.fromkeys(names, TASK) | {"z": TASK + needs}) as init:
        init.wait_for("init: z: done", seconds=60)
        code, text = init.ctl("tree")
        assert code == 0 and text.endswith("z (done)\n" + "".join(f"  {name} (done)\n" for name in names)), text
        assert state(init, "z") == "done" and len(init.ctl("status")[1].splitlines()) == 62
        assert init.stop() == "poweroff"


def test_nobody_else_gives_orders():
    ask = ("import socket; s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); "
           "s.connect('/run/init/%s'); s.send(b'%s'); print(s.recv(99))")
    files = {"a": f'task = {PYTHON} -c "{ask % ("control", "poweroff")}"\nuser = 201\n',
             "b": f'task = {PYTHON} -c "{ask % ("status", "poweroff")}"\nuser = 201\ngroups = status\n',
             "c": f'task = {PYTHON} -c "{ask % ("status", "status 0")}"\nuser = 201\ngroups = status\n'}
    with Pid1(files, {"group": "status:x:77:\n"}) as init:
        init.wait_for("^a: .*PermissionError")
        init.wait_for("^b: .*error not allowed")
        init.wait_for("^c: b'log.tservice.tup")
        assert init.stop() == "poweroff"


def test_clients_that_misbehave():
    rude = ("import socket,time; open_=lambda:socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); c=[open_() for i in range(12)]; "
            "[s.connect('/run/init/control') for s in c]; "
            "[c[0].send(b'status 0') for i in range(100)]; c[1].send(b'x'*100); c[2].send(b''); c[3].send(bytes(range(90))); "
            "print('sent',flush=True); time.sleep(1000)")
    with Pid1({"a": f'run = {PYTHON} -c "{rude}"\nuser = root\n', "b": SLEEP}) as init:
        # It is cut off by the failing send, or sits there: others are served as soon as there is room.
        init.wait_for("^a: (sent|.*Error)")
        init.shell("pkill -KILL python3")
        init.wait_for("init: a: exited")
        assert state(init, "b") == "up"
        assert init.stop() == "poweroff"


def test_status_page():
    files = {"status": "run = /proc/self/exe --status 127.0.0.1:9101\nuser = 201\ngroups = status\nready = tcp 127.0.0.1:9101\n",
             "b": SLEEP}
    with Pid1(files, {"group": "status:x:77:\n"}) as init:
        init.wait_for("init: status: ready")
        init.wait_for("init: b: ready")
        page = init.shell("curl -s http://127.0.0.1:9101/status.json").stdout
        services = {service["name"]: service for service in json.loads(page)["services"]}
        assert services["b"]["state"] == "up" and services["b"]["starts"] == 1
        metrics = init.shell("curl -s http://127.0.0.1:9101/metrics").stdout
        assert 'copal_service_state{service="b",state="up"} 1\n' in metrics
        assert init.shell("curl -s -o /dev/null -w %{http_code} http://127.0.0.1:9101/x").stdout == "404"
        assert init.stop() == "poweroff"


def test_a_fault_of_pid_1_is_survived():
    count = 20
    files = {f"s{n:02}": SLEEP for n in range(count)}
    files["n"] = f'run = {PYTHON} -c "{NOTIFY} time.sleep(3); say(\'READY=1\'); time.sleep(1000)"\nuser = root\nready = notify 30s\n'
    files["t"] = 'run = /bin/sh -c "while :; do echo tick; sleep 0.05; done"\nuser = root\n'
    with Pid1(files) as init:
        init.wait_for(r"init: s\d\d: ready", count)
        init.wait_for("^t: tick")
        before = {name: pid(init, name) for name in files}
        init.shell("kill -SEGV 1")
        init.wait_for("init: recovered")
        took = seconds(init.find("init: recovered")[0]) - seconds(init.find("init: fault")[0])
        print(f"# recovered in {took * 1000:.0f} ms")
        assert {name: pid(init, name) for name in files} == before
        seen = len(init.find("^t: tick"))
        init.wait_for("^t: tick", seen + 3)
        init.wait_for("init: n: ready")  # its socket is the same one
        init.shell(f"kill -KILL {before['s03']}")
        init.wait_for("init: s03: exited .*: signal 9")
        init.wait_for("init: s03: ready", 2)
        assert not init.find(r"init: s0[0-2]: exited|bug")
        assert init.stop() == "poweroff"


def test_a_fault_during_shutdown_does_not_stop_it():
    slow = "run = /bin/sh -c \"trap 'sleep 1; exit' TERM; echo set; while :; do sleep 0.01; done\"\nuser = root\n"
    with Pid1({"a": slow}) as init:
        init.wait_for("^a: set")
        init.signal(signal.SIGINT)
        init.wait_for("init: a: stopping")
        init.shell("kill -SEGV 1")
        init.wait_for("init: recovered")
        assert init.wait() == "reboot"


if __name__ == "__main__":
    sys.exit(main(globals()))
