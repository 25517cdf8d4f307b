#include "http/codec.hpp"

#include <cstring>
#include <string_view>

#include "http/ascii.hpp"

namespace latchkey::http {
namespace {

constexpr Refusal head_too_large{RefusalKind::head_too_large, {}};
constexpr Refusal not_http{RefusalKind::bad_request, "this is not an HTTP request"};

}  // namespace

Codec::Status Codec::refuse(const Refusal& refusal) {
  refusal_ = refusal;
  return Status::refused;
}

void Codec::reset() {
  chunks_.reset();
  parsed_at_ = nullptr;
  start_ = scanned_ = head_end_ = consumed_ = 0;
  folded_ = head_done_ = body_unread_ = false;
}

// One empty line before the request line is passed over (RFC 9112 section 2.2). What cannot begin a method is refused
// at its first octet, so that a TLS client learns at once that this port speaks HTTP.
Codec::Status Codec::parse_front(const char* data, std::size_t size) {
  if (size > 0 && data[0] == '\r') {
    if (size > 1 && data[1] != '\n') return refuse(not_http);
    if (size > 1) start_ = scanned_ = 2;
  }
  if (size > start_ && !(start_ == 0 && data[0] == '\r') && !is_token_char(data[start_])) return refuse(not_http);
  return Status::need_head;
}

// Looks for an empty line. One that ends in a bare LF counts, for the parser to refuse: waiting would help nobody.
bool Codec::find_head_end(const char* data, std::size_t size) {
  while (scanned_ < size) {
    const void* found = std::memchr(data + scanned_, '\n', size - scanned_);
    if (found == nullptr) {
      scanned_ = size;
      return false;
    }
    const std::size_t line_end = static_cast<std::size_t>(static_cast<const char*>(found) - data);
    const std::size_t left = size - line_end - 1;
    if (left == 0 || (left == 1 && data[line_end + 1] == '\r')) {
      scanned_ = line_end;
      return false;
    }
    const char next = data[line_end + 1];
    if (next == '\n') return head_end_ = line_end + 2, true;
    if (next == '\r' && data[line_end + 2] == '\n') return head_end_ = line_end + 3, true;
    folded_ = folded_ || next == ' ' || next == '\t';
    scanned_ = line_end + 1;
  }
  return false;
}

Codec::Status Codec::take_head(const char* data, std::size_t size) {
  if (scanned_ <= 2 && parse_front(data, size) == Status::refused) return Status::refused;
  if (size <= start_ || !find_head_end(data, size)) {
    return size >= limits_.max_head_bytes + start_ ? refuse(head_too_large) : Status::need_head;
  }
  if (head_end_ - start_ > limits_.max_head_bytes) return refuse(head_too_large);
  if (folded_) return refuse({RefusalKind::bad_request, "folded header lines are obsolete"});
  const auto why_not = parse_head({data + start_, head_end_ - start_}, limits_.max_headers, head_);
  if (why_not) return refuse(*why_not);
  body_unread_ = head_.framing != BodyFraming::none && reads_body_ && !reads_body_(head_.request);
  if (!body_unread_ && head_.content_length > limits_.max_body_bytes) return refuse({RefusalKind::body_too_large, {}});
  parsed_at_ = data;
  head_done_ = true;
  if (head_.framing == BodyFraming::chunked) chunks_.emplace(limits_.max_body_bytes);
  return Status::need_body;
}

// The octets may have moved since the head was parsed, and its views with them: then parse it again where it is now.
Codec::Status Codec::finish(const char* data, std::size_t body_size, std::size_t consumed) {
  if (parsed_at_ != data) {
    if (const auto why_not = parse_head({data + start_, head_end_ - start_}, limits_.max_headers, head_)) {
      return refuse(*why_not);
    }
    parsed_at_ = data;
  }
  head_.request.body = {data + head_end_, body_size};
  consumed_ = consumed;
  return Status::request;
}

Codec::Status Codec::take_chunked(char* data, std::size_t& size) {
  std::size_t rest = size - head_end_;
  const auto status = chunks_->decode(data + head_end_, rest);
  size = head_end_ + rest;
  switch (status) {
    case ChunkedDecoder::Status::need_more:
      return Status::need_body;
    case ChunkedDecoder::Status::refused:
      return refuse(chunks_->refusal());
    case ChunkedDecoder::Status::done:
      break;
  }
  return finish(data, chunks_->decoded(), head_end_ + chunks_->consumed());
}

Codec::Status Codec::take_body(char* data, std::size_t& size) {
  if (body_unread_) return finish(data, 0, head_end_);
  if (head_.framing == BodyFraming::chunked) return take_chunked(data, size);
  const auto length = static_cast<std::size_t>(head_.content_length);
  if (size - head_end_ < length) return Status::need_body;
  return finish(data, length, head_end_ + length);
}

Codec::Status Codec::parse(char* data, std::size_t& size) {
  if (!head_done_) {
    if (const Status status = take_head(data, size); status != Status::need_body) return status;
  }
  return take_body(data, size);
}

}  // namespace latchkey::http
