/* A driver of protocol/delivery with a clock of its own: for tests, each in one file. */
#include "check.h"
#include "protocol/delivery.h"

#include <stdio.h>
#include <stdlib.h>

static struct settings settings;
static struct delivery delivery;
static struct moment now;
static struct delivery_order order; /* the last one */

/* New in all but the settings; of which those that matter here, where they are not set, are as usual. */
static void
begin(void)
{
    static char *memory;
    struct intake_seed seed = {.sandbox = {1, 2, 3}, .numbers = 7};

    if (settings.max_attempts == 0)
        settings.max_attempts = 5;
    if (settings.linger_ms == 0)
        settings.linger_ms = 200;
    if (settings.queue_max_bytes == 0)
        settings.queue_max_bytes = 4 << 20;
    free(memory);
    memory = malloc(delivery_bytes(&settings));
    assert_non_null(memory);
    now = (struct moment){.ms = 100000, .wall_ms = 1700000000000};
    delivery_init(&delivery, &settings, memory, &seed);
}

static void
pass(uint64_t ms)
{
    now.ms += ms;
    now.wall_ms += ms;
}

/* An event whose record has so many bytes, with the partition key. */
static int
offer(size_t bytes)
{
    static char text[EVENT_MAX_BYTES];
    static const char start[] = "{\"type\":\"function\",\"record\":\"";
    struct event event;

    assert_in_range(bytes, 40, sizeof text);
    memset(text, 'x', bytes);
    memcpy(text, start, sizeof start - 1);
    memcpy(text + bytes - 2, "\"}", 2);
    assert_int_equal(event_read((struct span){text, bytes}, NULL, &event), 0);
    return delivery_event(&delivery, now, &event);
}
