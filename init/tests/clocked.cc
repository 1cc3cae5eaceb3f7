// What tests/bench-init measures with: programs that note the time in memory shared with it, a file
// of the layout below, so that measuring costs what is measured next to nothing.
//
// usage: clocked start FILE PROGRAM [ARGUMENT]...
//                              notes the time, and becomes PROGRAM (PID 1)
//        clocked serve FILE    notes its start; sleeps; notes its stop by SIGTERM
//        clocked crash FILE    notes its start, and fails
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

constexpr uint64_t kSlots = 65536;

struct Slot {
  int64_t started;  // nanoseconds, CLOCK_MONOTONIC
  int64_t stopped;
};

struct Board {
  std::atomic<uint64_t> starts;
  std::atomic<uint64_t> stops;
  int64_t begin;
  int64_t unused;
  Slot slots[kSlots];
};

Board* board = nullptr;
Slot* slot = nullptr;

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void on_term(int) {
  slot->stopped = now();
  board->stops.fetch_add(1);
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int fd = open(argv[2], O_RDWR | O_CLOEXEC);
  void* const at = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return 3;
  close(fd);
  board = static_cast<Board*>(at);
  if (std::strcmp(argv[1], "start") == 0) {
    board->begin = now();
    execv(argv[3], argv + 3);
    return 3;
  }
  const int64_t started = now();
  slot = &board->slots[board->starts.fetch_add(1) % kSlots];
  slot->started = started;
  if (std::strcmp(argv[1], "crash") == 0) return 1;
  struct sigaction action {};
  action.sa_handler = on_term;
  sigaction(SIGTERM, &action, nullptr);
  for (;;) pause();
}
