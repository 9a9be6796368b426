/* The records of the random numbers, as a C program has them in memory on a little-endian machine. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct request { int32_t client, x, nmax; };
struct reply { int32_t server, number; };

static void die(const char *what) { perror(what); exit(1); }

/* 1: all of it came; 0: the other end was closed. */
static int read_all(int fd, void *to, size_t size) {
  size_t got = 0;
  while (got < size) {
    ssize_t n = read(fd, (char *)to + got, size - got);
    if (n < 0) die("read");
    if (n == 0) return 0;
    got += (size_t)n;
  }
  return 1;
}
