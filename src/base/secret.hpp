#pragma once

#include <openssl/crypto.h>

#include <string>
#include <string_view>
#include <utility>

namespace latchkey {

/// Text that must not be printed: no stream operator, constant-time comparison, wiped when destroyed.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) = default;
  ~Secret() { OPENSSL_cleanse(text_.data(), text_.size()); }

  /// The text itself. Each call site is a place to review.
  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool operator==(const Secret& other) const {
    return text_.size() == other.text_.size() && CRYPTO_memcmp(text_.data(), other.text_.data(), text_.size()) == 0;
  }

 private:
  std::string text_;
};

}  // namespace latchkey
