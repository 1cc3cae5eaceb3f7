// The ELF checks: a program built as every package is passes, and each check fails on a program
// built to break it and on nothing else. What no compiler makes (other machines, broken tables) is
// written into the bytes.
#include <cstddef>
#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>
#include <set>

#include "elf_check.h"
#include "support.h"

namespace copal::test {
namespace {

using Checks = std::set<std::string>;

const std::string good_flags = "-static-pie -nostartfiles -s -Wl,-z,relro,-z,now";

// No C library: a program of a few hundred bytes, linked in no time.
const std::string program_source = R"(
const char *volatile text = TEXT;
void _start(void) { for (;;) __asm__ volatile("" :: "r"(text)); }
)";

class ElfChecks : public ::testing::Test {
 protected:
  std::string built(const std::string& flags, const std::string& text = "hello",
                    const std::string& more = "") {
    const auto source =
        scratch.write("x.c", "#define TEXT \"" + text + "\"\n" + program_source + more);
    const auto ran =
        run("cd " + scratch.path() +
            " && gcc -O1 -fPIE -fno-asynchronous-unwind-tables x.c -o x -nostdlib " + flags);
    EXPECT_EQ(ran.code, 0) << ran.output;
    return content_of(scratch / "x");
  }
  static Elf inspected(const std::string& bytes) { return inspect_elf(bytes, EM_X86_64); }
  static Checks checks(const std::string& bytes) {
    Checks found;
    for (const auto& finding : inspected(bytes).findings) found.insert(finding.check);
    return found;
  }
  Scratch scratch;
};

template <class T, class Field>
void set(std::string& bytes, std::size_t offset, Field T::*field, Field value) {
  T whole;
  std::memcpy(&whole, bytes.data() + offset, sizeof whole);
  whole.*field = value;
  std::memcpy(bytes.data() + offset, &whole, sizeof whole);
}

// Offset of the first program header of this type.
std::size_t segment(const std::string& bytes, Elf64_Word type) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; i++) {
    Elf64_Phdr found;
    const auto offset = header.e_phoff + i * sizeof found;
    std::memcpy(&found, bytes.data() + offset, sizeof found);
    if (found.p_type == type) return offset;
  }
  ADD_FAILURE() << "no segment of type " << type;
  return 0;
}

TEST_F(ElfChecks, AcceptAGoodProgram) {
  const auto bytes = built(good_flags);
  EXPECT_TRUE(is_elf(bytes));
  EXPECT_EQ(checks(bytes), Checks{});
  EXPECT_TRUE(inspected(bytes).needed.empty());
  EXPECT_TRUE(inspected(bytes).interpreter.empty());
}

TEST_F(ElfChecks, AcceptAGoodDynamicProgram) {
  const auto bytes = built("-pie -s -Wl,-z,relro,-z,now -Wl,--no-as-needed -lc");
  EXPECT_EQ(checks(bytes), Checks{});
  EXPECT_EQ(inspected(bytes).needed, std::vector<std::string>{"libc.so.6"});
  EXPECT_EQ(inspected(bytes).interpreter, "/lib64/ld-linux-x86-64.so.2");
}

TEST_F(ElfChecks, FindAFixedAddress) {
  EXPECT_TRUE(checks(built("-static -no-pie -fno-pie -s -Wl,-z,relro,-z,now")).contains("pie"));
}

TEST_F(ElfChecks, FindMissingRelro) {
  EXPECT_EQ(checks(built("-static-pie -nostartfiles -s -Wl,-z,norelro,-z,now")), Checks{"relro"});
}

TEST_F(ElfChecks, FindLazyBinding) {
  const std::string lazy = "-s -Wl,-z,relro,-z,lazy ";
  EXPECT_EQ(checks(built(lazy + "-pie -Wl,--no-as-needed -lc")), Checks{"bind-now"});
  EXPECT_EQ(checks(built(lazy + "-shared -fPIC")), Checks{"bind-now"});
  EXPECT_EQ(checks(built("-s -Wl,-z,relro,-z,now -shared -fPIC")), Checks{});
}

TEST_F(ElfChecks, FindTextRelocations) {
  const std::string more = "__asm__(\".text\\n.quad _start\\n\");";
  EXPECT_EQ(checks(built(good_flags + " -Wl,-z,notext", "hello", more)), Checks{"textrel"});
}

// Linkers say it by a tag, by a flag, or by both as this one: each alone must be enough.
TEST_F(ElfChecks, FindEitherSignOfTextRelocations) {
  const auto both =
      built(good_flags + " -Wl,-z,notext", "hello", "__asm__(\".text\\n.quad _start\\n\");");
  const auto without = [&](Elf64_Sxword tag) {
    auto bytes = both;
    Elf64_Phdr dynamic;
    std::memcpy(&dynamic, both.data() + segment(both, PT_DYNAMIC), sizeof dynamic);
    bool found = false;
    for (std::size_t at = 0; at < dynamic.p_filesz; at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry;
      std::memcpy(&entry, both.data() + dynamic.p_offset + at, sizeof entry);
      if (entry.d_tag != tag) continue;
      set(bytes, dynamic.p_offset + at, &Elf64_Dyn::d_tag, Elf64_Sxword{DT_DEBUG});
      found = true;
    }
    EXPECT_TRUE(found) << tag;
    return bytes;
  };
  EXPECT_TRUE(checks(without(DT_TEXTREL)).contains("textrel"));
  EXPECT_TRUE(checks(without(DT_FLAGS)).contains("textrel"));
}

