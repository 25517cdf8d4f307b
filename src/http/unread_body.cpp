#include "http/unread_body.hpp"

#include <algorithm>

namespace latchkey::http {

UnreadBody::UnreadBody(const Head& head) : left_(head.content_length), may_be_held_back_(head.expects_continue) {
  if (head.framing == BodyFraming::chunked) chunks_.emplace(most_octets);
}

bool UnreadBody::can_be_passed(std::size_t received) const {
  if (may_be_held_back_) return !chunks_ && left_ <= received;
  return left_ <= most_octets;
}

UnreadBody::Status UnreadBody::pass(InputBuffer& input) {
  if (!chunks_) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    input.consume(taken);
    left_ -= taken;
    return left_ == 0 ? Status::passed : Status::need_more;
  }
  std::size_t size = input.size();
  const auto status = chunks_->decode(input.data(), size);
  input.resize(size);
  if (status == ChunkedDecoder::Status::done) input.consume(chunks_->consumed());
  switch (status) {
    case ChunkedDecoder::Status::done:
      return Status::passed;
    case ChunkedDecoder::Status::need_more:
      return Status::need_more;
    case ChunkedDecoder::Status::refused:
      break;
  }
  return Status::refused;
}

}  // namespace latchkey::http
