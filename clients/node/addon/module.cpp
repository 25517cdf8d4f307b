// latchkey.node: the functions that JavaScript calls (clients/node/src/native.ts), one each below.
//
//   check(handle, kind, value, cost)      → 0 admitted, 1 + reason refused, −1 not at once, −2 not without a question;
//                                           details in `details`
//   checkAsked(…, scopes, peer, forwarded)→ the same, and never −2: the key is bound to scopes or networks
//   checkLater(…, scopes, peer, forwarded, done) → done(number), as above and never below 0
//   text()                                → what does not go in numbers, of the last verdict that says so in `details`
//   credential([name, value, …])          → which of these header lines has the access key, or −1 − reason
//   open([name, value, …])                → Promise of a handle
//   close(handle), closeAll(), state(handle), refusals(), cryptoLibrary()

#include <dlfcn.h>
#include <node_api.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "access/credentials.hpp"
#include "access/refusal_problem.hpp"
#include "addon/arguments.hpp"
#include "addon/environment.hpp"
#include "key/key_id_text.hpp"
#include "tokens_service/header_lines.hpp"
#include "tokens_service/limit_refusal.hpp"

namespace latchkey::node {
namespace {

using access::Refusal;

constexpr std::int32_t not_at_once = -1;
constexpr std::int32_t not_unasked = -2;

enum class Kind : std::uint32_t { token, authorization, api_key };

/// The token in a value of this kind, as the service would find it in a request.
Result<std::string_view, Refusal> token_in(Kind kind, const TextArgument& argument) {
  const http::Header header{kind == Kind::authorization ? "authorization" : "x-api-key", argument.text()};
  http::Request request;
  request.headers = {&header, 1};
  auto token = access::token_in_headers(request);
  if (token && argument.cut()) return Refusal::malformed;
  return token;
}

/// What the key's holder knows as requests per minute; 0: nothing.
std::uint32_t per_minute_of(const access::Holder& holder) {
  if (holder.bound != access::Bound::listed) return holder.requests_per_minute;
  const auto& limits = holder.limits;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (limits.name(i) == per_minute_name && !limits[i].observe) return limits[i].requests;
  }
  return 0;
}

void name_holder(Handle& handle, const access::Holder& holder, Details& out) {
  std::uint64_t words[2];
  static_assert(sizeof words == sizeof holder.key_id);
  std::memcpy(words, &holder.key_id, sizeof words);
  const std::size_t slot = ((words[0] ^ words[1]) * 0x9e3779b97f4a7c15ULL) >> 52U;
  static_assert(Handle::slots == std::size_t{1} << 12U);
  Handle::Known& known = handle.known[slot];
  out.number[Details::slot] = static_cast<std::uint32_t>(slot);
  out.number[Details::fresh] = 0;
  if (known.key == holder.key_id && known.version == holder.version) return;
  known = {holder.key_id, holder.version};
  const auto id = text_of(holder.key_id);
  char* const end = std::copy(id.begin(), id.end(), out.octet);
  std::copy_n(holder.user_id().data(), holder.user_id().size(), end);
  out.number[Details::fresh] = 1;
  out.number[Details::limit] = per_minute_of(holder);
  out.number[Details::key_id_size] = static_cast<std::uint32_t>(id.size());
  out.number[Details::user_id_size] = holder.user_id_size;
}
static_assert(Details::octets >= 36 + max_user_id_bytes);

/// As Token Information answers it.
void tell_charged(const Verdict& verdict, Environment& environment) {
  const auto& [limits, said] = *verdict.charged;
  std::uint32_t least = Details::nothing_remains_to_tell;
  for (std::size_t i = 0; i < said.count; ++i) {
    if (!limits[i].observe) least = std::min(least, said.standings[i].remaining);
  }
  environment.details().number[Details::remaining] = least;
  environment.details().number[Details::charged] = 1;
  tokens_service::HeaderLines lines;
  if (!verdict.refusal || access::names_limits(*verdict.refusal)) lines.rate_limits(limits, said);
  if (said.outcome == limit::Outcome::limited) lines.retry_after(said.retry_after_seconds);
  std::string& text = environment.text();
  text.assign(lines.text());
  if (!verdict.refusal) return;
  const auto refused = tokens_service::limit_refusal(*verdict.refusal, tokens_service::Deny::as_is,
                                                     tokens_service::refusing(limits, said));
  text.append(refused.header_lines).append("\r\n").append(refused.body);
}

std::int32_t tell(Handle* handle, const Verdict& verdict, Environment& environment) {
  Details& out = environment.details();
  out.number[Details::slot] = Details::no_slot;
  if (verdict.holder && handle != nullptr) {
    name_holder(*handle, *verdict.holder, out);
    out.number[Details::charged] = 0;
    if (verdict.charged) {
      tell_charged(verdict, environment);
    } else {
      out.number[Details::remaining] = verdict.decision.remaining;
      out.number[Details::reset] = verdict.decision.reset_seconds;
      out.number[Details::retry_after] = verdict.decision.retry_after_seconds;
    }
  }
  return verdict.refusal ? 1 + static_cast<std::int32_t>(*verdict.refusal) : 0;
}

std::int32_t refused(Refusal reason, Environment& environment) {
  return tell(nullptr, {reason, std::nullopt, {}, std::nullopt}, environment);
}

/// JavaScript has checked it; what is none is dear.
std::uint32_t cost_of(napi_env env, napi_value value) { return std::min(number_of(env, value), limit::max_cost); }

napi_value closed(napi_env env) {
  napi_throw(env, error_of(env, "LATCHKEY_CLOSED", "this Latchkey has been closed"));
  return nullptr;
}

std::vector<std::string> texts_of(napi_env env, napi_value array) {
  std::uint32_t size = 0;
  napi_get_array_length(env, array, &size);
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < size; ++i) {
    napi_value element = nullptr;
    napi_get_element(env, array, i, &element);
    texts.push_back(text_of(env, element));
  }
  return texts;
}

