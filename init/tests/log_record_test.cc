// The texts that the log reads and writes.
#include <gtest/gtest.h>
#include <string>

#include "log/record.h"

namespace copal::log {
namespace {

std::string cleaned(std::string text) {
  clean(text);
  return text;
}

TEST(LogRecord, LevelsHaveNames) {
  EXPECT_EQ(parse_level("emerg"), 0);
  EXPECT_EQ(parse_level("warning"), kWarning);
  EXPECT_EQ(parse_level("debug"), 7);
  EXPECT_FALSE(parse_level("Warning"));
  EXPECT_FALSE(parse_level(""));
}

TEST(LogRecord, PrefixIsALevel) {
  const auto take = [](std::string_view line) {
    const uint8_t level = take_level(line);
    return std::pair(int{level}, line);
  };
  using Taken = std::pair<int, std::string_view>;
  EXPECT_EQ(take("<3>bad"), Taken(3, "bad"));
  EXPECT_EQ(take("<0>"), Taken(0, ""));
  for (const std::string_view plain : {"", "<", "<3", "<8>x", "<30>x", "x<3>", "<3 >"}) {
    EXPECT_EQ(take(plain), Taken(6, plain));
  }
}

TEST(LogRecord, TextIsMadeHarmless) {
  EXPECT_EQ(cleaned("a\tb\x1b[31mc\x7f"), "a b [31mc?");
  EXPECT_EQ(cleaned("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
  EXPECT_EQ(cleaned("\xc2\x9b"), "??");                 // a control character
  EXPECT_EQ(cleaned("\xc0\xaf\xe0\x80\xaf"), "?????");  // too long a form
  EXPECT_EQ(cleaned("\xed\xa0\x80"), "???");            // a surrogate
  EXPECT_EQ(cleaned("\xf4\x90\x80\x80"), "????");       // beyond Unicode
  EXPECT_EQ(cleaned("\xf8\x90\x80\x80\x80"), "?????");
  EXPECT_EQ(cleaned("a\xe2\x82"), "a??");  // cut off
  EXPECT_EQ(cleaned(std::string("a\0b", 3)), "a b");
}

TEST(LogRecord, KernelMessages) {
  const auto message = parse_kernel("30,339,5140900,-;init: boot 5.140s\n SUBSYSTEM=x\n");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->facility, kFromInit);
  EXPECT_EQ(message->level, 6);
  EXPECT_EQ(message->sequence, 339);
  EXPECT_EQ(message->time, 5140900);
  EXPECT_EQ(message->text, "init: boot 5.140s");
  EXPECT_TRUE(parse_kernel("6,1,2,-,caller=T1;a;b\n"));
  EXPECT_EQ(parse_kernel("6,1,2,-,caller=T1;a;b\n")->text, "a;b");
  for (const std::string_view bad : {"", "6", "6,1,2,-", "x,1,2,-;a", "6,,2,-;a", "6,1;a",
                                     "-1,1,2,-;a", "6,99999999999999999999,2,-;a"}) {
    EXPECT_FALSE(parse_kernel(bad)) << bad;
  }
}

TEST(LogRecord, Requests) {
  const auto all = parse_request("");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->name, "");
  EXPECT_EQ(all->lines, LONG_MAX);
  EXPECT_FALSE(all->follow);
  const auto some = parse_request("nomad lines=20 follow");
  ASSERT_TRUE(some);
  EXPECT_EQ(some->name, "nomad");
  EXPECT_EQ(some->lines, 20);
  EXPECT_TRUE(some->follow);
  EXPECT_EQ(parse_request("lines=0")->lines, 0);
  for (const std::string_view bad : {"a b", "lines=", "lines=x", "lines=-1", "lines=1 lines=1x"}) {
    EXPECT_FALSE(parse_request(bad)) << bad;
  }
}

TEST(LogRecord, Addresses) {
  const auto udp = parse_address("udp://10.0.2.2:514");
  ASSERT_TRUE(udp);
  EXPECT_FALSE(udp->tcp);
  const sockaddr_in& four = udp->socket.four;
  EXPECT_EQ(four.sin_family, AF_INET);
  EXPECT_EQ(ntohs(four.sin_port), 514);
  EXPECT_EQ(ntohl(four.sin_addr.s_addr), 0x0a000202u);
  EXPECT_EQ(udp->socket.size(), sizeof four);
  const auto tcp = parse_address("tcp://[fd00::1]:601");
  ASSERT_TRUE(tcp);
  EXPECT_TRUE(tcp->tcp);
  const sockaddr_in6& six = tcp->socket.six;
  EXPECT_EQ(six.sin6_family, AF_INET6);
  EXPECT_EQ(ntohs(six.sin6_port), 601);
  EXPECT_EQ(six.sin6_addr.s6_addr[0], 0xfd);
  EXPECT_EQ(six.sin6_addr.s6_addr[15], 1);
  EXPECT_EQ(tcp->socket.size(), sizeof six);
  for (const std::string_view bad :
       {"", "udp://", "10.0.2.2:514", "tls://10.0.2.2:6514", "udp://10.0.2.2",
        "udp://10.0.2.2:", "udp://10.0.2.2:0", "udp://10.0.2.2:65536", "udp://host:514",
        "udp://[10.0.2.2]:514", "udp://fd00::1:514", "tcp://[fd00::1]601", "tcp://[]:601",
        "tcp://[:601", "udp://10.0.2:5"}) {
    EXPECT_FALSE(parse_address(bad)) << bad;
  }
}

Record sample() {
  return {7, 3, {1795563777'123456, 12'345678}, kWarning, "nomad", "a line"};
}

TEST(LogRecord, LineForAClient) {
  std::array<char, kMaxMessage> out;
  EXPECT_EQ(format_line(sample(), out), "2026-11-24T23:42:57.123Z nomad warning: a line\n");
  Record record = sample();
  record.stamp.realtime = 951'782'400'000'000 + 5'000;
  record.level = 0;
  EXPECT_EQ(format_line(record, out), "2000-02-29T00:00:00.005Z nomad emerg: a line\n");
}

TEST(LogRecord, MessageForACollector) {
  std::array<char, kMaxMessage> out;
  const std::string message =
      "<28>1 2026-11-24T23:42:57.123Z box nomad - - [meta sequenceId=\"7\" sysUpTime=\"1234\"] a "
      "line";
  EXPECT_EQ(format_syslog(sample(), "box", false, out), message);
  EXPECT_EQ(format_syslog(sample(), "box", true, out),
            std::to_string(message.size()) + " " + message);
  Record record = sample();
  record.service = "kernel";
  record.sequence = 0x7fffffff;
  EXPECT_EQ(format_syslog(record, "", false, out),
            "<4>1 2026-11-24T23:42:57.123Z - kernel - - "
            "[meta sequenceId=\"2147483647\" sysUpTime=\"1234\"] a line");
  record.sequence = 0x80000000;
  EXPECT_NE(format_syslog(record, "", false, out).find("sequenceId=\"1\""), std::string::npos);
}

TEST(LogRecord, TheLongestFits) {
  std::array<char, kMaxMessage> out;
  const std::string text(kMaxText, 'x');
  const std::string name(48, 'n');
  const std::string host(64, 'h');
  const Record record{UINT64_MAX, 1, {INT64_MAX, INT64_MAX}, 7, name, text};
  EXPECT_TRUE(format_syslog(record, host, true, out).ends_with(text));
  EXPECT_TRUE(format_line(record, out).ends_with("x\n"));
}

}  // namespace
}  // namespace copal::log
