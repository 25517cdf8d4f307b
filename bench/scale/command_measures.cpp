#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "commands/update_key.hpp"
#include "sample/sample_keys.hpp"
#include "scale/latencies.hpp"
#include "scale/measures.hpp"
#include "view/projector.hpp"

namespace latchkey::bench {
namespace {

using commands::KeyAnswer;

/// Sends updates that always change something, and waits for all that are under way.
class Commander {
 public:
  Commander(store::KeyStore& store, std::uint64_t keys) : store_(store), keys_(keys) {}

  template <class Done>
  void send(Done done) {
    const std::uint64_t number = ++sent_;
    under_way_.fetch_add(1);
    const KeyId id = sample_id(mix(number) % keys_);
    const UnixMillis now = SystemClock().wall();
    commands::update_key(store_, id, {.name = fmt::format("name {} {}", now.count, number)}, {}, {"bench", now},
                         [this, done](Result<KeyAnswer> answer) mutable {
                           if (!answer) throw std::runtime_error("a command failed: " + answer.error().detail);
                           done(answer->commit.position.seq.value);
                           finish();
                         });
  }
  void wait_for_all() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return under_way_.load() == 0; });
  }

 private:
  void finish() {
    if (under_way_.fetch_sub(1) != 1) return;
    const std::lock_guard lock(mutex_);
    none_.notify_all();
  }

  store::KeyStore& store_;
  const std::uint64_t keys_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> under_way_{0};
  std::mutex mutex_;
  std::condition_variable none_;
};

/// What the writing process tells the reading one: when each change was acknowledged.
struct Shared {
  static constexpr std::size_t most = 200'000;
  std::atomic<bool> ready{false};  // the reader's view is whole
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> first_seq{0};
  std::atomic<std::size_t> count{0};
  std::int64_t acknowledged[most];  // by seq - first_seq; 0: not a change of ours

  void note(std::uint64_t seq) {
    std::uint64_t none = 0;
    first_seq.compare_exchange_strong(none, seq);
    const std::uint64_t at = seq - first_seq.load();
    if (at < most) acknowledged[at] = now_nanos();
  }
};

void write_at(const Engine& engine, std::uint64_t keys, double per_second, double seconds, Shared& shared) {
  const auto store = engine.open_store();
  Commander commander(*store, keys);
  while (!shared.ready) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < seconds * per_second; ++i) {
    std::this_thread::sleep_until(
        began + std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(i / per_second)));
    commander.send([&](std::uint64_t seq) { shared.note(seq); });
  }
  commander.wait_for_all();
  shared.done = true;
}

/// Follows until the writer has ended, and notes when it has which seq.
Latencies follow(const Engine& engine, Shared& shared) {
  SystemClock clock;
  view::View view;
  const auto feed = engine.open_feed();
  view::Projector projector(*feed, view, clock);
  while (!view.freshness().complete) projector.step(std::chrono::milliseconds(1));
  std::uint64_t last = view.freshness().position.seq.value;
  std::vector<std::pair<std::uint64_t, std::int64_t>> seen;
  shared.ready = true;
  for (bool ending = false; !ending;) {
    ending = shared.done;
    projector.step(std::chrono::milliseconds(20));
    const auto now = now_nanos();
    for (const std::uint64_t head = view.freshness().position.seq.value; last < head;) seen.emplace_back(++last, now);
  }
  Latencies latencies;
  for (const auto& [seq, at] : seen) {
    const std::uint64_t index = seq - shared.first_seq;
    if (index < Shared::most && shared.acknowledged[index] != 0) {
      latencies.add(std::max<std::int64_t>(0, at - shared.acknowledged[index]));
    }
  }
  return latencies;
}

std::string enforced_at(const Engine& engine, std::uint64_t keys, double per_second, double seconds) {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("mmap");
  auto* shared = new (memory) Shared;
  const pid_t writer = ::fork();
  if (writer == 0) {
    write_at(engine, keys, per_second, seconds, *shared);
    ::_exit(0);
  }
  Latencies latencies = follow(engine, *shared);
  ::waitpid(writer, nullptr, 0);
  ::munmap(memory, sizeof(Shared));
  return latencies.to_json();
}

std::string commands_of(const Engine& engine, std::uint64_t keys, unsigned clients, double seconds) {
  const auto store = engine.open_store();
  Commander commander(*store, keys);
  std::atomic<std::uint64_t> done{0};
  const auto began = now_nanos();
  const auto end = began + static_cast<std::int64_t>(seconds * 1e9);
  std::function<void(std::uint64_t)> next = [&](std::uint64_t) {
    ++done;
    if (now_nanos() < end) commander.send(next);
  };
  for (unsigned i = 0; i < clients; ++i) commander.send(next);
  commander.wait_for_all();
  const double took = static_cast<double>(now_nanos() - began) / 1e9;
  return fmt::format(R"({{"perSecond":{:.0f}}})", static_cast<double>(done.load()) / took);
}

}  // namespace

std::string measure_enforced(const Engine& engine, std::uint64_t keys, double seconds) {
  return fmt::format(R"({{"idle":{},"busy":{}}})", enforced_at(engine, keys, 50, 2 * seconds),
                     enforced_at(engine, keys, 1000, seconds));
}

std::string measure_commands(const Engine& engine, std::uint64_t keys, double seconds) {
  return fmt::format(R"({{"clients1":{},"clients64":{}}})", commands_of(engine, keys, 1, seconds),
                     commands_of(engine, keys, 64, seconds));
}

std::string measure_fsync(const std::filesystem::path& directory) {
  const auto path = directory / "fsync";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("cannot write to " + directory.string());
  const std::vector<char> page(4096, 'x');
  Latencies latencies;
  for (int i = 0; i < 300; ++i) {
    const auto began = now_nanos();
    const bool written = ::write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size());
    if (!written || ::fdatasync(file) != 0) throw std::runtime_error("cannot sync in " + directory.string());
    latencies.add(now_nanos() - began);
  }
  ::close(file);
  std::filesystem::remove(path);
  return latencies.to_json();
}

}  // namespace latchkey::bench
