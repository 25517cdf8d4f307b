#pragma once

namespace latchkey {

/// What the kernel sends when a resource gives out, decided here once for the whole program; main() calls it before
/// anything else, and a test before it takes a resource away. Each would end the process otherwise:
///   SIGPIPE  ignored: the peer is gone, or `head` has seen enough: a write says EPIPE
///   SIGXFSZ  ignored: a file has come to RLIMIT_FSIZE: a write says EFBIG, which is handled as a full disk is
///   SIGBUS   a mapped file was shortened by somebody else: base/mapping_guard.hpp
/// SIGXCPU (RLIMIT_CPU) ends a service in order, by main/signals.hpp, before the kernel kills it.
void decide_resource_signals();

}  // namespace latchkey
