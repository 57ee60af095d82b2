#include "io/log.h"

#include "check.h"
#include "io/clock.h"

#include <fcntl.h>
#include <unistd.h>

/* Lines that are written in one millisecond are one moment; of old ones nothing is known any more. */
static void
moments(void **state)
{
    uint64_t before = clock_wall_ms();
    uint64_t at = 0;
    int kept = dup(STDOUT_FILENO);
    int nowhere = open("/dev/null", O_WRONLY);

    (void)state;
    CHECK_INT("nothing yet", log_wrote_at(before), false);
    dup2(nowhere, STDOUT_FILENO);
    log_error("%s", "one");
    for (uint64_t ms = before; ms <= clock_wall_ms() && at == 0; ms++)
        at = log_wrote_at(ms) ? ms : 0;
    CHECK("written", at >= before);
    CHECK_INT("before", log_wrote_at(before - 1), false);
    CHECK_INT("later", log_wrote_at(at + 60000), false);
    log_debug("%s", "not printed");
    for (unsigned n = 0; n < LOG_MOMENTS;) {
        uint64_t was = clock_wall_ms();

        log_error("%s", "more");
        while (clock_wall_ms() == was) {
        }
        n++;
    }
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(nowhere);
    CHECK_INT("long ago: cannot be told", log_wrote_at(at), true);
    CHECK_INT("later still", log_wrote_at(clock_wall_ms() + 60000), false);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(moments)};

    return RUN(argc, argv, tests);
}
