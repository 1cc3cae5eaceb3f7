// The C++ library's own version of this prints a message through code that is larger than all of
// init. It is called only when a pure virtual function is, which cannot happen here.
extern "C" [[noreturn]] void __cxa_pure_virtual();  // NOLINT
extern "C" void __cxa_pure_virtual() { __builtin_trap(); }
