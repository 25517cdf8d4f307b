# What is shipped makes a memory error harder to use; test/packaging_test.py asks the binary for each. Not the other
# builds, which have sanitizers or no optimisation, without which _FORTIFY_SOURCE does nothing.
#   -z relro, -z now      the tables of the dynamic linker are read-only once the program runs
#   -fPIE, -pie           code at another address in each run
#   stack protector       a canary below the return address of functions with arrays; stack clash: pages one by one
#   _FORTIFY_SOURCE       libc's copying functions know how large their target is
#   -fcf-protection       indirect jumps land on marked places only, and returns where a second stack says (CET), where
#                         processor and kernel have it. -z shstk says so of the whole program: Debian's start files (crti.o)
#                         are not marked, and one that is not takes the mark from all.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  string(APPEND CMAKE_CXX_FLAGS " -fPIE -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2")
  string(APPEND CMAKE_EXE_LINKER_FLAGS " -pie -Wl,-z,relro,-z,now,-z,noexecstack")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    string(APPEND CMAKE_CXX_FLAGS " -fcf-protection=full")
    string(APPEND CMAKE_EXE_LINKER_FLAGS " -Wl,-z,shstk")
  endif()
endif()
