/* A switch between TUN devices that limits and delays what it passes on:
     link_relay PREFIX COUNT MBIT LATENCY_MS      devices PREFIX0 to PREFIX<COUNT>; the last one is not limited
   A packet goes to the device with the number of its IPv4 address's last byte less one (254: the last). It leaves its
   host when those before it have left at that rate, travels for that time, and waits for others that arrive. Prints
   "ready" when the devices are there, and ends with its standard input. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { kMostDevices = 64, kMostBytes = 10000, kSlots = 1024 };

struct packet {
  double due;
  int size;
  unsigned char bytes[kMostBytes];
};

struct device {
  int fd;
  double up_free, down_free; /* when its links are through with what they have */
  struct packet* queue;      /* a ring of what is on its way here, in order of arrival */
  unsigned first, count;
};

static struct device devices[kMostDevices];
static int count;
static double bytes_per_second, latency;
static const double longest_queue = 0.1; /* seconds; what comes on top is lost */

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void open_device(int index, const char* prefix) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  snprintf(request.ifr_name, sizeof request.ifr_name, "%.10s%d", prefix, index);
  struct device* device = &devices[index];
  device->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device->fd < 0 || ioctl(device->fd, TUNSETIFF, &request) != 0) {
    fprintf(stderr, "%s: %s\n", request.ifr_name, strerror(errno));
    exit(1);
  }
  device->queue = calloc(kSlots, sizeof *device->queue);
  if (device->queue == NULL) exit(1);
}

/* Takes one packet from a device and puts it on its way; 0 if there is none. */
static int take(int from) {
  static unsigned char bytes[65536];
  const ssize_t size = read(devices[from].fd, bytes, sizeof bytes);
  if (size <= 0) return 0;
  if (size < 20 || size > kMostBytes || bytes[0] >> 4 != 4) return 1;
  const int last = bytes[19], to = last == 254 ? count : last - 1;
  if (to < 0 || to > count || to == from || devices[to].count == kSlots) return 1;
  struct device* source = &devices[from];
  struct device* target = &devices[to];
  double arrival = now();
  if (from != count && to != count) {
    const double seconds = (double)size / bytes_per_second;
    if (source->up_free - arrival > longest_queue || target->down_free - arrival > longest_queue + latency) return 1;
    source->up_free = (source->up_free > arrival ? source->up_free : arrival) + seconds;
    arrival = source->up_free + latency;
    if (arrival < target->down_free + seconds) arrival = target->down_free + seconds;
    target->down_free = arrival;
  } else if (arrival < target->down_free) {
    arrival = target->down_free; /* a queue is in order */
  }
  struct packet* packet = &target->queue[(target->first + target->count++) % kSlots];
  packet->due = arrival;
  packet->size = (int)size;
  memcpy(packet->bytes, bytes, (size_t)size);
  return 1;
}

/* Delivers what is due; when the next one is. */
static double deliver(double time) {
  double next = time + 1;
  for (int i = 0; i <= count; ++i) {
    struct device* device = &devices[i];
    while (device->count > 0) {
      const struct packet* packet = &device->queue[device->first];
      if (packet->due > time) {
        if (packet->due < next) next = packet->due;
        break;
      }
      if (write(device->fd, packet->bytes, (size_t)packet->size) < 0) { /* lost, as packets may be */
      }
      device->first = (device->first + 1) % kSlots;
      --device->count;
    }
  }
  return next;
}

int main(int argc, char** argv) {
  if (argc != 5 || (count = atoi(argv[2])) < 1 || count >= kMostDevices) return 2;
  bytes_per_second = atof(argv[3]) * 1e6 / 8;
  latency = atof(argv[4]) / 1e3;
  struct pollfd polled[kMostDevices + 1];
  for (int i = 0; i <= count; ++i) {
    open_device(i, argv[1]);
    polled[i] = (struct pollfd){.fd = devices[i].fd, .events = POLLIN};
  }
  polled[count + 1] = (struct pollfd){.fd = 0, .events = POLLIN};
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    const double time = now(), wait = deliver(time) - time;
    const struct timespec timeout = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
    ppoll(polled, (nfds_t)count + 2, &timeout, NULL);
    char byte;
    if (polled[count + 1].revents != 0 && read(0, &byte, 1) <= 0) return 0;
    for (int i = 0; i <= count; ++i) {
      for (int burst = 0; burst < 16 && (polled[i].revents & POLLIN) != 0 && take(i) != 0; ++burst) {
      }
    }
  }
}
