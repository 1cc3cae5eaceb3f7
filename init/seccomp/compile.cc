// Makes a filter of system calls (a BPF program, as seccomp(2) takes it) from a profile, when an
// image is built: PID 1 only hands it to the kernel.
//
// usage: compile ARCHITECTURE FOLDER PROFILE >FILTER
//
// A profile is FOLDER/PROFILE. Its lines, # begins a comment:
//   include PROFILE     all that this one says
//   allow CALL...       these may be made
//   allow-all           everything, but for what is denied
//   deny CALL...        these may not, whatever was said before
// What is not allowed fails with EPERM. What is newer than this program fails with ENOSYS, so that
// libraries fall back on what they did before.
#include <linux/filter.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sched.h>
#include <seccomp.h>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& message) {
  std::cerr << message << "\n";
  std::exit(1);
}

struct Profile {
  bool all = false;
  std::set<std::string> allowed;
  std::set<std::string> denied;
};

void read(const std::string& folder, const std::string& name, Profile& profile) {
  std::ifstream file(folder + "/" + name);
  if (!file) fail(folder + "/" + name + ": cannot be read");
  std::string line;
  for (int number = 1; std::getline(file, line); number++) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string verb, word;
    if (!(words >> verb)) continue;
    if (verb == "allow-all")
      profile.all = true;
    else if (verb != "include" && verb != "allow" && verb != "deny")
      fail(name + ":" + std::to_string(number) +
           ": expected include, allow, allow-all or deny, not '" + verb + "'");
    while (words >> word) {
      if (verb == "include") {
        read(folder, word, profile);
        continue;
      }
      if (seccomp_syscall_resolve_name(word.c_str()) == __NR_SCMP_ERROR)
        fail(name + ":" + std::to_string(number) + ": there is no system call '" + word + "'");
      if (verb == "allow") profile.allowed.insert(word), profile.denied.erase(word);
      if (verb == "deny") profile.denied.insert(word), profile.allowed.erase(word);
    }
  }
}

// All that the architecture has, by number.
std::map<int, std::string> system_calls(uint32_t architecture) {
  constexpr int kBeyond = 1024;
  std::map<int, std::string> calls;
  for (int number = 0; number < kBeyond; number++) {
    char* const name = seccomp_syscall_resolve_num_arch(architecture, number);
    if (name) calls[number] = name;
    free(name);
  }
  return calls;
}

// clone(2) makes threads and processes, but also namespaces. Its flags are the first argument on
// all architectures here; those of clone3 lie in memory, where no filter sees them, so that it is
// said not to be there: every library then uses clone.
void add_clone(scmp_filter_ctx filter, bool with_namespaces) {
  const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                              CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
  if (with_namespaces) {
    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0);
    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone3), 0);
    return;
  }
  seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                   SCMP_A0_64(SCMP_CMP_MASKED_EQ, namespaces, 0));
  seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

std::vector<sock_filter> compile(uint32_t architecture, const Profile& profile,
                                 const std::map<int, std::string>& calls) {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter || (seccomp_arch_native() != architecture &&
                  (seccomp_arch_add(filter, architecture) < 0 ||
                   seccomp_arch_remove(filter, SCMP_ARCH_NATIVE) < 0)))
    fail("libseccomp: cannot make a filter for this architecture");
  seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree, not a list
  for (const auto& [number, name] : calls) {
    if (name == "clone" || name == "clone3") continue;
    const bool allowed =
        profile.all ? !profile.denied.contains(name) : profile.allowed.contains(name);
    if (allowed &&
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(name.c_str()), 0) < 0)
      fail("libseccomp: cannot add " + name);
  }
  add_clone(filter, profile.all || profile.allowed.contains("unshare"));

  FILE* const file = std::tmpfile();
  if (!file || seccomp_export_bpf(filter, fileno(file)) < 0)
    fail("libseccomp: cannot export the filter");
  std::vector<sock_filter> program(
      static_cast<size_t>(ftell(file) >= 0 ? lseek(fileno(file), 0, SEEK_CUR) : 0) /
      sizeof(sock_filter));
  if (pread(fileno(file), program.data(), program.size() * sizeof(sock_filter), 0) < 0)
    fail("libseccomp: cannot read the filter");
  seccomp_release(filter);
  std::fclose(file);
  return program;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: compile ARCHITECTURE FOLDER PROFILE");
  const uint32_t architecture = seccomp_arch_resolve_name(argv[1]);
  if (architecture == 0) fail(std::string(argv[1]) + ": an unknown architecture");
  Profile profile;
  read(argv[2], argv[3], profile);
  const auto calls = system_calls(architecture);
  const auto newest = static_cast<uint32_t>(calls.rbegin()->first);

  // In front of libseccomp's program, whose jumps are relative: of this architecture and newer than
  // all that is known.
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, newest, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0x00050000 | ENOSYS),
  };
  const auto rest = compile(architecture, profile, calls);
  program.insert(program.end(), rest.begin(), rest.end());
  std::fwrite(program.data(), sizeof(sock_filter), program.size(), stdout);
  std::fflush(stdout);
  return std::ferror(stdout) ? 1 : 0;
}
