// Licences; see licence.h. The grammar is that of SPDX 2.3, annex D, with its operators in
// capitals.
#include "licence.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "text.h"

namespace copal {
namespace {

// Approved by the OSI or free by the FSF's list, as SPDX has them. NONE: nothing to license.
constexpr std::array kOpen = {"0BSD",
                              "AFL-2.1",
                              "AGPL-3.0-only",
                              "AGPL-3.0-or-later",
                              "Apache-1.1",
                              "Apache-2.0",
                              "Artistic-2.0",
                              "BSD-1-Clause",
                              "BSD-2-Clause",
                              "BSD-3-Clause",
                              "BSD-4-Clause",
                              "BSD-4-Clause-UC",
                              "BSL-1.0",
                              "bzip2-1.0.6",
                              "CC-BY-4.0",
                              "CC-BY-SA-4.0",
                              "CC0-1.0",
                              "curl",
                              "EPL-2.0",
                              "FTL",
                              "GFDL-1.3-or-later",
                              "GPL-1.0-or-later",
                              "GPL-2.0-only",
                              "GPL-2.0-or-later",
                              "GPL-3.0-only",
                              "GPL-3.0-or-later",
                              "HPND",
                              "ICU",
                              "IJG",
                              "ISC",
                              "LGPL-2.0-only",
                              "LGPL-2.0-or-later",
                              "LGPL-2.1-only",
                              "LGPL-2.1-or-later",
                              "LGPL-3.0-only",
                              "LGPL-3.0-or-later",
                              "Libpng",
                              "MIT",
                              "MIT-0",
                              "MPL-1.1",
                              "MPL-2.0",
                              "NCSA",
                              "NONE",
                              "OFL-1.1",
                              "OLDAP-2.8",
                              "OpenSSL",
                              "PostgreSQL",
                              "PSF-2.0",
                              "Python-2.0",
                              "Unicode-3.0",
                              "Unicode-DFS-2016",
                              "Unlicense",
                              "Vim",
                              "WTFPL",
                              "X11",
                              "Zlib",
                              "ZPL-2.1"};
// Their text can be read, but they restrict who may use the program for what.
constexpr std::array kRestricted = {"BUSL-1.1", "SSPL-1.0", "Elastic-2.0"};
constexpr std::array kExceptions = {"Autoconf-exception-3.0",    "Bison-exception-2.2",
                                    "Classpath-exception-2.0",   "GCC-exception-2.0",
                                    "GCC-exception-3.1",         "Libtool-exception",
                                    "Linux-syscall-note",        "LLVM-exception",
                                    "openvpn-openssl-exception", "u-boot-exception-2.0"};

template <class List>
bool in(const List& list, std::string_view id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

class Expression {
 public:
  Expression(std::string_view text, const std::function<bool(const std::string&)>& accepted)
      : accepted_(accepted) {
    std::string spaced;
    for (const char c : text)
      spaced += c == '(' || c == ')' ? std::string(" ") + c + " " : std::string(1, c);
    for (const auto word : words(spaced)) tokens_.emplace_back(word);
  }

  std::string problem() {
    auto refused = any();
    if (wrong_.empty() && next_ < tokens_.size())
      wrong_ = "'" + tokens_[next_] + "' is no operator of SPDX; write AND, OR or WITH";
    if (!wrong_.empty()) return wrong_;
    if (refused.empty()) return "";
    return refused +
           " is not an open-source licence. A configuration that takes it all the same says "
           "CONFIG_ACCEPT_LICENCE_" +
           licence_symbol(refused) + "=y";
  }

 private:
  bool takes(std::string_view token) {
    if (next_ >= tokens_.size() || tokens_[next_] != token) return false;
    next_++;
    return true;
  }

  // Each gives the id for which the expression cannot be taken, or nothing.
  std::string any() {
    auto refused = all();
    while (wrong_.empty() && takes("OR")) {
      if (const auto other = all(); other.empty()) refused.clear();
    }
    return refused;
  }

  std::string all() {
    auto refused = one();
    while (wrong_.empty() && takes("AND")) {
      const auto other = one();
      if (refused.empty()) refused = other;
    }
    return refused;
  }

  std::string one() {
    if (takes("(")) {
      auto refused = any();
      if (wrong_.empty() && !takes(")")) wrong_ = "a ( that is not closed in the licence";
      return refused;
    }
    if (next_ >= tokens_.size()) {
      wrong_ = "the licence ends too early; write an SPDX expression";
      return {};
    }
    const auto id = tokens_[next_++];
    if (!in(kOpen, id) && !in(kRestricted, id) && !id.starts_with("LicenseRef-")) {
      wrong_ = "'" + id + "' is no SPDX licence that is known here (scripts/tools/licence.cc)" +
               suggestion(id);
      return {};
    }
    if (takes("WITH")) {
      if (next_ >= tokens_.size() || !in(kExceptions, tokens_[next_]))
        wrong_ = "WITH needs an SPDX exception" +
                 (next_ < tokens_.size()
                      ? did_you_mean(tokens_[next_], {kExceptions.begin(), kExceptions.end()})
                      : std::string());
      next_++;
    }
    return in(kOpen, id) || accepted_(id) ? "" : id;
  }

  // GPL-2.0, as it was once written, is short for two of today's.
  static std::string suggestion(const std::string& id) {
    std::vector<std::string> known(kOpen.begin(), kOpen.end());
    known.insert(known.end(), kRestricted.begin(), kRestricted.end());
    std::vector<std::string> longer;
    std::copy_if(known.begin(), known.end(), std::back_inserter(longer),
                 [&](const std::string& other) { return other.starts_with(id + "-"); });
    return longer.empty() ? did_you_mean(id, known)
                          : ". Did you mean " + join(longer, " or ") + "?";
  }

  const std::function<bool(const std::string&)>& accepted_;
  std::vector<std::string> tokens_;
  std::size_t next_ = 0;
  std::string wrong_;
};

}  // namespace

std::string licence_problem(std::string_view expression,
                            const std::function<bool(const std::string& id)>& accepted) {
  return Expression(expression, accepted).problem();
}

std::string licence_symbol(std::string_view id) {
  std::string symbol;
  for (const char c : id) {
    if (c >= 'a' && c <= 'z')
      symbol += static_cast<char>(c - 'a' + 'A');
    else
      symbol += c == '-' || c == '.' ? '_' : c;
  }
  return symbol;
}

}  // namespace copal
