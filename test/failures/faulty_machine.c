/* Preloaded into a process. $FAULTS names a folder: `wall` and `boot` hold seconds by which these clocks are off, `fsync` a
   word: "slow" lets each fsync take a second, "EIO" lets two of three fail. `pwrite` holds a number: of so many writes at a
   place one fails, as on a full disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int read_fault(const char* name, char* text, size_t size) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", getenv("FAULTS"), name);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t got = read(file, text, size - 1);
  close(file);
  text[got > 0 ? got : 0] = 0;
  return got > 0;
}

static long seconds_of(const char* name) {
  char text[32];
  return read_fault(name, text, sizeof text) ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += seconds_of("wall");
  if (result == 0 && clock == CLOCK_BOOTTIME) time->tv_sec += seconds_of("boot");
  return (int)result;
}

static int faulty_sync(long number, int file) {
  static unsigned calls;
  char text[16];
  if (read_fault("fsync", text, sizeof text)) {
    if (strcmp(text, "slow") == 0) sleep(1);
    if (strcmp(text, "EIO") == 0 && __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % 3 != 0) {
      errno = EIO;
      return -1;
    }
  }
  return (int)syscall(number, file);
}

int fsync(int file) { return faulty_sync(SYS_fsync, file); }
int fdatasync(int file) { return faulty_sync(SYS_fdatasync, file); }

static ssize_t faulty_write(int file, const void* octets, size_t size, off_t at) {
  static unsigned calls;
  const long nth = seconds_of("pwrite");
  if (nth > 0 && __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % (unsigned long)nth == 0) {
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_pwrite64, file, octets, size, at);
}

ssize_t pwrite(int file, const void* octets, size_t size, off_t at) { return faulty_write(file, octets, size, at); }
ssize_t pwrite64(int file, const void* octets, size_t size, off_t at) { return faulty_write(file, octets, size, at); }
