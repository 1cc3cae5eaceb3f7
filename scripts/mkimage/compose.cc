// From the specification to the image; see compose.h. A package's paths come from its manifest, not
// from what lies in its folder: what the manifest says is what was built.
#include "compose.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include "file.h"
#include "manifest.h"
#include "text.h"
#include "tree.h"

namespace copal {
namespace {

bool is_at_or_below(std::string_view path, std::string_view folder) {
  return folder == "/" || path == folder ||
         (path.starts_with(folder) && path[folder.size()] == '/');
}

std::string type_name(char type) {
  switch (type) {
    case 'd': return "a folder";
    case 'l': return "a link";
    case 'f': return "a file";
    default: return "a device node";
  }
}

class Composer {
 public:
  Composition run(const Spec& spec) {
    composition_.image.emplace("/", Item{});
    for (const auto& package : spec.packages) add_package(package);
    for (const auto& overlay : spec.overlays) add_overlay(overlay);
    for (const auto& [path, item] : spec.items) add_item(path, item);
    for (const auto& owner : spec.owners) set_owner(owner);
    add_parents();
    return std::move(composition_);
  }

 private:
  void problem(std::string text) { composition_.problems.push_back(std::move(text)); }

  void add_package(const PackageSpec& package) {
    if (package.paths.empty()) return;
    auto root = package.tree;
    while (root.size() > 1 && root.ends_with('/')) root.pop_back();
    const auto folder = std::filesystem::path(root).parent_path();
    const auto entry = folder.filename().string();
    const auto text = read_file((folder / "manifest").string());
    const auto manifest = text ? parse_manifest(*text) : Result<Manifest>(text.error());
    if (!manifest) {
      composition_.damaged.push_back(entry + "\t" + manifest.error().what);
      return;
    }
    std::set<std::string_view> unused(package.paths.begin(), package.paths.end());
    for (const auto& line : manifest->paths) {
      bool wanted = false;
      for (const auto& path : package.paths) {
        if (is_at_or_below(line.path, path)) {
          wanted = true;
          unused.erase(path);
        }
      }
      if (wanted) place(line.path, packaged(package, root, entry, line));
    }
    for (const auto path : unused) not_installed(package, std::string(path), *manifest);
  }

  static Item packaged(const PackageSpec& package, const std::string& root,
                       const std::string& entry, const ManifestLine& line) {
    Item item;
    item.type = line.type;
    item.mode = line.mode;
    item.size = line.size;
    item.owner = package.name;
    if (line.type == 'l') item.target = line.detail;
    if (line.type == 'f') {
      item.sha256 = line.detail;
      item.source = below(root, line.path);
      item.entry = entry;
    }
    return item;
  }

  void not_installed(const PackageSpec& package, const std::string& path,
                     const Manifest& manifest) {
    std::vector<std::string> known;
    const auto name = path.substr(path.rfind('/'));
    std::string same_name;
    for (const auto& line : manifest.paths) {
      known.push_back(line.path);
      if (line.path.ends_with(name)) same_name = line.path;
    }
    const auto guess = same_name.empty() ? nearest(path, known) : same_name;
    problem(package.name + ": its recipe wants " + path +
            " in the image, but the package does not install it" +
            (guess ? ". Did you mean " + *guess + "?" : ""));
  }

  // A path of a package: nobody else may have it, but folders that are alike are shared.
  void place(const std::string& path, Item item) {
    const auto [found, is_new] = composition_.image.try_emplace(path, item);
    if (is_new) return;
    auto& there = found->second;
    if (item.type == 'd' && there.type == 'd') {
      if (there.mode == item.mode)
        there.owner = "-";
      else
        problem(path + " has mode " + octal(there.mode) + " in " + there.owner + " and " +
                octal(item.mode) + " in " + item.owner);
      return;
    }
    problem(path + " is in two packages: " + there.owner +
            (there.type == item.type ? "" : ", as " + type_name(there.type)) + ", and " +
            item.owner + (there.type == item.type ? "" : ", as " + type_name(item.type)) +
            ". Take it out of the `image` line of one of them");
  }

  void add_overlay(const OverlaySpec& overlay) {
    const auto nodes = walk(overlay.folder);
    if (!nodes) {
      problem("overlay " + overlay.label + ": " + nodes.error().what);
      return;
    }
    for (const auto& node : *nodes) {
      if (node.path != "/") lay_over(overlay, node);
    }
  }

  // Modes are canonical, as in a package: those of a checkout depend on its user's umask.
  void lay_over(const OverlaySpec& overlay, const Node& node) {
    Item item;
    item.owner = "overlay:" + overlay.label;
    item.size = node.size;
    const auto source = below(overlay.folder, node.path);
    if (S_ISREG(node.mode)) {
      item.type = 'f';
      item.mode = (node.mode & 0111U) != 0 ? 0755 : 0644;
      item.source = source;
    } else if (S_ISLNK(node.mode)) {
      const auto target = read_link(source);
      if (!target) {
        problem(target.error().what);
        return;
      }
      item.type = 'l';
      item.mode = 0777;
      item.target = *target;
    } else if (S_ISDIR(node.mode)) {
      item.size = 0;
    } else {
      problem(source + " is neither a file nor a folder nor a link");
      return;
    }
    const auto [found, is_new] = composition_.image.try_emplace(node.path, item);
    if (is_new) return;
    auto& there = found->second;
    if ((there.type == 'd') != (item.type == 'd'))
      problem(node.path + " is " + type_name(there.type) + " of " + there.owner + " and " +
              type_name(item.type) + " of " + item.owner +
              ": an overlay may replace files, not a folder or by a folder");
    else if (item.type != 'd')
      there = std::move(item);
  }

  void add_item(const std::string& path, Item item) {
    if (item.type == 'f') {
      struct stat info {};
      if (::stat(item.source.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
        problem("file " + path + ": there is no file " + item.source);
        return;
      }
      item.size = static_cast<std::uint64_t>(info.st_size);
    }
    const auto [found, is_new] = composition_.image.try_emplace(path, item);
    if (is_new) return;
    auto& there = found->second;
    if (item.type == 'd' && there.type == 'd') {
      there.mode = item.mode;
      there.uid = item.uid;
      there.gid = item.gid;
    } else {
      problem(path + " is already " + type_name(there.type) + " of " + there.owner +
              "; the spec makes it " + type_name(item.type));
    }
  }

  void set_owner(const OwnerSpec& owner) {
    const auto found = composition_.image.find(owner.path);
    if (found == composition_.image.end()) {
      problem("owner " + owner.path + ": the image has no such path");
      return;
    }
    found->second.uid = owner.uid;
    found->second.gid = owner.gid;
    if (owner.has_mode) found->second.mode = owner.mode;
  }

  void add_parents() {
    Image parents;
    for (const auto& [path, item] : composition_.image) {
      for (auto parent = parent_of(path); parent != "/"; parent = parent_of(parent)) {
        const auto found = composition_.image.find(std::string(parent));
        if (found == composition_.image.end())
          parents.emplace(parent, Item{});
        else if (found->second.type != 'd')
          problem(path + " of " + item.owner + " cannot be there: " + std::string(parent) + " is " +
                  type_name(found->second.type) + " of " + found->second.owner);
        else
          break;
      }
    }
    composition_.image.merge(parents);
  }

  Composition composition_;
};

}  // namespace

Composition compose(const Spec& spec) {
  return Composer().run(spec);
}

}  // namespace copal
