#pragma once

// Counters and histograms in Prometheus' text form. Increments are wait-free and striped by thread, so that the
// request path does not share a cache line.

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/mutex.hpp"

namespace latchkey {

class Counter {
 public:
  void add(std::uint64_t n = 1) { stripes_[stripe()].value.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const;

  static constexpr std::size_t stripe_count = 16;
  /// This thread's stripe.
  static std::size_t stripe();

 private:
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Stripe, stripe_count> stripes_;
};

/// Buckets are upper bounds in seconds, ascending; +Inf is implied.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds_seconds);
  void observe(double seconds);
  const std::vector<double>& bounds() const { return bounds_; }
  /// Not cumulative; [bounds().size()] is +Inf.
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].value(); }
  double sum() const;

 private:
  std::vector<double> bounds_;
  std::vector<Counter> buckets_;
  Counter sum_nanos_;
};

/// Owns the metrics of one process. Each series is registered once, under a lock, and its reference is kept: the same
/// name and labels again throw std::logic_error, since two lines for one series make a scrape invalid.
class Metrics {
 public:
  /// `labels` as they appear between braces, e.g. `outcome="admitted"`; empty for none.
  Counter& add_counter(std::string_view name, std::string_view help, std::string_view labels = {});
  Histogram& add_histogram(std::string_view name, std::string_view help, std::vector<double> bounds_seconds,
                           std::string_view labels = {});
  /// Values that are kept elsewhere, read at each scrape.
  void add_gauge(std::string_view name, std::string_view help, std::function<double()> read,
                 std::string_view labels = {});
  void add_counter(std::string_view name, std::string_view help, std::function<double()> read,
                   std::string_view labels = {});
  /// The same by way of members, each of what the one before gives: `of` outlives the metrics.
  ///
  ///   metrics.add_gauge("latchkey_view_keys", "Access keys in the view", view, &View::key_count);
  ///   metrics.add_counter("latchkey_view_loads_total", "Whole loads", projector, &Projector::stats, &Stats::loads);
  template <class T, class... Members>
  requires(sizeof...(Members) > 0 &&
           (std::is_member_pointer_v<Members> && ...)) void add_gauge(std::string_view name, std::string_view help,
                                                                      const T& of, Members... members) {
    add_gauge(name, help, reading(of, members...));
  }
  template <class T, class... Members>
  requires(sizeof...(Members) > 0 &&
           (std::is_member_pointer_v<Members> && ...)) void add_counter(std::string_view name, std::string_view help,
                                                                        const T& of, Members... members) {
    add_counter(name, help, reading(of, members...));
  }
  /// The exposition, text format 0.0.4.
  std::string render() const;
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  template <class T>
  static double value_of(const T& value) {
    return static_cast<double>(value);
  }
  template <class T, class First, class... Rest>
  static double value_of(const T& of, First first, Rest... rest) {
    return value_of(std::invoke(first, of), rest...);
  }
  template <class T, class... Members>
  static std::function<double()> reading(const T& of, Members... members) {
    return [&of, members...] { return value_of(of, members...); };
  }

  struct Series;
  struct Family {
    std::string name, help, type;
    std::vector<std::size_t> series;
  };
  struct Series {
    std::string labels;
    Counter* counter = nullptr;
    Histogram* histogram = nullptr;
    std::function<double()> read;
  };
  Series& add(std::string_view name, std::string_view help, std::string_view type, std::string_view labels)
      REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::deque<Counter> counters_ GUARDED_BY(mutex_);
  std::deque<Histogram> histograms_ GUARDED_BY(mutex_);
  std::vector<Family> families_ GUARDED_BY(mutex_);
  std::deque<Series> series_ GUARDED_BY(mutex_);
};

}  // namespace latchkey
