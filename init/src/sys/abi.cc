// What the C++ library does about errors that cannot happen here (a virtual function that is not
// there, an index out of range): its own versions throw, or print a message, through code that is
// larger than all of init. A trap makes the kernel panic and reboot, and the log says where.
// NOLINTBEGIN
extern "C" [[noreturn]] void __cxa_pure_virtual() {
  __builtin_trap();
}

namespace std {
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) {
  __builtin_trap();
}
}  // namespace std
// NOLINTEND
