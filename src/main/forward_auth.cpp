#include "main/forward_auth.hpp"

#include "base/log.hpp"
#include "config/rule_file.hpp"

namespace latchkey {

using tokens_service::ForwardAuth;
using tokens_service::OriginalSource;

Result<ForwardAuth> forward_auth(const config::Settings& settings) {
  auto trusted = access::TrustedProxies::parse(settings.trusted_proxies);
  if (!trusted) return trusted.error();
  ForwardAuth forward;
  forward.trusted = std::move(*trusted);
  if (settings.original_request == "x-original") forward.source = OriginalSource::x_original;
  if (settings.original_request == "x-forwarded") forward.source = OriginalSource::x_forwarded;
  if (settings.client_address == "x-forwarded-for") forward.client_address = access::ClientAddress::x_forwarded_for;
  if (settings.preflight == "pass") forward.preflight = tokens_service::Preflight::pass;
  return forward;
}

RuleSource::RuleSource(std::string file, rules::RuleTable table, const Clock& clock, Metrics& metrics)
    : file_(std::move(file)),
      clock_(clock),
      rules_(std::move(table)),
      errors_(metrics.add_counter("latchkey_rule_table_errors_total",
                                  "Times the rules could not be read again; those of before stayed in force")) {
  metrics.add_gauge("latchkey_rules", "Access rules in force.",
                    [this] { return static_cast<double>(rules_.current().size()); });
}

Result<std::unique_ptr<RuleSource>> RuleSource::open(const config::Settings& settings, const Clock& clock,
                                                     Metrics& metrics) {
  auto table = config::load_rules(settings.rules);
  if (!table) return table.error();
  return std::unique_ptr<RuleSource>(new RuleSource(settings.rules, std::move(*table), clock, metrics));
}

void RuleSource::read_again() {
  if (file_.empty()) return;
  auto table = config::load_rules(file_);
  if (!table) {
    errors_.add();
    return log_error("rules: {}; the rules of before stay in force", table.error().detail);
  }
  // An editor empties a file before it writes it; without rules every key would be enough for every request.
  if (table->empty() && !rules_.current().empty()) {
    errors_.add();
    return log_error("rules: {}: no [[rule]] stands there any more; the rules of before stay in force until a restart",
                     file_);
  }
  log_info("rules: {}: {} read again", file_, table->size());
  rules_.replace(std::move(*table), clock_.boot());
}

}  // namespace latchkey
