#include "sys/print.h"

#include <cstring>
#include <unistd.h>

namespace copal::sys {

void print(const Line& line) {
  (void)!write(2, line.text().data(), line.text().size());
}

int fail(std::string_view subject, Error error) {
  print(Line(subject, ": ", error.what, ": ", std::strerror(error.code), "\n"));
  return 1;
}

void Printer::problem(const Place& place, std::string_view message) {
  ++problems_;
  print(Line(describe(place).text(), "error: ", message, "\n"));
}

}  // namespace copal::sys
