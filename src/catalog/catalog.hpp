#pragma once

// Token information: what the catalog's routes serve. A JSON file:
//
//   {"tokens": [{"symbol": "USDC", "name": "USD Coin", "network": "Ethereum",
//                "contractAddress": "0xA0b8…eB48", "decimals": 6, "website": "https://www.circle.com/usdc"}, …]}
//
//   symbol           1 to 20 of A-Z 0-9 . _ -, unique
//   name, network    1 to 64 bytes of UTF-8 without control characters
//   contractAddress  1 to 128 letters and digits; null for what is native to its network
//   decimals         0 to 36
//   website          http:// or https://, at most 256 visible ASCII characters
//
// All members are required, others are errors.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.hpp"

namespace latchkey::catalog {

constexpr std::size_t max_catalog_bytes = 4 * 1024 * 1024;
constexpr std::size_t max_tokens = 10'000;
constexpr std::size_t max_symbol_bytes = 20;

/// Immutable; any thread may read. Answers are made once.
class Catalog {
 public:
  /// Fails with ErrorCode::invalid; the detail names the place, such as "/tokens/3/decimals: …".
  static Result<std::shared_ptr<const Catalog>> parse(std::string_view text);
  /// ErrorCode::not_found or unavailable when the file cannot be read, which is regular.
  static Result<std::shared_ptr<const Catalog>> load(const std::string& path);
  /// The one within the program.
  static std::shared_ptr<const Catalog> built_in();

  /// `{"tokens":[…]}` in the file's order.
  std::string_view list_json() const { return list_; }
  /// The token as a JSON object, or an empty view when there is none. Symbols are upper case; any case finds them.
  /// Allocates nothing.
  std::string_view find_json(std::string_view symbol) const;
  std::size_t size() const { return tokens_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };

  std::string list_;
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> tokens_;  // JSON by symbol
};

}  // namespace latchkey::catalog
