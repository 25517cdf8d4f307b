#include "load/answers.hpp"

#include <strings.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace latchkey::bench {
namespace {

std::size_t content_length_of(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  for (std::size_t at = head.find("\r\n"); at + 2 + name.size() < head.size(); at = head.find("\r\n", at + 2)) {
    if (::strncasecmp(head.data() + at + 2, name.data(), name.size()) != 0) continue;
    return std::strtoul(head.data() + at + 2 + name.size(), nullptr, 10);
  }
  throw std::runtime_error("an answer without Content-Length: " + std::string(head));
}

}  // namespace

unsigned Answers::commit(std::size_t n, std::map<int, std::uint64_t>& statuses) {
  end_ += n;
  std::size_t begin = 0;
  unsigned whole = 0;
  for (;;) {
    const std::string_view rest(text_.data() + begin, end_ - begin);
    const std::size_t head_end = rest.find("\r\n\r\n");
    if (head_end == std::string_view::npos) break;
    if (!rest.starts_with("HTTP/1.1 ")) throw std::runtime_error("not HTTP/1.1: " + std::string(rest.substr(0, 40)));
    const std::size_t size = head_end + 4 + content_length_of(rest.substr(0, head_end + 2));
    if (rest.size() < size) break;
    ++statuses[std::atoi(rest.data() + 9)];
    ++whole;
    begin += size;
  }
  text_.erase(0, begin);
  end_ -= begin;
  return whole;
}

}  // namespace latchkey::bench