/// `peer`: an address, "unix", or anything else where nobody knows.
Question question_of(napi_env env, napi_value scopes, napi_value peer, napi_value forwarded_for) {
  const std::string address = text_of(env, peer);
  return {texts_of(env, scopes), {IpAddress::parse(address), address == "unix"}, texts_of(env, forwarded_for)};
}

template <std::size_t count>
napi_value check_now(napi_env env, const Arguments<count>& arguments, const Question* question) {
  auto& environment = Environment::of(env);
  Handle* const handle = environment.find(number_of(env, arguments[0]));
  if (handle == nullptr || !handle->core) return closed(env);
  const TextArgument value(env, arguments[2]);
  const auto token = token_in(static_cast<Kind>(number_of(env, arguments[1])), value);
  if (!token) return to_js(env, refused(token.error(), environment));
  const auto verdict = handle->core->check(*token, cost_of(env, arguments[3]), question);
  if (verdict) return to_js(env, tell(handle, *verdict, environment));
  return to_js(env, verdict.error() == Undecided::unasked ? not_unasked : not_at_once);
}

napi_value check(napi_env env, napi_callback_info info) { return check_now(env, Arguments<4>(env, info), nullptr); }

napi_value check_asked(napi_env env, napi_callback_info info) {
  const Arguments<7> arguments(env, info);
  const Question question = question_of(env, arguments[4], arguments[5], arguments[6]);
  return check_now(env, arguments, &question);
}

/// Calls the JavaScript function of `done` with what became of it.
void deliver(napi_env env, napi_ref done, std::uint32_t handle, const Verdict& verdict) {
  napi_value function = nullptr, undefined = nullptr;
  auto& environment = Environment::of(env);
  napi_get_reference_value(env, done, &function);
  napi_get_undefined(env, &undefined);
  napi_delete_reference(env, done);
  environment.finish();
  const napi_value code = to_js(env, tell(environment.find(handle), verdict, environment));
  napi_call_function(env, undefined, function, 1, &code, nullptr);
}

