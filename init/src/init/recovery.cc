#include "init/recovery.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace copal {
namespace {

struct Header {
  uint64_t services = 0;
  Time last_fault{};
  int32_t ending = -1;
  int32_t kernel_log = -1;
  int32_t log_clients = -1;
  int32_t padding = 0;
};
constexpr Duration kTooSoon = std::chrono::minutes(1);

size_t size_for(size_t services) {
  return sizeof(Header) + services * sizeof(Remembered);
}

// What a signal handler can reach: the one global state of this program.
// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables)
Header* fault_header = nullptr;
int fault_file = -1;
int fault_log = -1;
alignas(16) std::array<std::byte, 16384> fault_stack;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

constexpr std::array kFaults = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};

void inherit(int fd, bool yes) {
  if (fd >= 0) (void)fcntl(fd, F_SETFD, yes ? 0 : FD_CLOEXEC);
}

void inherit_all(Header* header, bool yes) {
  inherit(header->kernel_log, yes);
  inherit(header->log_clients, yes);
  auto* const services = reinterpret_cast<Remembered*>(header + 1);
  for (size_t i = 0; i < header->services; ++i) {
    inherit(services[i].output_in, yes);
    inherit(services[i].output_out, yes);
    inherit(services[i].notify, yes);
  }
}

// Only what is safe in a signal handler, and as little of that as will do.
void on_fault(int number) {
  const Time now = sys::now();
  const bool first =
      fault_header->last_fault == Time{} || now - fault_header->last_fault >= kTooSoon;
  fault_header->last_fault = now;
  const Line message(sys::kmsg_prefix(sys::Level::critical).text(), "init: fault: signal ", number,
                     first ? ": starting again " : ": too soon after the last one ", now, "\n");
  (void)!write(fault_log, message.text().data(), message.text().size());
  if (first) {
    inherit_all(fault_header, true);
    inherit(fault_file, true);
    Line file(fault_file);
    const std::array<const char*, 4> argv = {"init", "--recover", file.c_str(), nullptr};
    const std::array<const char*, 1> env = {nullptr};
    execve("/proc/self/exe", const_cast<char* const*>(argv.data()),
           const_cast<char* const*>(env.data()));
  }
  // The end of PID 1 is a panic, and that a reboot.
  _exit(128 + number);
}

}  // namespace

Status Recovery::map(size_t services) {
  const size_t size = size_for(services);
  void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (at == MAP_FAILED) return sys::last_error("mmap");
  memory_ = {static_cast<std::byte*>(at), size};
  services_ = {reinterpret_cast<Remembered*>(memory_.data() + sizeof(Header)), services};
  return {};
}

Status Recovery::make(size_t services) {
  file_.reset(memfd_create("services", MFD_CLOEXEC));
  if (!file_.open()) return sys::last_error("memfd_create");
  if (ftruncate(file_.get(), static_cast<off_t>(size_for(services))) < 0) {
    return sys::last_error("ftruncate");
  }
  const Status mapped = map(services);
  if (!mapped.ok()) return mapped;
  new (memory_.data()) Header{services};
  for (Remembered& service : services_) new (&service) Remembered;
  return {};
}

Status Recovery::take_over(int fd, size_t services) {
  file_.reset(fd);
  inherit(fd, false);
  struct stat info {};
  if (fstat(fd, &info) < 0) return sys::last_error("stat");
  if (info.st_size != static_cast<off_t>(size_for(services))) return Error{EINVAL, "recover"};
  const Status mapped = map(services);
  if (!mapped.ok()) return mapped;
  auto* const header = reinterpret_cast<Header*>(memory_.data());
  if (header->services != services) return Error{EINVAL, "recover"};
  inherit_all(header, false);
  recovering_ = true;
  return {};
}

static Header& header_of(std::span<std::byte> memory) {
  return *reinterpret_cast<Header*>(memory.data());
}
int32_t& Recovery::ending() {
  return header_of(memory_).ending;
}
int32_t& Recovery::kernel_log() {
  return header_of(memory_).kernel_log;
}
int32_t& Recovery::log_clients() {
  return header_of(memory_).log_clients;
}

void Recovery::arm(const sys::Log& log) {
  fault_header = reinterpret_cast<Header*>(memory_.data());
  fault_file = file_.get();
  fault_log = log.fd().get();
  stack_t stack{};
  stack.ss_sp = fault_stack.data();
  stack.ss_size = fault_stack.size();
  (void)sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = on_fault;
  action.sa_flags = SA_ONSTACK;
  sigset_t faults;
  sigemptyset(&faults);
  for (const int number : kFaults) {
    (void)sigaction(number, &action, nullptr);
    sigaddset(&faults, number);
  }
  // The handler that brought us here never returned, and so its signal is still blocked.
  (void)sigprocmask(SIG_UNBLOCK, &faults, nullptr);
}

}  // namespace copal
