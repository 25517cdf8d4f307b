#!/usr/bin/env bash
# Debian 12 (GCC 12.2, glibc 2.36): a program built with -fcf-protection=full has endbr64 at its functions and no IBT or SHSTK mark.
#
# One would think: the option makes a program that asks for Intel CET, as on other distributions.
# Seen: the linker keeps the property only if every input has it, and glibc's start files (Scrt1.o, crti.o) lack it here. So the kernel
# is never asked. -Wl,-z,shstk sets the mark all the same.
# What follows: a hardening check reads the note of the finished program, not the compiler's options.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
command -v g++ >/dev/null && command -v readelf >/dev/null && grep -q '^12' /etc/debian_version && [ "$(uname -m)" = x86_64 ] || exit 77
echo 'int f() { return 1; } int (*volatile p)() = f; int main() { return p() - 1; }' > t.cpp
g++ -O2 -fcf-protection=full t.cpp -o plain
g++ -O2 -fcf-protection=full -Wl,-z,shstk t.cpp -o forced
features() { readelf -n "$1" 2>/dev/null | grep -oE 'x86 feature: .*' || echo none; }
{
  echo "our object: $(g++ -O2 -fcf-protection=full -c t.cpp -o t.o && features t.o)"
  echo "endbr64 in the program: $(objdump -d plain | grep -c endbr64 | awk '{print ($1 > 1) ? "yes" : "no"}')"
  echo "the program: $(features plain)"
  echo "crti.o: $(features "$(g++ -print-file-name=crti.o)")"
  echo "with -z shstk: $(features forced)"
} | tee out
cat > expected <<'T'
our object: x86 feature: IBT, SHSTK
endbr64 in the program: yes
the program: none
crti.o: none
with -z shstk: x86 feature: SHSTK
T
diff expected out