napi_value check_later(napi_env env, napi_callback_info info) {
  const Arguments<8> arguments(env, info);
  auto& environment = Environment::of(env);
  const std::uint32_t number = number_of(env, arguments[0]);
  Handle* const handle = environment.find(number);
  if (handle == nullptr || !handle->core) return closed(env);
  napi_ref done = nullptr;
  napi_create_reference(env, arguments[7], 1, &done);
  environment.begin();
  const auto answer = [mailbox = environment.mailbox(), done, number](const Verdict& verdict) {
    mailbox->post([done, number, verdict](napi_env there) { deliver(there, done, number, verdict); });
  };
  const TextArgument value(env, arguments[2]);
  const auto token = token_in(static_cast<Kind>(number_of(env, arguments[1])), value);
  if (!token) {
    answer({token.error(), std::nullopt, {}, std::nullopt});
  } else {
    handle->core->check_later(std::string(*token), cost_of(env, arguments[3]),
                              question_of(env, arguments[4], arguments[5], arguments[6]), answer);
  }
  return nullptr;
}

napi_value credential(napi_env env, napi_callback_info info) {
  const auto lines = texts_of(env, Arguments<1>(env, info)[0]);
  std::vector<http::Header> headers;
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2) headers.push_back({lines[i], lines[i + 1]});
  http::Request request;
  request.headers = headers;
  const auto token = access::token_in_headers(request);
  if (!token) return to_js(env, -1 - static_cast<std::int32_t>(token.error()));
  const auto holds = [&](const http::Header& header) {
    return token->data() >= header.value.data() && token->data() < header.value.data() + header.value.size();
  };
  return to_js(env, static_cast<std::int32_t>(std::find_if(headers.begin(), headers.end(), holds) - headers.begin()));
}

Result<config::Settings> settings_of(const std::vector<std::string>& pairs) {
  config::Settings settings;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const auto specs = config::setting_specs();
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const auto& s) { return s.name == pairs[i]; });
    if (spec == specs.end()) return Error(ErrorCode::invalid, pairs[i] + ": no such setting");
    if (const auto taken = spec->set(settings, pairs[i + 1]); !taken) {
      return Error(ErrorCode::invalid, pairs[i] + ": " + taken.error().detail);
    }
  }
  return settings;
}

std::string_view code_of(ErrorCode code) {
  if (code == ErrorCode::conflict) return "LATCHKEY_CONFLICT";
  if (code == ErrorCode::invalid) return "LATCHKEY_CONFIGURATION";
  return "LATCHKEY_UNAVAILABLE";
}

std::string message_of(const ReplicaError& failed) {
  const auto& error = failed.error;
  return std::string(failed.opening) + ": " + error.detail + (error.internal.empty() ? "" : ": " + error.internal);
}

napi_value open(napi_env env, napi_callback_info info) {
  const auto settings = settings_of(texts_of(env, Arguments<1>(env, info)[0]));
  auto& environment = Environment::of(env);
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  napi_create_promise(env, &deferred, &promise);
  if (!settings) {
    napi_reject_deferred(env, deferred, error_of(env, "LATCHKEY_CONFIGURATION", settings.error().detail));
    return promise;
  }
  environment.begin();
  environment.run([mailbox = environment.mailbox(), deferred, settings = *settings] {
    auto opened = Core::open(settings);
    mailbox->post([deferred, opened = std::move(opened)](napi_env there) {
      auto& at = Environment::of(there);
      at.finish();
      if (opened) {
        napi_resolve_deferred(there, deferred, to_js(there, static_cast<std::int32_t>(at.add(*opened))));
      } else {
        const auto& error = opened.error();
        napi_reject_deferred(there, deferred, error_of(there, code_of(error.error.code), message_of(error)));
      }
    });
  });
  return promise;
}

