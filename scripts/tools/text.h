// Small pure functions on text: splitting, joining, escaping of path names, numbers, and the
// nearest known name for a misspelt one ("did you mean").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace copal {

std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty parts
std::vector<std::string_view> lines(
    std::string_view text);  // without an empty one after the last newline
std::vector<std::string_view> words(std::string_view text);  // separated by blanks and tabs
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// A path in one word: backslash, blank and control characters become \xHH.
std::string escape(std::string_view raw);
std::optional<std::string> unescape(std::string_view text);

std::optional<std::uint64_t> number(std::string_view text, int base = 10);
std::string octal(unsigned mode);  // four digits: 0755

// The nearest of `known` when it is near enough to be a slip of the pen.
std::optional<std::string> nearest(std::string_view wrong, const std::vector<std::string>& known);
// ". Did you mean zlib?", or nothing.
std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace copal
