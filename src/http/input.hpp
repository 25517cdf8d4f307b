#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "http/codec.hpp"
#include "http/input_buffer.hpp"

namespace latchkey::http {

/// What a request's views point into. Shared with the deferred answer: it may outlive the connection.
struct Input {
  Input(const CodecLimits& limits, Codec::ReadsBody reads_body) : codec(limits, std::move(reads_body)) {}
  InputBuffer buffer;
  Codec codec;
};

/// A connection has an input only while it has octets: 10,000 idle ones have none. The one used last is handed out
/// first, as it still lies in the cache.
class InputPool {
 public:
  InputPool(const CodecLimits& limits, Codec::ReadsBody reads_body)
      : limits_(limits), reads_body_(std::move(reads_body)) {
    free_.reserve(most_kept);
  }

  std::shared_ptr<Input> take() {
    if (free_.empty()) return std::make_shared<Input>(limits_, reads_body_);
    auto input = std::move(free_.back());
    free_.pop_back();
    return input;
  }
  void give_back(std::shared_ptr<Input> input) {
    if (free_.size() >= most_kept) return;
    input->buffer.clear();
    input->codec.reset();
    free_.push_back(std::move(input));
  }

 private:
  static constexpr std::size_t most_kept = 256;  // as many as receive in one turn

  const CodecLimits limits_;
  const Codec::ReadsBody reads_body_;
  std::vector<std::shared_ptr<Input>> free_;
};

}  // namespace latchkey::http
