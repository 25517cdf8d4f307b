#include "commands/named_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "limit/calendar.hpp"

namespace latchkey::commands {
namespace {

using store::Transaction;

Result<std::optional<Plan>> find_row(Transaction& transaction, const std::string& name, const Plan*) {
  return transaction.find_plan(name);
}
Result<std::optional<User>> find_row(Transaction& transaction, const std::string& name, const User*) {
  return transaction.find_user(name);
}
Result<Version> put_row(Transaction& transaction, const Plan& plan, std::string_view action) {
  return transaction.put_plan(plan, action);
}
Result<Version> put_row(Transaction& transaction, const User& user, std::string_view action) {
  return transaction.put_user(user, action);
}

template <class Row>
Result<std::optional<NamedAnswer<Row>>> find_repeated(Transaction& transaction, const Author& author,
                                                      const IdempotencyKey& key) {
  const auto record = transaction.find_idempotency(author.actor, key.key);
  if (!record) return record.error();
  if (!*record) return std::optional<NamedAnswer<Row>>();
  if ((*record)->request_digest != key.request_digest && (*record)->request_digest != key.earlier_digest) {
    return Error(ErrorCode::idempotency_mismatch, "this Idempotency-Key came with another request before");
  }
  const auto change = transaction.find_change((*record)->seq);
  if (!change) return change.error();
  const auto* row = *change ? std::get_if<Row>(&(*change)->row) : nullptr;
  if (row == nullptr) return Error(ErrorCode::internal, "", "an idempotency record names no change of its kind");
  NamedAnswer<Row> answer{*row, {{{}, (*record)->seq}, (*change)->nonce}, (*change)->action};
  answer.row.version = Version::made_by((*record)->seq);
  return std::optional(std::move(answer));
}

// The check comes after the row was put, since it asks the database about the state that the change leaves (keys
// without a limit, say). Its error takes the whole transaction back.
template <class Row>
Result<NamedAnswer<Row>> change_in(Transaction& transaction, const std::string& name, const Author& author,
                                   const std::optional<IdempotencyKey>& idempotency, const DecideNamed<Row>& decide,
                                   const CheckNamed<Row>& check) {
  if (idempotency) {
    auto repeated = find_repeated<Row>(transaction, author, *idempotency);
    if (!repeated) return repeated.error();
    if (*repeated) return std::move(**repeated);
  }
  auto current = find_row(transaction, name, static_cast<const Row*>(nullptr));
  if (!current) return current.error();
  if (*current && (*current)->deleted) current->reset();
  auto decision = decide(transaction, *current);
  if (!decision) return decision.error();
  if (!*decision) return NamedAnswer<Row>{**current, {}, {}};
  NamedAnswer<Row> answer{std::move((*decision)->row), {}, std::string((*decision)->action)};
  const auto version = put_row(transaction, answer.row, answer.action);
  if (!version) return version.error();
  answer.row.version = *version;
  if (const auto checked = check(transaction, *current, answer.row); !checked) return checked.error();
  if (!idempotency) return answer;
  const auto remembered = transaction.put_idempotency(
      {author.actor, idempotency->key, idempotency->request_digest, store::no_key, version->change(), "", author.now});
  if (!remembered) return remembered.error();
  return answer;
}

}  // namespace

Result<void> check_put(const PutCondition& condition, std::optional<Version> current_version) {
  const bool exists = current_version.has_value();
  if (condition.create_only && exists) return Error(ErrorCode::precondition_failed, "it exists already");
  if (condition.if_match && !exists) return Error(ErrorCode::precondition_failed, "it does not exist");
  if (condition.if_match && !condition.if_match->holds(*current_version)) {
    return Error(ErrorCode::precondition_failed, "it has changed since it was read");
  }
  if (exists && !condition.if_match) {
    return Error(ErrorCode::precondition_required,
                 "it exists already: replace it with the ETag that was read in If-Match");
  }
  return {};
}

Result<void> check_meets(const Precondition& precondition, std::optional<Version> current_version,
                         std::string_view what) {
  if (!current_version) return Error(ErrorCode::not_found, fmt::format("no such {}", what));
  if (precondition.holds(*current_version)) return {};
  return Error(ErrorCode::precondition_failed, fmt::format("the {} has changed since it was read", what));
}

template <class Row>
void change_named(store::KeyStore& store, std::string name, const Author& author,
                  const std::optional<IdempotencyKey>& idempotency, DecideNamed<Row> decide, CheckNamed<Row> check,
                  NamedDone<Row> done) {
  auto out = std::make_shared<NamedAnswer<Row>>();
  store.transact(
      [out, name = std::move(name), author, idempotency, decide = std::move(decide),
       check = std::move(check)](Transaction& transaction) -> Result<void> {
        auto answer = change_in(transaction, name, author, idempotency, decide, check);
        if (!answer) return answer.error();
        *out = std::move(*answer);
        return transaction.note(author.note);
      },
      [out, done = std::move(done)](Result<LogEnd> commit) mutable {
        if (!commit) return done(commit.error());
        if (out->commit.position.seq == Seq{}) out->commit = *commit;
        out->commit.position.epoch = commit->position.epoch;
        done(std::move(*out));
      });
}

template <class Row>
std::optional<NewNamedRow<Row>> if_named_changed(const std::optional<Row>& current, Row next, std::string_view action,
                                                 const Author& author) {
  if (current && next == *current) return std::nullopt;
  next.updated_at = current ? std::max(author.now, UnixMillis{current->updated_at.count + 1}) : author.now;
  if (!current) next.created_at = author.now;
  next.updated_by = author.actor;
  return NewNamedRow<Row>{std::move(next), action};
}

Result<std::optional<Plan>> find_named_plan(Transaction& transaction, const std::optional<std::string>& name) {
  if (!name) return std::optional<Plan>();
  auto plan = transaction.find_plan(*name);
  if (!plan || (*plan && !(*plan)->deleted)) return plan;
  return Error::invalid("/plan", fmt::format("there is no plan \"{}\"", *name));
}

namespace {

std::string names_of(const std::vector<KeyId>& keys) {
  std::string names;
  for (const auto& id : keys) names += (names.empty() ? "" : ", ") + id.to_string();
  return names;
}

}  // namespace

Result<void> check_limits_fit(Transaction& transaction, const store::TermsScope& scope) {
  const auto keys = transaction.keys_past_limits(scope, 10);
  if (!keys) return keys.error();
  if (keys->empty()) return {};
  return Error::invalid("/limits",
                        fmt::format("would put more than {} limits in force for access keys, those of plan, user and "
                                    "key together; use fewer, or names that they have already. The first of them: {}.",
                                    max_limits, names_of(*keys)));
}

Result<void> check_limits_left(Transaction& transaction, const store::TermsScope& scope) {
  const auto keys = transaction.keys_without_limit(scope, 10);
  if (!keys) return keys.error();
  if (keys->empty()) return {};
  return Error(ErrorCode::no_limit,
               fmt::format("This would leave access keys without any limit; give them one, or \"limits\": [] where "
                           "they need none. The first of them: {}.",
                           names_of(*keys)));
}

Result<void> check_time_zones(const LimitList& limits) {
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const auto* period = std::get_if<LimitPeriod>(&limits[i].span);
    if (period == nullptr || limit::calendar_of(period->unit, period->time_zone, period->anchor_day)) continue;
    return Error::invalid(fmt::format("/limits/{}/timeZone", i),
                          fmt::format("this machine knows no time zone \"{}\"; an IANA name that its tzdata has is "
                                      "needed, such as \"Europe/Berlin\"",
                                      period->time_zone));
  }
  return {};
}

template void change_named(store::KeyStore&, std::string, const Author&, const std::optional<IdempotencyKey>&,
                           DecideNamed<Plan>, CheckNamed<Plan>, NamedDone<Plan>);
template void change_named(store::KeyStore&, std::string, const Author&, const std::optional<IdempotencyKey>&,
                           DecideNamed<User>, CheckNamed<User>, NamedDone<User>);
template std::optional<NewNamedRow<Plan>> if_named_changed(const std::optional<Plan>&, Plan, std::string_view,
                                                           const Author&);
template std::optional<NewNamedRow<User>> if_named_changed(const std::optional<User>&, User, std::string_view,
                                                           const Author&);

}  // namespace latchkey::commands
