/* draw-tcp-client ADDRESS PORT X NMAX: prints each number. */
#include "draw.h"
#include <arpa/inet.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &at.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) die("connect");
  struct request ask = {getpid(), atoi(argv[3]), atoi(argv[4])};
  if (write(fd, &ask, sizeof ask) != sizeof ask) die("write");
  for (int i = 0; i < ask.x; i++) {
    struct reply r;
    if (!read_all(fd, &r, sizeof r)) { puts("closed"); return 1; }
    printf("%d %d\n", r.server, r.number);
  }
  close(fd);
  return 0;
}
