// latchkey-race: requests that race confirmed revocations.
//
//   latchkey-race KEYS_PORT ADMIN_TOKEN_FILE KEYS_FILE REQUESTS TOKENS_PORT...
//
// KEYS_FILE has one key a line: "<key id> <access key>". One thread disables key after key with wait=enforced and notes
// when each confirmation has come; four threads to each TOKENS_PORT present keys around the one that is just being
// disabled. A request that was sent after its key's confirmation had come and was let in all the same is a false
// admission. What came of it goes to stdout as JSON; exit code 1 where it is not to be believed.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "connection.hpp"

namespace latchkey::race {
namespace {

using std::chrono::steady_clock;

std::int64_t now_nanos() { return steady_clock::now().time_since_epoch().count(); }

struct Key {
  std::string id;
  std::string request;
  std::atomic<std::int64_t> confirmed_at{INT64_MAX};
};

struct Counts {
  std::atomic<std::uint64_t> answers{0}, admitted{0}, refused{0}, limited{0}, other{0}, after_confirmation{0},
      false_admissions{0};
};

constexpr unsigned threads_to_each_port = 4;
constexpr std::size_t batch = 8;
constexpr std::size_t behind = 24;  // of the keys presented, so many have been disabled
constexpr std::size_t ahead = 4;

class Race {
 public:
  Race(std::string admin, std::vector<Key>& keys, std::uint64_t requests)
      : admin_(std::move(admin)), keys_(keys), requests_(requests) {}

  /// Disables the keys one by one, evenly over the requests.
  void revoke(std::uint16_t port) {
    Connection connection(port);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      while (counts_.answers < requests_ * i / keys_.size()) std::this_thread::sleep_for(std::chrono::microseconds(50));
      front_ = i;
      const auto begun = now_nanos();
      connection.send(disable_request(keys_[i]));
      const Answer answer = connection.receive();
      const auto came = now_nanos();
      const bool confirmed = answer.head.find("Latchkey-Enforcement: confirmed;") != std::string_view::npos;
      if (answer.status != 200 || !confirmed) throw std::runtime_error("not confirmed: " + std::string(answer.head));
      keys_[i].confirmed_at = came;
      confirmation_micros_.push_back((came - begun) / 1000);
    }
    revoked_all_ = true;
  }

  void load(std::uint16_t port, unsigned seed) {
    Connection connection(port);
    std::minstd_rand dice(seed);
    std::vector<Key*> presented(batch);
    while (!revoked_all_ || counts_.answers < requests_) {
      std::string text;
      for (auto& key : presented) text += (key = &pick(dice))->request;
      const auto sent = now_nanos();
      connection.send(text);
      for (Key* key : presented) judge(*key, sent, connection.receive().status);
    }
  }

  void print() {
    std::sort(confirmation_micros_.begin(), confirmation_micros_.end());
    std::printf(
        "{\"requests\":%llu,\"admitted\":%llu,\"refused\":%llu,\"limited\":%llu,\"other\":%llu,\"revocations\":%zu,"
        "\"sentAfterConfirmation\":%llu,\"falseAdmissions\":%llu,\"revokeP50Micros\":%lld,\"revokeP99Micros\":%lld}\n",
        value(counts_.answers), value(counts_.admitted), value(counts_.refused), value(counts_.limited),
        value(counts_.other), keys_.size(), value(counts_.after_confirmation), value(counts_.false_admissions),
        quantile(0.5), quantile(0.99));
  }

 private:
  static unsigned long long value(const std::atomic<std::uint64_t>& counter) { return counter; }
  long long quantile(double share) const {
    return confirmation_micros_[static_cast<std::size_t>(share * static_cast<double>(confirmation_micros_.size() - 1))];
  }
  std::string disable_request(const Key& key) const {
    return "PATCH /v1/keys/" + key.id + "?wait=enforced HTTP/1.1\r\nHost: race\r\nAuthorization: Bearer " + admin_ +
           "\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"disabled\":true}";
  }
  Key& pick(std::minstd_rand& dice) {
    const std::size_t front = front_;
    const std::size_t first = front > behind ? front - behind : 0;
    const std::size_t last = std::min(front + ahead, keys_.size() - 1);
    // Every other one is the key at stake.
    return dice() % 2 == 0 ? keys_[front] : keys_[first + dice() % (last - first + 1)];
  }
  std::atomic<std::uint64_t>& count_of(int status) {
    if (status == 200) return counts_.admitted;
    if (status == 401) return counts_.refused;
    return status == 429 ? counts_.limited : counts_.other;
  }
  void judge(const Key& key, std::int64_t sent, int status) {
    ++counts_.answers;
    ++count_of(status);
    if (sent <= key.confirmed_at) return;
    ++counts_.after_confirmation;
    if (status == 200) ++counts_.false_admissions;
  }

  const std::string admin_;
  std::vector<Key>& keys_;
  const std::uint64_t requests_;
  std::atomic<std::size_t> front_{0};
  std::atomic<bool> revoked_all_{false};
  Counts counts_;
  std::vector<std::int64_t> confirmation_micros_;  // the revoking thread's
};

std::vector<Key> read_keys(const char* file) {
  std::vector<std::pair<std::string, std::string>> read;
  std::ifstream in(file);
  for (std::string id, token; in >> id >> token;) read.emplace_back(id, token);
  if (read.empty()) throw std::runtime_error("no keys");
  std::vector<Key> keys(read.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    keys[i].id = read[i].first;
    keys[i].request =
        "GET /v1/tokens/ETH HTTP/1.1\r\nHost: race\r\nAuthorization: Bearer " + read[i].second + "\r\n\r\n";
  }
  return keys;
}

void run(int argc, char** argv) {
  if (argc < 6) throw std::runtime_error("latchkey-race KEYS_PORT ADMIN_TOKEN_FILE KEYS_FILE REQUESTS TOKENS_PORT...");
  std::string admin;
  std::ifstream(argv[2]) >> admin;
  auto keys = read_keys(argv[3]);
  Race race(admin, keys, std::strtoull(argv[4], nullptr, 10));
  // Without an answer nothing can be said: any failure ends the whole program.
  const auto guarded = [](auto work) {
    try {
      work();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "latchkey-race: %s\n", e.what());
      std::_Exit(1);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 5; i < argc; ++i) {
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[i]));
    for (unsigned t = 0; t < threads_to_each_port; ++t) {
      threads.emplace_back(
          [&, port, seed = static_cast<unsigned>(threads.size()) + 1] { guarded([&] { race.load(port, seed); }); });
    }
  }
  guarded([&] { race.revoke(static_cast<std::uint16_t>(std::atoi(argv[1]))); });
  for (auto& thread : threads) thread.join();
  race.print();
}

}  // namespace
}  // namespace latchkey::race

int main(int argc, char** argv) {
  try {
    latchkey::race::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "latchkey-race: %s\n", e.what());
    return 1;
  }
  return 0;
}
