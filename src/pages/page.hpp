#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

namespace latchkey::pages {

/// A whole page with the headers that every page has. `asks`: another origin that its script may ask; empty: none.
http::Response page(std::string_view html, std::string_view asks = {});

/// Text for HTML, also between double quotes.
void append_escaped(std::string& out, std::string_view text);

}  // namespace latchkey::pages
