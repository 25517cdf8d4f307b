#pragma once

// For tests: the store's rules in this process (limit/redis/permit_book.hpp), as one replica reaches them.

#include <map>
#include <memory>

#include "limit/redis/permit_book.hpp"
#include "limit/redis/permit_store.hpp"
#include "limit/redis/store_watch.hpp"

namespace latchkey::limit {

class BookStore final : public lease::PermitStore {
 public:
  /// What `book` holds is shared by all stores of it. Clocks outlive the store.
  BookStore(std::shared_ptr<lease::PermitBook> book, const Clock& clock, const Clock& server_clock,
            std::uint64_t replica)
      : book_(std::move(book)), clock_(clock), server_clock_(server_clock), caller_{.replica = replica, .run = 1} {}

  Result<std::vector<std::optional<lease::Reply>>> ask(std::span<const lease::Call> calls) override {
    const BootTime sent = clock_.boot();
    std::vector<std::optional<lease::Reply>> replies;
    for (const auto& call : calls) replies.emplace_back(execute(call, sent));
    const BootTime received = clock_.boot();
    for (std::size_t i = 0; i < calls.size(); ++i) saw(calls[i], *replies[i], sent, received);
    return replies;
  }
  Result<Announced> announce(Presence) override {
    const BootTime sent = clock_.boot();
    watch_.vouch(caller_, sent);
    const lease::Reply reply = book_->announce(caller_, server_clock_.boot().nanos / 1'000'000);
    watch_.saw(reply, sent, clock_.boot());
    return Announced{.memory = reply.memory};
  }

  /// One call, sent then and executed now.
  lease::Reply execute(const lease::Call& call, BootTime sent) {
    const std::int64_t raw_us = server_clock_.boot().nanos / 1'000;
    watch_.vouch(caller_, sent);
    const std::uint32_t pace = call.span.pace();
    lease::FastTime fast{.caller = {.replica = caller_.replica, .run = caller_.run},
                         .raw_ms = lease::paced_ms(raw_us, pace)};
    if (call.span.is_fast()) fast_watches_[pace].vouch(fast.caller, paced(sent, pace));
    return book_->answer(caller_, call, raw_us / 1'000, fast);
  }
  /// The store has become another process, or its memory is another one's.
  void met(std::uint64_t run) {
    if (run == caller_.run) return;
    caller_.run = run;
    watch_.forget();
    fast_watches_.clear();
  }
  void saw(const lease::Call& call, const lease::Reply& reply, BootTime sent, BootTime received) {
    lease::Reply of_clock = reply;
    of_clock.certain = reply.store_certain;
    watch_.saw(of_clock, sent, received);
    if (!call.span.is_fast()) return;
    const std::uint32_t pace = call.span.pace();
    of_clock = {.raw_ms = reply.fast_raw_ms,
                .steps = reply.fast_steps,
                .calls = reply.fast_calls,
                .certain = reply.fast_certain};
    fast_watches_[pace].saw(of_clock, paced(sent, pace), paced(received, pace));
  }

 private:
  BootTime paced(BootTime time, std::uint32_t pace) const { return {(time - begun_).count() * 60 / pace}; }

  std::shared_ptr<lease::PermitBook> book_;
  const Clock& clock_;
  const Clock& server_clock_;
  const BootTime begun_ = clock_.boot();
  lease::Caller caller_;
  lease::StoreWatch watch_;
  std::map<std::uint32_t, lease::StoreWatch> fast_watches_;
};

/// One that knows that nothing was admitted before.
inline std::shared_ptr<lease::PermitBook> open_book() {
  auto book = std::make_shared<lease::PermitBook>();
  book->clock.run = 1;
  return book;
}

}  // namespace latchkey::limit
