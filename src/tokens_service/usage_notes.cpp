#include "tokens_service/usage_notes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace latchkey::tokens_service {
namespace {

constexpr std::size_t first_refusal = 2;

bool counts_as_usage(const Call& call) { return call.route->needs == service::Needs::permit && !call.anonymous; }

usage::AddressPrefix address_of(const Call& call, const ForwardAuth& forward) {
  const auto address = access::client_address(*call.request, peer_of(call), forward.trusted, forward.client_address);
  return address ? usage::AddressPrefix::of(*address) : usage::AddressPrefix();
}

}  // namespace

std::span<const std::string_view> usage_outcomes() {
  static const auto names = [] {
    std::array<std::string_view, first_refusal + access::refusal_count> all{usage::admitted_name,
                                                                            usage::would_limit_name};
    for (std::size_t i = 0; i < access::refusal_count; ++i) {
      all[first_refusal + i] = to_string(static_cast<access::Refusal>(i));
    }
    return all;
  }();
  return names;
}

void UsageNotes::admitted(const Call& call, const access::Holder& holder, std::uint32_t cost) const {
  if (parts_.usage == nullptr || !counts_as_usage(call)) return;
  parts_.usage->count({.key = holder.key_id,
                       .plan = holder.plan(),
                       .outcome = usage::admitted,
                       .cost = cost,
                       .time = parts_.clock.wall(),
                       .address = address_of(call, parts_.forward)});
}

void UsageNotes::would_limit(const Call& call, const access::Holder& holder) const {
  if (parts_.usage == nullptr || !counts_as_usage(call)) return;
  parts_.usage->count(
      {.key = holder.key_id, .plan = holder.plan(), .outcome = usage::would_limit, .time = parts_.clock.wall()});
}

void UsageNotes::refused(const Call& call, access::Refusal reason, const access::Holder* holder) const {
  if (parts_.usage == nullptr || !counts_as_usage(call)) return;
  parts_.usage->count({.key = holder == nullptr ? KeyId() : holder->key_id,
                       .plan = holder == nullptr ? std::string_view() : holder->plan(),
                       .outcome = static_cast<std::uint8_t>(first_refusal + static_cast<std::size_t>(reason)),
                       .time = parts_.clock.wall()});
}

void UsageNotes::keep(const Call& call, std::string_view id, std::string_view reason, const access::Holder* holder,
                      std::span<const std::string_view> limits) const {
  if (parts_.usage == nullptr) return;
  usage::Refusal refusal{.id = {id}, .time = parts_.clock.wall(), .reason = {reason}};
  if (holder != nullptr) refusal.key = holder->key_id;
  if (!limits.empty()) refusal.limit = {fmt::format("{}", fmt::join(limits, ","))};
  if (call.rule != nullptr) refusal.rule = {call.rule->name};
  refusal.position = {call.position.to_string()};
  refusal.network = {address_of(call, parts_.forward).to_string()};
  parts_.usage->refuse(refusal);
}

}  // namespace latchkey::tokens_service
