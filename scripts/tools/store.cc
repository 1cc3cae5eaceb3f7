// The store's tool: seals a freshly installed tree into an entry, and tells which entries are
// damaged. The work is in entry.cc.
#include <iostream>
#include <string>
#include <vector>

#include "args.h"
#include "entry.h"

namespace {

using namespace copal;

constexpr auto kHelp =
    "Usage: store seal TREE ENTRY_DIR             (SOURCE_DATE_EPOCH in the environment)\n"
    "       store check [--full] STORE ENTRY...\n";

int seal_command(const std::vector<std::string>& words) {
  if (words.size() != 3) return usage(kHelp);
  const auto mtime = source_date_epoch();
  if (!mtime) return fail("store", mtime.error());
  const auto sealed = seal(words[1], words[2], *mtime);
  return sealed ? 0 : fail("store", sealed.error());
}

int check_command(const Args& args) {
  const auto& words = args.words();
  if (words.size() < 2) return usage(kHelp);
  int code = 0;
  for (std::size_t i = 2; i < words.size(); i++) {
    const auto checked =
        check_entry(words[1], words[i], args.has("full") ? Depth::full : Depth::quick);
    if (!checked) {
      std::cout << words[i] << '\t' << checked.error().what << '\n';
      code = 1;
    }
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = Args::parse({argv + 1, argv + argc}, {}, {"full"});
  if (!args) return usage(args.error().what + "\n" + kHelp);
  const auto command = args->words().empty() ? std::string() : args->words().front();
  if (command == "seal") return seal_command(args->words());
  if (command == "check") return check_command(*args);
  return usage(kHelp);
}
