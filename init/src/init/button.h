// The machine's power button (ACPI, or keys on a GPIO) as an input device. It is how a production
// image, with nothing to log in to, is shut down from outside.
#pragma once

#include <array>

#include "sys/fd.h"

namespace copal {

inline constexpr size_t kMaxButtons = 4;

// Opens what can send KEY_POWER. Without any, all are closed.
std::array<sys::Fd, kMaxButtons> open_power_buttons();

// Reads what there is. True: the button was pressed.
bool pressed(const sys::Fd& button);

}  // namespace copal
