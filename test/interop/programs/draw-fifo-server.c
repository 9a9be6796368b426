/* draw-fifo-server COUNT, in the folder of the pipes: answers COUNT requests, prints who asked and who signalled. */
#include "draw.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

static volatile sig_atomic_t woken;
static void on_signal(int number) { (void)number; woken = 1; }

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  sigprocmask(SIG_BLOCK, &one, &before);

  if (mkfifo("Fifo2", 0644) < 0 && errno != EEXIST) die("mkfifo");
  puts("ready");
  fflush(stdout);
  for (int left = atoi(argv[1]); left > 0; left--) {
    struct request ask;
    int up = -1;
    while (up < 0) {
      up = open("Fifo1", O_RDONLY);
      if (up < 0 && errno != ENOENT) die("Fifo1");
      if (up < 0) usleep(10000);
    }
    int whole = read_all(up, &ask, sizeof ask);
    close(up);
    if (!whole) { left++; continue; }
    for (int i = 0; i < ask.x; i++) {
      int down = open("Fifo2", O_WRONLY);
      if (down < 0) die("Fifo2");
      struct reply r = {getpid(), 1 + i % ask.nmax};
      if (write(down, &r, sizeof r) != sizeof r) die("write");
      close(down);
    }
    woken = 0;
    if (kill(ask.client, SIGUSR1) < 0) die("kill");
    while (!woken) sigsuspend(&before);
    printf("answered %d\n", ask.client);
    fflush(stdout);
  }
  return 0;
}
