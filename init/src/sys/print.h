// What programs other than PID 1 have to say: on stderr, which the log takes.
#pragma once

#include "core/lines.h"
#include "core/result.h"

namespace copal::sys {

void print(const Line& line);
// Says what failed. The exit code of a program that failed.
int fail(std::string_view subject, Error error);

// Prints what is wrong with files.
class Printer : public Reporter {
 public:
  void problem(const Place& place, std::string_view message) override;
  [[nodiscard]] int problems() const { return problems_; }

 private:
  int problems_ = 0;
};

}  // namespace copal::sys
