#include "core/text.h"

#include "core/lines.h"
#include "helpers.h"

namespace copal {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Line, JoinsParts) {
  EXPECT_EQ(Line("a", 1, "b", -2, std::string_view("c")).text(), "a1b-2c");
  EXPECT_EQ(Line().text(), "");
}

TEST(Line, WritesTimes) {
  EXPECT_EQ(Line(milliseconds(0)).text(), "0.000s");
  EXPECT_EQ(Line(milliseconds(7)).text(), "0.007s");
  EXPECT_EQ(Line(milliseconds(3214)).text(), "3.214s");
  EXPECT_EQ(Line(milliseconds(60050)).text(), "60.050s");
}

TEST(Line, CutsOffWhatDoesNotFit) {
  Line line(std::string(500, 'x'), std::string(500, 'y'));
  EXPECT_EQ(line.text().size(), 511U);
  line.add("more").add(12345);
  EXPECT_EQ(line.text(), std::string(500, 'x') + std::string(11, 'y'));
  EXPECT_EQ(std::string(line.c_str()).size(), 511U);
}

TEST(ParseNumber, TakesTheWholeText) {
  EXPECT_EQ(parse_number("42", 0, 100), 42);
  EXPECT_EQ(parse_number("-7", -10, 10), -7);
  EXPECT_EQ(parse_number("0", -10, 10), 0);
  for (const char* bad : {"", "x", "4x", " 4", "4 ", "+4", "101", "-1", "99999999999999999999",
                          "-0", "00", "007", "-07"}) {
    EXPECT_FALSE(parse_number(bad, 0, 100)) << bad;
  }
}

