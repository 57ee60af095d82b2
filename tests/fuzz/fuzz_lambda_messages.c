/* What the Extensions API and the Telemetry API reply, and what the latter is sent. */
#include "fuzz.h"
#include "protocol/lambda_messages.h"
#include "strict_json.h"

#include <string.h>

static void
check_event(struct span in)
{
    struct lambda_event e;
    int got;

    memset(&e, 0xff, sizeof e);
    got = lambda_event(in, &e);
    FACT(got == 0 || got == ERR_BAD);
    if (got != 0)
        return;
    FACT(e.type == LAMBDA_INVOKE || e.type == LAMBDA_SHUTDOWN);
    FACT(e.deadline_ms <= INT64_MAX);
    FACT(e.request_id_len <= sizeof e.request_id && e.reason_len <= sizeof e.reason);
}

/* Any numbers; into too little room it does not go, and what it wrote is the beginning. */
static void
check_subscription(void)
{
    struct lambda_subscription s = {SPAN("2025-01-29"),
                                    fuzz_dice(8),
                                    fuzz_dice(UINT32_MAX),
                                    fuzz_dice(UINT32_MAX),
                                    fuzz_dice(UINT32_MAX),
                                    (uint16_t)fuzz_dice(65536),
                                    SPAN("/0123456789abcdef0123456789abcdef")};
    struct out whole = out_to(fuzz_room(512), 512), cut;
    size_t cap;

    FACT(lambda_subscription_body(&whole, &s) == 0 && strict_json(out_span(&whole)));
    cap = fuzz_dice((uint32_t)whole.len);
    cut = out_to(fuzz_room(cap), cap);
    FACT(lambda_subscription_body(&cut, &s) == ERR_FULL);
    FACT(span_starts(out_span(&whole), out_span(&cut)));
}

void
fuzz(struct span in)
{
    struct lambda_registered r;
    struct span type = lambda_error_type(in);

    memset(&r, 0xff, sizeof r);
    lambda_registered(in, &r);
    FACT(r.account_id_len <= sizeof r.account_id);
    FACT(fuzz_within(type, in));
    FACT(memchr(type.len == 0 ? "" : type.p, '"', type.len) == NULL);
    check_event(in);
    check_subscription();
    FACT(strict_json(lambda_register_body(fuzz_dice(2) == 0)));
}
