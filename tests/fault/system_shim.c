/* Preloaded by tests: SHIM_LOG=FILE gets a line per fsync and rename with their paths; SHIM_YEAR=SECONDS sets the wall
   clock a year ahead so long after the start. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
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

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  char link[64], path[4096] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  put("fsync", path, "");
  return real(fd);
}

int rename(const char* from, const char* to) {
  static int (*real)(const char*, const char*);
  if (real == NULL) real = (int (*)(const char*, const char*))dlsym(RTLD_NEXT, "rename");
  put("rename", from, to);
  return real(from, to);
}

int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  static int (*real)(int, const char*, int, const char*, unsigned);
  if (real == NULL) real = (int (*)(int, const char*, int, const char*, unsigned))dlsym(RTLD_NEXT, "renameat2");
  put("rename", from, to);
  return real(a, from, b, to, flags);
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
  if (real_clock == NULL) real_clock = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
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
