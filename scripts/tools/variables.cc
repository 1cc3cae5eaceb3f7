// Variables of flat assignments; see variables.h.
#include "variables.h"

#include <algorithm>

#include "text.h"

namespace copal {
namespace {

// Where the $( that begins at `start` is closed, or npos.
std::size_t closing(std::string_view text, std::size_t start) {
  int depth = 0;
  for (std::size_t i = start; i < text.size(); i++) {
    if (text.substr(i).starts_with("$("))
      depth++;
    else if (text[i] == ')' && --depth == 0)
      return i;
  }
  return std::string_view::npos;
}

bool has_reference(std::string_view name) {
  return name.find("$(") != std::string_view::npos;
}

}  // namespace

std::string text_of(const Value& value) {
  std::vector<std::string> parts;
  for (const auto& word : words_of(value)) parts.push_back(word.text);
  return join(parts, " ");
}

std::vector<Piece> words_of(const Value& value) {
  std::vector<Piece> all;
  for (const auto& piece : value) {
    for (const auto word : words(piece.text)) all.push_back({std::string(word), piece.line});
  }
  return all;
}

std::string_view head_of(std::string_view name) {
  return name.substr(0, name.find("$("));
}

bool heads_match(std::string_view set, std::string_view used) {
  const auto set_head = head_of(set);
  const auto used_head = head_of(used);
  if (!has_reference(set) && !has_reference(used)) return set == used;
  return has_reference(set) && set_head.size() <= used_head.size()
             ? used_head.starts_with(set_head)
             : has_reference(used) && set_head.starts_with(used_head);
}

std::vector<std::string> references_in(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t i = 0; (i = text.find('$', i)) != std::string_view::npos;) {
    const auto end = text.substr(i).starts_with("$(") ? closing(text, i) : std::string_view::npos;
    if (end == std::string_view::npos) {
      i += 2;
      continue;
    }
    const auto inner = text.substr(i + 2, end - i - 2);
    found.emplace_back(inner);
    const auto nested = references_in(inner);
    found.insert(found.end(), nested.begin(), nested.end());
    i = end;
  }
  return found;
}

Variables::Variables(std::string path, const Variables* outer)
    : path_(std::move(path)), outer_(outer) {}

void Variables::assign(const std::vector<Assignment>& assignments, Problems& problems) {
  for (const auto& assignment : assignments) known_.push_back(assignment.name);
  for (const auto& assignment : assignments) {
    std::vector<std::string> open;
    const auto name = expand_text(assignment.name, assignment.line, open, problems);
    auto& value = values_[name];
    if (!assignment.append) {
      // kind-$(CONFIG_X) under several conditions that are off: `kind-`, which nobody reads.
      if (!value.empty() && value.front().line > 0 && !name.ends_with('-'))
        problems.add({path_, assignment.line}, name + " is set in line " +
                                                   std::to_string(value.front().line) +
                                                   " already; write += to add to it");
      value.clear();
    }
    value.push_back({assignment.value, assignment.line});
  }
}

std::string Variables::name_of(const Assignment& assignment) const {
  Problems ignored;
  std::vector<std::string> open;
  return expand_text(assignment.name, assignment.line, open, ignored);
}

const Value* Variables::find(const std::string& name) const {
  const auto found = values_.find(name);
  if (found != values_.end()) return &found->second;
  return outer_ == nullptr ? nullptr : outer_->find(name);
}

std::vector<std::string> Variables::names() const {
  auto all = outer_ == nullptr ? std::vector<std::string>() : outer_->names();
  for (const auto& [name, value] : values_) all.push_back(name);
  return all;
}

bool Variables::is_known(std::string_view head, bool dynamic) const {
  const auto used = std::string(head) + (dynamic ? "$(" : "");
  return std::any_of(known_.begin(), known_.end(),
                     [&](const auto& name) { return heads_match(name, used); });
}

Value Variables::expand(const std::string& name, Problems& problems) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return {};
  Value value;
  for (const auto& piece : found->second) {
    std::vector<std::string> open = {name};
    value.push_back({expand_text(piece.text, piece.line, open, problems), piece.line});
  }
  return value;
}

std::string Variables::get(const std::string& name) const {
  Problems ignored;
  const auto found = values_.find(name);
  if (found == values_.end()) return outer_ == nullptr ? "" : outer_->get(name);
  std::vector<std::string> parts;
  for (const auto& piece : expand(name, ignored)) parts.push_back(piece.text);
  return join(parts, " ");
}

std::string Variables::expand_text(std::string_view text, int line, std::vector<std::string>& open,
                                   Problems& problems) const {
  std::string result;
  for (std::size_t i = 0; i < text.size(); i++) {
    const auto rest = text.substr(i);
    if (text[i] != '$') {
      result += text[i];
    } else if (rest.starts_with("$$")) {
      result += '$';
      i++;
    } else if (const auto end = rest.starts_with("$(") ? closing(text, i) : std::string_view::npos;
               end != std::string_view::npos) {
      result += reference(text.substr(i + 2, end - i - 2), line, open, problems);
      i = end;
    } else {
      const auto name = rest.substr(
          1, rest.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                                    "0123456789",
                                    1) -
                 1);
      problems.add({path_, line},
                   rest.starts_with("$(") ? "a $( that is not closed; write $(name)"
                   : name.empty()
                       ? "a $ by itself; write $$ for a $ that the shell is to see, or $(name)"
                       : "$" + std::string(name) + " is $(" + std::string(name.substr(0, 1)) +
                             ") to Make; write $$" + std::string(name) +
                             " for a variable of the shell, $(" + std::string(name) +
                             ") for one of the recipe");
      return result;
    }
  }
  return result;
}

std::string Variables::reference(std::string_view inner, int line, std::vector<std::string>& open,
                                 Problems& problems) const {
  const auto say = [&](const std::string& what) { problems.add({path_, line}, what); };
  if (inner.empty()) return {};  // $() keeps a blank or a backslash at the end of a value
  if (inner.find_first_of(" \t,") != std::string_view::npos && !inner.starts_with("$(")) {
    say("$(" + std::string(inner) + "): a recipe has no functions; write out what it comes to");
    return {};
  }
  const auto name = expand_text(inner, line, open, problems);
  const auto* value = find(name);
  if (value == nullptr) {
    if (is_known(has_reference(inner) ? head_of(inner) : std::string_view(name),
                 has_reference(inner)))
      return {};
    auto names = this->names();
    names.insert(names.end(), known_.begin(), known_.end());
    say("there is no " +
        (name.starts_with("CONFIG_") ? "symbol " + name : "variable $(" + name + ")") +
        did_you_mean(name, names));
    return {};
  }
  if (std::find(open.begin(), open.end(), name) != open.end()) {
    say("$(" + name + ") refers to itself; write += to add to a value");
    return {};
  }
  std::vector<std::string> parts;
  const auto* scope = this;
  while (!scope->values_.contains(name)) scope = scope->outer_;
  open.push_back(name);
  for (const auto& piece : *value)
    parts.push_back(scope->expand_text(piece.text, piece.line, open, problems));
  open.pop_back();
  return join(parts, " ");
}

}  // namespace copal