TEST(ParseDuration, NeedsAUnit) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("90s"), seconds(90));
  EXPECT_EQ(parse_duration("5m"), minutes(5));
  EXPECT_EQ(parse_duration("24h"), hours(24));
  EXPECT_EQ(parse_duration("0s"), seconds(0));
  for (const char* bad : {"", "5", "s", "-5s", "5 s", "5S", "5sec", "25h", "1.5s", "86400001s"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(ParseSize, ReachesToTheExabyte) {
  EXPECT_EQ(parse_size("1K"), 1024U);
  EXPECT_EQ(parse_size("20T"), 20ULL << 40);
  EXPECT_EQ(parse_size("3P"), 3ULL << 50);
  EXPECT_EQ(parse_size("7E"), 7ULL << 60);
  EXPECT_EQ(parse_size("9007199254740991K"), 9007199254740991ULL << 10);
  for (const char* bad : {"", "K", "8E", "8192P", "9007199254740992K", "0G", "-1G", "1", "1g",
                          "1.5T", "1 G", "1GG", "1Z"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

TEST(Take, LinesAndWords) {
  std::string_view text = "a b\n\n  c\n";
  EXPECT_EQ(take_line(text), "a b");
  EXPECT_EQ(take_line(text), "");
  EXPECT_EQ(take_line(text), "  c");
  EXPECT_TRUE(text.empty());
  text = "  one two\nthree ";
  EXPECT_EQ(take_word(text), "one");
  EXPECT_EQ(take_word(text), "two");
  EXPECT_EQ(take_word(text), "three");
  EXPECT_EQ(take_word(text), "");
}

TEST(FindAccount, ReadsPasswdAndGroup) {
  constexpr std::string_view kPasswd =
      "root:x:0:0:root:/root:/bin/sh\n\nbroken\nnomad:x:201:202::/:\nbad:x:x:1::/:\nlast:x:7:8";
  ASSERT_TRUE(find_account(kPasswd, "nomad"));
  EXPECT_EQ(find_account(kPasswd, "nomad")->id, 201U);
  EXPECT_EQ(find_account(kPasswd, "nomad")->group, 202U);
  EXPECT_EQ(find_account(kPasswd, "last")->group, 8U);
  EXPECT_FALSE(find_account(kPasswd, "noma"));
  EXPECT_FALSE(find_account(kPasswd, "broken"));
  EXPECT_FALSE(find_account(kPasswd, "bad"));
  EXPECT_EQ(find_account("staff:x:50:nomad,x\n", "staff")->id, 50U);
}

TEST(EditDistance, CountsMistakes) {
  EXPECT_EQ(edit_distance("ready", "ready", 9), 0U);
  EXPECT_EQ(edit_distance("redy", "ready", 9), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting", 9), 3U);
  EXPECT_EQ(edit_distance("", "abc", 9), 3U);
  EXPECT_EQ(edit_distance("trem", "TERM", 9), 1U);
  EXPECT_EQ(edit_distance("abcd", "badc", 9), 2U);
  EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3U);
  EXPECT_EQ(edit_distance(std::string(100, 'a'), "a", 2), 3U);
}

TEST(Place, IsSaidAsCompilersDo) {
  Place place;
  EXPECT_EQ(describe(place).text(), "");
  place.file = "/etc/init/a";
  EXPECT_EQ(describe(place).text(), "/etc/init/a: ");
  place.line = 3;
  place.column = 7;
  EXPECT_EQ(describe(place).text(), "/etc/init/a:3:7: ");
}

TEST(Clean, ShowsWhatDoesNotShow) {
  EXPECT_EQ(clean("a\tb\x1b[m\xe2\x80\xae"
                  "c\xff \xc3\xa4")
                .text(),
            "a?b?[m???c? \xc3\xa4");
  Place place;
  place.file = "/etc/init/a\n";
  EXPECT_EQ(describe(place).text(), "/etc/init/a?: ");
}

TEST(Names, OfHostsAndDomains) {
  for (const char* good : {"a", "node-1", "a_b", "Node1.example.org", "0"}) {
    EXPECT_TRUE(valid_host_name(good)) << good;
  }
  for (const char* bad : {"", "a/b", "a b", "-a", "a-", ".a", "a.", "a..b", "a\n", "\xc3\xa4"}) {
    EXPECT_FALSE(valid_host_name(bad)) << bad;
  }
  const std::string label(32, 'a');
  EXPECT_TRUE(valid_host_name(label + "." + label.substr(1)));
  EXPECT_FALSE(valid_host_name(label + "." + label));
  EXPECT_TRUE(valid_domain(label + "." + label));
  EXPECT_FALSE(valid_domain(std::string(64, 'a')));
  EXPECT_FALSE(valid_domain(std::string(127, 'a').replace(63, 1, ".") + "." + std::string(63, 'a') +
                            "." + std::string(63, 'a')));
}

TEST(Suggestion, TakesTheNearest) {
  Suggestion near("redy");
  for (const char* name : {"run", "ready", "read-only"}) near.offer(name);
  EXPECT_EQ(near.best(), "ready");
  Suggestion far("colour");
  far.offer("run");
  EXPECT_EQ(far.best(), "");
}

TEST(Arena, RunsOut) {
  Memory memory(100);
  EXPECT_EQ(memory.arena().make<char>(50).size(), 50U);
  EXPECT_EQ(memory.arena().make<int64_t>(4).size(), 4U);
  EXPECT_TRUE(memory.arena().make<int64_t>(4).empty());
  EXPECT_TRUE(memory.arena().make<int64_t>(SIZE_MAX / 2).empty());
  EXPECT_EQ(memory.arena().copy(std::string(50, 'x')).data(), nullptr);
  EXPECT_EQ(memory.arena().copy("x"), "x");
}

TEST(IsBelow, LooksAtWholeNames) {
  EXPECT_TRUE(is_below("/run/init", "/run"));
  EXPECT_TRUE(is_below("/run", "/run"));
  EXPECT_TRUE(is_below("/run", "/"));
  EXPECT_FALSE(is_below("/runner", "/run"));
  EXPECT_FALSE(is_below("/", "/run"));
}

}  // namespace
}  // namespace copal
