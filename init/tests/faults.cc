// Runs the real init as PID 1 again and again, and lets its n-th system call fail, for every n and
// every error that is plausible: through boot, the start of services of every kind, a restart, and
// the stop. Init may go on, with less or with everything; it may end deliberately, with its
// message; and once it is told to stop it has to end in bounded time. It may not crash, and it may
// not hang.
//
// usage: faults INIT ACTOR [every=K] [jobs=J] [at=N,ERRNO] [child]
//
// INIT and ACTOR are static programs. With every=K, only each K-th case is tried. `at` tries one
// case and shows the log. `child` has the failures happen to what PID 1 has cloned and what has not
// yet become a program; among them is sudden death (errno 0).
//
// The calls are made to fail by ptrace from outside of the namespaces, so that the program under
// test is the one that is shipped. For x86-64.
#include <linux/sched.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

// ---- The scenario

struct File {
  const char* name;
  const char* text;
};
// Every kind of readiness; a crash and its restart; a task; something that outlives its service.
constexpr std::array kServices = {
    File{"plain", "run = /actor sleep\nuser = root\nstop = TERM 300ms\n"},
    File{"notify",
         "run = /actor notify\nuser = root\nready = notify 1s\nneeds = plain\n"
         "restart = always 1ms..50ms\nstop = TERM 300ms\n"},
    File{"tcp",
         "run = /actor listen 4646\nuser = root\nready = tcp 127.0.0.1:4646 1s\n"
         "restart = always 1ms..50ms\nstop = TERM 300ms\n"},
    File{"crash",
         "run = /actor stumble /run/stumbled\nuser = root\nafter = notify\n"
         "restart = always 1ms..50ms\nstop = TERM 300ms\n"},
    File{"task",
         "task = /actor exit 0\nuser = root\nneeds = plain\nrestart = on-failure 1ms..50ms\n"},
    File{"tree", "run = /actor leave\nuser = root\nstop = INT 300ms\n"},
};

constexpr std::array kErrors = {EINTR, EAGAIN, ENOMEM, EMFILE, ENOSPC, EIO, EPERM, ENOSYS};
constexpr int kDeath = 0;

// Calls that are not made to fail, because the kernel never does that to arguments like ours, or
// (close, munmap) because what is called for happens even when an error is returned.
constexpr std::array kNeverFail = {SYS_close,        SYS_munmap, SYS_exit_group, SYS_exit,
                                   SYS_rt_sigaction, SYS_getpid, SYS_umask,      SYS_rt_sigprocmask,
                                   SYS_rt_sigreturn, SYS_gettid, SYS_brk,        SYS_execve};

constexpr double kPatience = 2;  // seconds until everything is started, or will not be
constexpr double kBound = 60;    // seconds until the end: the sum of the limits in init/shutdown.h

struct Case {
  long call = 0;  // which call fails; 0: none
  int error = 0;
  bool child = false;
};

struct Outcome {
  bool done = false;
  long calls = 0;
  int failed_call = -1;  // its number in the kernel's table
  int status = 0;        // as of wait(2)
  bool hung = false;
  bool message = false;  // there is one that says why it ends
  bool complete = false;
  double seconds = 0;  // from the signal to the end
};

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::_Exit(3);
}
void check(long result, const char* what) {
  if (result < 0) die(what);
}

bool write_text(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  const bool done =
      fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) close(fd);
  return done;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// ---- The machine: namespaces, a root of a few files, a cgroup

class Machine {
 public:
  Machine(const char* init, const char* actor) : init_(init), actor_(actor) {
    std::string folder = "/tmp/faults-XXXXXX";
    if (!mkdtemp(folder.data())) die("mkdtemp");
    folder_ = folder;
    check(mkdir((folder_ + "/root").c_str(), 0755), "mkdir root");
    write_text(folder_ + "/kmsg", "");
    for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      std::string cgroup = std::string(mount) + "/faults-XXXXXX";
      if (access((std::string(mount) + "/cgroup.procs").c_str(), F_OK) < 0) continue;
      if (mkdtemp(cgroup.data())) cgroup_ = cgroup;
    }
  }
  ~Machine() {
    if (!cgroup_.empty()) {
      for (const char* sub : {"/services/log", "/init"}) rmdir((cgroup_ + sub).c_str());
      for (const File& file : kServices) rmdir((cgroup_ + "/services/" + file.name).c_str());
      rmdir((cgroup_ + "/services").c_str());
      rmdir(cgroup_.c_str());
    }
    unlink((folder_ + "/kmsg").c_str());
    rmdir((folder_ + "/root").c_str());
    rmdir(folder_.c_str());
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // PID 1 before its exec, traced.
  pid_t start(long options);
  [[nodiscard]] std::string log() const { return read_text(folder_ + "/kmsg"); }

 private:
  [[noreturn]] void become_init(int go) const;
  void make_root() const;

  const char* init_;
  const char* actor_;
  std::string folder_;
  std::string cgroup_;
};

