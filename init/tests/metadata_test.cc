// What metadata decides without a machine: which trees it takes, what it reads from firmware and
// disks, which URLs it asks for. test_metadata.py runs the program itself.
#include <gtest/gtest.h>

#include "metadata/answer.h"
#include "metadata/choice.h"
#include "metadata/probe.h"
#include "metadata/tree.h"

namespace copal::metadata {
namespace {

// What is wrong with a document; empty if nothing is.
std::string problem_of(const std::string& document) {
  std::string problem;
  const auto tree = parse_tree(document, problem);
  EXPECT_EQ(tree.has_value(), problem.empty()) << document;
  return problem;
}

std::string file_named(const std::string& name) {
  return R"({"a": {"entries": {")" + name + R"(": {"content": "x"}}}})";
}

TEST(Tree, BecomesFilesAndFolders) {
  std::string problem;
  const auto tree = parse_tree(R"({
      "nomad": {"entries": {"10-base.hcl": {"perm": "0600", "content": "a = \"b\"\n"},
                            "tls": {"entries": {"ca.pem": {"content": ""}}, "perm": "700"}}},
      "token": {"content": "t\u00e9"}, "empty": {"entries": {}}})",
                               problem);
  ASSERT_TRUE(tree) << problem;
  struct Expected {
    std::string path;
    bool folder;
    mode_t mode;
    std::string content;
  };
  const std::vector<Expected> expected = {
      {"nomad", true, 0750, ""},           {"nomad/10-base.hcl", false, 0600, "a = \"b\"\n"},
      {"nomad/tls", true, 0700, ""},       {"nomad/tls/ca.pem", false, 0640, ""},
      {"token", false, 0640, "t\xc3\xa9"}, {"empty", true, 0750, ""}};
  ASSERT_EQ(tree->size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ((*tree)[i].path, expected[i].path);
    EXPECT_EQ((*tree)[i].folder, expected[i].folder) << expected[i].path;
    EXPECT_EQ((*tree)[i].mode, expected[i].mode) << expected[i].path;
    EXPECT_EQ((*tree)[i].content, expected[i].content) << expected[i].path;
  }
}

TEST(Tree, TakesEveryNameThatIsOnlyAName) {
  for (const std::string name : {"a", "...", ".hidden", "with blank", "é", "-rf", "~", "a:b"}) {
    EXPECT_EQ(problem_of(file_named(name)), "") << name;
  }
  EXPECT_EQ(problem_of(file_named(std::string(kMaxName, 'n'))), "");
}

TEST(Tree, RefusesNamesThatLeadElsewhere) {
  EXPECT_EQ(problem_of(file_named("..")), "/a/entries/..: is no name for a file");
  EXPECT_EQ(problem_of(file_named("b/c")), "/a/entries/b~1c: is no name for a file");
  EXPECT_EQ(problem_of(file_named("b\\u0000")), "/a/entries/b?: is no name for a file");
  for (const std::string name : {"", ".", "/", "/etc/passwd", "../x", "a\\nb", "a\\u007f"}) {
    EXPECT_NE(problem_of(file_named(name)), "") << name;
  }
  EXPECT_NE(problem_of(file_named(std::string(kMaxName + 1, 'n'))), "");
  EXPECT_EQ(problem_of(R"({"../x": {"content": ""}})"), "/..~1x: is no name for a file");
}

TEST(Tree, SaysWhereAndWhat) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"([])", "the document: is an array, not an object"},
      {R"("x")", "the document: is a string, not an object"},
      {R"(7)", "the document: is a number, not an object"},
      {R"({"a": "x"})", "/a: is a string, not an object"},
      {R"({"a": null})", "/a: is null, not an object"},
      {R"({"a": {}})", "/a: has to have content or entries"},
      {R"({"a": {"perm": "0600"}})", "/a: has to have content or entries"},
      {R"({"a": {"content": "", "entries": {}}})", "/a: has to have content or entries"},
      {R"({"a": {"content": {"base64": "eA=="}}})", "/a/content: is an object, not a string"},
      {R"({"a": {"content": 1}})", "/a/content: is a number, not a string"},
      {R"({"a": {"content": true}})", "/a/content: is true or false, not a string"},
      {R"({"a": {"entries": []}})", "/a/entries: is an array, not an object"},
      {R"({"a": {"entries": "x"}})", "/a/entries: is a string, not an object"},
      {R"({"a": {"Content": "x"}})", "/a/Content: is not one of content, entries and perm"},
      {R"({"a": {"content": "x"}, "a": {"content": "y"}})", "/a: is there twice"},
      {R"({"a": {"entries": {"b": {"content": ""}, "b": {"content": ""}}}})",
       "/a/entries/b: is there twice"},
      {R"({"a": {"content": "x", "content": "y"}})", "/a/content: is there twice"},
      {R"({"a": {"content": "", "perm": 416}})", "/a/perm: is a number, not a string"},
      {"{\"a\": {\"content\": \"secret\n\"}}", "/a/content: is not JSON at line 1, column 26"},
      {"{\n\"a\": {\"content\": \"secret\"},}", "/a: is not JSON at line 2, column 28"},
      {"{} {}", "the document: is not JSON at line 1, column 4"},
      {"#cloud-config", "the document: is not JSON at line 1, column 1"},
      {"", "the document: is not JSON at line 1, column 1"},
      {"{\"a\": {\"content\": \"\xff\"}}", "/a/content: is not JSON at line 1, column 20"},
  };
  for (const auto& [document, problem] : cases) EXPECT_EQ(problem_of(document), problem);
}

