/* Preloaded by tests: SHIM_LOG=FILE gets a line per fsync and rename with their paths; SHIM_YEAR=SECONDS sets the wall
   clock a year ahead so long after the start; SHIM_FAIL=write:7 makes the seventh write to a file of this process fail
   (write, pwrite, writev, also those of libraries; fsync, rename, close likewise) and says so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void put(const char* what, const char* a, const char* b) {
  const char* log = getenv("SHIM_LOG");
  if (log == NULL) return;
  FILE* file = fopen(log, "ae");
  if (file == NULL) return;
  fprintf(file, "%s\t%s\t%s\n", what, a, b);
  fclose(file);
}

static void find(void* target, const char* name) {
  void* symbol = dlsym(RTLD_NEXT, name);
  memcpy(target, &symbol, sizeof symbol);
}

static void path_of(int fd, char* path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, size - 1);
  path[length < 0 ? 0 : length] = 0;
}

/* Whether this is the operation that is to fail; then errno is set. */
static int fails(const char* what, const char* path) {
  static atomic_int count;
  const char* text = getenv("SHIM_FAIL");
  const size_t length = strlen(what);
  if (text == NULL || strncmp(text, what, length) != 0 || text[length] != ':') return 0;
  if (atomic_fetch_add(&count, 1) + 1 != atoi(text + length + 1)) return 0;
  fprintf(stderr, "shim: %s fails, %s\n", text, path);
  errno = strcmp(what, "write") == 0 ? ENOSPC : EIO;
  return 1;
}

/* Operations on files that are written; not on a log that the caller has redirected. */
static int fails_on(const char* what, int fd) {
  struct stat info;
  char path[4096] = "";
  if (fd <= 2 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink == 0) return 0;
  if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) return 0;
  path_of(fd, path, sizeof path);
  return fails(what, path);
}

ssize_t write(int fd, const void* bytes, size_t count) {
  static ssize_t (*real)(int, const void*, size_t);
  if (real == NULL) find(&real, "write");
  return fails_on("write", fd) ? -1 : real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t where) {
  static ssize_t (*real)(int, const void*, size_t, off_t);
  if (real == NULL) find(&real, "pwrite");
  return fails_on("write", fd) ? -1 : real(fd, bytes, count, where);
}

ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t where) { return pwrite(fd, bytes, count, where); }

ssize_t writev(int fd, const struct iovec* parts, int count) {
  static ssize_t (*real)(int, const struct iovec*, int);
  if (real == NULL) find(&real, "writev");
  return fails_on("write", fd) ? -1 : real(fd, parts, count);
}

int close(int fd) {
  static int (*real)(int);
  if (real == NULL) find(&real, "close");
  if (fails_on("close", fd)) {
    real(fd);
    errno = EIO;
    return -1;
  }
  return real(fd);
}

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) find(&real, "fsync");
  char path[4096] = "";
  path_of(fd, path, sizeof path);
  if (fails("fsync", path)) return -1;
  put("fsync", path, "");
  return real(fd);
}

int rename(const char* from, const char* to) {
  static int (*real)(const char*, const char*);
  if (real == NULL) find(&real, "rename");
  if (fails("rename", to)) return -1;
  put("rename", from, to);
  return real(from, to);
}

int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  static int (*real)(int, const char*, int, const char*, unsigned);
  if (real == NULL) find(&real, "renameat2");
  if (fails("rename", to)) return -1;
  put("rename", from, to);
  return real(a, from, b, to, flags);
}

/* SHIM_HDF5=1: another version of libhdf5 than that of other processes. */
int H5get_libversion(unsigned* major, unsigned* minor, unsigned* release) {
  static int (*real)(unsigned*, unsigned*, unsigned*);
  if (real == NULL) find(&real, "H5get_libversion");
  const int result = real == NULL ? -1 : real(major, minor, release);
  if (getenv("SHIM_HDF5") != NULL) *release += 1;
  return result;
}

static int (*real_clock)(clockid_t, struct timespec*);

static time_t ahead(void) {
  static double start = -1;
  const char* text = getenv("SHIM_YEAR");
  if (text == NULL) return 0;
  struct timespec now;
  real_clock(CLOCK_MONOTONIC, &now);
  const double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
  if (start < 0) start = seconds;
  return seconds - start > atof(text) ? 365 * 86400 : 0;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  if (real_clock == NULL) find(&real_clock, "clock_gettime");
  const int result = real_clock(clock, time);
  if (clock == CLOCK_REALTIME) time->tv_sec += ahead();
  return result;
}

time_t time(time_t* target) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (target != NULL) *target = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval* target, void* zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  target->tv_sec = now.tv_sec;
  target->tv_usec = now.tv_nsec / 1000;
  return 0;
}
