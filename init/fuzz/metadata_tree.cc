// A machine's document. What is taken cannot leave /run/config and keeps to the bounds.
#include <algorithm>
#include <set>

#include "fuzz.h"
#include "metadata/tree.h"

namespace copal {

void fuzz(std::string_view input) {
  std::string problem;
  const auto tree = metadata::parse_tree(input, problem);
  hold(tree.has_value() == problem.empty());
  if (!tree) return;
  hold(tree->size() <= metadata::kMaxNodes);
  std::set<std::string> folders;
  std::set<std::string> all;
  for (const metadata::Node& node : *tree) {
    hold(node.mode <= 0777);
    hold(all.insert(node.path).second);
    const size_t slash = node.path.rfind('/');
    if (slash != std::string::npos) hold(folders.contains(node.path.substr(0, slash)));
    const std::string name = node.path.substr(slash + 1);
    hold(!name.empty() && name.size() <= metadata::kMaxName && name != "." && name != "..");
    hold(name.find('\0') == std::string::npos);
    const auto depth = std::count(node.path.begin(), node.path.end(), '/') + 1;
    hold(static_cast<size_t>(depth) <= metadata::kMaxDepth);
    if (node.folder) folders.insert(node.path);
  }
}

}  // namespace copal
