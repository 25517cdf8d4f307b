#include "pages/problem_types.hpp"

#include <algorithm>
#include <array>

namespace latchkey::pages {
namespace {

constexpr auto types = std::to_array<ProblemType>({
    {"admin-keys-unavailable", "Admin keys unavailable", "503",
     "The keys that admin tokens are verified by could not be fetched, and those fetched before are too old.",
     "Try again. An operator sees in the service's log why the identity provider could not be asked."},
    {"ambiguous-credentials", "Ambiguous credentials", "400",
     "More than one access key came with the request, or one came in the query string.",
     "Send one key, as `Authorization: Bearer` or as `X-API-Key`. Queries end up in logs: replace a key that was sent "
     "in "
     "one with `latchkey key rotate`."},
    {"ambiguous-path", "Ambiguous path", "403",
     "The path can be read in two ways, for example because of `//`, `..` or `%2F`, so no rule is looked up for it.",
     "Ask for the path in its plain form."},
    {"bad-request", "Bad request", "400", "The request is not well-formed HTTP.",
     "`detail` says what is wrong. It is mostly the fault of a client or proxy that writes requests by itself."},
    {"body-too-large", "Request body too large", "413", "The body has more than 64 KiB.", "Send less."},
    {"confirmation-outdated", "Confirmation outdated", "409",
     "Other access keys match by now than when the confirmation was given, so none was changed.",
     "Look again with `dryRun=true`, and send the `confirm` of that answer."},
    {"cost-exceeds-limit", "Cost exceeds limit", "403", "This request costs more than a limit admits in all.",
     "Waiting does not help: the limit or the cost has to change."},
    {"expectation-failed", "Expectation failed", "417",
     "The `Expect` header asks for something other than `100-continue`.", "Leave the header out."},
    {"head-too-large", "Request head too large", "431", "Request line and headers have more than 16 KiB.",
     "Send fewer or shorter headers. Behind a proxy, hand on only the headers that Latchkey needs; cookies are not "
     "among "
     "them."},
    {"idempotency-key-reused", "Idempotency key reused", "422",
     "The `Idempotency-Key` was used for another request within the last 24 hours.",
     "Choose a new one for each command; repeat the old one only with the very same request."},
    {"in-use", "Still in use", "409", "What was to be deleted is still named by others.",
     "`detail` says by which. Change or delete those first."},
    {"insufficient-scope", "Insufficient scope", "403",
     "The access key does not have the scope that this request needs.",
     "`WWW-Authenticate` names the scope. An admin can give it to the key or to its plan."},
    {"internal-error", "Internal error", "500",
     "Something is broken in the service. Nothing is known to have been done.",
     "An operator finds the reason in the service's log."},
    {"invalid-request", "Invalid request", "400",
     "The request was understood, but a member or parameter has a value that is not allowed.",
     "`errors` has one entry for each: `pointer` says where, `detail` what is allowed."},
    {"invalid-token", "Invalid token", "401",
     "The token is not one of ours: its form, its signature or its key id is unknown. An admin token may have expired.",
     "Which of these it is stays untold, since whoever sends it has proved nothing. Take a key as it was issued, "
     "whole, "
     "without quotes. For admin tokens the service's log gives the reason."},
    {"key-deleted", "Access key deleted", "401 or 409",
     "The access key was deleted. As an answer to an admin (409): a deleted key cannot be changed.",
     "Deletion is for good: ask for a new key."},
    {"key-disabled", "Access key disabled", "401", "The access key is disabled.",
     "An admin can enable it: `latchkey key enable`. Who disabled it and when is in `latchkey changes`."},
    {"key-expired", "Access key expired", "401", "The access key has expired.",
     "An admin can move its expiry: `latchkey key update ID --expires 30d`. The key itself stays as it is."},
    {"key-rotated", "Access key rotated", "401",
     "A newer access key was issued in place of this one, and its grace is over.",
     "Use the newer one. The key id, the user and the limit are the same."},
    {"limit-not-enforced", "Limit not enforced", "503",
     "A limit of a kind that this release does not enforce is in force for the key, so nothing passes.",
     "An admin changes the limit, or an operator upgrades this replica."},
    {"limiter-full", "Rate limiter full", "503", "There is no room to count the requests of another key.",
     "Try again. An operator raises `LATCHKEY_LIMITER_MAX_COUNTERS`."},
    {"limiter-unavailable", "Rate limit unavailable", "503",
     "The shared state of the rate limit cannot be reached in time, so it is not known whether one more may pass.",
     "Try again after `Retry-After`. An operator looks at the Redis of `LATCHKEY_LIMITER`."},
    {"method-not-allowed", "Method not allowed", "405", "The path exists, the method does not exist there.",
     "`Allow` lists the methods that do."},
    {"network-not-allowed", "Network not allowed", "403", "The access key may not be used from this address.",
     "An admin can change the networks of the key or of its plan."},
    {"network-not-allowed", "Network not allowed", "403",
     "The access key, or its plan, may be used from certain networks only, and this request comes from none of them, "
     "or "
     "nobody knows from where.",
     "An admin can change `networks` of the key or its plan. Behind a proxy, `LATCHKEY_TRUSTED_PROXIES` and "
     "`LATCHKEY_CLIENT_ADDRESS` say which address counts."},
    {"no-credentials", "Credentials required", "401", "No credentials came with the request.",
     "Holders send an access key as `Authorization: Bearer` or `X-API-Key`, admins an admin token as "
     "`Authorization: Bearer`."},
    {"no-limit", "No limit in force", "403 or 409",
     "No limit is in force for this key, and it was not said to be unlimited.",
     "An admin gives the key, its user or its plan a limit; unlimited is `\"limits\": []` on the key."},
    {"no-rule", "No rule", "403", "No rule says what this request needs.",
     "An operator adds a `[[rule]]` that matches it."},
    {"not-found", "Not found", "404", "There is nothing at this path, or nothing with this id.",
     "Look at `/docs` for the paths. A deleted key is still found; one of another database is not."},
    {"not-implemented", "Not implemented", "501", "The request uses a part of HTTP that the service does not speak.",
     "`detail` names it."},
    {"not-ready", "Not ready", "503", "The service runs and cannot do its work yet: the store does not answer.",
     "Try again; that is what load balancers ask `/readyz` for."},
    {"original-request-unknown", "Original request unknown", "403",
     "The proxy did not say, or was not trusted to say, which request it asks about.",
     "An operator looks at `LATCHKEY_ORIGINAL_REQUEST` and `LATCHKEY_TRUSTED_PROXIES`."},
    {"overloaded", "Overloaded", "503", "Too many requests wait already.", "Try again after `Retry-After`."},
    {"position-gone", "Position gone", "410",
     "The position belongs to another life of the database, such as the time before a backup was restored.",
     "Read the keys anew and follow from the position given then."},
    {"position-not-reached", "Position not reached", "503",
     "The replica has not applied the change that `Latchkey-At-Least` asks for.", "Try again, or another replica."},
    {"precondition-failed", "Precondition failed", "412",
     "What you have seen is not what is there any more: somebody changed it in between.",
     "Read it again and decide again."},
    {"precondition-required", "Precondition required", "428",
     "Replacing what exists needs `If-Match` with the `ETag` of what you have seen.", "Read it, then send its `ETag`."},
    {"quota-exceeded", "Quota exceeded", "429", "The budget of the running day, week or month is used up.",
     "Wait as long as `Retry-After` says, which is enough. `violated-policies` names the limits."},
    {"rate-limited", "Too many requests", "429",
     "The access key has used up its limit. What was refused was not counted.",
     "Wait as long as `Retry-After` says, which is enough. `RateLimit` on every answer says how many are left."},
    {"replica-reports", "Replica still reports", "409", "A replica that still runs cannot be forgotten.",
     "Stop it first; it would register again."},
    {"request-timeout", "Request timeout", "408", "The request did not come to its end in time.", "Send it again."},
    {"signing-key-retired", "Signing key retired", "409",
     "The repeated command was answered with a token of a signing key that is retired now, so it cannot be answered "
     "the same again.",
     "Rotate the key to get a token that is valid."},
    {"stale-view", "Not up to date", "503",
     "This replica has not heard from the store for longer than `LATCHKEY_MAX_STALENESS`. It refuses rather than admit "
     "a key that may have been revoked.",
     "Try again, or another replica. An operator looks at the store and at what lies between."},
    {"unavailable", "Temporarily unavailable", "503", "The store cannot be asked at the moment.",
     "Try again. `detail` says whether the command may have been done."},
    {"unknown-time-zone", "Unknown time zone", "503", "A limit names a time zone that this machine does not know.",
     "An operator updates the system's time zones (Debian: `tzdata`)."},
    {"unsupported-media-type", "Unsupported media type", "415", "The body is not JSON, or not in UTF-8.",
     "Send `Content-Type: application/json`."},
    {"user-disabled", "User disabled", "401",
     "The user that this key belongs to is disabled, and so are all their keys.",
     "An admin can enable the user: `latchkey user enable`."},
    {"version-not-supported", "HTTP version not supported", "505", "The service speaks HTTP/1.0 and HTTP/1.1.",
     "Let the client or the proxy speak one of these."},
    {"wrong-kind", "Wrong kind of token", "403",
     "An access key was sent where an admin token is needed, or an admin token where an access key is needed.",
     "Admin tokens are for the routes below `/v1/keys`, `/v1/changes` and the like; access keys for `/v1/plan` and the "
     "routes of Token Information."},
    {"wrong-role", "Role not sufficient", "403", "The token is good, its role may not do this.",
     "A viewer's token reads only. `/docs` says which role a route needs."},
});

static_assert(std::ranges::is_sorted(types, {}, &ProblemType::name));

}  // namespace

std::span<const ProblemType> problem_types() { return types; }

const ProblemType* find_problem_type(std::string_view name) {
  const auto* found = std::ranges::lower_bound(types, name, {}, &ProblemType::name);
  return found != types.end() && found->name == name ? found : nullptr;
}

}  // namespace latchkey::pages
