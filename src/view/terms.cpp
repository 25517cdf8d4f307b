#include "view/terms.hpp"

namespace latchkey::view {
namespace {

/// Different for different terms: a plan's name has no line feed.
std::string text_of(const AccessKey& key) {
  std::string text = key.plan.value_or("") + '\n';
  if (key.limits) text += to_json(std::span(*key.limits));
  text += '\n';
  if (key.scopes) text += scopes_json(*key.scopes);
  text += '\n';
  if (key.networks) text += networks_json(*key.networks);
  return text;
}

/// A limit of a key counts that key, whatever somebody wrote into a database.
LimitList per_key(LimitList limits) {
  for (LimitSpec& limit : limits) limit.per = LimitPer::key;
  return limits;
}

}  // namespace

SharedText shared_text(const std::optional<ScopeList>& scopes) {
  return scopes ? std::make_shared<const std::string>(scopes_text(*scopes)) : nullptr;
}

PreparedLimits prepared(const LimitList& limits, std::string_view defined_by) {
  PreparedLimits made;
  made.reserve(limits.size());
  for (const LimitSpec& spec : limits) {
    const auto active = limit::active_limit(spec, defined_by);
    made.push_back({spec, active.value_or(limit::ActiveLimit{}), active.has_value()});
  }
  return made;
}

const KeyTerms* TermsBook::of(const AccessKey& key) {
  if (!has_terms(key)) return nullptr;
  std::string text = text_of(key);
  auto found = book_.find(text);
  if (found == book_.end()) {
    KeyTerms terms{key.plan, key.limits, feed::digest_of_terms(key)};
    terms.scopes = key.scopes;
    terms.networks = key.networks;
    terms.scopes_text = shared_text(key.scopes);
    if (key.limits) terms.prepared = prepared(per_key(*key.limits), {});
    found = book_.emplace(std::move(text), std::make_unique<const KeyTerms>(std::move(terms))).first;
  }
  return found->second.get();
}

}  // namespace latchkey::view
