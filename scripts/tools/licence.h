// Licences, as SPDX expressions. What is built is under an open-source licence, unless the
// configuration accepts another one by name.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace copal {

// What is wrong with an expression, or nothing. `accepted` says whether the configuration takes an
// id that is not an open-source licence. An OR needs one side that is good, an AND both.
std::string licence_problem(std::string_view expression,
                            const std::function<bool(const std::string& id)>& accepted);

// The id as it stands in CONFIG_ACCEPT_LICENCE_<id>: BUSL_1_1.
std::string licence_symbol(std::string_view id);

}  // namespace copal
