// Documents over the network. One call is one try: who calls decides whether there is another.
#pragma once

#include <string>
#include <string_view>

#include "metadata/answer.h"

namespace copal::metadata {

Answer fetch_url(std::string url);

// EC2's instance metadata service, version 2.
Answer fetch_imds();

// Runs one of the above as another process, as the user nobody: what comes from a network is read
// by one who can do nothing. Without root, as whoever runs this.
Answer fetch_apart(std::string_view url_or_imds);

}  // namespace copal::metadata
