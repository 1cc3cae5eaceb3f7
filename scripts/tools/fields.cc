// The fields of a recipe; see fields.h.
#include "fields.h"

#include <algorithm>
#include <array>

#include "licence.h"
#include "sha256.h"
#include "text.h"

namespace copal {
namespace {

using Context = FieldContext;
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";

bool only(std::string_view text, std::initializer_list<std::string_view> allowed) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return std::any_of(allowed.begin(), allowed.end(), [&](std::string_view some) {
      return some.find(c) != std::string_view::npos;
    });
  });
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// Neither absolute nor leading out of where it is looked for.
bool stays_inside(std::string_view path) {
  const auto parts = split(path, '/');
  return !path.empty() && std::none_of(parts.begin(), parts.end(), [](std::string_view part) {
    return part == ".." || part == "." || part.empty();
  });
}

std::string check_version(std::string_view text, const Context&) {
  if (only(text, {kLower, kUpper, kDigits, "+.-_~"}) && text.front() != '-') return "";
  return "version " + quoted(text) + " may only have letters, digits and + . - _ ~";
}

std::string check_licence(std::string_view text, const Context& context) {
  return licence_problem(text, [&](const std::string& id) {
    return context.globals.get("CONFIG_ACCEPT_LICENCE_" + licence_symbol(id)) == "y";
  });
}

// scheme, rest → what is wrong with the rest
std::string check_source(std::string_view uri, const Context&) {
  const auto colon = uri.find(':');
  const auto scheme = uri.substr(0, colon);
  const auto rest = colon == std::string_view::npos ? std::string_view() : uri.substr(colon + 1);
  const auto parts = split(rest, '/');
  const auto is_file = [](std::string_view name) {
    return only(name, {kLower, kUpper, kDigits, "+.-_~"}) && name.front() != '.' &&
           name.front() != '-';
  };
  std::string right;
  if (scheme == "debian" || scheme == "pypi") {
    if (parts.size() == 2 && is_file(parts[0]) && is_file(parts[1])) return "";
    right = scheme == "debian" ? "debian:<source package>/<file>" : "pypi:<project>/<file>";
  } else if (scheme == "go") {
    const auto at = split(rest, '@');
    const auto module = split(at[0], '/');
    if (at.size() == 2 && std::all_of(module.begin(), module.end(), is_file) && is_file(at[1]) &&
        at[1].front() == 'v')
      return "";
    right = "go:<module>@v<version>";
  } else if (scheme == "go-vendor") {
    if (is_file(rest)) return "";
    right = "go-vendor:<file>";
  } else if (scheme == "https" || scheme == "http") {
    if (rest.find_first_of("?#") != std::string_view::npos)
      right = "an address that ends with the file's name, without ? and #";
    else if (scheme == "https" && rest.starts_with("//") && parts.size() > 3 && !parts[2].empty() &&
             is_file(parts.back()))
      return "";
    else
      right = "https://<host>/<path>/<file>";
  } else {
    right = "debian:<source package>/<file>, pypi:, go:, go-vendor: or https:// (docs/sources.md)";
  }
  return "source " + quoted(uri) + "; write " + right;
}

std::string check_upstream(std::string_view uri, const Context& context) {
  return uri.starts_with("https://") || uri.starts_with("http://") ? ""
         : check_source(uri, context).empty()
             ? "upstream " + quoted(uri) + "; write the address of the first source at its author's"
             : "upstream " + quoted(uri) + "; write https://<host>/<path>/<file>";
}

std::string check_pin(std::string_view text, const Context&) {
  return is_sha256(text) ? "" : "sha256 " + quoted(text) + " is not 64 lower-case hex digits";
}

std::string check_name(std::string_view text, const Context&) {
  return is_package_name(text) ? "" : quoted(text) + " is no name of a package";
}

std::string check_build(std::string_view text, const Context& context) {
  const auto& systems = context.build_systems;
  if (std::find(systems.begin(), systems.end(), text) != systems.end()) return "";
  return "there is no build system " + quoted(text) + "; there are " + join(systems, ", ") +
         did_you_mean(text, systems);
}

std::string check_path(std::string_view text, const Context&) {
  const bool optional = text.ends_with('?');
  auto path = std::string(text.substr(0, text.size() - (optional || text.ends_with('/') ? 1 : 0)));
  // board/$(CONFIG_BOARD)/overlay? of a machine without a board
  if (const auto gap = path.find("//"); optional && gap != std::string::npos) path.erase(gap, 1);
  if (stays_inside(path)) return "";
  return quoted(text) + (text.starts_with('/') ? " is an absolute path" : " is no path") +
         "; write it as it is below the top of the repository";
}

std::string check_overlay(std::string_view text, const Context& context) {
  return text.starts_with('/') ? "" : check_path(text, context);
}

std::string check_image_path(std::string_view text, const Context&) {
  if (text.starts_with('/') && stays_inside(text.substr(1))) return "";
  return quoted(text) + "; write an absolute path of the package's output, as /usr/bin/x";
}

