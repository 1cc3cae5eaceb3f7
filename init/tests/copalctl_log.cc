// `copalctl log` alone, for the tests of the log.
#include "ctl/log.h"

int main(int argc, char** argv) {
  return copal::ctl_log({argv + 1, static_cast<size_t>(argc - 1)});
}
