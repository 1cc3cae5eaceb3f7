#include "core/config.h"

#include <csignal>
#include <sched.h>

#include "core/policy.h"
#include "helpers.h"

namespace copal {
namespace {

constexpr std::string_view kGood = "run = /bin/x\nuser = root\n";

class Config : public testing::Test {
 protected:
  Spec parse(std::string_view text, std::string_view name = "x") {
    text_ = text;
    problems_.list.clear();
    return parse_spec(name, "x", text_, &accounts_, memory_.arena(), problems_);
  }
  // The one thing that is wrong with `line`, in a file that is good otherwise.
  std::string problem(const std::string& line) {
    const Spec spec = parse(std::string(kGood) + line + "\n");
    EXPECT_TRUE(spec.bad) << line;
    EXPECT_EQ(problems_.list.size(), 1U) << line;
    return problems_.list.empty() ? "" : problems_.list[0];
  }
  Spec good(const std::string& line) {
    const Spec spec = parse(std::string(kGood) + line + "\n");
    EXPECT_FALSE(spec.bad) << line << ": " << (problems_.list.empty() ? "" : problems_.list[0]);
    return spec;
  }

  Memory memory_{size_t{16} << 20};
  Problems problems_;
  std::string text_;
  Accounts accounts_{"nomad:x:201:202::/:\n", "staff:x:50:\n"};
};

std::vector<std::string> strings(std::span<const char*> list) {
  EXPECT_EQ(list.back(), nullptr);
  return {list.begin(), list.end() - 1};
}

TEST_F(Config, ReadsEveryKey) {
  const Spec spec = parse(
      "# a comment\n"
      "\n"
      "  # another\n"
      "run     = /usr/bin/nomad agent -config \"/etc/my nomad\" \"\"\n"
      "needs   = network clock\n"
      "needs   = persist\n"
      "after=docker\n"
      "ready   = notify 60s\n"
      "stop    = INT 90s\n"
      "kill    = main 45s\n"
      "restart = on-failure 100ms..30s\n"
      "give-up = 10 in 10m\n"
      "user    = nomad\n"
      "group   = staff\n"
      "env     = A=b \"C=d e\"\n"
      "env     = HOME=/x F=\n"
      "oom     = -500\n"
      "nofile  = 65536\n"
      "console = yes\n");
  EXPECT_TRUE(problems_.list.empty()) << problems_.list[0];
  EXPECT_FALSE(spec.bad);
  EXPECT_EQ(strings(spec.argv),
            (std::vector<std::string>{"/usr/bin/nomad", "agent", "-config", "/etc/my nomad", ""}));
  ASSERT_EQ(spec.needs.size(), 3U);
  EXPECT_EQ(spec.needs[2].name, "persist");
  EXPECT_EQ(spec.needs[2].place.line, 6U);
  EXPECT_EQ(spec.needs[2].place.column, 11U);
  ASSERT_EQ(spec.after.size(), 1U);
  EXPECT_EQ(spec.after[0].name, "docker");
  EXPECT_EQ(spec.ready, Ready::notify);
  EXPECT_EQ(spec.ready_limit, std::chrono::seconds(60));
  EXPECT_EQ(spec.stop_signal, SIGINT);
  EXPECT_EQ(spec.stop_limit, std::chrono::seconds(90));
  EXPECT_EQ(spec.kill, Kill::main);
  EXPECT_EQ(spec.rest_limit, std::chrono::seconds(45));
  EXPECT_EQ(spec.restart, Restart::on_failure);
  EXPECT_EQ(spec.delay_min, std::chrono::milliseconds(100));
  EXPECT_EQ(spec.delay_max, std::chrono::seconds(30));
  EXPECT_EQ(spec.give_up_count, 10U);
  EXPECT_EQ(spec.give_up_window, std::chrono::minutes(10));
  EXPECT_EQ(spec.account.user, 201U);
  EXPECT_EQ(spec.account.group, 50U);
  EXPECT_EQ(strings(spec.env), (std::vector<std::string>{"A=b", "C=d e", "HOME=/x", "F=",
                                                         "PATH=/usr/bin:/usr/sbin:/bin:/sbin"}));
  EXPECT_EQ(spec.limits.oom, -500);
  EXPECT_EQ(spec.limits.nofile, 65536U);
  EXPECT_TRUE(spec.console);
}

TEST_F(Config, HasDefaults) {
  const Spec spec = good("");
  EXPECT_EQ(spec.kind, Kind::service);
  EXPECT_EQ(spec.ready, Ready::exec);
  EXPECT_EQ(spec.stop_signal, SIGTERM);
  EXPECT_EQ(spec.kill, Kill::tree);
  EXPECT_EQ(spec.restart, Restart::always);
  EXPECT_EQ(spec.give_up_count, 0U);
  EXPECT_FALSE(spec.console);
  const Spec task = parse("task = /bin/x\nuser = root\n");
  EXPECT_EQ(task.kind, Kind::task);
  EXPECT_EQ(task.restart, Restart::never);
}

// A bad file must not use up the memory of the others.
TEST_F(Config, AListThatGrowsLineByLineTakesLittleMemory) {
  std::string text(kGood);
  for (int i = 0; i < 3000; ++i) text += "needs = s" + std::to_string(i) + "\n";
  const Spec spec = parse(text);
  EXPECT_FALSE(spec.bad);
  ASSERT_EQ(spec.needs.size(), 3000U);
  for (int i = 0; i < 3000; ++i) EXPECT_EQ(spec.needs[i].name, "s" + std::to_string(i));
}

TEST_F(Config, UserBringsItsGroup) {
  EXPECT_EQ(parse("run = /x\nuser = nomad\n").account.group, 202U);
  EXPECT_EQ(parse("run = /x\nuser = 77\n").account.group, 77U);
  EXPECT_EQ(parse("run = /x\ngroup = 5\nuser = nomad\n").account.group, 5U);
  EXPECT_EQ(parse("run = /x\nuser = root\n").account.user, 0U);
}

TEST_F(Config, TcpAddress) {
  const Spec spec = good("ready = tcp 127.0.0.1:4646 5s");
  EXPECT_EQ(spec.ready, Ready::tcp);
  EXPECT_EQ(spec.address.any.sa_family, AF_INET);
  EXPECT_EQ(ntohl(spec.address.four.sin_addr.s_addr), 0x7f000001U);
  EXPECT_EQ(ntohs(spec.address.four.sin_port), 4646U);
  const Spec six = good("ready = tcp [::1]:8500");
  EXPECT_EQ(six.address.any.sa_family, AF_INET6);
  EXPECT_EQ(six.address.six.sin6_addr.s6_addr[15], 1);
  EXPECT_EQ(ntohs(six.address.six.sin6_port), 8500U);
  EXPECT_EQ(spec.ready_limit, std::chrono::seconds(5));
  for (const char* bad : {"localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "1.2.3:4",
                          "1.2.3.4.5:6", "256.0.0.1:1", ":1", "127.0.0.1:65536", "..:1", "::1:80",
                          "[::1]", "[127.0.0.1]:80", "[]:1"}) {
    EXPECT_NE(problem(std::string("ready = tcp ") + bad).find("3:13: an address is"),
              std::string::npos);
  }
  EXPECT_EQ(problem("ready = tcp"), "3:9: tcp needs ADDRESS:PORT");
  EXPECT_EQ(problem("ready = exec 5s 6s"), "3:17: one word too many");
}

TEST_F(Config, Readiness) {
  const Spec http = good("ready = http 127.0.0.1:8080/ready?x=1 5s");
  EXPECT_EQ(http.ready, Ready::http);
  EXPECT_EQ(ntohs(http.address.four.sin_port), 8080U);
  EXPECT_EQ(http.path, "/ready?x=1");
  EXPECT_EQ(http.ready_limit, std::chrono::seconds(5));
  EXPECT_EQ(good("ready = path /run/x.sock").path, "/run/x.sock");
  EXPECT_EQ(good("ready = fd").ready, Ready::fd);
  EXPECT_EQ(problem("ready = http 127.0.0.1:80"), "3:14: http needs ADDRESS:PORT/PATH");
  EXPECT_EQ(problem("ready = http x/y"),
            "3:14: an address is numbers, like 127.0.0.1:4646 or [::1]:4646: nothing is looked up");
  EXPECT_EQ(problem("ready = path"), "3:9: path needs a /PATH");
  EXPECT_EQ(problem("ready = path run/x"),
            "3:14: a path is whole, from /, without . and .. in it or / at its end");
  EXPECT_EQ(good("ready = notify\nwatchdog = 30s").watchdog, std::chrono::seconds(30));
  EXPECT_EQ(problem("ready = exec 0s"), "3:14: this is no time at all");
  EXPECT_EQ(problem("watchdog = 30s"),
            "3:1: `watchdog` needs `ready = notify`: it is heard on the same socket");
}

TEST_F(Config, WhatItMayDo) {
  const Spec spec = good(
      "caps = net_bind_service chown\ncaps = bpf\nnew-privs = yes\nseccomp = none\n"
      "landlock = no\nnamespaces = ipc pid\nnet = none\ngroups = staff 7");
  EXPECT_EQ(spec.confinement.caps, uint64_t{1} << 39 | 1U << 10 | 1U);
  EXPECT_TRUE(spec.confinement.new_privs);
  EXPECT_TRUE(spec.confinement.seccomp.empty());
  EXPECT_FALSE(spec.confinement.landlock);
  EXPECT_EQ(spec.confinement.namespaces, uint64_t{CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET});
  ASSERT_EQ(spec.account.groups.size(), 2U);
  EXPECT_EQ(spec.account.groups[0], 50U);
  EXPECT_EQ(spec.account.groups[1], 7U);
  EXPECT_EQ(good("caps = all\nlandlock = no").confinement.caps, kAllCaps);
  EXPECT_EQ(capability_name(21), "sys_admin");
  EXPECT_EQ(capability_name(40), "checkpoint_restore");
  EXPECT_EQ(capability_name(41), "");
  EXPECT_EQ(problem("caps = sys_admn"), "3:8: unknown word 'sys_admn': did you mean 'sys_admin'?");
  EXPECT_EQ(problem("seccomp = ../x"), "3:11: expected the name of a profile");
  EXPECT_EQ(problem("namespaces = user"), "3:14: unknown word 'user'");
  EXPECT_EQ(problem("caps = sys_admin"),
            "3:1: Landlock forbids what `caps = sys_admin` is for: write `landlock = no`");
  EXPECT_EQ(problem("mounts = machine"),
            "3:1: Landlock forbids what `mounts = machine` is for: write `landlock = no`");
  EXPECT_EQ(problem("new-privs = yes"),
            "3:1: `new-privs = yes` needs `seccomp = none`, or the capability sys_admin");
  good("new-privs = yes\ncaps = sys_admin\nlandlock = no");
}

TEST_F(Config, WhatItSees) {
  const Spec spec = good(
      "write = /var/lib/x /run/x\nwrite = /srv\nhide = /boot\nbind = /a:/b /c:/d:write\n"
      "tmpfs = /m /n:16M\ndev = fuse net/tun\nproc = all");
  const Confinement& seen = spec.confinement;
  ASSERT_EQ(seen.write.size(), 3U);
  EXPECT_STREQ(seen.write[2], "/srv");
  EXPECT_STREQ(seen.hide[0], "/boot");
  ASSERT_EQ(seen.bind.size(), 2U);
  EXPECT_STREQ(seen.bind[0].to, "/b");
  EXPECT_FALSE(seen.bind[0].write);
  EXPECT_STREQ(seen.bind[1].from, "/c");
  EXPECT_TRUE(seen.bind[1].write);
  EXPECT_EQ(seen.tmpfs[0].bytes, uint64_t{64} << 20);
  EXPECT_EQ(seen.tmpfs[1].bytes, uint64_t{16} << 20);
  ASSERT_EQ(seen.nodes.size(), 2U);
  EXPECT_STREQ(seen.nodes[1], "net/tun");
  EXPECT_FALSE(seen.own_proc);
  EXPECT_EQ(good("dev = none").confinement.devices, Devices::none);
  for (const char* bad : {"x", "/a/../b", "/a/./b", "/a//b", ".."}) {
    EXPECT_EQ(problem(std::string("write = ") + bad),
              "3:9: a path is whole, from /, without . and .. in it or / at its end");
  }
  good("write = /");
  EXPECT_EQ(problem("bind = /a"),
            "3:8: expected /FROM:/TO, and :write behind it if it may be written");
  EXPECT_EQ(problem("tmpfs = /a:5"),
            "3:12: '5' is not a size: write a number and K, M, G, T, P or E");
  EXPECT_EQ(problem("dev = all x"), "3:7: `all` stands alone");
  EXPECT_EQ(problem("dev = ../sda"),
            "3:7: a path is whole, from /, without . and .. in it or / at its end");
  EXPECT_EQ(problem("mounts = machine\nlandlock = no\nwrite = /x"),
            "5:1: `write` has no sense with `mounts = machine`, which shows everything as it is");
  std::string many;
  for (int line = 0; line < 5; ++line) {
    many += "write =";
    for (int n = 0; n < 16; ++n) many += " /a";
    many += "\n";
  }
  EXPECT_EQ(problem(many), "7:9: more than 64 paths");
}

TEST_F(Config, WhatItMayUse) {
  const Spec spec = good(
      "memory = 512M\nmemory-high = 384M\ncpu-weight = 50\ncpu-max = 150%\ncpuset = 0-3,8\n"
      "io-weight = 10\npids = unlimited\nmemlock = unlimited\ncore = 1G\nnice = -5\n"
      "delegate = yes\nlog = 100/s\nreload = HUP");
  EXPECT_EQ(spec.limits.memory, uint64_t{512} << 20);
  EXPECT_EQ(spec.limits.memory_high, uint64_t{384} << 20);
  EXPECT_EQ(spec.limits.cpu_weight, 50U);
  EXPECT_EQ(spec.limits.cpu_max, 150U);
  EXPECT_EQ(spec.limits.cpuset, "0-3,8");
  EXPECT_EQ(spec.limits.io_weight, 10U);
  EXPECT_EQ(spec.limits.pids, kUnlimited);
  EXPECT_EQ(spec.limits.memlock, kUnlimited);
  EXPECT_EQ(spec.limits.core, uint64_t{1} << 30);
  EXPECT_EQ(spec.limits.nice, -5);
  EXPECT_TRUE(spec.delegate);
  EXPECT_EQ(spec.log_rate, 100U);
  EXPECT_EQ(spec.reload_signal, SIGHUP);
  EXPECT_EQ(good("").limits.pids, 512U);
  EXPECT_EQ(good("pids = 64").limits.pids, 64U);
  EXPECT_EQ(problem("memory = 8E"),
            "3:10: '8E' is not a size: write a number and K, M, G, T, P or E");
  EXPECT_EQ(problem("memory = M"),
            "3:10: 'M' is not a size: write a number and K, M, G, T, P or E");
  EXPECT_EQ(problem("cpu-max = 150"), "3:11: expected percent, as in 150%");
  EXPECT_EQ(problem("cpu-max = x%"), "3:11: expected a number from 1 to 100000");
  EXPECT_EQ(problem("cpuset = all"),
            "3:10: expected a list of processors in their order, as in 0-3,8");
  EXPECT_EQ(problem("log = 100"), "3:7: expected lines per second, as in 100/s");
}

TEST_F(Config, TasksHaveTheirOwnRules) {
  const std::string task = "task = /x\nuser = root\n";
  EXPECT_EQ(parse(task + "limit = 5s\n").limit, std::chrono::seconds(5));
  const Spec end = parse(task + "when = shutdown\n");
  EXPECT_FALSE(end.bad);
  EXPECT_EQ(end.when, When::shutdown);
  EXPECT_EQ(end.limit, std::chrono::seconds(10));
  EXPECT_TRUE(parse(task + "when = shutdown\nrestart = on-failure\n").bad);
  EXPECT_TRUE(parse(task + "watchdog = 5s\n").bad);
  EXPECT_EQ(problem("limit = 5s"), "3:1: `limit` is for tasks: a service has no end");
  EXPECT_EQ(problem("when = boot"), "3:1: `when` is for tasks: services run from boot to shutdown");
  EXPECT_EQ(good("give-up = 3 in 5m reboot").give_up_then, GiveUp::reboot);
}

TEST_F(Config, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(problem("redy = exec"), "3:1: unknown key 'redy': did you mean 'ready'?");
  EXPECT_EQ(problem("colour = red"), "3:1: unknown key 'colour'");
  EXPECT_EQ(problem("ready = notfy"), "3:9: unknown word 'notfy': did you mean 'notify'?");
  EXPECT_EQ(problem("kill = all"), "3:8: unknown word 'all'");
  EXPECT_EQ(problem("kill = tree 5s"), "3:13: the limit of `stop` counts for all");
  EXPECT_EQ(problem("stop = TREM"), "3:8: unknown word 'TREM': did you mean 'TERM'?");
  EXPECT_EQ(problem("stop = TERM 5"), "3:13: '5' is not a time: write a number and ms, s, m or h");
  EXPECT_EQ(problem("user = root"), "3:1: `user` is given twice");
  EXPECT_EQ(problem("task = /bin/y"), "3:8: a file has one command, `run` or `task`, not both");
  EXPECT_EQ(problem("restart = always 5s..1s"), "3:18: the shortest delay is the longer one");
  EXPECT_EQ(problem("restart = always 0s..0s"), "3:18: this is no time at all");
  EXPECT_EQ(problem("restart = always 5s"),
            "3:18: expected SHORTEST..LONGEST delay, as in 100ms..30s");
  EXPECT_EQ(problem("restart = always 5s..1x"),
            "3:22: '1x' is not a time: write a number and ms, s, m or h");
  EXPECT_EQ(problem("restart = never 1s..2s"),
            "3:17: expected SHORTEST..LONGEST delay, as in 100ms..30s");
  EXPECT_EQ(problem("give-up = 0 in 5m"), "3:11: expected a number from 1 to 100");
  EXPECT_EQ(problem("give-up = 5 on 5m"), "3:13: expected `in`, as in 10 in 5m");
  EXPECT_EQ(problem("give-up = 5"), "3:1: expected give-up = NUMBER in TIME [fail | reboot]");
  EXPECT_EQ(problem("group = nobody"), "3:9: there is no group 'nobody' in this image");
  EXPECT_EQ(problem("env = =x"), "3:7: expected NAME=VALUE, a name of letters, digits and _");
  EXPECT_EQ(problem("env = x"), "3:7: expected NAME=VALUE, a name of letters, digits and _");
  EXPECT_EQ(problem("oom = 1001"), "3:7: expected a number from -1000 to 1000");
  EXPECT_EQ(problem("nofile = 1"), "3:10: expected a number from 16 to 1048576");
  EXPECT_EQ(problem("console = maybe"), "3:11: unknown word 'maybe'");
  EXPECT_EQ(problem("needs = x"), "3:9: a service cannot wait for itself");
  EXPECT_EQ(problem("needs = a b a"), "3:13: 'a' again");
  EXPECT_EQ(problem("needs ="), "3:1: expected needs = SERVICE...");
}

TEST_F(Config, IsStrictAboutForm) {
  EXPECT_EQ(problem("oom"), "3:1: expected `key = words`");
  EXPECT_EQ(problem("oom 5"), "3:1: expected `key = words`");
  EXPECT_EQ(problem("= 5"), "3:1: unknown key ''");
  EXPECT_EQ(problem("oom = 5 # why"),
            "3:9: a comment has a line of its own; quote a word that starts with #");
  EXPECT_EQ(problem("env = \"A=b"), "3:7: a quote is closed at the end of a word");
  EXPECT_EQ(problem("env = \"A=b\"c"), "3:7: a quote is closed at the end of a word");
  EXPECT_EQ(problem("env = A=\"b\""), "3:7: a quote is opened at the start of a word");
  EXPECT_EQ(problem("oom =\t5"), "3:6: not a printable character: use spaces, not tabs");
  EXPECT_EQ(problem("oom = 5\r"), "3:8: not a printable character: lines end with a newline alone");
  EXPECT_EQ(problem(std::string("oom = \0", 7)), "3:7: not a printable character");
  EXPECT_EQ(problem("env = A=\xff"),
            "3:9: not a printable character: it does not show, or is not UTF-8");
  EXPECT_EQ(problem("env = A=\xc3").substr(0, 10), "3:9: not a");
  EXPECT_EQ(problem("\xef\xbb\xbfoom = 5"),
            "3:1: not a printable character: it does not show, or is not UTF-8");
  EXPECT_EQ(problem("# " + std::string(1100, 'x')), "3:1: longer than 1024 bytes");
  std::string many = "env =";
  for (int i = 0; i < 65; ++i) many += " a=b";
  EXPECT_EQ(problem(many), "3:263: more than 64 words");
  good("env = A=\xc3\xa4");
  EXPECT_FALSE(parse("run = /x \"#a\"\nuser = root\n").bad);
  good("# \xe2\x82\xac");
  EXPECT_TRUE(parse(std::string(kMaxFile + 1, '\n')).bad);
}

// A line that a person reads otherwise than init does.
TEST_F(Config, TakesNoCharacterThatDoesNotShow) {
  for (const char* mark : {"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\x8f", "\xd8\x9c",
                           "\xe2\x80\x8b", "\xe2\x80\xa8", "\xc2\xad", "\xf3\xa0\x81\x81"}) {
    EXPECT_EQ(problem(std::string("# a comment") + mark).substr(0, 20), "3:12: not a printabl");
    EXPECT_EQ(problem(std::string("env = A=") + mark + "b").substr(0, 19), "3:9: not a printabl");
  }
}

// In quotes that are a program's words or its environment, as in C.
TEST_F(Config, QuotesInQuotes) {
  const Spec spec = good("env = \"A=b \\\"c\\\" \\\\ \\n\\t\" B=\\");
  const auto env = strings(spec.env);
  EXPECT_EQ(env[0], "A=b \"c\" \\ \n\t");
  EXPECT_EQ(env[1], "B=\\");
  const Spec task = parse("task = /x \"{{ key \\\"a b\\\" }}\" c\nuser = root\n");
  EXPECT_EQ(strings(task.argv), (std::vector<std::string>{"/x", "{{ key \"a b\" }}", "c"}));
  EXPECT_EQ(problem("env = \"A=\\x\""), "3:10: in quotes, \\ comes before \", \\, n or t");
  EXPECT_EQ(problem("env = \"A=\\"), "3:10: in quotes, \\ comes before \", \\, n or t");
  EXPECT_EQ(problem("env = \"A=\\\""), "3:7: a quote is closed at the end of a word");
  EXPECT_EQ(problem("write = \"/a\\n\""), "3:12: there is no \\ in these quotes");
}

TEST_F(Config, NumbersHaveOneSpelling) {
  for (const char* bad : {"-0", "007", "00", "+5", "0x5"}) {
    EXPECT_EQ(problem("group = " + std::string(bad)),
              "3:9: there is no group '" + std::string(bad) + "' in this image");
  }
  EXPECT_TRUE(parse("run = /x\nuser = -0\n").bad);
  EXPECT_EQ(problem("nice = -0"), "3:8: expected a number from -20 to 19");
  EXPECT_EQ(problem("nofile = 0100"), "3:10: expected a number from 16 to 1048576");
  EXPECT_EQ(problem("memory = 064M").substr(0, 13), "3:10: '064M' ");
  EXPECT_EQ(problem("watchdog = 030s").substr(0, 13), "3:12: '030s' ");
  EXPECT_EQ(problem("ready = tcp 127.0.0.1:080").substr(0, 19), "3:13: an address is");
  EXPECT_EQ(good("group = 0").account.group, 0U);
}

TEST_F(Config, TimesAreSome) {
  EXPECT_EQ(problem("restart = always 0ms..1ms"), "3:18: this is no time at all");
  EXPECT_EQ(problem("stop = TERM 0s"), "3:13: this is no time at all");
  EXPECT_EQ(problem("kill = main 0s"), "3:13: this is no time at all");
  EXPECT_EQ(problem("give-up = 5 in 0s"), "3:16: this is no time at all");
}

TEST_F(Config, SignalsByEveryName) {
  EXPECT_EQ(good("stop = WINCH").stop_signal, SIGWINCH);
  EXPECT_EQ(good("stop = ABRT").stop_signal, SIGABRT);
  EXPECT_EQ(good("reload = USR2").reload_signal, SIGUSR2);
  EXPECT_EQ(good("reload = TTIN").reload_signal, SIGTTIN);
  EXPECT_EQ(problem("stop = SIGTERM"), "3:8: unknown word 'SIGTERM': did you mean 'TERM'?");
  EXPECT_EQ(problem("stop = term"), "3:8: unknown word 'term': did you mean 'TERM'?");
  EXPECT_EQ(problem("stop = 15"), "3:8: unknown word '15'");
  EXPECT_EQ(problem("stop = STOP"), "3:8: nothing that gets STOP does what this is for");
  EXPECT_EQ(problem("reload = KILL"), "3:10: nothing that gets KILL does what this is for");
  EXPECT_EQ(problem("caps = CAP_NET_RAW"),
            "3:8: unknown word 'CAP_NET_RAW': did you mean 'net_raw'?");
  EXPECT_EQ(problem("caps = CAP_SYS_TIEM"),
            "3:8: unknown word 'CAP_SYS_TIEM': did you mean 'sys_time'?");
}

TEST_F(Config, VariablesHaveNamesAndOneValue) {
  for (const char* bad : {"1A-B=x", "A-B=x", "A.B=x", "\"A B=x\"", "\xc3\xa4=x"}) {
    EXPECT_EQ(problem(std::string("env = ") + bad).substr(5),
              "expected NAME=VALUE, a name of letters, digits and _");
  }
  EXPECT_EQ(problem("env = A=1 B=2 A=3"), "3:15: 'A' again");
  EXPECT_EQ(problem("env = A=1\nenv = A=1"), "4:7: 'A' again");
  EXPECT_EQ(problem("env = NOTIFY_SOCKET=/x"), "3:7: init itself says what NOTIFY_SOCKET is");
  EXPECT_EQ(strings(good("env = _a1=x PATH=/x AB=1 A=2").env),
            (std::vector<std::string>{"_a1=x", "PATH=/x", "AB=1", "A=2", "HOME=/"}));
}

TEST_F(Config, ListsOfProcessors) {
  for (const char* fine : {"0", "0-3,8", "0,2,4", "5-5", "0-8191"}) {
    EXPECT_EQ(good(std::string("cpuset = ") + fine).limits.cpuset, fine);
  }
  for (const char* bad :
       {"3-1", "-", ",", "0,", ",0", "0,,1", "1-", "-1", "0-1-2", "3,1", "0-3,3", "8192", "\"\""}) {
    EXPECT_NE(problem(std::string("cpuset = ") + bad).find("expected a list of processors"),
              std::string::npos);
  }
}

TEST_F(Config, WordsOfLists) {
  EXPECT_EQ(problem("bind = /etc:/x:rw"),
            "3:8: expected /FROM:/TO, and :write behind it if it may be written");
  EXPECT_EQ(problem("after = Docker"), "3:9: 'Docker' is no name of a service");
  EXPECT_EQ(problem("needs = \"\""), "3:10: '' is no name of a service");
  EXPECT_EQ(problem("dev = /dev/fuse"), "3:7: a device has its name below /dev");
  EXPECT_EQ(problem("dev = fuse none"), "3:12: `none` stands alone");
  EXPECT_EQ(problem("ready = http \"127.0.0.1:1/a b\""),
            "3:15: write blanks, # and the like as %20, %23");
  EXPECT_EQ(good("ready = http 127.0.0.1:1/x?u=http://y/../z").path, "/x?u=http://y/../z");
  EXPECT_TRUE(parse("run = /bin/../x\nuser = root\n").bad);
  EXPECT_TRUE(parse("run = /bin/x/\nuser = root\n").bad);
}

// Each good by itself.
TEST_F(Config, WhatCanNeverWorkTogether) {
  EXPECT_EQ(problem("memory = 64M\nmemory-high = 65M"),
            "4:1: `memory` is less, so that this is never reached");
  good("memory = 64M\nmemory-high = 64M");
  good("memory-high = 64M");
  const std::string unheard = " it does not see /run/init, where `ready = notify` is heard";
  EXPECT_EQ(problem("ready = notify\nhide = /run/init"), "4:1:" + unheard);
  EXPECT_EQ(problem("hide = /run\nready = notify"), "3:1:" + unheard);
  EXPECT_EQ(problem("tmpfs = /run:1M\nready = notify"), "3:1:" + unheard);
  EXPECT_EQ(problem("bind = /var:/run/init\nready = notify"), "3:1:" + unheard);
  good("hide = /run/initial\nready = notify");
  good("hide = /run/init\nwrite = /run\nready = notify");
  good("mounts = machine\nlandlock = no\nready = notify");
  EXPECT_EQ(problem("ready = path /tmp/x"),
            "3:1: /tmp/x is its own: nobody else sees what is there");
  EXPECT_EQ(problem("tmpfs = /srv\nready = path /srv/x").substr(0, 4), "4:1:");
  good("write = /tmp\nready = path /tmp/x");
  EXPECT_EQ(problem("net = none\nready = tcp 127.0.0.1:80"),
            "4:1: with `net = none` nobody reaches it");
  EXPECT_EQ(problem("hide = /\n"), "3:1: there is no service without its files");
  EXPECT_EQ(problem("tmpfs = /tmp/x"), "3:1: /tmp is its own and fresh: /tmp/x is not there");
  const Spec twice = parse(std::string(kGood) + "tmpfs = /srv\nbind = /etc:/srv\n");
  EXPECT_TRUE(twice.bad);
  EXPECT_EQ(problems_.list, (std::vector<std::string>{"3:1: something else is put at /srv, too",
                                                      "4:1: something else is put at /srv, too"}));
}

TEST_F(Config, ReportsEveryLine) {
  parse("run = bin\nredy = exec\nuser = root\noom = x\n");
  EXPECT_EQ(problems_.list.size(), 3U);
}

TEST_F(Config, WantsWhatIsNeeded) {
  parse("");
  ASSERT_EQ(problems_.list.size(), 2U);
  EXPECT_EQ(problems_.list[0], "there is no command: write `run = ` or `task = `");
  parse("run = /x\n");
  ASSERT_EQ(problems_.list.size(), 1U);
  EXPECT_EQ(problems_.list[0], "there is no user: if it has to be root, write `user = root`");
  EXPECT_TRUE(parse("task = /x\nuser = root\nready = exec\n").bad);
  EXPECT_TRUE(parse("task = /x\nuser = root\nrestart = always\n").bad);
  EXPECT_FALSE(parse("task = /x\nuser = root\nrestart = on-failure\n").bad);
  EXPECT_TRUE(parse("run = /x\nuser = root\nrestart = never\ngive-up = 1 in 1s\n").bad);
}

TEST_F(Config, Names) {
  for (const char* good : {"a", "a-b_c0", "0"}) EXPECT_TRUE(valid_name(good)) << good;
  for (const char* bad : {"", "A", "a.b", "-a", "a b", "a/b", "nomad~", ".nomad"}) {
    EXPECT_FALSE(valid_name(bad)) << bad;
    EXPECT_TRUE(parse(kGood, bad).bad);
  }
  EXPECT_FALSE(valid_name(std::string(kMaxName + 1, 'a')));
}

TEST_F(Config, RunsOutOfMemoryCleanly) {
  for (size_t size = 0; size < 1000; ++size) {
    Memory small(size);
    problems_.list.clear();
    const Spec spec = parse_spec("x", "x", "run = /x a b\nuser = root\nneeds = a b\nenv = A=b\n",
                                 nullptr, small.arena(), problems_);
    EXPECT_EQ(spec.bad, !problems_.list.empty());
  }
}

// Not a fuzzer, but a net for what one would find first: mutations of a good file, under ASan.
TEST_F(Config, SurvivesAnything) {
  const std::string seed =
      "run = /usr/bin/nomad \"a b\"\nneeds = a b\nready = tcp 1.2.3.4:5 60s\nstop = INT 9s\n"
      "restart = always 1ms..2s\ngive-up = 3 in 5m\nuser = nomad\nenv = A=b\noom = -5\n"
      "caps = chown bpf\nwrite = /run/x /y\nbind = /a:/b:write\ntmpfs = /a:5M\ndev = net/tun\n"
      "cpu-max = 5%\ncpuset = 0-3\npids = 5\nlog = 5/s\ncore = unlimited\ngroups = staff 5\n";
  Random random(42);
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (uint32_t n = random.next() % 8; n > 0; --n) {
      const size_t at = random.next() % text.size();
      switch (random.next() % 4) {
        case 0: text[at] = static_cast<char>(random.next()); break;
        case 1: text.erase(at, random.next() % 9); break;
        case 2:
          text.insert(at, text.substr(random.next() % text.size(), random.next() % 20));
          break;
        default: text.insert(at, 1, " =\"#.:\n"[random.next() % 7]); break;
      }
      if (text.empty()) break;
    }
    Memory memory(16384);
    Problems problems;
    const Spec spec = parse_spec("x", "x", text, &accounts_, memory.arena(), problems);
    EXPECT_EQ(spec.bad, !problems.list.empty());
  }
}

}  // namespace
}  // namespace copal
