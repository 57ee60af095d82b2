/*
 * What io/system.h's calls do in situations that system calls differ in: after a reset, at the end of a stream,
 * with a full buffer. Compiled twice: with ON_LINUX it runs on system_linux.c and its far ends are sockets of this
 * process, else on the simulated system; the two must write the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/system.h"

static int poller;

/* All that happens has happened when this returns. */
static void
settle(void)
{
    struct system_ready ready[8];
    int other = system_poller();

    (void)system_wait(other, ready, 8, 20);
    system_close(other);
}

/* --- the far ends ------------------------------------------------------------------------------ */

#ifdef ON_LINUX

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static int server = -1, far = -1;
static uint16_t server_port, unused_port, taken_port;

/* The far ends' own files stay out of the way of those that are counted. */
static int
high(int file)
{
    int other = fcntl(file, F_DUPFD, 100);

    (void)close(file);
    return other;
}

static int
serve(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int file = high(socket(AF_INET, SOCK_STREAM, 0));

    if (bind(file, (struct sockaddr *)&a, len) != 0 || listen(file, 8) != 0 ||
        getsockname(file, (struct sockaddr *)&a, &len) != 0)
        abort();
    *port = ntohs(a.sin_port);
    return file;
}

static void
far_accept(void)
{
    far = high(accept(server, NULL, NULL));
}

static void
far_connect(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    far = high(socket(AF_INET, SOCK_STREAM, 0));
    if (connect(far, (struct sockaddr *)&a, sizeof a) != 0)
        abort();
}

static void
far_send(const char *text)
{
    (void)!write(far, text, strlen(text));
}

static void
far_finish(void)
{
    (void)shutdown(far, SHUT_WR);
}

static void
far_close(void)
{
    char unread[4096];

    /* so that it does not become a reset */
    while (recv(far, unread, sizeof unread, MSG_DONTWAIT) > 0)
        ;
    (void)close(far);
}