napi_value close(napi_env env, napi_callback_info info) {
  auto& environment = Environment::of(env);
  const std::uint32_t number = number_of(env, Arguments<1>(env, info)[0]);
  Handle* const handle = environment.find(number);
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  napi_create_promise(env, &deferred, &promise);
  environment.begin();
  auto core = handle == nullptr ? nullptr : std::exchange(handle->core, nullptr);
  environment.run([mailbox = environment.mailbox(), deferred, number, core = std::move(core)]() mutable {
    core.reset();  // the last one ends it, and answers what was begun: those verdicts come before the promise
    mailbox->post([deferred, number](napi_env there) {
      napi_value undefined = nullptr;
      napi_get_undefined(there, &undefined);
      Environment::of(there).remove(number);
      Environment::of(there).finish();
      napi_resolve_deferred(there, deferred, undefined);
    });
  });
  return promise;
}

napi_value close_all(napi_env env, napi_callback_info) {
  Environment::of(env).close_all();
  return nullptr;
}

std::string_view to_text(access::Readiness readiness) {
  constexpr std::string_view names[] = {"ready", "loading", "unregistered", "stale"};
  return names[static_cast<std::size_t>(readiness)];
}

napi_value state(napi_env env, napi_callback_info info) {
  Handle* const handle = Environment::of(env).find(number_of(env, Arguments<1>(env, info)[0]));
  if (handle == nullptr || !handle->core) return closed(env);
  const auto state = handle->core->state();
  napi_value object = nullptr;
  napi_create_object(env, &object);
  set(env, object, "state", to_js(env, to_text(state.readiness)));
  set(env, object, "position", to_js(env, state.position.to_string()));
  set(env, object, "ageMillis", to_js(env, std::chrono::duration<double, std::milli>(state.age).count()));
  set(env, object, "keys", to_js(env, static_cast<double>(state.keys)));
  return object;
}

napi_value refusals(napi_env env, napi_callback_info) {
  napi_value all = nullptr;
  napi_create_array(env, &all);
  for (std::uint32_t i = 0; i < access::refusal_count; ++i) {
    const auto reason = static_cast<Refusal>(i);
    const auto& answer = access::answer_of(reason);
    napi_value one = nullptr;
    napi_create_object(env, &one);
    set(env, one, "reason", to_js(env, access::to_string(reason)));
    set(env, one, "status", to_js(env, std::int32_t{answer.status}));
    set(env, one, "headerLines", to_js(env, answer.header_lines));
    set(env, one, "body", to_js(env, answer.body));
    napi_set_element(env, all, i, one);
  }
  return all;
}

/// The file whose EVP_DigestVerify runs here: this addon's own, whatever the process exports.
napi_value crypto_library(napi_env env, napi_callback_info) {
  Dl_info found{};
  void* address = nullptr;
  auto* const function = &EVP_DigestVerify;
  std::memcpy(&address, &function, sizeof address);
  return to_js(env, ::dladdr(address, &found) != 0 ? std::string_view(found.dli_fname) : std::string_view());
}

napi_value text(napi_env env, napi_callback_info) { return to_js(env, std::string_view(Environment::of(env).text())); }

napi_value details(napi_env env, napi_callback_info) { return Environment::of(env).details_buffer(env); }

napi_value make(napi_env env, napi_value exports) {
  Environment::create(env);
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    set(env, exports, name, function);
  };
  add("check", check);
  add("checkAsked", check_asked);
  add("checkLater", check_later);
  add("credential", credential);
  add("open", open);
  add("close", close);
  add("closeAll", close_all);
  add("state", state);
  add("refusals", refusals);
  add("cryptoLibrary", crypto_library);
  add("details", details);
  add("text", text);
  set(env, exports, "version", to_js(env, std::string_view(LATCHKEY_VERSION)));
  return exports;
}

}  // namespace
}  // namespace latchkey::node

NAPI_MODULE_INIT() { return latchkey::node::make(env, exports); }
