#include "addon/core.hpp"

#include <fmt/format.h>

#include <mutex>
#include <unordered_map>
#include <utility>

#include "main/engines.hpp"
#include "tokens_service/limit_refusal.hpp"

namespace latchkey::node {
namespace {

using access::Holder;
using access::Refusal;

// How long a process that ends may take to let go of what the next one needs.
constexpr std::chrono::milliseconds patience{2000};

constexpr std::string_view instead =
    "Two that count by themselves would let every limit pass twice. For several processes: give each a dataDir of its "
    "own, a common store (postgresql://) or stream (redis://), and limiter: 'redis://…', which counts over all of "
    "them; "
    "or run one `latchkey tokens` and let each ask it with engine: 'http'.";

ReplicaError taken(std::string_view what, std::string_view by) {
  return {"limiter", Error(ErrorCode::conflict, fmt::format("{} is in use by {}. {}", what, by, instead))};
}

/// Cores by their settings. Never destroyed: threads may outlive static objects.
struct Cores {
  std::mutex mutex;
  std::unordered_map<std::string, std::weak_ptr<Core>> by_settings;
  static Cores& all() {
    static auto* const cores = new Cores();
    return *cores;
  }
};

std::string key_of(const config::Settings& settings) {
  std::string key;
  for (const auto& spec : config::setting_specs()) key += spec.get(settings) + '\n';
  return key;
}

}  // namespace

Result<std::shared_ptr<Core>, ReplicaError> Core::open(const config::Settings& settings) {
  auto& cores = Cores::all();
  const std::lock_guard lock(cores.mutex);
  auto& known = cores.by_settings[key_of(settings)];
  if (auto core = known.lock()) return core;
  std::shared_ptr<Core> core(new Core());
  auto trusted = access::TrustedProxies::parse(settings.trusted_proxies);
  if (!trusted) return ReplicaError{"trustedProxies", trusted.error()};
  core->trusted_ = std::move(*trusted);
  if (settings.client_address == "x-forwarded-for") core->address_source_ = access::ClientAddress::x_forwarded_for;
  auto replica = Replica::open(settings, core->clock_, core->metrics_, patience);
  if (!replica) {
    const auto& error = replica.error();
    if (error.error.code != ErrorCode::conflict) return error;
    return taken(settings.data_dir, "another process (a Node process, or `latchkey tokens`)");
  }
  core->replica_ = std::move(*replica);
  if (settings.limiter == "local" && (settings.store != "sqlite" || settings.stream != "none")) {
    const auto source = engines::source_of(settings, core->replica_->data());
    auto claim = MachineClaim::take(source);
    if (!claim && claim.error().code == ErrorCode::conflict) {
      return taken("The local limiter for " + source, claim.error().detail);
    }
    if (!claim) return ReplicaError{"limiter", claim.error()};
    core->machine_.emplace(std::move(*claim));
  }
  core->signatures_ =
      std::make_unique<tokens_service::SignatureQueue>(core->replica_->check(), tokens_service::SignatureQueueConfig{});
  core->replica_->start();
  known = core;
  return core;
}

Core::~Core() {
  signatures_.reset();  // answers whoever waits for a signature
  if (replica_) replica_->stop();
}

limit::Limit Core::limit_of(const Holder& holder) const {
  return {.requests_per_minute = holder.requests_per_minute, .version = holder.version, .epoch = epoch()};
}

namespace {

Verdict verdict_of(const Holder& holder, const limit::Decision& decision) {
  Verdict verdict{std::nullopt, holder, decision, std::nullopt};
  if (decision.unavailable) {
    verdict.refusal = Refusal::limiter_unavailable;
  } else if (decision.full) {
    verdict.refusal = Refusal::limiter_full;
  } else if (!decision.admitted) {
    verdict.refusal = Refusal::rate_limited;
  }
  return verdict;
}

}  // namespace

namespace {

Verdict refused(Refusal reason) { return {reason, std::nullopt, {}, std::nullopt}; }

/// Where no limiter has a word.
std::optional<Verdict> unlimited(const Holder& holder) {
  if (const auto refusal = access::refusal_of_bound(holder.bound)) return refused(*refusal);
  if (holder.bound != access::Bound::unlimited) return std::nullopt;
  return Verdict{std::nullopt, holder, limit::Decision{.admitted = true}, std::nullopt};
}

}  // namespace

namespace {

bool is_plain(const Holder& holder, std::uint32_t cost) {
  return holder.bound == access::Bound::per_minute && cost == 1;
}

Verdict verdict_of(const Holder& holder, const access::LimitsInForce& limits, const limit::Verdict& said) {
  Verdict verdict{std::nullopt, holder, {}, Charged{limits, said}};
  if (!said.admitted()) verdict.refusal = tokens_service::refusal_of(limits, said);
  return verdict;
}

}  // namespace

std::optional<Refusal> Core::refusal_by_rules(const Holder& holder, const Question& question) const {
  std::vector<http::Header> headers;
  for (const auto& value : question.forwarded_for) headers.push_back({"x-forwarded-for", value});
  http::Request request;
  request.headers = headers;
  const auto address = access::client_address(request, question.peer, trusted_, address_source_);
  return replica_->check().refusal_of_rules(holder, {address, question.scopes});
}

Result<Verdict, Undecided> Core::check(std::string_view token, std::uint32_t cost, const Question* question) {
  const access::Outcome outcome = replica_->check().check(token, &replica_->limiter());
  if (const auto* by_check = std::get_if<access::Refused>(&outcome)) return refused(by_check->reason);
  const auto* holder = std::get_if<Holder>(&outcome);
  if (holder == nullptr) return Undecided::unproven;
  if (holder->has_rules) {
    if (question == nullptr) return Undecided::unasked;
    if (const auto refusal = refusal_by_rules(*holder, *question)) return refused(*refusal);
  }
  if (auto verdict = unlimited(*holder)) return *verdict;
  if (!is_plain(*holder, cost)) return charge(*holder, cost);
  const auto decision = replica_->limiter().try_admit(holder->key_id, limit_of(*holder));
  if (!decision) return Undecided::unproven;
  return verdict_of(*holder, *decision);
}

Result<Verdict, Undecided> Core::charge(const Holder& holder, std::uint32_t cost) {
  auto limits = tokens_service::limits_of(holder);
  const auto said = replica_->limiter().try_charge(limits.charge(holder.key_id, cost, epoch()));
  if (!said) return Undecided::unproven;
  return verdict_of(holder, limits, *said);
}

void Core::charge_later(const Holder& holder, std::uint32_t cost, Done done) {
  auto limits = tokens_service::limits_of(holder);
  const limit::Charge charge = limits.charge(holder.key_id, cost, epoch());
  if (const auto said = replica_->limiter().try_charge(charge)) return done(verdict_of(holder, limits, *said));
  replica_->limiter().charge_later(charge,
                                   [holder, limits, done = std::move(done)](const limit::Verdict& said) mutable {
                                     done(verdict_of(holder, limits, said));
                                   });
}

void Core::check_later(std::string token, std::uint32_t cost, Question question, Done done) {
  const access::Outcome outcome = replica_->check().check(token, &replica_->limiter());
  if (const auto* holder = std::get_if<Holder>(&outcome)) return admit_later(*holder, cost, question, std::move(done));
  if (const auto* by_check = std::get_if<access::Refused>(&outcome)) return done(refused(by_check->reason));
  auto shared = std::make_shared<Done>(std::move(done));  // it may be refused, and then it is still ours to call
  const auto proven = [this, shared, cost, question = std::move(question)](const access::Outcome& checked) {
    const auto* holder = std::get_if<Holder>(&checked);
    if (holder != nullptr) return admit_later(*holder, cost, question, std::move(*shared));
    (*shared)(refused(std::get<access::Refused>(checked).reason));
  };
  const KeyId key = std::get<access::NeedsSignature>(outcome).key_id;
  if (!signatures_->submit(key, token, proven)) (*shared)(refused(Refusal::overloaded));
}

void Core::admit_later(const Holder& holder, std::uint32_t cost, const Question& question, Done done) {
  if (holder.has_rules) {
    if (const auto refusal = refusal_by_rules(holder, question)) return done(refused(*refusal));
  }
  if (const auto verdict = unlimited(holder)) return done(*verdict);
  if (!is_plain(holder, cost)) return charge_later(holder, cost, std::move(done));
  const limit::Limit limit = limit_of(holder);
  if (const auto decision = replica_->limiter().try_admit(holder.key_id, limit)) {
    return done(verdict_of(holder, *decision));
  }
  replica_->limiter().admit_later(holder.key_id, limit,
                                  [holder, done = std::move(done)](const limit::Decision& decision) mutable {
                                    done(verdict_of(holder, decision));
                                  });
}

Core::State Core::state() const {
  const auto freshness = replica_->view().freshness();
  return {replica_->check().readiness(), freshness.position, clock_.boot() - freshness.current_as_of,
          replica_->view().key_count()};
}

}  // namespace latchkey::node