void Machine::make_root() const {
  const std::string root = folder_ + "/root";
  check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private");
  check(mount("root", root.c_str(), "tmpfs", 0, nullptr), "tmpfs");
  for (const char* dir :
       {"dev", "etc", "etc/init", "etc/seccomp", "proc", "run", "sys", "tmp", "usr", "var"}) {
    check(mkdir((root + "/" + dir).c_str(), 0755), dir);
  }
  const std::string kmsg = folder_ + "/kmsg";
  for (const auto& [from, to] : {std::pair<const char*, const char*>{"/dev/null", "/dev/null"},
                                 {kmsg.c_str(), "/dev/kmsg"},
                                 {init_, "/pid1"},
                                 {actor_, "/actor"}}) {
    write_text(root + to, "");
    check(mount(from, (root + to).c_str(), nullptr, MS_BIND, nullptr), to);
  }
  // It is about PID 1: what they may do and see is for other tests.
  for (const File& file : kServices) {
    write_text(root + "/etc/init/" + file.name,
               std::string(file.text) + "mounts = machine\nlandlock = no\n");
  }
  // A filter (BPF) that allows all.
  write_text(root + "/etc/seccomp/service", std::string("\x06\0\0\0\0\0\xff\x7f", 8));
  write_text(root + "/etc/hostname", "faults\n");
  write_text(root + "/etc/copal-epoch", "0\n");
  check(chroot(root.c_str()), "chroot");
  check(chdir("/"), "chdir");
}

void Machine::become_init(int go) const {
  char byte = 0;
  if (read(go, &byte, 1) != 1) std::_Exit(3);
  if (!cgroup_.empty()) check(unshare(CLONE_NEWCGROUP), "unshare");
  make_root();
  const std::array<const char*, 2> argv = {"init", nullptr};
  const std::array<const char*, 1> env = {nullptr};
  execve("/pid1", const_cast<char* const*>(argv.data()), const_cast<char* const*>(env.data()));
  die("exec");
}

pid_t Machine::start(long options) {
  std::array<int, 2> go{};
  check(pipe2(go.data(), O_CLOEXEC), "pipe");
  constexpr unsigned long kFlags =
      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWIPC;
  const auto pid =
      static_cast<pid_t>(syscall(SYS_clone, kFlags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  check(pid, "clone");
  if (pid == 0) become_init(go[0]);
  const std::string proc = "/proc/" + std::to_string(pid);
  const bool root = geteuid() == 0;
  if (!root) write_text(proc + "/setgroups", "deny");
  write_text(proc + "/uid_map", root ? "0 0 65536" : "0 " + std::to_string(geteuid()) + " 1");
  write_text(proc + "/gid_map", root ? "0 0 65536" : "0 " + std::to_string(getegid()) + " 1");
  if (!cgroup_.empty()) write_text(cgroup_ + "/cgroup.procs", std::to_string(pid));
  check(ptrace(PTRACE_SEIZE, pid, nullptr, options), "seize");
  if (write(go[1], "x", 1) != 1) die("go");
  close(go[0]);
  close(go[1]);
  return pid;
}

// ---- The tracer

class Run {
 public:
  Run(Machine& machine, Case test) : machine_(machine), case_(test) {}
  Outcome go();

 private:
  struct Traced {
    pid_t pid = 0;
    bool counting = false;  // its calls
    bool failing = false;
  };

  void stopped(pid_t pid, int status);
  void on_call(Traced& traced);
  void look_at_the_time();
  Traced& traced(pid_t pid);
  [[nodiscard]] bool everything_started() const;

  Machine& machine_;
  Case case_;
  Outcome outcome_;
  pid_t init_ = 0;
  std::vector<Traced> traced_;
  double begin_ = 0;
  double told_ = 0;
  double told_again_ = 0;
};

bool Run::everything_started() const {
  const std::string log = machine_.log();
  for (const char* line :
       {"init: log: ready", "init: plain: ready", "init: notify: ready", "init: tcp: ready",
        "init: tree: ready", "init: task: done", "init: crash: restart"}) {
    if (log.find(line) == std::string::npos) return false;
  }
  const size_t restart = log.find("init: crash: restart");
  return log.find("init: crash: ready", restart) != std::string::npos;
}

Run::Traced& Run::traced(pid_t pid) {
  const auto same = [&](const Traced& t) { return t.pid == pid; };
  const auto found = std::find_if(traced_.begin(), traced_.end(), same);
  return found != traced_.end() ? *found : traced_.emplace_back(Traced{pid});
}

void Run::on_call(Traced& traced) {
  __ptrace_syscall_info info{};
  const auto size = reinterpret_cast<void*>(sizeof info);
  if (ptrace(PTRACE_GET_SYSCALL_INFO, traced.pid, size, &info) <= 0) return;
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, traced.pid, nullptr, &registers) < 0) return;
  if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    // What comes before is the C library's: main() begins by asking who it is.
    traced.counting = traced.counting || registers.orig_rax == SYS_getpid;
    if (!std::exchange(traced.failing, false)) return;
    registers.rax = static_cast<unsigned long>(-static_cast<long>(case_.error));
    ptrace(PTRACE_SETREGS, traced.pid, nullptr, &registers);
    return;
  }
  const auto number = static_cast<long>(info.entry.nr);
  if (!traced.counting ||
      std::find(kNeverFail.begin(), kNeverFail.end(), number) != kNeverFail.end())
    return;
  if (++outcome_.calls != case_.call) return;
  outcome_.failed_call = static_cast<int>(number);
  if (case_.error == kDeath) {
    kill(traced.pid, SIGKILL);
    return;
  }
  traced.failing = true;
  registers.orig_rax = static_cast<unsigned long>(-1);
  ptrace(PTRACE_SETREGS, traced.pid, nullptr, &registers);
}

