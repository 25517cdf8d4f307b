#include "view/terms.hpp"

namespace latchkey::view {
namespace {

/// Different for different terms: a plan's name has no line feed.
std::string text_of(const AccessKey& key) {
  std::string text = key.plan.value_or("") + '\n';
  if (key.limits) text += to_json(std::span(*key.limits));
  return text;
}

}  // namespace

const KeyTerms* TermsBook::of(const AccessKey& key) {
  if (!has_terms(key)) return nullptr;
  std::string text = text_of(key);
  auto found = book_.find(text);
  if (found == book_.end()) {
    KeyTerms terms{key.plan, key.limits, feed::digest_of_terms(key)};
    found = book_.emplace(std::move(text), std::make_unique<const KeyTerms>(std::move(terms))).first;
  }
  return found->second.get();
}

}  // namespace latchkey::view
