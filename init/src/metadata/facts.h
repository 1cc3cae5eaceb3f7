// What the machine knows of itself, for the URL.
#pragma once

#include "metadata/choice.h"

namespace copal::metadata {

// As of now. What the machine does not know stays empty.
Facts machine_facts();

}  // namespace copal::metadata
