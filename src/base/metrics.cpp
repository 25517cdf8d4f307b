#include "base/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace latchkey {
namespace {

std::string braces(std::string_view labels, std::string_view more = {}) {
  if (labels.empty() && more.empty()) return {};
  return fmt::format("{{{}{}{}}}", labels, labels.empty() || more.empty() ? "" : ",", more);
}

void render_histogram(std::string& out, const std::string& name, const std::string& labels, const Histogram& h) {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= h.bounds().size(); ++i) {
    cumulative += h.bucket(i);
    const std::string le = i < h.bounds().size() ? fmt::format("le=\"{}\"", h.bounds()[i]) : "le=\"+Inf\"";
    out += fmt::format("{}_bucket{} {}\n", name, braces(labels, le), cumulative);
  }
  out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braces(labels), h.sum(), name, braces(labels), cumulative);
}

}  // namespace

std::size_t Counter::stripe() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % stripe_count;
  return mine;
}

std::uint64_t Counter::value() const {
  std::uint64_t sum = 0;
  for (const auto& s : stripes_) sum += s.value.load(std::memory_order_relaxed);
  return sum;
}

Histogram::Histogram(std::vector<double> bounds_seconds)
    : bounds_(std::move(bounds_seconds)), buckets_(bounds_.size() + 1) {}

void Histogram::observe(double seconds) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), seconds) - bounds_.begin();
  buckets_[static_cast<std::size_t>(at)].add();
  sum_nanos_.add(static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e9));
}

double Histogram::sum() const { return static_cast<double>(sum_nanos_.value()) / 1e9; }

Metrics::Series& Metrics::add(std::string_view name, std::string_view help, std::string_view type,
                              std::string_view labels) {
  auto family = std::find_if(families_.begin(), families_.end(), [&](const Family& f) { return f.name == name; });
  if (family == families_.end()) {
    families_.push_back({std::string(name), std::string(help), std::string(type), {}});
    family = families_.end() - 1;
  }
  for (const std::size_t index : family->series) {
    if (series_[index].labels != labels) continue;
    throw std::logic_error(fmt::format("the metric {}{} is registered twice", name, braces(labels)));
  }
  family->series.push_back(series_.size());
  return series_.emplace_back(Series{std::string(labels), nullptr, nullptr, {}});
}

Counter& Metrics::add_counter(std::string_view name, std::string_view help, std::string_view labels) {
  const MutexLock lock(mutex_);
  Series& series = add(name, help, "counter", labels);
  return *(series.counter = &counters_.emplace_back());
}

Histogram& Metrics::add_histogram(std::string_view name, std::string_view help, std::vector<double> bounds_seconds,
                                  std::string_view labels) {
  const MutexLock lock(mutex_);
  Series& series = add(name, help, "histogram", labels);
  return *(series.histogram = &histograms_.emplace_back(std::move(bounds_seconds)));
}

void Metrics::add_gauge(std::string_view name, std::string_view help, std::function<double()> read,
                        std::string_view labels) {
  const MutexLock lock(mutex_);
  add(name, help, "gauge", labels).read = std::move(read);
}

void Metrics::add_counter(std::string_view name, std::string_view help, std::function<double()> read,
                          std::string_view labels) {
  const MutexLock lock(mutex_);
  add(name, help, "counter", labels).read = std::move(read);
}

std::string Metrics::render() const {
  const MutexLock lock(mutex_);
  std::string out;
  for (const auto& family : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family.name, family.help, family.name, family.type);
    for (const auto index : family.series) {
      const auto& s = series_[index];
      if (s.histogram) {
        render_histogram(out, family.name, s.labels, *s.histogram);
      } else if (s.counter) {
        out += fmt::format("{}{} {}\n", family.name, braces(s.labels), s.counter->value());
      } else {
        out += fmt::format("{}{} {}\n", family.name, braces(s.labels), s.read());
      }
    }
  }
  return out;
}

}  // namespace latchkey
