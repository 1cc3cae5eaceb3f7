// Documents over the network. One call is one try: who calls decides whether there is another.
#pragma once

#include <string_view>

#include "metadata/answer.h"
#include "metadata/provider.h"

namespace copal::metadata {

// Asks the provider, or without one the URL, in another process, as the user nobody: what comes
// from a network is read by one who can do nothing. Without root, as whoever runs this.
Answer fetch_apart(const Provider* provider, std::string_view url);

}  // namespace copal::metadata
