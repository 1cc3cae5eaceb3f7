#include "core/config.h"

#include <csignal>

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
      "kill    = main\n"
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
  EXPECT_EQ(spec.restart, Restart::on_failure);
  EXPECT_EQ(spec.delay_min, std::chrono::milliseconds(100));
  EXPECT_EQ(spec.delay_max, std::chrono::seconds(30));
  EXPECT_EQ(spec.give_up_count, 10U);
  EXPECT_EQ(spec.give_up_window, std::chrono::minutes(10));
  EXPECT_EQ(spec.account.user, 201U);
  EXPECT_EQ(spec.account.group, 50U);
  EXPECT_EQ(strings(spec.env), (std::vector<std::string>{"PATH=/usr/bin:/usr/sbin:/bin:/sbin",
                                                         "HOME=/x", "A=b", "C=d e", "F="}));
  EXPECT_EQ(spec.oom, -500);
  EXPECT_EQ(spec.nofile, 65536U);
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

TEST_F(Config, UserBringsItsGroup) {
  EXPECT_EQ(parse("run = /x\nuser = nomad\n").account.group, 202U);
  EXPECT_EQ(parse("run = /x\nuser = 77\n").account.group, 77U);
  EXPECT_EQ(parse("run = /x\ngroup = 5\nuser = nomad\n").account.group, 5U);
  EXPECT_EQ(parse("run = /x\nuser = root\n").account.user, 0U);
}

TEST_F(Config, TcpAddress) {
  const Spec spec = good("ready = tcp 127.0.0.1:4646 5s");
  EXPECT_EQ(spec.ready, Ready::tcp);
  EXPECT_EQ(spec.address, 0x7f000001U);
  EXPECT_EQ(spec.port, 4646U);
  EXPECT_EQ(spec.ready_limit, std::chrono::seconds(5));
  for (const char* bad : {"localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "1.2.3:4",
                          "1.2.3.4.5:6", "256.0.0.1:1", ":1", "127.0.0.1:65536", "..:1"}) {
    EXPECT_NE(problem(std::string("ready = tcp ") + bad).find("3:13: an address is"),
              std::string::npos);
  }
  EXPECT_EQ(problem("ready = tcp"), "3:9: tcp needs ADDRESS:PORT");
  EXPECT_EQ(problem("ready = exec 5s 6s"), "3:17: one word too many");
}

TEST_F(Config, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(problem("redy = exec"), "3:1: unknown key 'redy': did you mean 'ready'?");
  EXPECT_EQ(problem("colour = red"), "3:1: unknown key 'colour'");
  EXPECT_EQ(problem("ready = notfy"), "3:9: unknown word 'notfy': did you mean 'notify'?");
  EXPECT_EQ(problem("kill = all"), "3:8: unknown word 'all'");
  EXPECT_EQ(problem("stop = TREM"), "3:8: unknown signal 'TREM': did you mean 'TERM'?");
  EXPECT_EQ(problem("stop = TERM 5"), "3:13: '5' is not a time: write a number and ms, s, m or h");
  EXPECT_EQ(problem("user = root"), "3:1: `user` is given twice");
  EXPECT_EQ(problem("task = /bin/y"), "3:8: a file has one command, `run` or `task`, not both");
  EXPECT_EQ(problem("restart = always 5s..1s"), "3:18: the shortest delay is the longer one");
  EXPECT_EQ(problem("restart = always 0s..0s"), "3:22: without any delay, a crash is a busy loop");
  EXPECT_EQ(problem("restart = always 5s"),
            "3:18: expected SHORTEST..LONGEST delay, as in 100ms..30s");
  EXPECT_EQ(problem("restart = always 5s..1x"),
            "3:22: '1x' is not a time: write a number and ms, s, m or h");
  EXPECT_EQ(problem("restart = never 1s..2s"),
            "3:17: expected SHORTEST..LONGEST delay, as in 100ms..30s");
  EXPECT_EQ(problem("give-up = 0 in 5m"), "3:11: expected a number from 1 to 100");
  EXPECT_EQ(problem("give-up = 5 on 5m"), "3:13: expected `in`, as in 10 in 5m");
  EXPECT_EQ(problem("give-up = 5"),
            "3:1: expected give-up = NUMBER in TIME: so many ends in this time are a failure");
  EXPECT_EQ(problem("group = nobody"), "3:9: there is no group 'nobody' in this image");
  EXPECT_EQ(problem("env = =x"), "3:7: expected NAME=VALUE");
  EXPECT_EQ(problem("env = x"), "3:7: expected NAME=VALUE");
  EXPECT_EQ(problem("oom = 1001"), "3:7: expected a number from -1000 to 1000");
  EXPECT_EQ(problem("nofile = 1"), "3:10: expected a number from 16 to 1048576");
  EXPECT_EQ(problem("console = maybe"), "3:11: unknown word 'maybe'");
  EXPECT_EQ(problem("needs = x"), "3:9: a service cannot wait for itself");
  EXPECT_EQ(problem("needs = a b a"), "3:13: 'a' again");
  EXPECT_EQ(problem("needs ="),
            "3:1: expected needs = SERVICE...: start once these are ready; fail if one fails");
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
  EXPECT_EQ(problem("oom = 5\r"), "3:8: not a printable character");
  EXPECT_EQ(problem(std::string("oom = \0", 7)), "3:7: not a printable character");
  EXPECT_EQ(problem("env = A=\xff"), "3:9: not a printable character");
  EXPECT_EQ(problem("env = A=\xc3"), "3:9: not a printable character");
  EXPECT_EQ(problem("\xef\xbb\xbfoom = 5"), "3:1: unknown key '\xef\xbb\xbfoom'");
  EXPECT_EQ(problem("# " + std::string(1100, 'x')), "3:1: longer than 1024 bytes");
  std::string many = "env =";
  for (int i = 0; i < 65; ++i) many += " a=b";
  EXPECT_EQ(problem(many), "3:263: more than 64 words");
  good("env = A=\xc3\xa4");
  good("env = \"#A=b\"");
  good("# \xe2\x82\xac");
  EXPECT_TRUE(parse(std::string(kMaxFile + 1, '\n')).bad);
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
      "restart = always 1ms..2s\ngive-up = 3 in 5m\nuser = nomad\nenv = A=b\noom = -5\n";
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
