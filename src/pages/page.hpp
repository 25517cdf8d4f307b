#pragma once

#include <string_view>

#include "http/message.hpp"

namespace latchkey::pages {

/// A whole page with the headers that every page has.
http::Response page(std::string_view html);

}  // namespace latchkey::pages
