// From packages to keys: the inputs text of each package (everything that its output depends on,
// readable), its key (the hash of that text) and so the name of its store entry; and what Make
// wants to know of them, keys.mk.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plan.h"
#include "result.h"

namespace copal {

struct Keyed {
  std::string name;
  std::string entry;  // <name>-<version>-<key>
  std::string inputs;
  std::vector<std::string> depends;  // entries
};

// `roots`: where the paths of `file` fields are looked for, in this order: the repository, then any
// external trees. `packages` must be in build order.
Result<std::vector<Keyed>> key_packages(const std::vector<Package>& packages,
                                        const std::vector<std::string>& roots);

// Damaged entries are moved out of the way, so that Make builds them again; `warnings` says which
// and why.
struct StoreState {
  std::set<std::string> missing;  // entries
  std::vector<std::string> warnings;
};
Result<StoreState> inspect_store(const std::string& store, const std::vector<Keyed>& packages);

// The names of all entries, which are missing, and what each missing one needs to be there before
// it.
std::string makefile(const std::vector<Keyed>& packages, const std::set<std::string>& missing);

// One file for each package; files of packages that are no more are removed.
Status write_inputs(const std::string& folder, const std::vector<Keyed>& packages);

}  // namespace copal