TEST(Tree, PermissionsAreOctalAndPlain) {
  const auto with = [](const std::string& perm) {
    return problem_of(R"({"a": {"content": "", "perm": ")" + perm + R"("}})");
  };
  for (const char* good : {"0", "7", "640", "0640", "0777"}) EXPECT_EQ(with(good), "") << good;
  for (const char* bad : {"", "0o640", "1777", "4755", "00640", "648", "-1", "rw-r-----", " 640"}) {
    EXPECT_EQ(with(bad), "/a/perm: is not an octal mode up to \"0777\"") << bad;
  }
}

TEST(Tree, IsBounded) {
  const auto deep = [](size_t folders) {
    std::string text = R"({"a": )";
    for (size_t i = 1; i < folders; ++i) text += R"({"entries": {"a": )";
    text += R"({"content": ""})";
    for (size_t i = 1; i < folders; ++i) text += "}}";
    return problem_of(text + "}");
  };
  EXPECT_EQ(deep(kMaxDepth), "");
  EXPECT_NE(deep(kMaxDepth + 1).find("is more than 8 folders deep"), std::string::npos);
  EXPECT_NE(deep(100'000 / 20), "");

  const auto wide = [](size_t files) {
    std::string text = "{";
    for (size_t i = 0; i < files; ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(": {"content": ""})";
    }
    return problem_of(text + "}");
  };
  EXPECT_EQ(wide(kMaxNodes), "");
  EXPECT_EQ(wide(kMaxNodes + 1), "/1000: is more than 1000 files and folders");

  std::string large = R"({"a": {"content": ""}})";
  large.append(kMaxDocument - large.size(), ' ');
  EXPECT_EQ(problem_of(large), "");
  EXPECT_EQ(problem_of(large + " "), "the document: is larger than 1 MiB");
}

TEST(Smbios, FindsTheString) {
  using std::string_view_literals::operator""sv;
  constexpr std::string_view kTwo = "\x0b\x05\x00\x0b\x02other\0copal.metadata=e30=\0\0"sv;
  EXPECT_EQ(smbios_string(kTwo, "copal.metadata="), "e30=");
  EXPECT_FALSE(smbios_string(kTwo, "copal.x="));
  EXPECT_EQ(smbios_string("\x0b\x04\x00\x00x=1"sv, "x="), "1");  // cut off
  for (const std::string_view broken : {""sv, "\x0b"sv, "\x0b\xff\x00\x00x=1\0\0"sv,
                                        "\x0b\x04\x00\x00\0x=1\0\0"sv, "\x0b\x04\x00"sv}) {
    EXPECT_FALSE(smbios_string(broken, "x="));
  }
}

TEST(Base64, IsStrict) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("YQ=="), "a");
  EXPECT_EQ(decode_base64("YWI="), "ab");
  EXPECT_EQ(decode_base64("YWJj"), "abc");
  EXPECT_EQ(decode_base64("YWI"), "ab");
  EXPECT_EQ(decode_base64("//79"), "\xff\xfe\xfd");
  for (const char* bad : {"Y", "YQ===", "YW J", "YWJ\n", "YW-_", "=YQ="}) {
    EXPECT_FALSE(decode_base64(bad)) << bad;
  }
}

std::string disk_with(std::initializer_list<std::pair<size_t, std::string_view>> parts) {
  std::string head(kVolumeHead, '\0');
  for (const auto& [at, text] : parts) head.replace(at, text.size(), text);
  return head;
}

TEST(Volume, ReadsLabels) {
  const auto check = [](const std::string& head, std::string_view type, std::string_view label) {
    const auto volume = read_volume(head);
    ASSERT_TRUE(volume) << type;
    EXPECT_EQ(volume->type, type);
    EXPECT_EQ(volume->label, label);
  };
  check(disk_with({{32768, "\1CD001"}, {32808, "cidata                          "}}), "iso9660",
        "cidata");
  check(disk_with({{1080, "\x53\xef"}, {1144, "config-2"}}), "ext4", "config-2");
  check(disk_with({{510, "\x55\xaa"}, {82, "FAT32   "}, {71, "CIDATA     "}}), "vfat", "CIDATA");
  check(disk_with({{510, "\x55\xaa"}, {54, "FAT16   "}, {43, "COPAL      "}}), "vfat", "COPAL");
  check(disk_with({{1080, "\x53\xef"}}), "ext4", "");
  // A hybrid image has a partition table too.
  check(disk_with({{32768, "\1CD001"}, {510, "\x55\xaa"}, {32808, "x"}}), "iso9660", "x");
}

TEST(Volume, IsNothingElse) {
  EXPECT_FALSE(read_volume(""));
  EXPECT_FALSE(read_volume(disk_with({})));
  EXPECT_FALSE(read_volume(disk_with({{510, "\x55\xaa"}})));
  EXPECT_FALSE(read_volume(disk_with({{32768, "\2CD001"}})));
  const std::string iso = disk_with({{32768, "\1CD001"}, {32808, "cidata"}});
  for (size_t size = 0; size <= iso.size(); size += 8) (void)read_volume(iso.substr(0, size));
}

TEST(Source, IsAWordOrAUrl) {
  EXPECT_EQ(parse_source(""), Source::automatic);
  EXPECT_EQ(parse_source("auto"), Source::automatic);
  EXPECT_EQ(parse_source("none"), Source::none);
  EXPECT_EQ(parse_source("fw_cfg"), Source::fw_cfg);
  EXPECT_EQ(parse_source("smbios"), Source::smbios);
  EXPECT_EQ(parse_source("disk"), Source::disk);
  EXPECT_EQ(parse_source("imds"), Source::imds);
  EXPECT_EQ(parse_source("http://x/"), Source::url);
  EXPECT_EQ(parse_source("https://x/"), Source::url);
  for (const char* bad : {"x", "Auto", "file:///etc/passwd", "ftp://x/", "http:"}) {
    EXPECT_FALSE(parse_source(bad)) << bad;
  }
}

TEST(Substitute, Encodes) {
  const Facts facts = {"52:54:00:12:34:56", "1b4e-28ba", "S/N 1&2", "amber"};
  std::string problem;
  EXPECT_EQ(substitute("http://h/${hostname}/${mac}?u=${uuid}&s=${serial}#", facts, problem),
            "http://h/amber/52:54:00:12:34:56?u=1b4e-28ba&s=S%2FN%201%262#");
  EXPECT_EQ(substitute("http://h/$x{}", facts, problem), "http://h/$x{}");
  EXPECT_EQ(problem, "");
  for (const char* bad : {"${}", "${MAC}", "${mac", "${mac }", "a${ip}"}) {
    EXPECT_FALSE(substitute(bad, facts, problem)) << bad;
  }
  EXPECT_FALSE(substitute("${serial}", {}, problem));
  EXPECT_EQ(problem, "this machine has no ${serial}");
}

TEST(DefaultLink, ComesFromTheRoutes) {
  const std::string ipv4 =
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
      "eth1\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
  const std::string zero(32, '0');
  const std::string ipv6 = zero + " 00 " + zero + " 00 " + zero +
                           " ffffffff 1 0 00200200       lo\n" + zero + " 00 " + zero + " 00 " +
                           zero + " 00000400 1 0 00000003     eth2\n";
  EXPECT_EQ(default_link(ipv4, ipv6), "eth1");
  EXPECT_EQ(default_link("", ipv6), "eth2");
  EXPECT_EQ(default_link("eth0\t00000000\n", "0 0"), "");
  EXPECT_EQ(default_link("", ""), "");
}

TEST(Http, KnowsWhatMayChange) {
  for (const long status : {408L, 425L, 429L, 500L, 503L, 599L}) {
    EXPECT_EQ(judge_status(status), Outcome::later) << status;
  }
  for (const long status : {204L, 304L, 400L, 401L, 403L, 404L, 410L}) {
    EXPECT_EQ(judge_status(status), Outcome::refused) << status;
  }
}

TEST(Http, NeverLeavesEncryption) {
  EXPECT_TRUE(may_redirect("http://a/", "http://b/"));
  EXPECT_TRUE(may_redirect("http://a/", "https://b/"));
  EXPECT_TRUE(may_redirect("https://a/", "https://b/"));
  EXPECT_FALSE(may_redirect("https://a/", "http://b/"));
  EXPECT_FALSE(may_redirect("http://a/", "file:///etc/passwd"));
  EXPECT_FALSE(may_redirect("https://a/", ""));
}

TEST(Token, FitsAHeader) {
  EXPECT_TRUE(valid_token("AQAEAFT-x_y=="));
  EXPECT_TRUE(valid_token(std::string(1024, 'x')));
  for (const std::string& bad :
       {std::string(), std::string(1025, 'x'), std::string("a b"), std::string("a\r\nX-Evil: 1"),
        std::string("a\0b", 3), std::string("\xff")}) {
    EXPECT_FALSE(valid_token(bad));
  }
}

}  // namespace
}  // namespace copal::metadata
