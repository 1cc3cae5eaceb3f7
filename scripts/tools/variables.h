// Variables of flat assignments, and what $(name) in a value comes to. A name may itself contain a
// reference ($(pins-$(HOST_ARCH))); there are no functions. Nothing of the environment is a
// variable here, and a recipe's own are seen by that recipe alone.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "assignments.h"
#include "problems.h"

namespace copal {

// A value keeps the line of each part that was added to it.
struct Piece {
  std::string text;
  int line = 0;
};
using Value = std::vector<Piece>;

std::string text_of(const Value& value);          // joined, with one blank between words
std::vector<Piece> words_of(const Value& value);  // each word with its line

class Variables {
 public:
  // Names that are not here are looked for in `outer`. What has one of the `empty` names, or begins
  // like a name that depends on a condition, may be used without having been set.
  Variables(std::string path, const Variables* outer);

  // Takes over the assignments in their order; names are expanded as they come.
  void assign(const std::vector<Assignment>& assignments, Problems& problems);
  void set(const std::string& name, const std::string& text) { values_[name] = {{text, 0}}; }
  void may_be_empty(const std::string& name) { known_.push_back(name); }

  // What a name of an assignment comes to.
  std::string name_of(const Assignment& assignment) const;
  bool has(const std::string& name) const { return find(name) != nullptr; }
  Value expand(const std::string& name, Problems& problems) const;
  std::string get(const std::string& name) const;  // "" if it is not set, or cannot be expanded
  std::vector<std::string> names() const;          // those of the outer ones too

 private:
  std::string expand_text(std::string_view text, int line, std::vector<std::string>& open,
                          Problems& problems) const;
  std::string reference(std::string_view inner, int line, std::vector<std::string>& open,
                        Problems& problems) const;
  const Value* find(const std::string& name) const;
  bool is_known(std::string_view head, bool dynamic) const;

  std::string path_;
  const Variables* outer_;
  std::map<std::string, Value> values_;
  std::vector<std::string> known_;  // the part of assigned names before a reference in them
};

// The part of a name before the first reference in it: `go-pins-` of `go-pins-$(HOST_ARCH)`.
std::string_view head_of(std::string_view name);

// Do a name that is set and one that is used mean the same variable, as far as their heads tell?
bool heads_match(std::string_view set, std::string_view used);

// Every name in a $(…) of the text, not expanded.
std::vector<std::string> references_in(std::string_view text);

}  // namespace copal
