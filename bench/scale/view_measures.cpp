#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "access/access_check.hpp"
#include "sample/sample_keys.hpp"
#include "scale/latencies.hpp"
#include "scale/measures.hpp"
#include "view/projector.hpp"

namespace latchkey::bench {
namespace {

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Runs `measure` in a child, so that memory of one is not that of the next.
template <class Measure>
std::string in_a_child(Measure measure) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string text = measure();
    const bool told = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text(512, '\0');
  const ssize_t size = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (size <= 0 || status != 0) throw std::runtime_error("the measuring child failed");
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string fill_and_measure(std::uint64_t keys) {
  constexpr std::uint64_t changes = 200'000;
  const std::uint64_t before = resident_bytes();
  view::View view;
  const auto began = cpu_nanos();
  for (std::uint64_t number = 0; number < keys; ++number) {
    AccessKey key = sample_key(number);
    key.version = {number + 1};
    view.apply(key);
  }
  const auto filled = cpu_nanos();
  const double bytes = static_cast<double>(resident_bytes() - before) / static_cast<double>(keys);
  AccessKey key = sample_key(0);
  for (std::uint64_t i = 0; i < changes; ++i) {
    key.id = sample_id(mix(i) % keys);
    key.version = {keys + i + 2};
    view.apply(key);
  }
  const auto applied = cpu_nanos();
  return fmt::format(R"({{"keys":{},"bytesPerKey":{:.1f},"keysPerSecond":{:.0f},"applyNanos":{:.0f}}})", keys, bytes,
                     static_cast<double>(keys) * 1e9 / static_cast<double>(filled - began),
                     static_cast<double>(applied - filled) / changes);
}

/// Steps until the view is whole.
void catch_up(view::Projector& projector, const view::View& view) {
  while (!view.freshness().complete) projector.step(std::chrono::milliseconds(1));
}

}  // namespace

std::string measure_view(std::uint64_t keys) {
  return in_a_child([&] { return fill_and_measure(keys); });
}

std::string measure_load(const Engine& engine) {
  return in_a_child([&] {
    SystemClock clock;
    view::View view;
    const auto feed = engine.open_feed();
    view::Projector projector(*feed, view, clock);
    const auto began = now_nanos();
    const auto began_cpu = cpu_nanos();
    catch_up(projector, view);
    const double took = static_cast<double>(now_nanos() - began) / 1e9;
    const double cpu = static_cast<double>(cpu_nanos() - began_cpu) / 1e9;
    const auto keys = static_cast<double>(view.key_count());
    return fmt::format(R"({{"keys":{},"seconds":{:.2f},"keysPerSecond":{:.0f},"keysPerCpuSecond":{:.0f}}})",
                       view.key_count(), took, keys / took, keys / cpu);
  });
}

std::string measure_first_request(const Engine& engine, const std::filesystem::path& tokens) {
  constexpr int most = 2000;
  SystemClock clock;
  view::View view;
  const auto feed = engine.open_feed();
  view::Projector projector(*feed, view, clock);
  catch_up(projector, view);
  const access::AccessCheck check(view, clock, {.max_staleness = std::chrono::hours(1)});
  std::ifstream file(tokens);
  Latencies latencies;
  for (std::string token; latencies.count() < most && std::getline(file, token);) {
    const auto began = now_nanos();
    const auto outcome = check.check_signature(token);
    latencies.add(now_nanos() - began);
    if (!std::holds_alternative<access::Holder>(outcome)) throw std::runtime_error("a good token was refused");
  }
  return fmt::format("{:.1f}", latencies.quantile_micros(0.5));
}

}  // namespace latchkey::bench
