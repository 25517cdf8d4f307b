#include "notices/notice_loop.hpp"

#include <fmt/format.h>

#include <array>

#include "base/log.hpp"

namespace latchkey::notices {
namespace {

constexpr std::chrono::milliseconds between_looks{1000};

std::string new_owner(Random& random) {
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

NoticeLoop::Sending::Sending(store::KeyStore& store, const Clock& clock, NoticeTarget to, std::string owner)
    : target(std::move(to)), sender(store, clock, target.url, std::move(owner), [this, &clock](const Notice& notice) {
        return deliver(target, notice, clock.wall());
      }) {
  thread.start([this] {
    while (thread.sleep(sender.step())) {
    }
  });
}

NoticeLoop::NoticeLoop(store::KeyStore& store, const Clock& clock, Random& random, std::vector<NoticeTarget> targets)
    : maker_(store, clock) {
  for (auto& target : targets) {
    sendings_.push_back(std::make_unique<Sending>(store, clock, std::move(target), new_owner(random)));
  }
  thread_.start([this] { make(); });
}

NoticeLoop::~NoticeLoop() {
  for (auto& sending : sendings_) sending->thread.ask_to_stop();
}

void NoticeLoop::make() {
  bool said = false;
  do {
    const auto made = maker_.look();
    if (!made && !said) log_warning("notices cannot be made: {} {}", made.error().detail, made.error().internal);
    said = !made;
  } while (thread_.sleep(between_looks));
}

}  // namespace latchkey::notices
