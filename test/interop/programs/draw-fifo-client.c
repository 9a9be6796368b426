/* draw-fifo-client X NMAX [anew], in the folder of the pipes: prints each number and both signals.
   Fifo2 is opened once, or with "anew" for each number. */
#include "draw.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

static volatile sig_atomic_t woken;
static void on_signal(int number) { (void)number; woken = 1; }

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);

  if (mkfifo("Fifo1", 0644) < 0 && errno != EEXIST) die("mkfifo");
  int up = open("Fifo1", O_WRONLY);
  if (up < 0) die("Fifo1");
  struct request ask = {getpid(), atoi(argv[1]), atoi(argv[2])};
  if (write(up, &ask, sizeof ask) != sizeof ask) die("write");
  close(up);

  struct reply r = {0, 0};
  int down = -1;
  for (int i = 0; i < ask.x; i++) {
    while (down < 0) {
      down = open("Fifo2", O_RDONLY);
      if (down < 0 && errno != ENOENT) die("Fifo2");
    }
    if (!read_all(down, &r, sizeof r)) { puts("closed"); return 1; }
    printf("number %d\n", r.number);
    if (argc > 3) { close(down); down = -1; }
  }
  sigprocmask(SIG_BLOCK, &one, &before);
  while (!woken) sigsuspend(&before);
  puts("woken");
  if (kill(r.server, SIGUSR1) < 0) die("kill");
  printf("signalled %d\n", r.server);
  return 0;
}
