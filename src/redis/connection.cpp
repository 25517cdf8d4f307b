#include "redis/connection.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <array>

#include "redis/remedy.hpp"

namespace latchkey::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Reply value_of(const redisReply& reply) {
  Reply value;
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      value.kind = Reply::Kind::integer;
      value.integer = reply.integer;
      break;
    case REDIS_REPLY_ARRAY:
      value.kind = Reply::Kind::array;
      value.elements.reserve(reply.elements);
      for (std::size_t i = 0; i < reply.elements; ++i) value.elements.push_back(value_of(*reply.element[i]));
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      value.kind = reply.type == REDIS_REPLY_STRING   ? Reply::Kind::string
                   : reply.type == REDIS_REPLY_STATUS ? Reply::Kind::status
                                                      : Reply::Kind::error;
      value.text.assign(reply.str, reply.len);
      break;
    default:
      break;
  }
  return value;
}

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using OwnedReply = std::unique_ptr<redisReply, FreeReply>;

/// What a server says when it cannot serve now but may later.
bool may_pass(std::string_view error) {
  constexpr std::array<std::string_view, 9> words{"LOADING",  "BUSY",    "MASTERDOWN", "READONLY", "CLUSTERDOWN",
                                                  "TRYAGAIN", "MISCONF", "NOREPLICAS", "OOM"};
  const auto word = error.substr(0, error.find(' '));
  return std::find(words.begin(), words.end(), word) != words.end() ||
         error.find("max number of clients") != error.npos;
}

/// What a server says that was the primary, or is none.
bool cannot_be_written_to(std::string_view error) {
  constexpr std::array<std::string_view, 5> words{"READONLY", "NOREPLICAS", "MASTERDOWN", "MISCONF", "LOADING"};
  return std::find(words.begin(), words.end(), error.substr(0, error.find(' '))) != words.end();
}

bool unknown_script(const Command& command, const Reply& reply) {
  return command.script != nullptr && reply.is_error() && reply.text.starts_with("NOSCRIPT");
}

Command in_full(const Command& call) {
  Command command = call;
  command.words[0] = "EVAL";
  command.words[1] = call.script->text();
  return command;
}

}  // namespace

void Connection::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

Connection::Connection(const Address& address, Timeouts timeouts)
    : name_(address.to_string()), server_(address.server), timeouts_(timeouts), reader_(redisReaderCreate()) {
  if (!reader_) throw std::bad_alloc();
}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const Address& address, Timeouts timeouts) {
  std::unique_ptr<Connection> connection(new Connection(address, timeouts));
  auto channel = Channel::connect(address.server, address.tls, timeouts.connect);
  if (!channel) return connection->fail("connect", channel.error().internal);
  connection->channel_ = std::move(*channel);
  if (auto greeted = connection->greet(address); !greeted) {
    Error why = greeted.error();
    if (connection->ended_ && !address.tls) why.internal += "; where this port speaks TLS: rediss://";
    // Over TLS 1.3 such a server says so after the handshake, and what it said may be lost as it closes.
    if (connection->ended_ && address.tls && !why.internal.contains("?cert=")) {
      why.internal += "; a server that wants a client certificate ends so: ?cert=FILE&key=FILE";
    }
    return why;
  }
  return connection;
}

Result<void> Connection::greet(const Address& address) {
  std::vector<Command> commands;
  if (!address.password.empty()) {
    Command& auth = commands.emplace_back(Command{"AUTH"});
    if (!address.user.empty()) auth.words.push_back(address.user);
    auth.words.emplace_back(address.password.reveal());
  }
  if (address.database != 0) commands.push_back({"SELECT", std::to_string(address.database)});
  commands.push_back({"PING"});  // a server that loads its data, or wants a password, says so now
  const auto replies = run_all(commands);
  if (!replies) return replies.error();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (auto good = unless_error((*replies)[i], commands[i].words[0]); !good) return good.error();
  }
  return {};
}

Result<void> Connection::append(const Command& command) {
  if (broken()) return unavailable("send");
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string& word : command.words) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* text = nullptr;
  const int size = redisFormatCommandArgv(&text, static_cast<int>(words.size()), words.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  outgoing_.append(text, static_cast<std::size_t>(size));
  redisFreeCommand(text);
  return {};
}

