// What the tests of the host tools share; see support.h.
#include "support.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"

namespace copal::test {

Scratch::Scratch() {
  auto pattern = (std::filesystem::temp_directory_path() / "copal-tools-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Scratch::write(const std::string& name, const std::string& content, mode_t mode) const {
  const auto path = path_ + "/" + name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  ::chmod(path.c_str(), mode);
  return path;
}

std::string Scratch::folder(const std::string& name) const {
  std::filesystem::create_directories(path_ + "/" + name);
  return path_ + "/" + name;
}

std::string Scratch::link(const std::string& name, const std::string& target) const {
  const auto path = path_ + "/" + name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::filesystem::create_symlink(target, path);
  return path;
}

Inside::Inside(const std::string& folder) : before_(std::filesystem::current_path()) {
  std::filesystem::current_path(folder);
}

Inside::~Inside() {
  std::error_code ignored;
  std::filesystem::current_path(before_, ignored);
}

Ran run(const std::string& command) {
  Ran ran;
  auto* pipe = ::popen(("exec 2>&1; " + command).c_str(), "r");
  std::array<char, 4096> part{};
  for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), pipe)) != 0;)
    ran.output.append(part.data(), got);
  const int status = ::pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool exists(const std::string& path) {
  return std::filesystem::exists(std::filesystem::symlink_status(path));
}

::testing::AssertionResult says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << part << "' is not in: " << text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "'" << from << "' is not in: " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string make_entry(const Scratch& scratch, const std::string& entry,
                       const std::vector<std::pair<std::string, std::string>>& files) {
  const auto folder = scratch.folder("store/" + entry);
  const auto tree = scratch.folder("store/" + entry + "/tree");
  for (const auto& [path, content] : files)
    scratch.write("store/" + entry + "/tree" + path, content, 0755);
  const auto sealed = seal(tree, folder, kEpoch);
  EXPECT_TRUE(sealed) << (sealed ? "" : sealed.error().what);
  return tree;
}

}  // namespace copal::test
