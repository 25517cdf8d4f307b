#include "load/plan.hpp"

#include <fstream>
#include <stdexcept>

namespace latchkey::bench {

Requests::Requests(const Plan& plan) : sequential_(plan.sequential) {
  std::ifstream file(plan.tokens_file);
  for (std::string token; std::getline(file, token);) {
    all_.push_back("GET " + plan.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(plan.port) +
                   "\r\nAuthorization: Bearer " + token + "\r\n\r\n");
  }
  if (all_.empty()) throw std::runtime_error("no tokens in " + plan.tokens_file);
}

std::string_view Requests::next() {
  if (sequential_) return all_[index_++ % all_.size()];
  state_ ^= state_ << 13U;  // xorshift64 (Marsaglia 2003)
  state_ ^= state_ >> 7U;
  state_ ^= state_ << 17U;
  return all_[state_ % all_.size()];
}

}  // namespace latchkey::bench
