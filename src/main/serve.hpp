#pragma once

// What both services do around their own parts.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "config/settings.hpp"
#include "data_dir/data_dir.hpp"
#include "http/server.hpp"
#include "main/signals.hpp"

namespace latchkey {

/// Says on the operator's log what could not be done, and gives the exit code.
int fail(std::string_view doing, const Error& error);

http::ServerConfig server_config(const config::Settings& settings, const std::string& listen,
                                 std::shared_ptr<http::TlsCredentials> tls);
void export_server(Metrics& metrics, const http::Server& server);

/// Listens, tells where, serves until asked to stop, drains. `on_stop`: before it drains.
int serve(
    http::Server& server, const data_dir::DataDir& data, data_dir::Service service, const Signals& signals,
    const std::function<void()>& on_hangup, const std::function<void()>& on_stop = [] {});

}  // namespace latchkey
