// What metadata decides without a machine: which trees it takes, what it reads from firmware and
// disks, which URLs it asks for. test_metadata.py runs the program itself.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "metadata/answer.h"
#include "metadata/choice.h"
#include "metadata/gzip.h"
#include "metadata/probe.h"
#include "metadata/provider.h"
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
  const std::vector<std::pair<std::string, const char*>> cases = {
      {R"([])", "the document: is an array, not an object"},
      {R"("x")", "the document: is a string, not an object"},
      {R"(7)", "the document: is a number, not an object"},
      {R"({"a": "x"})", "/a: is a string, not an object"},
      {R"({"a": null})", "/a: is null, not an object"},
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
      {std::string("{}\n\0{}", 6), "the document: is not JSON at line 2, column 1"},
      {std::string("{}\0", 3), "the document: is not JSON at line 1, column 3"},
      {"#cloud-config", "the document: is not JSON at line 1, column 1"},
      {"", "the document: is not JSON at line 1, column 1"},
      {"{\"a\": {\"content\": \"\xff\"}}", "/a/content: is not JSON at line 1, column 20"},
  };
  for (const auto& [document, problem] : cases) EXPECT_EQ(problem_of(document), problem);
}

// LinuxKit's packer writes that of a folder with nothing in it.
TEST(Tree, AnEmptyMemberIsSkipped) {
  std::string problem;
  const auto tree =
      parse_tree(R"({"a": {}, "b": {"entries": {"c": {}, "d": {"content": "x"}}}})", problem);
  ASSERT_TRUE(tree) << problem;
  ASSERT_EQ(tree->size(), 2U);
  EXPECT_EQ((*tree)[0].path, "b");
  EXPECT_EQ((*tree)[1].path, "b/d");
}

TEST(Form, IsKnownByTheBeginning) {
  for (const char* text : {"", " ", "\r\n\t"}) EXPECT_EQ(form_of(text), Form::nothing) << text;
  for (const char* text :
       {"#cloud-config\nusers: []", "\n#!/bin/sh", "#include\n", "## template: jinja",
        "Content-Type: multipart/mixed", "MIME-Version: 1.0"}) {
    EXPECT_EQ(form_of(text), Form::foreign) << text;
  }
  EXPECT_EQ(form_of("\x1f\x8b\x08"), Form::packed);
  for (const char* text : {"{}", " {", "<html>", "users: []"}) {
    EXPECT_EQ(form_of(text), Form::document) << text;
  }
}

TEST(Form, HalfADocumentIsNoJson) {
  EXPECT_TRUE(is_json("{}"));
  EXPECT_TRUE(is_json(R"({"a": 1})"));  // a mistake, but one of a person
  for (const std::string& text : {std::string("{\"a\": {"), std::string("<html>"), std::string(),
                                  std::string("{}\0", 3), std::string("{} x")}) {
    EXPECT_FALSE(is_json(text)) << text;
  }
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (; hex.size() >= 2; hex.remove_prefix(2)) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(0, 2)), nullptr, 16));
  }
  return bytes;
}

// As Python's gzip writes them: stored, with the fixed code, and with a code of its own.
TEST(Gzip, IsUnpacked) {
  const std::string small = R"({"a": {"content": "aaaaaaaaaaaaaaaaaaaaaaaa"}})";
  const std::string stored = bytes_of(
      "1f8b0800000000000403012e00d1ff7b2261223a207b22636f6e74656e74223a20226161616161616161"
      "61616161616161616161616161616161227d7d7ed79f3b2e000000");
  const std::string fixed = bytes_of(
      "1f8b0800000000000203ab564a54b252a8564acecf2b49cd2b01b295127100a5da5a007ed79f3b2e0000"
      "00");
  const std::string named = bytes_of(
      "1f8b08080000000002ff757365722d6461746100ab564a54b252a8564acecf2b49cd2b01b295127100a5"
      "da5a007ed79f3b2e000000");
  EXPECT_EQ(gunzip(stored, 1000), small);
  EXPECT_EQ(gunzip(fixed, 1000), small);
  EXPECT_EQ(gunzip(named, 1000), small);
  std::string numbers;
  for (int i = 0; i < 300; ++i) numbers += std::to_string(i * i % 97) + ",";
  const std::string own = bytes_of(
      "1f8b0800000000000203ed90db8dc5200c051b9a8fd80603fd37b60325ecf795229484f3fe0806876872"
      "52cd38f46007450ec6622549059d1c11c5fa88641647b45c057c1fcc8f4d4f72b1377390c9564da94904"
      "bb69199b4a4224a7d89375589ef59ef7e94faffa82844a9026399e90728a2aad81369a69b9afb9116e90"
      "78a1fa0634a6618d6cf07e25f2d6b194d5ea96b4aa85eb957782e316c1f7dbe4b7c9ff37f90302ee8eaf"
      "53030000");
  EXPECT_EQ(gunzip(own, 1000), numbers);
}

