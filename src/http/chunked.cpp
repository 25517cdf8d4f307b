#include "http/chunked.hpp"

#include <algorithm>
#include <cstring>

#include "http/ascii.hpp"

namespace latchkey::http {
namespace {

constexpr std::size_t longest_size_line = 256;
constexpr std::size_t longest_trailers = 4096;
constexpr Refusal malformed{RefusalKind::bad_request, "the chunked body is malformed"};
constexpr Refusal trailers_too_large{RefusalKind::head_too_large, "the trailers are too large"};

bool has_control(std::string_view s) { return std::any_of(s.begin(), s.end(), is_control); }

// The number of hexadecimal digits at the front; at most nine are counted.
std::size_t count_hex(std::string_view line) {
  std::size_t n = 0;
  while (n < 9 && n < line.size() && hex_value(line[n]) >= 0) ++n;
  return n;
}

bool is_extension(std::string_view s) {
  const auto at = s.find_first_not_of(" \t");
  return s.empty() || (at != std::string_view::npos && s[at] == ';' && !has_control(s));
}

std::optional<std::uint64_t> parse_size_line(std::string_view line) {
  const std::size_t digits = count_hex(line);
  if (digits < 1 || digits > 8 || !is_extension(line.substr(digits))) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : line.substr(0, digits)) size = size * 16 + static_cast<unsigned>(hex_value(c));
  return size;
}

bool is_trailer(std::string_view line) {
  const auto colon = line.find(':');
  return colon != std::string_view::npos && colon > 0 &&
         std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), is_token_char) &&
         !has_control(line.substr(colon));
}

}  // namespace

bool ChunkedDecoder::refuse(const Refusal& refusal) {
  refusal_ = refusal;
  refused_ = true;
  return false;
}

// A whole line without its CRLF; nullopt: refused, or more is needed.
std::optional<std::string_view> ChunkedDecoder::take_line(const char* data, std::size_t size, std::size_t longest,
                                                          const Refusal& too_long) {
  const std::string_view rest(data + at_, size - at_);
  const auto end = rest.find('\n');
  const std::size_t length = end == std::string_view::npos ? rest.size() : end + 1;
  if (length > longest) return refuse(too_long), std::nullopt;
  if (end == std::string_view::npos) return std::nullopt;
  if (end == 0 || rest[end - 1] != '\r') return refuse(malformed), std::nullopt;
  at_ += length;
  return rest.substr(0, end - 1);
}

bool ChunkedDecoder::take_size_line(const char* data, std::size_t size) {
  const auto line = take_line(data, size, longest_size_line, malformed);
  if (!line) return false;
  const auto chunk = parse_size_line(*line);
  if (!chunk) return refuse(malformed);
  if (*chunk > max_body_ - decoded_) return refuse({RefusalKind::body_too_large, {}});
  chunk_left_ = static_cast<std::size_t>(*chunk);
  step_ = chunk_left_ == 0 ? Step::trailer : Step::data;
  return true;
}

bool ChunkedDecoder::take_data(char* data, std::size_t size) {
  const std::size_t piece = std::min(chunk_left_, size - at_);
  if (piece == 0) return false;
  std::memmove(data + decoded_, data + at_, piece);
  decoded_ += piece;
  at_ += piece;
  chunk_left_ -= piece;
  if (chunk_left_ == 0) step_ = Step::data_end;
  return true;
}

bool ChunkedDecoder::take_data_end(const char* data, std::size_t size) {
  const std::string_view rest(data + at_, std::min<std::size_t>(2, size - at_));
  if (rest != std::string_view("\r\n").substr(0, rest.size())) return refuse(malformed);
  if (rest.size() < 2) return false;
  at_ += 2;
  step_ = Step::size_line;
  return true;
}

bool ChunkedDecoder::take_trailer(const char* data, std::size_t size) {
  const std::size_t before = at_;
  const auto line = take_line(data, size, longest_trailers - trailer_size_, trailers_too_large);
  if (!line) return false;
  trailer_size_ += at_ - before;
  if (line->empty()) {
    step_ = Step::end;
  } else if (!is_trailer(*line)) {
    return refuse(malformed);
  }
  return true;
}

bool ChunkedDecoder::take_step(char* data, std::size_t size) {
  switch (step_) {
    case Step::size_line:
      return take_size_line(data, size);
    case Step::data:
      return take_data(data, size);
    case Step::data_end:
      return take_data_end(data, size);
    case Step::trailer:
      return take_trailer(data, size);
    case Step::end:
      break;
  }
  return false;
}

ChunkedDecoder::Status ChunkedDecoder::decode(char* data, std::size_t& size) {
  while (!refused_ && take_step(data, size)) {
  }
  if (refused_) return Status::refused;
  if (step_ == Step::end) return Status::done;
  // One-octet chunks carry five octets of framing each: take it out, so that a body needs no more than its limit.
  std::memmove(data + decoded_, data + at_, size - at_);
  size -= at_ - decoded_;
  at_ = decoded_;
  return Status::need_more;
}

}  // namespace latchkey::http