TEST_F(ElfChecks, FindRunPaths) {
  EXPECT_EQ(checks(built(good_flags + " -Wl,-rpath,/opt/lib,--enable-new-dtags")), Checks{"rpath"});
  EXPECT_EQ(checks(built(good_flags + " -Wl,-rpath,/opt/lib,--disable-new-dtags")),
            Checks{"rpath"});
}

TEST_F(ElfChecks, FindAnExecutableStack) {
  EXPECT_EQ(checks(built(good_flags + " -Wl,-z,execstack")), Checks{"stack"});
  auto bytes = built(good_flags);
  set(bytes, segment(bytes, PT_GNU_STACK), &Elf64_Phdr::p_type, Elf64_Word{PT_NULL});
  EXPECT_EQ(checks(bytes), Checks{"stack"});
}

TEST_F(ElfChecks, FindWritableCode) {
  auto bytes = built(good_flags);
  set(bytes, segment(bytes, PT_LOAD), &Elf64_Phdr::p_flags, Elf64_Word{PF_R | PF_W | PF_X});
  EXPECT_EQ(checks(bytes), Checks{"wx"});
}

TEST_F(ElfChecks, FindSymbols) {
  EXPECT_EQ(checks(built("-static-pie -nostartfiles -Wl,-z,relro,-z,now")), Checks{"strip"});
}

TEST_F(ElfChecks, FindPathsOfTheBuild) {
  for (const auto* text : {"/build/src/main.c", "x=/host/bin/cc", "at /sysroot/usr/lib",
                           "/out/usr/share", "gcc -I/build/obj/include", "-L/sysroot/usr/lib"})
    EXPECT_EQ(checks(built(good_flags, text)), Checks{"build-path"}) << text;
  for (const auto* text : {"github.com/x/build/y", "../host/y", "/builds/x", "/usr/build/x",
                           "./sysroot/y", "/build/cancel"})
    EXPECT_EQ(checks(built(good_flags, text)), Checks{}) << text;
  const auto elf = inspected(built(good_flags, "/build/src/main.c"));
  EXPECT_EQ(elf.findings.at(0).what, "holds a path of the build: /build/src/main.c");
}

TEST_F(ElfChecks, FindAnotherMachine) {
  const auto good = built(good_flags);
  auto bytes = good;
  set(bytes, 0, &Elf64_Ehdr::e_machine, Elf64_Half{EM_AARCH64});
  EXPECT_EQ(checks(bytes), Checks{"machine"});
  EXPECT_TRUE(inspect_elf(bytes, EM_AARCH64).findings.empty());
  bytes = good;
  bytes[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(checks(bytes), Checks{"machine"});
  bytes = good;
  bytes[EI_DATA] = ELFDATA2MSB;
  EXPECT_EQ(checks(bytes), Checks{"machine"});
  EXPECT_EQ(machine_of(good), EM_X86_64);
  EXPECT_EQ(machine_of("#!/bin/sh"), std::nullopt);
}

TEST_F(ElfChecks, FindOtherTypes) {
  auto bytes = built(good_flags);
  set(bytes, 0, &Elf64_Ehdr::e_type, Elf64_Half{ET_CORE});
  EXPECT_EQ(checks(bytes), Checks{"type"});
}

TEST_F(ElfChecks, SurviveBrokenFiles) {
  const auto good = built("-pie -s -Wl,-z,relro,-z,now -Wl,--no-as-needed -lc");
  for (std::size_t size = 4; size < good.size(); size += 7)
    EXPECT_FALSE(checks(good.substr(0, size)).empty()) << size;
  // Every byte of the headers turned over, one at a time: anything may be found, nothing may be
  // read out of bounds.
  for (std::size_t i = 4; i < std::min<std::size_t>(good.size(), 4096); i++) {
    auto bytes = good;
    bytes[i] = static_cast<char>(~bytes[i]);
    (void)checks(bytes);
  }
  auto bytes = good;
  set(bytes, 0, &Elf64_Ehdr::e_phoff, Elf64_Off{~0ULL - 8});
  EXPECT_EQ(checks(bytes), Checks{"malformed"});
  bytes = good;
  set(bytes, 0, &Elf64_Ehdr::e_shoff, Elf64_Off{~0ULL - 8});
  EXPECT_EQ(checks(bytes), Checks{"malformed"});
  bytes = good;
  set(bytes, segment(bytes, PT_DYNAMIC), &Elf64_Phdr::p_offset, Elf64_Off{1ULL << 40U});
  EXPECT_EQ(checks(bytes), Checks{"malformed"});
}

}  // namespace
}  // namespace copal::test
