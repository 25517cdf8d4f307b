#include "redis/command.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace latchkey::redis {

Script::Script(std::string text) : text_(std::move(text)) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (EVP_Digest(text_.data(), text_.size(), bytes.data(), &size, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("SHA-1 is not available");
  }
  for (unsigned i = 0; i < size; ++i) digest_ += fmt::format("{:02x}", bytes[i]);
}

Command Command::call(const Script& script, const std::vector<std::string>& keys,
                      const std::vector<std::string>& arguments) {
  Command command{"EVALSHA", script.digest(), std::to_string(keys.size())};
  command.words.insert(command.words.end(), keys.begin(), keys.end());
  command.words.insert(command.words.end(), arguments.begin(), arguments.end());
  command.script = &script;
  return command;
}

}  // namespace latchkey::redis