void Run::stopped(pid_t pid, int status) {
  Traced& it = traced(pid);
  const bool is_init = pid == init_;
  const int event = status >> 16;
  const int signal = WSTOPSIG(status);
  // Calls are only looked at where they may have to fail.
  const auto go_on = (is_init != case_.child) ? PTRACE_SYSCALL : PTRACE_CONT;
  if (signal == (SIGTRAP | 0x80)) {
    on_call(it);
    ptrace(go_on, pid, nullptr, 0);
  } else if (event == PTRACE_EVENT_EXEC) {
    if (is_init) {
      ptrace(go_on, pid, nullptr, 0);
    } else {
      ptrace(PTRACE_DETACH, pid, nullptr, 0);
    }
  } else if (event != 0) {
    // A child that has just begun is stopped, too, as is its parent.
    if (!is_init && event == PTRACE_EVENT_STOP) it.counting = true;
    ptrace(go_on, pid, nullptr, 0);
  } else {
    ptrace(go_on, pid, nullptr, signal);
  }
}

void Run::look_at_the_time() {
  const double time = now();
  if (told_ == 0) {
    outcome_.complete = everything_started();
    if (!outcome_.complete && time - begin_ < kPatience) return;
    told_ = told_again_ = time;
    kill(init_, SIGTERM);
  } else if (time - told_ > kBound) {
    outcome_.hung = true;
    kill(init_, SIGKILL);
  } else if (time - told_again_ > 3) {
    told_again_ = time;
    kill(init_, SIGTERM);
  }
}

Outcome Run::go() {
  long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;
  if (case_.child) options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE;
  init_ = machine_.start(options);
  begin_ = now();
  // waitpid() is interrupted from time to time.
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  sigaction(SIGALRM, &nothing, nullptr);
  const itimerval interval{{0, 10'000}, {0, 10'000}};
  setitimer(ITIMER_REAL, &interval, nullptr);
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno != EINTR) break;
    if (pid > 0 && WIFSTOPPED(status)) stopped(pid, status);
    if (pid == init_ && !WIFSTOPPED(status)) {
      outcome_.status = status;
      break;
    }
    if (pid < 0) look_at_the_time();
  }
  setitimer(ITIMER_REAL, nullptr, nullptr);
  outcome_.seconds = told_ == 0 ? 0 : now() - told_;
  const std::string log = machine_.log();
  // Level 2, facility 3. Before there is a log, there is no message.
  outcome_.message = log.find("<26>init: ") != std::string::npos || log.empty();
  outcome_.done = true;
  return outcome_;
}

// ---- Verdict

std::string describe(const Case& test, const Outcome& outcome) {
  std::stringstream text;
  text << (test.child ? "child's " : "") << "call " << test.call << " (number "
       << outcome.failed_call << " in the kernel's table): "
       << (test.error == kDeath ? "death" : strerrorname_np(test.error));
  return text.str();
}

// Empty: it is as it has to be.
std::string wrong(const Outcome& outcome) {
  if (!outcome.done) return "the test itself failed";
  if (outcome.hung) return "hangs";
  if (WIFEXITED(outcome.status)) {
    if (WEXITSTATUS(outcome.status) != 1)
      return "ends with code " + std::to_string(WEXITSTATUS(outcome.status));
    return outcome.message ? "" : "ends without a word";
  }
  const int signal = WTERMSIG(outcome.status);
  // What reboot(2) does in a PID namespace.
  return signal == SIGINT || signal == SIGHUP ? "" : "dies of signal " + std::to_string(signal);
}

