// A repository as small as one can be; see tree.h.
#include "tree.h"

namespace copal::test {

Tree::Tree() : inside_(scratch.path()), globals_("config.mk", nullptr) {
  scratch.write("scripts/build/needs.mk",
                "image          = image\n"
                "image-packages = $(CONFIG_PACKAGES)\n"
                "selected       = $(image-packages) $(image)\n"
                "sandbox        = host-sandbox\n"
                "packer         = host-go\n"
                "toolchain         = cross-gcc\n"
                "needs-make        = host-make\n"
                "needs-make-target = $(toolchain)\n"
                "needs-own         =\n");
  scratch.write("scripts/sandbox", "#!/bin/sh\n# Runs a build.\nexec bwrap\n", 0755);
  scratch.write("scripts/build/common.sh", "# What all share.\n\numask 022\n");
  scratch.write("scripts/build/make.sh", "step_build() {\n    # one\n    make\n}\n");
  recipe("sandbox", "host-sandbox", "build = own\nsandbox = none\n");
  recipe("gcc", "cross-gcc", "build = own\n");
  recipe("make", "host-make", "build = own\n");
  recipe("image", "build = own\nentries = $(image-packages)\n");
  for (const auto* script :
       {"sandbox/host-sandbox", "gcc/cross-gcc", "make/host-make", "image/image"})
    scratch.write("packages/" + std::string(script) + ".sh", "step_install() { :; }\n");
}

void Tree::recipe(const std::string& folder, const std::string& name, const std::string& lines) {
  auto text = lines;
  const auto has = [&](const std::string& field) {
    return ("\n" + lines).find("\n" + field + " ") != std::string::npos;
  };
  if (!has("version")) text += "version = 1\n";
  if (!has("build")) text += "build = make\n";
  scratch.write("packages/" + folder + "/" + name + ".mk", text);
}

void Tree::edit(const std::string& path, const std::string& from, const std::string& to) const {
  scratch.write(path, replaced(content_of(scratch / path), from, to));
}

Plan Tree::plan(const std::vector<std::string>& wanted, bool all) {
  said_ = Problems();
  globals_ = Variables("config.mk", nullptr);
  if (!config.contains("CONFIG_PACKAGES")) globals_.set("CONFIG_PACKAGES", "");
  for (const auto& [name, value] : config) globals_.set(name, value);
  plan_ = make_plan({globals_, wanted, all}, said_);
  return plan_;
}

std::vector<Keyed> Tree::keyed() {
  return key_packages(plan_, {environment, {{"SOURCE_DATE_EPOCH", "1"}}, globals_}, said_);
}

std::map<std::string, std::string> Tree::entries() {
  plan();
  std::map<std::string, std::string> map;
  for (const auto& package : keyed()) map[package.package->recipe.name] = package.entry;
  EXPECT_EQ(problems(), "");
  return map;
}

Keyed Tree::find(const std::string& name) {
  plan();
  for (auto& package : keyed()) {
    if (package.package->recipe.name == name) return package;
  }
  ADD_FAILURE() << "no package " << name << ": " << problems();
  return {};
}

std::set<std::string> different(const std::map<std::string, std::string>& a,
                                const std::map<std::string, std::string>& b) {
  std::set<std::string> names;
  for (const auto& [name, entry] : a) {
    if (!b.contains(name) || b.at(name) != entry) names.insert(name);
  }
  return names;
}

}  // namespace copal::test
