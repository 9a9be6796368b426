/* draw-tcp-server [split]: prints its port; one child for each client. split: replies in two writes each. */
#include "draw.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

static void serve(int fd, int split) {
  struct request ask;
  while (read_all(fd, &ask, sizeof ask)) {
    for (int i = 0; i < ask.x; i++) {
      struct reply r = {getpid(), 1 + i % ask.nmax};
      size_t first = split ? 3 : sizeof r;
      if (write(fd, &r, first) < 0) die("write");
      if (split) {
        usleep(2000);
        if (write(fd, (char *)&r + first, sizeof r - first) < 0) die("write");
      }
    }
  }
}

int main(int argc, char **argv) {
  (void)argv;
  signal(SIGCHLD, SIG_IGN);
  int door = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  if (bind(door, (struct sockaddr *)&at, size) < 0 || listen(door, 16) < 0) die("listen");
  getsockname(door, (struct sockaddr *)&at, &size);
  printf("port %d\n", ntohs(at.sin_port));
  fflush(stdout);
  for (;;) {
    int fd = accept(door, NULL, NULL);
    if (fd < 0) die("accept");
    if (fork() == 0) {
      int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      serve(fd, argc > 1);
      _exit(0);
    }
    close(fd);
  }
}