Result<void> Connection::flush() {
  const auto written = channel_->write(outgoing_, timeouts_.command);
  outgoing_.clear();
  ended_ = !written;
  if (!written) return fail("send", written.error().internal);
  return {};
}

Result<std::optional<Reply>> Connection::next_of_read() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) return fail("answer", reader_->errstr);
  if (raw == nullptr) return std::optional<Reply>();
  const OwnedReply reply(static_cast<redisReply*>(raw));
  Reply value = value_of(*reply);
  demoted_ = demoted_ || (value.is_error() && cannot_be_written_to(value.text));
  return std::optional<Reply>(std::move(value));
}

Result<bool> Connection::fill(milliseconds within) {
  std::array<char, 16'384> octets;
  const auto came = channel_->read(octets, within);
  ended_ = !came;
  if (!came) return fail("answer", came.error().internal);
  if (*came == 0) return false;
  if (redisReaderFeed(reader_.get(), octets.data(), *came) != REDIS_OK) return fail("answer", reader_->errstr);
  return true;
}

Result<Reply> Connection::next_reply() {
  if (auto flushed = flush(); !flushed) return flushed.error();
  for (;;) {
    auto reply = next_of_read();
    if (!reply) return reply.error();
    if (*reply) return std::move(**reply);
    const auto filled = fill(timeouts_.command);
    if (!filled) return filled.error();
    if (!*filled) return fail("answer", fmt::format("nothing came within {} ms", timeouts_.command.count()));
  }
}

Result<Reply> Connection::unless_error(Reply reply, std::string_view sent) const {
  if (!reply.is_error()) return reply;
  const auto code = may_pass(reply.text) ? ErrorCode::unavailable : ErrorCode::internal;
  return Error(code, "the shared store refused a command",
               fmt::format("redis {}: {}", name_, refusal(reply.text, sent)));
}

Result<std::vector<Reply>> Connection::run_all(std::span<const Command> commands) {
  for (const Command& command : commands) {
    if (auto appended = append(command); !appended) return appended.error();
  }
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    auto reply = next_reply();
    if (!reply) return reply.error();
    replies.push_back(std::move(*reply));
  }
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (!unknown_script(commands[i], replies[i])) continue;
    if (auto appended = append(in_full(commands[i])); !appended) return appended.error();
    auto reply = next_reply();
    if (!reply) return reply.error();
    replies[i] = std::move(*reply);
  }
  return replies;
}

Result<Reply> Connection::run(const Command& command) {
  auto replies = run_all({&command, 1});
  if (!replies) return replies.error();
  return unless_error(std::move(replies->front()), command.words[0]);
}

Result<void> Connection::send(const Command& command) {
  if (auto appended = append(command); !appended) return appended;
  sent_ = command.words[0];
  return flush();
}

Result<std::optional<Reply>> Connection::receive(milliseconds patience, int wake_descriptor) {
  const auto deadline = steady_clock::now() + std::min<milliseconds>(patience, std::chrono::hours(24));
  for (;;) {
    if (broken()) return unavailable("answer");
    auto reply = next_of_read();
    if (!reply) return reply.error();
    if (*reply) {
      auto good = unless_error(std::move(**reply), sent_);
      if (!good) return good.error();
      return std::optional<Reply>(std::move(*good));
    }
    const auto filled = fill(milliseconds(0));
    if (!filled) return filled.error();
    if (*filled) continue;
    pollfd waited[] = {{channel_->descriptor(), POLLIN, 0}, {wake_descriptor, POLLIN, 0}};
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    const int ready = ::poll(waited, 2, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (waited[0].revents == 0 && (ready > 0 || left.count() <= 0)) return std::optional<Reply>();
  }
}

Error Connection::unavailable(std::string_view doing) const {
  return Error(ErrorCode::unavailable, "the shared store cannot be reached",
               fmt::format("redis {}: {}: {}", name_, doing, failure_));
}

Error Connection::fail(std::string_view doing, std::string why) {
  failure_ = why.empty() ? "broken" : std::move(why);
  return unavailable(doing);
}

}  // namespace latchkey::redis
