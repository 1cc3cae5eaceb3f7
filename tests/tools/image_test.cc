// The image: who owns which path, what is refused, what the archives hold when other programs read
// them, and that the same image is the same bytes.
#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compose.h"
#include "cpio.h"
#include "elf_check.h"
#include "pack.h"
#include "report.h"
#include "sha256.h"
#include "spec.h"
#include "support.h"
#include "text.h"

namespace copal::test {
namespace {

::testing::AssertionResult has(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << part << "' is not in: " << text;
}

class Images : public ::testing::Test {
 protected:
  std::string package(const std::string& name,
                      const std::vector<std::pair<std::string, std::string>>& files) {
    return "package " + name + " " + make_entry(scratch, name + "-1-key", files) + " ";
  }
  Packed packed(const std::string& text, const Archives& archives = {}) {
    const auto spec = parse_spec(text);
    EXPECT_TRUE(spec) << (spec ? "" : spec.error().what);
    if (!spec) return {};
    auto result = pack(*spec, EM_X86_64, kEpoch, archives);
    EXPECT_TRUE(result) << (result ? "" : result.error().what);
    return result ? std::move(*result) : Packed{};
  }
  // All problems, or the manifest.
  std::string outcome(const std::string& text) {
    const auto result = packed(text);
    if (!result.problems.empty()) return join(result.problems, "\n");
    if (!result.damaged.empty()) return "damaged: " + join(result.damaged, "\n");
    return image_manifest(result.image);
  }
  std::string spec_error(const std::string& text) {
    const auto spec = parse_spec(text);
    return spec ? "" : spec.error().what;
  }
  Scratch scratch;
};

TEST_F(Images, AreListedInOneSortedManifest) {
  const auto a =
      package("a", {{"/usr/bin/tool", "tool"}, {"/usr/share/doc", "doc"}, {"/usr/lib/x/y", "y"}});
  scratch.write("over/etc/hosts", "localhost", 0600);
  scratch.write("over/etc/run", "run", 0700);
  scratch.link("over/etc/localtime", "UTC");
  EXPECT_EQ(
      outcome("# a comment\n\n" + a + "/usr/bin/tool /usr/lib/\n" + "overlay base " +
              (scratch / "over") + "\n" +
              "dir /tmp 1777\ndir /var/lib/x 0700 5 6\nlink /init usr/bin/tool\n"
              "node /dev/console c 5 1 0600\nowner /etc/hosts 7 8 -\nowner /etc/run 1 2 0750\n"),
      "/\td\t0755\t0\t0\t0\t-\t-\n"
      "/dev\td\t0755\t0\t0\t0\t-\t-\n"
      "/dev/console\tc\t0600\t0\t0\t0\t5:1\tspec\n"
      "/etc\td\t0755\t0\t0\t0\t-\toverlay:base\n"
      "/etc/hosts\tf\t0644\t7\t8\t9\t" +
          sha256("localhost") +
          "\toverlay:base\n"
          "/etc/localtime\tl\t0777\t0\t0\t3\tUTC\toverlay:base\n"
          "/etc/run\tf\t0750\t1\t2\t3\t" +
          sha256("run") +
          "\toverlay:base\n"
          "/init\tl\t0777\t0\t0\t12\tusr/bin/tool\tspec\n"
          "/tmp\td\t1777\t0\t0\t0\t-\tspec\n"
          "/usr\td\t0755\t0\t0\t0\t-\t-\n"
          "/usr/bin\td\t0755\t0\t0\t0\t-\t-\n"
          "/usr/bin/tool\tf\t0755\t0\t0\t4\t" +
          sha256("tool") +
          "\ta\n"
          "/usr/lib\td\t0755\t0\t0\t0\t-\ta\n"
          "/usr/lib/x\td\t0755\t0\t0\t0\t-\ta\n"
          "/usr/lib/x/y\tf\t0755\t0\t0\t1\t" +
          sha256("y") +
          "\ta\n"
          "/var\td\t0755\t0\t0\t0\t-\t-\n"
          "/var/lib\td\t0755\t0\t0\t0\t-\t-\n"
          "/var/lib/x\td\t0700\t5\t6\t0\t-\tspec\n");
}

TEST_F(Images, TakeOnlyWhatIsNamed) {
  const auto a = package("a", {{"/usr/bin/tool", ""}, {"/usr/bin/tool2", ""}, {"/usr/bin-x", ""}});
  const auto manifest = outcome(a + "/usr/bin/tool\n");
  EXPECT_TRUE(has(manifest, "/usr/bin/tool\t"));
  EXPECT_FALSE(has(manifest, "tool2"));
  EXPECT_FALSE(has(outcome(a + "/usr/bin\n"), "/usr/bin-x"));
  EXPECT_TRUE(has(outcome(a + "/\n"), "/usr/bin-x\t"));
  EXPECT_EQ(outcome(a + "\n"), "/\td\t0755\t0\t0\t0\t-\t-\n");
}

TEST_F(Images, SayWhatAPackageDoesNotInstall) {
  const auto a = package("a", {{"/usr/bin/tool", ""}});
  EXPECT_EQ(outcome(a + "/usr/sbin/tool\n"),
            "a: its recipe wants /usr/sbin/tool in the image, but the package does not install it. "
            "Did you mean /usr/bin/tool?");
}

TEST_F(Images, RefuseTwoOwnersOfOnePath) {
  const auto a = package("a", {{"/usr/bin/tool", "1"}});
  const auto b = package("b", {{"/usr/bin/tool", "1"}});
  EXPECT_EQ(
      outcome(a + "/usr\n" + b + "/usr\n"),
      "/usr/bin/tool is in two packages: a, and b. Take it out of the `image` line of one of them");
  const auto c = package("c", {{"/usr/bin/other", "1"}});
  EXPECT_TRUE(has(outcome(a + "/usr\n" + c + "/usr\n"), "/usr/bin\td\t0755\t0\t0\t0\t-\t-\n"));
}

TEST_F(Images, ShareFoldersOnlyWhenTheyAreAlike) {
  const auto a = package("a", {{"/usr/bin/tool", "1"}});
  const auto b = package("b", {{"/usr/bin/other", "1"}});
  scratch.write("store/b-1-key/manifest", replaced(content_of(scratch / "store/b-1-key/manifest"),
                                                   "/usr/bin\td\t0755", "/usr/bin\td\t0700"));
  EXPECT_EQ(outcome(a + "/usr\n" + b + "/usr\n"), "/usr/bin has mode 0755 in a and 0700 in b");
}

TEST_F(Images, RefuseAPathBelowAFileOrLink) {
  const auto a = package("a", {{"/lib/x", "1"}});
  scratch.link("store/b-1-key/tree/lib", "usr/lib");
  const auto b = package("b", {{"/usr/lib/y", "1"}});
  EXPECT_TRUE(has(outcome(a + "/lib/x\n" + b + "/lib\n"),
                  "/lib/x of a cannot be there: /lib is a link of b"));
  EXPECT_TRUE(has(outcome(a + "/lib\n" + b + "/lib\n"), "a, as a folder, and b, as a link"));
}

TEST_F(Images, LetOverlaysWin) {
  const auto a = package("a", {{"/etc/x/conf", "package"}, {"/etc/keep", "keep"}});
  scratch.write("one/etc/x/conf", "one");
  scratch.write("two/etc/x/conf", "two");
  const auto manifest = outcome(a + "/etc\noverlay one " + (scratch / "one") + "\noverlay two " +
                                (scratch / "two") + "\n");
  EXPECT_TRUE(has(manifest, "/etc/x/conf\tf\t0644\t0\t0\t3\t" + sha256("two") + "\toverlay:two\n"));
  EXPECT_TRUE(has(manifest, "/etc/keep\tf\t0755\t0\t0\t4\t" + sha256("keep") + "\ta\n"));
  scratch.write("three/etc/x", "a file where a folder is");
  EXPECT_TRUE(has(outcome(a + "/etc\noverlay three " + (scratch / "three") + "\n"),
                  "/etc/x is a folder of a and a file of overlay:three"));
  EXPECT_TRUE(
      has(outcome("overlay gone " + (scratch / "gone") + "\n"), "overlay gone: cannot list"));
}

TEST_F(Images, ExplainMistakesInTheSpec) {
  const auto a = package("a", {{"/usr/bin/tool", ""}});
  EXPECT_EQ(outcome("owner /gone 0 0 0755\n"), "owner /gone: the image has no such path");
  EXPECT_TRUE(
      has(outcome(a + "/usr\nlink /usr/bin/tool x\n"), "/usr/bin/tool is already a file of a"));
  EXPECT_TRUE(has(outcome("file /x /does/not/exist 0644\n"), "there is no file /does/not/exist"));
  EXPECT_TRUE(has(spec_error("\npakage a b\n"), "line 2: 'pakage' is not package, overlay"));
  for (const auto* wrong :
       {"package a", "overlay a", "dir x 0755", "dir /x 9", "dir /x 0755 1", "dir /a/../b 0755",
        "dir //x 0755", "link /x", "node /x c 5 1", "node /x p 5 1 0600", "node /x c a 1 0600",
        "owner /x 0 0", "owner /x -1 0 0755", "owner /x 0 0 17777", "file /x y", "dir /a\\n 0755",
        "allow /x pie", "allow /x pie reason", "allow /x pie #"})
    EXPECT_TRUE(has(spec_error(wrong), "line 1: ")) << wrong;
  EXPECT_TRUE(has(spec_error("allow /x relr # why"), "did you mean 'relro'?"));
}

TEST_F(Images, NameADamagedEntry) {
  const auto a = package("a", {{"/usr/bin/tool", "good"}, {"/usr/bin/other", "good"}});
  scratch.write("store/a-1-key/tree/usr/bin/tool", "evil", 0755);
  EXPECT_EQ(outcome(a + "/usr\n"),
            "damaged: a-1-key\t/usr/bin/tool has another content than when it was built");
  EXPECT_EQ(outcome(a + "/usr/bin/other\n").find("damaged"), std::string::npos);
  ::unlink((scratch / "store/a-1-key/tree/usr/bin/tool").c_str());
  EXPECT_EQ(outcome(a + "/usr\n"), "damaged: a-1-key\t/usr/bin/tool cannot be read");
  scratch.write("store/a-1-key/manifest", "");
  EXPECT_TRUE(has(outcome(a + "/usr\n"), "damaged: a-1-key\tmanifest is empty"));
  ::unlink((scratch / "store/a-1-key/manifest").c_str());
  EXPECT_TRUE(has(outcome(a + "/usr\n"), "damaged: a-1-key\tcannot read"));
}

// A small program whose headers can be patched, and the checks that need the whole image.
class ElfImages : public Images {
 protected:
  std::string program(const std::string& flags) {
    const auto source = scratch.write("x.c", "void _start(void) { for (;;) ; }\n");
    const auto ran = run("cd " + scratch.path() +
                         " && gcc -O1 -fPIE x.c -o x -nostdlib -s -Wl,-z,relro,-z,now " + flags);
    EXPECT_EQ(ran.code, 0) << ran.output;
    return content_of(scratch / "x");
  }
  const std::string dynamic = "-pie -Wl,--no-as-needed,--dynamic-linker=/lib/ld.so -L. -lneeded";
  std::string library() {
    auto bytes = program("-shared -Wl,-soname,libneeded.so.1");
    scratch.write("libneeded.so", bytes);
    return bytes;
  }
};

TEST_F(ElfImages, HaveEveryLibraryAndInterpreter) {
  const auto so = library();
  const auto binary = program(dynamic);
  const auto linker = program("-shared");
  const auto app = package("app", {{"/usr/bin/app", binary}}) + "/usr/bin\n";
  const auto missing = outcome(app);
  EXPECT_TRUE(has(
      missing,
      "app: /usr/bin/app needs the library libneeded.so.1, which is not in the image [needed]"));
  EXPECT_TRUE(has(
      missing,
      "app: /usr/bin/app needs the interpreter /lib/ld.so, which is not in the image [interp]"));
  scratch.link("store/lib-1-key/tree/usr/lib/libneeded.so.1", "deep/../libneeded.so.1.2");
  const auto lib = package("lib", {{"/usr/lib/libneeded.so.1.2", so}, {"/usr/lib/ld.so", linker}});
  EXPECT_TRUE(has(outcome(app + lib + "/usr/lib\nlink /lib usr/lib\n"), "/usr/bin/app\t"));
  EXPECT_TRUE(
      has(outcome(app + lib + "/usr/lib/libneeded.so.1 /usr/lib/ld.so\nlink /lib usr/lib\n"),
          "[needed]"));
  EXPECT_TRUE(has(outcome(app + lib + "/usr/lib\nlink /lib lib\n"), "[interp]"));
}

TEST_F(ElfImages, TakeMuslForTheCLibrary) {
  scratch.write("libneeded.so", program("-shared -Wl,-soname,libc.so"));
  const auto binary =
      program("-pie -Wl,--no-as-needed,--dynamic-linker=/lib/ld-musl-x86_64.so.1 -L. -lneeded");
  const auto app = package("app", {{"/usr/bin/app", binary}}) + "/usr/bin\n";
  EXPECT_TRUE(has(outcome(app), "[needed]"));
  const auto musl = package("musl", {{"/lib/ld-musl-x86_64.so.1", program("-shared")}}) + "/lib\n";
  EXPECT_TRUE(has(outcome(app + musl), "/usr/bin/app\t"));
}

TEST_F(ElfImages, HaveTheInterpretersOfScripts) {
  const auto a = package("a", {{"/usr/bin/script", "#! /bin/sh -e\n"}}) + "/usr/bin\n";
  EXPECT_EQ(outcome(a),
            "a: /usr/bin/script needs the interpreter /bin/sh, which is not in the image [interp]");
  const auto shell =
      package("shell", {{"/bin/sh", program("-static-pie -nostartfiles")}}) + "/bin\n";
  EXPECT_TRUE(has(outcome(a + shell), "/usr/bin/script\t"));
}

TEST_F(ElfImages, RefuseSetuid) {
  const auto a = package("a", {{"/bin/su", "x"}}) + "/bin\n";
  EXPECT_EQ(outcome(a + "owner /bin/su 0 0 4755\n"),
            "a: /bin/su is setuid or setgid (mode 4755) [setuid]");
  EXPECT_TRUE(has(outcome(a + "owner /bin/su 0 0 2755\n"), "[setuid]"));
  EXPECT_TRUE(has(outcome(a + "owner /bin/su 0 0 4755\nallow /bin/su setuid # tried in a test\n"),
                  "/bin/su\tf\t4755"));
}

TEST_F(ElfImages, RefuseObjectsThatAreNoModules) {
  const auto object = program("-r");
  const auto a = package("a", {{"/lib/x.ko", object}, {"/lib/x.o", object}});
  EXPECT_TRUE(has(outcome(a + "/lib/x.ko\n"), "/lib/x.ko\tf"));
  EXPECT_EQ(outcome(a + "/lib/x.o\n"),
            "a: /lib/x.o is an object file, and not a kernel module [type]");
}

TEST_F(ElfImages, ListAllProblemsAndAllowSomeWithAReason) {
  const auto bad =
      package("bad", {{"/bin/b", program("-static-pie -nostartfiles -Wl,-z,norelro,-z,execstack")},
                      {"/bin/c", program("-static-pie -nostartfiles -Wl,-z,norelro")}}) +
      "/bin\n";
  const auto all = outcome(bad);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2) << all;
  EXPECT_TRUE(has(all, "bad: /bin/b has no read-only relocations (link it with -z relro) [relro]"));
  EXPECT_TRUE(has(all, "bad: /bin/b asks for an executable stack"));
  EXPECT_TRUE(has(all, "bad: /bin/c has no read-only relocations"));
  const std::string allows = "allow /bin/b relro # one\nallow /bin/b stack # two\n";
  EXPECT_EQ(outcome(bad + allows),
            "bad: /bin/c has no read-only relocations (link it with -z relro) [relro]");
  EXPECT_TRUE(has(outcome(bad + allows + "allow /bin/c relro # three\n"), "/bin/c\tf"));
  EXPECT_EQ(outcome(bad + allows + "allow /bin/c relro # three\nallow /bin/c pie # four\n"),
            "line 5 allows /bin/c [pie], which is not needed: remove the line");
}

class Archiving : public Images {
 protected:
  std::string full_spec() {
    const auto a = package("a", {{"/usr/bin/tool", "tool\n"},
                                 {"/usr/bin/empty", ""},
                                 {"/usr/share/" + std::string(110, 'n'), "long name"}});
    return a +
           "/usr\ndir /tmp 1777\ndir /home 0700 1000 2000\nlink /init usr/bin/tool\nlink /long " +
           std::string(120, 't') +
           "\nnode /dev/console c 5 1 0600\nnode /dev/disk b 259 300 0600\n";
  }
  std::string archive(const std::string& spec, const std::string& kind) {
    auto path = scratch / ("out." + kind);
    const auto result = packed(spec, {kind == "cpio" ? path : "", kind == "tar" ? path : ""});
    EXPECT_TRUE(result.good()) << join(result.problems, "\n");
    return path;
  }
};

struct CpioMember {
  std::string name;
  std::string body;
  std::vector<std::uint64_t>
      fields;  // ino mode uid gid nlink mtime filesize major minor rmajor rminor namesize check
};

// As the kernel's init/initramfs.c reads it.
std::vector<CpioMember> kernel_reads(const std::string& bytes) {
  std::vector<CpioMember> members;
  for (std::size_t at = 0; at + 110 <= bytes.size();) {
    EXPECT_EQ(at % 4, 0U);
    EXPECT_EQ(bytes.substr(at, 6), "070701") << at;
    CpioMember member;
    for (std::size_t i = 0; i < 13; i++) {
      const auto field = number(std::string_view(bytes).substr(at + 6 + 8 * i, 8), 16);
      EXPECT_TRUE(field);
      member.fields.push_back(field.value_or(0));
    }
    const auto name_size = member.fields[11];
    EXPECT_GT(name_size, 1U);
    EXPECT_LE(name_size, 4096U);
    member.name = bytes.substr(at + 110, name_size - 1);
    EXPECT_EQ(bytes[at + 110 + name_size - 1], '\0');
    const auto body = (at + 110 + name_size + 3) / 4 * 4;
    member.body = bytes.substr(body, member.fields[6]);
    at = (body + member.fields[6] + 3) / 4 * 4;
    members.push_back(member);
    if (member.name == "TRAILER!!!") {
      EXPECT_EQ(bytes.find_first_not_of('\0', at), std::string::npos);
      break;
    }
  }
  return members;
}

TEST_F(Archiving, CpioFollowsTheKernelsFormat) {
  const auto bytes = content_of(archive(full_spec(), "cpio"));
  EXPECT_EQ(bytes.size() % 512, 0U);
  const auto members = kernel_reads(bytes);
  ASSERT_EQ(members.size(), 15U);
  EXPECT_EQ(members.back().name, "TRAILER!!!");
  EXPECT_EQ(members.front().name, ".");
  EXPECT_EQ(members.front().fields[1], S_IFDIR | 0755U);
  EXPECT_EQ(members.front().fields[4], 6U);  // dev home tmp usr
  for (std::size_t i = 0; i + 1 < members.size(); i++) {
    const auto& member = members[i];
    EXPECT_EQ(member.fields[0], i + 1) << member.name;
    EXPECT_EQ(member.fields[5], static_cast<std::uint64_t>(kEpoch)) << member.name;
    EXPECT_EQ(member.fields[7] + member.fields[8] + member.fields[12], 0U) << member.name;
    EXPECT_FALSE(member.name.starts_with('/')) << member.name;
    if (!S_ISDIR(member.fields[1])) {
      EXPECT_EQ(member.fields[4], 1U) << member.name;
    }
    const auto parent = member.name.rfind('/');
    if (parent != std::string::npos) {
      EXPECT_TRUE(
          std::any_of(members.begin(), members.begin() + static_cast<std::ptrdiff_t>(i),
                      [&](const CpioMember& m) { return m.name == member.name.substr(0, parent); }))
          << member.name;
    }
    if (member.name == "home") {
      EXPECT_EQ(member.fields[2], 1000U);
      EXPECT_EQ(member.fields[3], 2000U);
    } else if (member.name == "dev/disk") {
      EXPECT_EQ(member.fields[1], S_IFBLK | 0600U);
      EXPECT_EQ(member.fields[9], 259U);
      EXPECT_EQ(member.fields[10], 300U);
    } else if (member.name == "init") {
      EXPECT_EQ(member.fields[1], S_IFLNK | 0777U);
      EXPECT_EQ(member.body, "usr/bin/tool");
    } else if (member.name == "usr/bin/tool") {
      EXPECT_EQ(member.fields[1], S_IFREG | 0755U);
      EXPECT_EQ(member.body, "tool\n");
    } else if (member.name == "usr") {
      EXPECT_EQ(member.fields[4], 4U);  // bin share
    }
  }
}

TEST_F(Archiving, CpioIsReadByCpio) {
  const auto path = archive(full_spec(), "cpio");
  const auto ran = run("cpio -itv --quiet --numeric-uid-gid < " + path + " | tr -s ' '");
  EXPECT_TRUE(has(ran.output, "crw------- 1 0 0 5, 1 Jan 1 2025 dev/console\n"));
  EXPECT_TRUE(has(ran.output, "drwx------ 2 1000 2000 0 Jan 1 2025 home\n"));
  EXPECT_TRUE(has(ran.output, "drwxrwxrwt 2 0 0 0 Jan 1 2025 tmp\n"));
  EXPECT_TRUE(has(ran.output, "-rwxr-xr-x 1 0 0 5 Jan 1 2025 usr/bin/tool\n"));
  EXPECT_TRUE(has(ran.output, "lrwxrwxrwx 1 0 0 12 Jan 1 2025 init -> usr/bin/tool\n"));
  EXPECT_EQ(run("cpio -i --to-stdout --quiet usr/bin/tool < " + path).output, "tool\n");
}

TEST_F(Archiving, CpioRefusesWhatItCannotHold) {
  Item item;
  item.type = 'f';
  item.size = 0xffffffffU;
  EXPECT_TRUE(fits_cpio("/x", item));
  item.size++;
  const auto fits = fits_cpio("/x", item);
  ASSERT_FALSE(fits);
  EXPECT_TRUE(has(fits.error().what, "must be smaller than 4 GiB"));
  item.size = 0;
  EXPECT_FALSE(fits_cpio("/" + std::string(4096, 'x'), item));
  // A sparse file: refused before it is read.
  const auto big = scratch.write("big", "");
  ASSERT_EQ(::truncate(big.c_str(), std::int64_t{1} << 32U), 0);
  const auto result = packed("file /big " + big + " 0644\n", {scratch / "out.cpio", ""});
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_FALSE(exists(scratch / "out.cpio"));
}

TEST_F(Archiving, TarIsReadByTar) {
  const auto path = archive(full_spec(), "tar");
  const auto ran = run("TZ=UTC tar --numeric-owner --full-time -tvf " + path + " | tr -s ' '");
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(has(ran.output, "crw------- 0/0 5,1 2025-01-01 00:00:00 dev/console\n"));
  EXPECT_TRUE(has(ran.output, "brw------- 0/0 259,300 2025-01-01 00:00:00 dev/disk\n"));
  EXPECT_TRUE(has(ran.output, "drwx------ 1000/2000 0 2025-01-01 00:00:00 home"));
  EXPECT_TRUE(has(ran.output, "drwxrwxrwt 0/0 0 2025-01-01 00:00:00 tmp"));
  EXPECT_TRUE(has(ran.output, "-rwxr-xr-x 0/0 5 2025-01-01 00:00:00 usr/bin/tool\n"));
  EXPECT_TRUE(has(ran.output, "00:00:00 long -> " + std::string(120, 't') + "\n"));
  EXPECT_TRUE(has(ran.output, "usr/share/" + std::string(110, 'n') + "\n"));
  EXPECT_EQ(run("tar -xOf " + path + " usr/bin/tool usr/share/" + std::string(110, 'n')).output,
            "tool\nlong name");
}

TEST_F(Archiving, TarBecomesTheSameErofsTwice) {
  if (!has(run("mkfs.erofs --help").output, "--tar"))
    GTEST_SKIP() << "no mkfs.erofs that reads tar";
  const auto path = archive(full_spec(), "tar");
  const std::string erofs = "env -u SOURCE_DATE_EPOCH mkfs.erofs --tar=f --quiet -T" +
                            std::to_string(kEpoch) +
                            " --all-time -U00000000-0000-0000-0000-000000000001 ";
  EXPECT_EQ(run(erofs + (scratch / "a.erofs") + " " + path).code, 0);
  scratch.folder("else where");
  std::filesystem::copy_file(path, scratch / "else where/t");
  EXPECT_EQ(run("cd '" + (scratch / "else where") + "' && " + erofs + "b.erofs t").code, 0);
  const auto a = content_of(scratch / "a.erofs");
  EXPECT_FALSE(a.empty());
  EXPECT_EQ(sha256(a), sha256(content_of(scratch / "else where/b.erofs")));
  const auto home = run("dump.erofs --path=/home " + (scratch / "a.erofs")).output;
  EXPECT_TRUE(has(home, "Uid: 1000   Gid: 2000  Access: 0700"));
  EXPECT_TRUE(has(home, "2025-01-01"));
}

TEST_F(Archiving, SameImageSameBytes) {
  const auto spec = full_spec();
  for (const auto* kind : {"cpio", "tar"}) {
    const auto first = content_of(archive(spec, kind));
    EXPECT_EQ(content_of(archive(spec, kind)), first);
    // From another place, in another order.
    const Scratch other;
    std::filesystem::copy(
        scratch / "store", other / "store",
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    auto statements = lines(spec);
    std::string reversed;
    for (auto line = statements.rbegin(); line != statements.rend(); ++line)
      reversed += std::string(*line) + "\n";
    EXPECT_EQ(content_of(archive(replaced(reversed, scratch.path(), other.path()), kind)), first);
  }
}

TEST_F(Archiving, NothingIsLeftOfABadImage) {
  const auto a = package("a", {{"/usr/bin/script", "#!/bin/sh\n"}}) + "/usr\n";
  const auto result = packed(a, {scratch / "x.cpio", scratch / "x.tar"});
  EXPECT_FALSE(result.good());
  for (const auto& file : std::filesystem::directory_iterator(scratch.path()))
    EXPECT_EQ(file.path().filename().string().find("x."), std::string::npos) << file.path();
}

TEST_F(Archiving, SizesAreShownLargestFirst) {
  const auto big = package("big", {{"/usr/bin/big", std::string(1234567, 'x')}}) + "/usr\n";
  const auto small =
      package("small", {{"/usr/bin/small", "12"}, {"/usr/bin/smaller", "1"}}) + "/usr\n";
  EXPECT_EQ(size_report(packed(small + big).image),
            "PACKAGE  FILES      BYTES   SHARE\n"
            "big          1  1,234,567  100.0%\n"
            "small        2          3    0.0%\n"
            "all          3  1,234,570  100.0%\n"
            "\n"
            "LARGEST FILES         BYTES   SHARE  PACKAGE\n"
            "/usr/bin/big      1,234,567  100.0%      big\n"
            "/usr/bin/small            2    0.0%    small\n"
            "/usr/bin/smaller          1    0.0%    small\n");
}

}  // namespace
}  // namespace copal::test
