#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::redis {

/// A Lua script, run by EVALSHA. Made once, lives as long as its commands.
class Script {
 public:
  explicit Script(std::string text);
  const std::string& text() const { return text_; }
  /// SHA-1 of the text, 40 lower-case hex digits: the name under which Redis keeps it.
  const std::string& digest() const { return digest_; }

 private:
  std::string text_;
  std::string digest_;
};

/// The words of one command; each may hold any bytes.
struct Command {
  Command(std::initializer_list<std::string> the_words) : words(the_words) {}
  explicit Command(std::vector<std::string> the_words) : words(std::move(the_words)) {}
  /// EVALSHA; sent again as EVAL when the server does not know the script (after a restart or SCRIPT FLUSH).
  static Command call(const Script& script, const std::vector<std::string>& keys,
                      const std::vector<std::string>& arguments);

  std::vector<std::string> words;
  const Script* script = nullptr;
};

}  // namespace latchkey::redis