TEST(Gzip, IsUnpackedWholeOrNotAtAll) {
  const std::string packed = bytes_of(
      "1f8b0800000000000203ed90db8dc5200c051b9a8fd80603fd37b60325ecf795229484f3fe0806876872"
      "52cd38f46007450ec6622549059d1c11c5fa88641647b45c057c1fcc8f4d4f72b1377390c9564da94904"
      "bb69199b4a4224a7d89375589ef59ef7e94faffa82844a9026399e90728a2aad81369a69b9afb9116e90"
      "78a1fa0634a6618d6cf07e25f2d6b194d5ea96b4aa85eb957782e316c1f7dbe4b7c9ff37f90302ee8eaf"
      "53030000");
  const auto whole = gunzip(packed, 1000);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(gunzip(packed, whole->size()));
  EXPECT_FALSE(gunzip(packed, whole->size() - 1));
  EXPECT_FALSE(gunzip(packed + "x", 1000));
  for (size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(gunzip(packed.substr(0, size), 1000)) << size;
  }
  for (size_t i = 10; i < packed.size(); ++i) {
    std::string other = packed;
    other[i] ^= 0x55;
    EXPECT_NE(gunzip(other, 1000), whole) << i;
  }
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

// A boot sector as mkfs.vfat writes it for 8 MiB (FAT16) and for 64 MiB and more (FAT32).
TEST(Fat, FindsTheRootDirectory) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(fat_root(disk_with({{11, "\0\x02\x04\x04\0\x02"sv}, {22, "\x10\0"sv}})),
            (4 + 2 * 16) * 512U);
  EXPECT_EQ(fat_root(disk_with({{11, "\0\x02\x01\x20\0\x02"sv}, {36, "\xe8\x03"sv}, {44, "\2"}})),
            (32 + 2 * 1000) * 512U);
  EXPECT_EQ(fat_root(disk_with({{11, "\0\x02\x08\x20\0\x02"sv}, {36, "\xe8\x03"sv}, {44, "\3"}})),
            (32 + 2 * 1000 + 8) * 512U);
  EXPECT_FALSE(fat_root(disk_with({{44, "\1"}})));
  EXPECT_FALSE(fat_root("short"));
}

TEST(Fat, TheLabelIsInTheRootDirectory) {
  using std::string_view_literals::operator""sv;
  const auto entry = [](std::string_view name, char kind) {
    std::string bytes(32, '\0');
    bytes.replace(0, name.size(), name);
    bytes[11] = kind;
    return bytes;
  };
  const std::string file = entry("USER-D~1   ", 0x20);
  const std::string label = entry("CIDATA     ", 0x08);
  EXPECT_EQ(fat_label(label), "CIDATA");
  EXPECT_EQ(fat_label(file + label), "CIDATA");
  EXPECT_EQ(fat_label(entry("Au\0s\0e\0r\0-\0"sv, 0x0f) + label), "CIDATA");  // a long name
  EXPECT_EQ(fat_label(entry("\xe5IDATA     ", 0x08) + label), "CIDATA");      // a deleted one
  EXPECT_EQ(fat_label(file + std::string(32, '\0') + label), "");             // behind the end
  EXPECT_EQ(fat_label(file), "");
  EXPECT_EQ(fat_label(label.substr(0, 31)), "");
  EXPECT_EQ(fat_label(""), "");
}

// ---- Clouds

std::string cloud_of(const std::map<std::string, std::string>& dmi) {
  const Provider* const found = recognise([&](std::string_view file) {
    const auto row = dmi.find(std::string(file));
    return row == dmi.end() ? std::string() : row->second;
  });
  return found ? std::string(found->name) : "";
}

TEST(Cloud, IsKnownByItsFirmware) {
  EXPECT_EQ(cloud_of({{"sys_vendor", "Amazon EC2"}}), "imds");
  EXPECT_EQ(cloud_of({{"sys_vendor", "Xen"}, {"bios_version", "4.11.amazon"}}), "imds");
  EXPECT_EQ(cloud_of({{"sys_vendor", "Google"}, {"product_name", "Google Compute Engine"}}), "gcp");
  EXPECT_EQ(cloud_of({{"sys_vendor", "Microsoft Corporation"},
                      {"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"}}),
            "azure");
  EXPECT_EQ(cloud_of({{"product_name", "OpenStack Nova"}}), "openstack");
  EXPECT_EQ(cloud_of({{"product_name", "OpenStack Compute"}}), "openstack");
  EXPECT_EQ(cloud_of({{"sys_vendor", "DigitalOcean"}}), "digitalocean");
  EXPECT_EQ(cloud_of({{"sys_vendor", "Hetzner"}}), "hetzner");
  EXPECT_EQ(cloud_of({{"sys_vendor", "Scaleway"}}), "scaleway");
  EXPECT_EQ(cloud_of({{"sys_vendor", "Vultr"}}), "vultr");
  EXPECT_EQ(cloud_of({{"chassis_asset_tag", "OracleCloud.com"}}), "oracle");
  // Hyper-V, VirtualBox, QEMU and a computer are no clouds.
  EXPECT_EQ(cloud_of({{"sys_vendor", "Microsoft Corporation"}}), "");
  EXPECT_EQ(cloud_of({{"sys_vendor", "innotek GmbH"}, {"product_name", "VirtualBox"}}), "");
  EXPECT_EQ(cloud_of({{"sys_vendor", "QEMU"}, {"product_uuid", "ec2a0e1c-0000"}}), "");
  EXPECT_EQ(cloud_of({}), "");
}