static void
far_reset(void)
{
    struct linger linger = {.l_onoff = 1};

    (void)setsockopt(far, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    (void)close(far);
}

static void
far_hold(void)
{
}

static void
terminate(void)
{
    (void)kill(getpid(), SIGTERM);
}

#else

#include <setjmp.h>
#include <stdarg.h>

#include "kernel_parts.h"

struct world world;
static const uint16_t server_port = 9001, unused_port = 9002, taken_port = 9001;
static struct peer *far;

static void
nothing(void *context)
{
    (void)context;
}

static void
came(void *context, struct span bytes)
{
    (void)context;
    (void)bytes;
}

static void
opened(void *context, struct peer *peer)
{
    (void)context;
    far = peer;
}

static const struct peer_events hears = {opened, came, nothing, nothing};

static enum kernel_answer
connecting(void *context, struct peer *peer, const struct peer_events **events, void **heard)
{
    (void)context;
    (void)peer;
    *events = &hears;
    *heard = NULL;
    return KERNEL_ACCEPT;
}

static void
far_accept(void)
{
}

static void
far_connect(uint16_t port)
{
    far = kernel_connect(port, &hears, NULL);
}

static void
far_send(const char *text)
{
    peer_send(far, (struct span){text, strlen(text)});
}

static void
far_finish(void)
{
    peer_finish(far);
}

static void
far_close(void)
{
    peer_close(far);
}

static void
far_reset(void)
{
    peer_reset(far);
}

static void
far_hold(void)
{
    peer_hold(far, true);
}

static void
terminate(void)
{
    kernel_signal(15);
}

#endif

/* --- what is written --------------------------------------------------------------------------- */

static void
look(const char *when, int file)
{
    struct system_ready ready[4];
    int n = 0;

    settle();
    if (poller > 0)
        n = system_wait(poller, ready, 4, 0);
    printf("  %-28s looks %04x", when, system_look(file));
    printf(", waiting %zu, %d ready", system_waiting(file), n);
    if (n > 0)
        printf(": %04x", ready[0].events);
    putchar('\n');
}

static void
try_read(int file, size_t cap)
{
    char buffer[64] = "";
    int64_t n = system_read(file, buffer, cap);

    printf("  reads %lld", (long long)n);
    if (n > 0)
        printf(" <%.*s>", (int)n, buffer);
    if (n < 0)
        printf(" error %d", system_error());
    putchar('\n');
}

static void
try_send(int file, const char *text)
{
    int64_t n = system_send(file, (struct span){text, strlen(text)}, false);

    printf("  sends %lld", (long long)n);
    if (n < 0)
        printf(" error %d", system_error());
    putchar('\n');
}

static int
connected(const char *scene)
{
    struct system_address to = {.address = {{127, 0, 0, 1}, 4}, .port = server_port};
    int file = system_connect(SYSTEM_STREAM, &to);
    int at_once = system_connected(file);

    printf("%s: file %d, connected %d\n", scene, file, at_once);
    far_accept();
    poller = system_poller();
    (void)system_watch(poller, file, SYSTEM_IN, &poller, false);
    look("at first", file);
    return file;
}

static void
over(int file)
{
    system_close(file);
    system_close(poller);
    poller = 0;
}

/* --- scenes ------------------------------------------------------------------------------------ */

static void
bytes_come(void)
{
    int file = connected("bytes come");

    try_read(file, 8);
    far_send("abcdef");
    look("bytes", file);
    try_read(file, 4);
    look("some were read", file);
    try_read(file, 8);
    try_read(file, 8);
    far_close();
    over(file);
}

static void
far_end_finishes(void)
{
    int file = connected("the far end finishes");

    far_send("ab");
    far_finish();
    look("finished", file);
    try_read(file, 8);
    try_read(file, 8);
    try_send(file, "x");
    look("sent after it", file);
    system_finish(file);
    look("finished, too", file);
    try_send(file, "x");
    try_read(file, 8);
    far_close();
    over(file);
}

static void
we_finish(void)
{
    int file = connected("we finish first");

    try_send(file, "x");
    system_finish(file);
    look("finished", file);
    far_send("late");
    look("an answer", file);
    try_read(file, 8);
    far_close();
    look("closed", file);
    try_read(file, 8);
    over(file);
}

static void
reset_read(void)
{
    int file = connected("a reset, then reads");

    far_reset();
    look("reset", file);
    try_read(file, 8);
    look("error was read", file);
    try_read(file, 8);
    try_send(file, "x");
    look("sent after it", file);
    over(file);
}

static void
reset_send(void)
{
    int file = connected("a reset, then sends");

    far_reset();
    look("reset", file);
    try_send(file, "x");
    look("error was met", file);
    try_send(file, "x");
    try_read(file, 8);
    over(file);
}

static void
reset_unread(void)
{
    int file = connected("a reset behind bytes");

    far_send("abcdef");
    settle();
    far_reset();
    look("reset", file);
    try_read(file, 4);
    try_read(file, 8);
    try_read(file, 8);
    try_read(file, 8);
    look("all was read", file);
    over(file);
}

static void
reset_connected(void)
{
    int file = connected("a reset, then asks");

    far_reset();
    settle();
    printf("  connected %d", system_connected(file));
    printf(" error %d\n", system_error());
    printf("  connected %d\n", system_connected(file));
    try_read(file, 8);
    over(file);
}

static void
closed_send(void)
{
    int file = connected("closed, then sends");

    far_send("ab");
    settle();
    far_close();
    look("closed", file);
    try_send(file, "x");
    look("sent", file);
    try_send(file, "x");
    try_read(file, 8);
    try_read(file, 8);
    try_read(file, 8);
    look("all was met", file);
    over(file);
}

static void
silent_watch(void)
{
    int file = connected("watched for nothing");

    (void)system_watch(poller, file, 0, &poller, true);
    far_send("ab");
    look("bytes", file);
    far_reset();
    look("reset", file);
    over(file);
}

static void
full(void)
{
    static char many[4 << 20];
    int file = connected("nobody reads");
    int64_t n;

    far_hold();
    memset(many, 'a', sizeof many);
    do {
        n = system_send(file, (struct span){many, sizeof many}, false);
        settle();
    } while (n > 0);
    printf("  at last sends %lld error %d\n", (long long)n, system_error());
    (void)system_watch(poller, file, SYSTEM_OUT, &poller, true);
    look("full", file);
    over(file);
    far_reset();
}

static void
nobody_listens(void)
{
    struct system_address to = {.address = {{127, 0, 0, 1}, 4}, .port = unused_port};
    int file = system_connect(SYSTEM_STREAM, &to);

    printf("nobody listens: %d", file);
    printf(", looks %04x", system_look(file));
    printf(", connected %d", system_connected(file));
    printf(" error %d\n", system_error());
    try_read(file, 8);
    system_close(file);
}

static void
listening(void)
{
    uint16_t port = taken_port;
    int file = system_listen(&port);
    int first, second;

    printf("a port that is taken: %d", file);
    printf(" error %d\n", system_error());
    port = 0;
    file = system_listen(&port);
    poller = system_poller();
    (void)system_watch(poller, file, SYSTEM_IN, &poller, false);
    settle();
    printf("listening: %d, looks %04x", file, system_look(file));
    printf(", accepts %d", system_accept(file));
    printf(" error %d\n", system_error());
    far_connect(port);
    settle();
    far_send("ab");
    settle();
    printf("  one has come: looks %04x\n", system_look(file));
    first = system_accept(file);
    second = system_accept(file);
    printf("  accepts %d, then %d, looks %04x\n", first, second, system_look(file));
    look("it", first);
    try_read(first, 8);
    far_close();
    over(first);
    second = system_poller();
    printf("  the lowest number that is free: %d\n", second);
    system_close(second);
    system_close(file);
}

static void
datagrams(void)
{
    struct system_address to = {.address = {{127, 0, 0, 1}, 4}, .port = unused_port};
    int file = system_connect(SYSTEM_DATAGRAM, &to);

    printf("datagrams to nobody: %d, looks %04x\n", file, system_look(file));
    try_read(file, 8);
    try_send(file, "x");
    settle();
    printf("  looks %04x\n", system_look(file));
    try_read(file, 8);
    try_read(file, 8);
    try_send(file, "x");
    settle();
    try_send(file, "x");
    settle();
    try_send(file, "x");
    system_close(file);
}

static void
files(const char *path)
{
    int file = system_open("/no/such/file");
    struct span bytes = {NULL, 0};

    printf("files: %d", file);
    printf(" error %d\n", system_error());
    file = system_open(path);
    poller = system_poller();
    printf("  %d, looks %04x", file, system_look(file));
    printf(", watched %d", system_watch(poller, file, SYSTEM_IN, NULL, false));
    printf(" error %d\n", system_error());
    try_read(file, 2);
    printf("  mapped %d", system_map(file, 3, &bytes));
    printf(", %d", system_map(file, 4, &bytes));
    printf(" <%.*s>\n", (int)bytes.len, bytes.p);
    system_unmap(bytes);
    try_read(file, 8);
    over(file);
    file = connected("mapped");
    printf("  mapped %d", system_map(file, 4, &bytes));
    printf(" error %d\n", system_error());
    far_close();
    over(file);
}

static void
signals(void)
{
    int file = system_signals();

    system_hold_signals(true);
    printf("signals: looks %04x", system_look(file));
    printf(", reads %d\n", system_signal(file));
    terminate();
    settle();
    printf("  one has come: looks %04x", system_look(file));
    printf(", reads %d", system_signal(file));
    printf(", then %d\n", system_signal(file));
    system_close(file);
}

static int
play(const char *path)
{
    bytes_come();
    far_end_finishes();
    we_finish();
    reset_read();
    reset_send();
    reset_unread();
    reset_connected();
    closed_send();
    silent_watch();
    full();
    nobody_listens();
    listening();
    datagrams();
    files(path);
    signals();
    return 0;
}

#ifdef ON_LINUX

int
main(void)
{
    char path[] = "/tmp/fidelity.XXXXXX";
    int file = mkstemp(path);

    if (file < 0 || write(file, "line", 4) != 4)
        abort();
    (void)close(file);
    server = serve(&server_port);
    taken_port = server_port;
    (void)close(serve(&unused_port));
    (void)play(path);
    (void)unlink(path);
    return 0;
}

#else

/* The program is this, and has no variables that a run must not find changed. */
int extension_main(int argc, char **argv);
char some_data __attribute__((section("program_data"))) = 1;
char some_bss __attribute__((section("program_bss"))) = 1;

int
extension_main(int argc, char **argv)
{
    (void)argc;
    return play(argv[0]);
}

void
world_say(const char *who, const char *format, ...)
{
    (void)who;
    (void)format;
}

void
world_break(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    exit(1);
}

int
main(int argc, char **argv)
{
    static const struct service service = {connecting, NULL};
    static char path[] = "/file";
    char *arguments[] = {path, NULL};
    int status = 0;

    kernel_begin((struct dice){argc > 1 ? strtoull(argv[1], NULL, 10) : 0},
                 &(struct kernel_faults){.buffer_bytes = 4096});
    kernel_serve(&(struct system_address){.address = {{127, 0, 0, 1}, 4}, .port = server_port},
                 &service);
    kernel_file(path, SPAN("line"));
    (void)kernel_run(1, arguments, NULL, &status);
    return status;
}

#endif
