// latchkey. The folder is the parts list: engines.cpp chooses what stands behind the interfaces, keys_main.cpp and
// tokens_main.cpp assemble a service each, relay_main.cpp the relay, from the bottom up.

#include "base/resource_signals.hpp"
#include "cli/cli.hpp"
#include "main/services.hpp"
#include "main/standard_streams.hpp"

int main(int argc, char** argv) {
  latchkey::decide_resource_signals();
  latchkey::hold_standard_streams();
  return latchkey::cli::run(
      argc, argv,
      {latchkey::run_keys, latchkey::run_tokens, latchkey::run_relay, latchkey::configuration_errors,
       latchkey::migrate_store, latchkey::back_up_store, latchkey::restore_store, latchkey::verify_store,
       latchkey::new_limiter, latchkey::begin_limiter});
}