TEST(Cloud, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Provider& provider : providers()) {
    EXPECT_TRUE(names.insert(provider.name).second) << provider.name;
    EXPECT_EQ(parse_source(provider.name), Source::cloud);
    EXPECT_EQ(find_provider(provider.name), &provider);
    EXPECT_TRUE(std::string_view(provider.base).ends_with('/'));
    EXPECT_TRUE(provider.document.path);
  }
  EXPECT_FALSE(find_provider("aws2"));
  EXPECT_FALSE(find_provider(""));
}

TEST(Cloud, AnswersAreRead) {
  const auto read = [](Reading reading, std::string_view member, std::string_view text) {
    return read_answer({"x", reading, member}, text);
  };
  EXPECT_EQ(read(Reading::text, "", "{}\n"), "{}\n");
  EXPECT_EQ(read(Reading::base64, "", "e30=\n"), "{}");
  EXPECT_EQ(read(Reading::base64, "", ""), "");
  EXPECT_FALSE(read(Reading::base64, "", "{}"));
  EXPECT_EQ(read(Reading::json, "/*", R"(["a", 1, "b"])"), "a\nb\n");
  EXPECT_EQ(read(Reading::json, "/k/*/key", R"({"k": [{"key": "a"}, {"x": "y"}, {"key": "b"}]})"),
            "a\nb\n");
  EXPECT_EQ(read(Reading::json, "/k/*", R"({"k": {"mine": "a"}})"), "a\n");
  EXPECT_EQ(read(Reading::json, "/k/*", R"({"k": null})"), "");
  EXPECT_EQ(read(Reading::json, "/hostname", "[]"), "");
  EXPECT_FALSE(read(Reading::json, "/hostname", "<html>"));
  constexpr std::string_view kYaml = "instance-id: i-1\nlocal-hostname:  \"amber\" \r\nx: y";
  EXPECT_EQ(read(Reading::setting, "local-hostname", kYaml), "amber");
  EXPECT_EQ(read(Reading::setting, "local", kYaml), "");
  EXPECT_EQ(read(Reading::setting, "x", kYaml), "y");
  EXPECT_EQ(read(Reading::setting, "x", "x:"), "");
  EXPECT_EQ(
      read(Reading::user_keys, "", "anna:ssh-rsa A a@x\nssh-rsa B\n\nfrom=\"a:b\" ssh-rsa C\n"),
      "ssh-rsa A a@x\nssh-rsa B\nfrom=\"a:b\" ssh-rsa C\n");
}

TEST(Cloud, ANameIsAHostName) {
  EXPECT_EQ(host_label("amber"), "amber");
  EXPECT_EQ(host_label("amber.c.project.internal\n"), "amber");
  EXPECT_EQ(host_label("ip-10-0-0-1"), "ip-10-0-0-1");
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("-a"), std::string("a-"), std::string("a b"),
        std::string("a/b"), std::string("<html>"), std::string(64, 'a')}) {
    EXPECT_EQ(host_label(bad), "") << bad;
  }
}

TEST(Answer, GoesThroughAPipe) {
  const Answer answer = {
      Outcome::nothing, std::string("a\0b", 3), {"amber", "k1\nk2\n", "192.0.2.1"}};
  const Answer back = unpack(pack(answer));
  EXPECT_EQ(back.outcome, answer.outcome);
  EXPECT_EQ(back.text, answer.text);
  EXPECT_EQ(back.identity.hostname, "amber");
  EXPECT_EQ(back.identity.keys, "k1\nk2\n");
  EXPECT_EQ(back.identity.address, "192.0.2.1");
  const std::string bytes = pack(answer);
  for (size_t size = 0; size < bytes.size() - 3; ++size) {
    EXPECT_EQ(unpack(bytes.substr(0, size)).outcome, Outcome::later) << size;
  }
  EXPECT_EQ(unpack("\x09\0\0\0").outcome, Outcome::later);
  EXPECT_EQ(unpack("\xff").outcome, Outcome::later);
}

TEST(Source, IsAWordOrAUrl) {
  EXPECT_EQ(parse_source(""), Source::automatic);
  EXPECT_EQ(parse_source("auto"), Source::automatic);
  EXPECT_EQ(parse_source("none"), Source::none);
  EXPECT_EQ(parse_source("fw_cfg"), Source::fw_cfg);
  EXPECT_EQ(parse_source("smbios"), Source::smbios);
  EXPECT_EQ(parse_source("disk"), Source::disk);
  EXPECT_EQ(parse_source("imds"), Source::cloud);
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
  EXPECT_EQ(problem, "this machine has no ${serial} of its own");
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