Outcome try_case(const char* init, const char* actor, const Case& test, bool show) {
  Machine machine(init, actor);
  const Outcome outcome = Run(machine, test).go();
  if (show) std::printf("%s", machine.log().c_str());
  return outcome;
}

class Sweep {
 public:
  Sweep(const char* init, const char* actor, int jobs) : init_(init), actor_(actor), jobs_(jobs) {}
  int go(std::vector<Case> cases);

 private:
  void start(size_t n);
  void finish(pid_t pid);
  int report() const;

  const char* init_;
  const char* actor_;
  int jobs_;
  std::vector<Case> cases_;
  Outcome* outcomes_ = nullptr;  // shared with those who make them
  std::vector<pid_t> running_;
};

void Sweep::start(size_t n) {
  const pid_t pid = fork();
  check(pid, "fork");
  if (pid > 0) return running_.push_back(pid);
  outcomes_[n] = try_case(init_, actor_, cases_[n], false);
  std::_Exit(0);
}

int Sweep::go(std::vector<Case> cases) {
  cases_ = std::move(cases);
  const size_t size = cases_.size() * sizeof(Outcome);
  outcomes_ = static_cast<Outcome*>(
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (outcomes_ == MAP_FAILED) die("mmap");
  std::fflush(stdout);
  for (size_t n = 0; n < cases_.size() || !running_.empty();) {
    if (n < cases_.size() && running_.size() < static_cast<size_t>(jobs_)) {
      start(n++);
      continue;
    }
    std::erase(running_, waitpid(-1, nullptr, 0));
  }
  return report();
}

int Sweep::report() const {
  size_t complete = 0;
  size_t ended = 0;
  size_t wrongs = 0;
  size_t late = 0;
  double slowest = 0;
  for (size_t n = 0; n < cases_.size(); ++n) {
    const Outcome& outcome = outcomes_[n];
    const std::string what = wrong(outcome);
    complete += outcome.complete ? 1 : 0;
    ended += outcome.done && WIFEXITED(outcome.status) ? 1 : 0;
    late += outcome.seconds > 3 ? 1 : 0;
    slowest = std::max(slowest, outcome.seconds);
    if (!what.empty()) {
      ++wrongs;
      std::printf("faults: %s: %s\n", describe(cases_[n], outcome).c_str(), what.c_str());
    }
    if (!getenv("FAULTS_VERBOSE")) continue;
    std::printf("  %s: %s%s, stopped in %.1f s\n", describe(cases_[n], outcome).c_str(),
                outcome.complete ? "complete" : "in part",
                outcome.done && WIFEXITED(outcome.status) ? ", ended itself" : "", outcome.seconds);
  }
  std::printf(
      "faults: %zu cases: %zu went on with everything, %zu ended deliberately, %zu went on with "
      "less; "
      "%zu took more than 3 s to stop, the slowest %.1f s; %zu wrong\n",
      cases_.size(), complete, ended, cases_.size() - complete - ended, late, slowest, wrongs);
  return wrongs == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  size_t every = 1;
  int jobs = 4;
  Case one;
  bool child = false;
  for (int i = 3; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("every=")) every = std::stoul(word.substr(6));
    if (word.starts_with("jobs=")) jobs = std::stoi(word.substr(5));
    if (word == "child") child = true;
    if (word.starts_with("at=")) {
      one.call = std::stol(word.substr(3));
      one.error = std::stoi(word.substr(word.find(',') + 1));
    }
  }
  one.child = child;
  if (one.call != 0) {
    const Outcome outcome = try_case(argv[1], argv[2], one, true);
    std::printf("%s: %s\n", describe(one, outcome).c_str(),
                wrong(outcome).empty() ? "right" : wrong(outcome).c_str());
    return wrong(outcome).empty() ? 0 : 1;
  }
  // Nothing fails, to begin with: that says how many calls there are.
  const Outcome good = try_case(argv[1], argv[2], Case{0, 0, child}, false);
  if (!wrong(good).empty() || !good.complete) {
    std::printf("faults: without any, it %s\n",
                wrong(good).empty() ? "is not complete" : wrong(good).c_str());
    (void)try_case(argv[1], argv[2], Case{0, 0, child}, true);
    return 1;
  }
  std::vector<Case> cases;
  size_t n = 0;
  for (long call = 1; call <= good.calls; ++call) {
    for (const int error : kErrors) {
      if (n++ % every == 0) cases.push_back({call, error, child});
    }
    if (child && n++ % every == 0) cases.push_back({call, kDeath, child});
  }
  std::printf("faults: %ld %scalls, %zu cases\n", good.calls, child ? "children's " : "",
              cases.size());
  return Sweep(argv[1], argv[2], jobs).go(std::move(cases));
}
