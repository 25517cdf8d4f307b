#pragma once

// `--wait` of the commands that change something: they end once the change is enforced at every replica.

#include "cli/api.hpp"

namespace latchkey::cli {

void add_wait_flags(CLI::App& app, Invocation& invocation);  // --wait, --wait-timeout, --reason

/// The call, as one that waits where --wait was given, with its --reason.
ApiCall waiting(const Invocation& invocation, ApiCall call);

/// Says on stderr how each replica came to enforce the change, if that was asked for. exit_failed where it has not been
/// confirmed in time.
int tell_enforcement(const http_client::HttpReply& reply, const json::value& body);

}  // namespace latchkey::cli