// As the shell reads it: every quote closed.
std::string check_shell_words(std::string_view text, const Context&) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (c == '\\' && quote != '\'')
      i++;
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (c == quote)
      quote = 0;
  }
  return quote == 0 ? "" : std::string("a ") + quote + " that is not closed: " + std::string(text);
}

std::string check_symbol(std::string_view text, const Context& context) {
  if (context.globals.has(std::string(text)) && text.starts_with("CONFIG_")) return "";
  auto symbols = context.globals.names();
  std::erase_if(symbols, [](const auto& name) { return !name.starts_with("CONFIG_"); });
  const auto whole = "CONFIG_" + std::string(text);
  return "there is no symbol " + std::string(text) +
         (context.globals.has(whole) ? ". Did you mean " + whole + "?"
                                     : did_you_mean(text, symbols));
}

// The numbers stand on disks and in archives: 0 and 65534 have their users in every image.
std::string check_user(std::string_view text, const Context&) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  const auto digits = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const auto id = number(digits).value_or(0);
  if (name == "root" || name == "nobody")
    return "user " + quoted(text) + ": " + std::string(name) +
           " is in every image; take another name";
  if (!only(name, {kLower, kDigits, "_-"}) || kLower.find(name.front()) == std::string_view::npos ||
      name.size() > 31)
    return "user " + quoted(text) +
           "; write <name>:<number>, the name of small letters, digits, _ and -";
  if (id < 1 || id > 65533 || digits != std::to_string(id))
    return "user " + quoted(text) + "; write <name>:<number> with a number from 1 to 65533";
  return "";
}

std::string check_sandbox(std::string_view text, const Context&) {
  return text == "none" ? "" : "sandbox = " + std::string(text) + "; write none, or leave it out";
}

std::string check_script(std::string_view text, const Context&) {
  return stays_inside(text) ? "" : quoted(text) + "; write the name of a file in scripts/build";
}

std::string check_module_edit(std::string_view text, const Context&) {
  return text.find('@') != std::string_view::npos ? ""
                                                  : quoted(text) + "; write <module>@<version>";
}

const std::vector<Field> all_fields = {
    {"summary", false, Field::Unit::text, nullptr},
    {"version", true, Field::Unit::text, check_version},
    {"licence", false, Field::Unit::text, check_licence},
    {"source", false, Field::Unit::word, check_source},
    {"sha256", false, Field::Unit::word, check_pin},
    {"upstream", false, Field::Unit::text, check_upstream},
    {"depends", false, Field::Unit::word, check_name},
    {"entries", false, Field::Unit::word, check_name},
    {"build", true, Field::Unit::text, check_build},
    {"sandbox", true, Field::Unit::text, check_sandbox},
    {"srcdir", true, Field::Unit::text, check_path},
    {"configure", true, Field::Unit::text, check_shell_words},
    {"make", true, Field::Unit::text, check_shell_words},
    {"install", true, Field::Unit::text, check_shell_words},
    {"fragments", true, Field::Unit::word, check_path},
    {"files", false, Field::Unit::word, check_path},
    {"scripts", false, Field::Unit::word, check_script},
    {"overlays", false, Field::Unit::word, check_overlay},
    {"symbols", false, Field::Unit::word, check_symbol},
    {"image", false, Field::Unit::word, check_image_path},
    {"users", false, Field::Unit::word, check_user},
    {"tags", true, Field::Unit::text, nullptr},
    {"go-packages", true, Field::Unit::text, nullptr},
    {"go-ldflags", true, Field::Unit::text, nullptr},
    {"module", false, Field::Unit::text, nullptr},
    {"go-replace", false, Field::Unit::word, check_module_edit},
    {"go-require", false, Field::Unit::word, check_module_edit},
    {"go-sum", false, Field::Unit::word, check_module_edit},
    {"go-modfile", false, Field::Unit::text, check_path},
    {"go-delete", false, Field::Unit::word, check_path},
};

}  // namespace

const std::vector<Field>& fields() {
  return all_fields;
}

const Field* find_field(std::string_view name) {
  const auto found = std::find_if(all_fields.begin(), all_fields.end(),
                                  [&](const Field& field) { return field.name == name; });
  return found == all_fields.end() ? nullptr : &*found;
}

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  names.reserve(all_fields.size());
  for (const auto& field : all_fields) names.emplace_back(field.name);
  return names;
}

// Names become file names, goals and words of makefiles.
bool is_host_package(std::string_view name) {
  return name.starts_with("host-") || name.starts_with("cross-");
}

bool is_package_name(std::string_view text) {
  return only(text, {kLower, kDigits, "+.-"}) &&
         std::string_view("+.-").find(text.front()) == std::string_view::npos;
}

std::string source_file(std::string_view uri) {
  auto text = std::string(uri);
  if (uri.starts_with("go:")) {
    std::replace(text.begin(), text.end(), '@', '-');
    text += ".zip";
  }
  return text.substr(text.find_last_of("/:") + 1);
}

}  // namespace copal
