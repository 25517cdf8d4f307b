// Runs a fuzz target once over every file of the folders it is given, where there is no libFuzzer: so the ordinary build
// compiles every target, and what fuzzing once found stays mended.
//
//   token_replay fuzz/corpus/token

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  int inputs = 0;
  for (int folder = 1; folder < argc; ++folder) {
    if (!std::filesystem::is_directory(argv[folder])) continue;  // a target without seeds
    for (const auto& entry : std::filesystem::directory_iterator(argv[folder])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(file), {}};
      std::printf("%s\n", entry.path().c_str());
      std::fflush(stdout);  // names the input that ends the program
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
      ++inputs;
    }
  }
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::printf("%d inputs and the empty one\n", inputs);
}
