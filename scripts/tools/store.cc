// The store's tool: everything that a build does with entries but running it. The work is in
// entry.cc, inputs.cc and copies.cc.
#include <iostream>
#include <string>
#include <vector>

#include "args.h"
#include "copies.h"
#include "entry.h"
#include "inputs.h"

namespace {

using namespace copal;

constexpr auto kHelp =
    "Usage: store COMMAND...                          (SOURCE_DATE_EPOCH in the environment)\n"
    "  stage INPUTS_DIR ENTRY WORK     puts what the entry's inputs name below WORK, and these as "
    "WORK/inputs\n"
    "  merge FOLDER TREE...            several trees as one\n"
    "  seal TREE ENTRY_DIR             makes a freshly installed tree an entry's\n"
    "  check [--full] STORE ENTRY...   says which entries are damaged\n"
    "  publish ENTRY_DIR FOLDER        FOLDER as a copy of the entry's tree; says if it was not\n";

using Words = std::vector<std::string>;

Status check(const Words& words, Depth depth) {
  bool good = true;
  for (std::size_t i = 2; i < words.size(); i++) {
    const auto checked = check_entry(words[1], words[i], depth);
    if (checked) continue;
    std::cout << words[i] << '\t' << checked.error().what << '\n';
    good = false;
  }
  return good ? Status(Ok{})
              : Status(Error{"damaged entries; remove their folders in " + words[1] +
                             ", and they will be built again"});
}

Status run(const Words& words, bool full) {
  const auto& command = words.front();
  if (command == "check") return check(words, full ? Depth::full : Depth::quick);
  if (command == "publish") {
    const auto done = publish(words[1], words[2]);
    if (!done) return done.error();
    if (*done) std::cout << words[2] << '\n';
    return Ok{};
  }
  const auto mtime = source_date_epoch();
  if (!mtime) return mtime.error();
  if (command == "stage") return stage(words[1], words[2], words[3], *mtime);
  if (command == "seal") return seal(words[1], words[2], *mtime);
  return merge({words.begin() + 2, words.end()}, words[1], *mtime);
}

bool is_right(const Words& words) {
  if (words.empty()) return false;
  const auto& command = words.front();
  const auto count = words.size() - 1;
  return (command == "stage" && count == 3) || (command == "seal" && count == 2) ||
         (command == "publish" && count == 2) || (command == "merge" && count >= 1) ||
         (command == "check" && count >= 1);
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = Args::parse({argv + 1, argv + argc}, {}, {"full"});
  if (!args) return usage(args.error().what + "\n" + kHelp);
  if (!is_right(args->words())) return usage(kHelp);
  const auto done = run(args->words(), args->has("full"));
  return done ? 0 : fail("store", done.error());
}
