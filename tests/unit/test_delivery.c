#include "protocol/delivery.h"

#include "delivery_calls.h"
#include "protocol/delivery_parts.h"

/*
 * Scripts: what happens, and which orders follow. Options come first (delivery_calls.h).
 *
 * What happens:
 *
 *   +N      N events of 100 bytes; bN one of N bytes; after it F when the last had no room
 *   f       a flush is wanted; o an invocation begins
 *   wN      N ms pass; @N until the moment of the last WAIT, which has to be N ms away at most
 *   aN      someone waits for N ms, a0 nobody; PN the patience with a full queue
 *   LN      last chance, N ms; E the end
 *   zN      the wall clock goes N ms ahead, or back
 *   kR kC kN  credentials: from now on, when asked, they are ready or coming; a report that there are none
 *   Z r     a snapshot may be taken; this is a copy of it; kRr just after they have come, for which they come again
 *   |       a mark in the log
 *
 * Replies to the call that is under way:
 *
 *   y yN    all, or N, are accepted; the rest is throttled
 *   iN      N are accepted, the rest fails; the service says InternalFailure
 *   5 g     500; a gateway's 502               t   a whole call is throttled
 *   v h     refused for what a record is: by a ValidationException, or by 413
 *   nN      the same, and record N is named    mN/M  and that its data may have M bytes at most
 *   s c     the clock was wrong and is corrected; the credentials are refused
 *   n!      the stream does not exist
 *   l d D   no reply in time; no connection; none, and that cannot change soon
 *   u       no credentials: nothing was sent
 *
 * And to the one to the dead letter:
 *
 *   BN      N records were written, B all of them; b! none, S3 failed; b? nobody knows; bc credentials refused
 *
 * log: SN N records are sent, followed by s for suspects, a for one that was set aside; BN N are buried,
 * with ! when they may have been before; C connect, R refresh the credentials, K they are asked for and
 * not ready, U resume, X abort, Y abort the burial, full, opened, recovers: notes. Worth of a reply:
 * + well, ~ partly, - error, . nothing to say, k keys from now on.
 */
static const struct row {
    const char *name, *options, *script, *log;
    const char
        *left; /* what has become of the events: d delivered, b buried, x dropped, q queued */
} scripts[] = {
    /* when records go */
    {"after 200 ms", "", "+3 w199 | w1 y", "C | S3 +", "d3"},
    {"at a flush", "", "+3 f w0 y", "C S3 +", "d3"},
    {"a full batch at once", "", "+499 w0 +1 w0 y", "C S500 +", "d500"},
    {"a MiB at once", "", "b300000 b300000 b300000 w0 b300000 w0 y", "C S4 +", "d4"},
    {"just a MiB", "", "b300000 b300000 b300000 b148576 w0 | y", "C S4 | +", "d4"},
    {"less than that", "", "b300000 b300000 b300000 b148575 w0 | w200 y", "C | S4 +", "d4"},
    {"within 5 ms while someone waits", "", "a500 +3 w4 | w1 y", "C | S3 +", "d3"},
    {"a flush is for what is there", "", "+2 f w0 +2 y w0 w199 | w1 y", "C S2 + C | S2 +", "d4"},
    {"keys are given", "k", "+2 f w0 v w0 y +2 f w0 v w1 y w0 y", "C S2 k S2 + C S2 - S1s + S1s +",
     "d4"},
    {"and before a breaker's probe is over", "k1", "+2 f w0 5 @2000 v w0 y",
     "C S2 - opened S2 k S2 + recovers", "d2"},
    {"none are needed", "k", "+2 f w0 y +2 f w0 v w1 y w0 y", "C S2 + C S2 - S1s + S1s +", "d4"},
    {"whatever is named: nothing is buried", "k1S", "+1 f w0 m1/20 w0 y", "C S1 k S1 +", "d1"},
    {"one call at a time", "", "+3 f w0 +600 w0 y w0 y w200 y", "C S3 C + S500 + S100 +", "d603"},
    {"nothing to do", "", "w0 f w0 w1000", "", ""},
    {"ahead of need", "", "o w0 o w0 o w0 o w0", "C C", ""},
    {"not ahead while it is in vain", "1", "+1 f w0 5 w0 o w0", "C S1 - opened", "q1"},

    /* credentials */
    {"they come", "c", "kC +1 f w0 w999 kR w0 y", "C K S1 +", "d1"},
    {"those of before a restoration are not used", "c", "kC +1 f w0 kRr w0 kR w0 y", "C K K S1 +",
     "d1"},
    {"they are asked for again", "c", "kC +1 f w0 @1000 @1000 kR w0 y", "C K K K S1 +", "d1"},
    {"there are none: a failure", "1", "kC +1 f w0 kN w0 @1000 kR @2000 y",
     "C K opened K S1 + recovers", "d1"},
    {"none at all", "", "+1 f w0 u", "C S1 - opened", "q1"},
    {"refused: fetched, and at once", "c", "+1 f w0 c w0 c", "C S1 . R S1 - opened R", "q1"},
    {"refused, and fetched from nowhere", "", "+1 f w0 c w0", "C S1 - opened R", "q1"},
    {"the clock was wrong: at once, once", "", "+1 f w0 s w0 s w0 @1000 y",
     "C S1 . S1 - opened S1 + recovers", "d1"},

    /* waits */
    {"after a failure", "", "+3 f w0 5 w0 @51 y", "C S3 - S3 + recovers", "d3"},
    {"longer each time", "", "+1 f w0 5 @51 5 @101 5 @201 5 @401 y",
     "C S1 - S1 - S1 - S1 - S1 + recovers", "d1"},
    {"fresh ones wait for a call that failed, too", "", "+3 f w0 5 +2 f w0 @51 y",
     "C S3 - C S5 + recovers", "d5"},
    {"but not for records that failed", "", "+3 f w0 i2 +2 f w0 y @101 y", "C S3 ~ C S2 + S1 +",
     "d5"},
    {"a part is throttled", "", "+3 f w0 y2 @1001 y", "C S3 ~ S1 +", "d3"},
    {"a whole call is", "", "+3 f w0 t @1001 y", "C S3 - S3 + recovers", "d3"},
    {"a wait ends sooner once someone waits", "", "+3 f w0 t a80 @51 y", "C S3 - S3 + recovers",
     "d3"},
    {"no reply in time: half as many", "", "+500 f w0 l @51 y w0 y",
     "C S500 - S250 + recovers S250 +", "d500"},
    {"no connection: as many", "", "+500 f w0 d @51 y", "C S500 - S500 + recovers", "d500"},

    /* the breaker */
    {"five in a row open it", "", "+1 f w0 5 @51 5 @101 5 @201 5 @401 5 w400 @1000 y",
     "C S1 - S1 - S1 - S1 - S1 - opened S1 + recovers", "d1"},
    {"three without a reply", "", "+1 f w0 l @51 l @101 l w400 @1000 y",
     "C S1 - S1 - S1 - opened S1 + recovers", "d1"},
    {"one that is in vain", "", "+1 f w0 n! w400 @1000 y", "C S1 - opened S1 + recovers", "d1"},
    {"probes are small, and at growing distances", "",
     "+500 f w0 n! w499 @501 5 w999 @1001 5 w1999 @2001 y w0",
     "C S500 - opened S25 - S25 - S25 + recovers S475", "d25q475"},
    {"the wall clock goes ahead", "", "+1 f w0 n! z3600000 w52 y", "C S1 - opened S1 + recovers",
     "d1"},
    {"the wall clock goes back", "", "+1 f w0 n! z-3600000 w52 y", "C S1 - opened S1 + recovers",
     "d1"},

    /* a record's fate */
    {"it is sent again as long as there is room", "1", "+2 f w0 i1 @51 i0 @101 y",
     "C S2 ~ S1 - S1 +", "d2"},
    {"or goes to the dead letter", "1S", "+2 f w0 i1 w5000 B", "C S2 ~ B1", "d1b1"},
    {"it keeps nobody waiting", "1", "+2 f w0 i1 +1 f w0 y", "C S2 ~ C S1 +", "d2q1"},
    {"refused as often as may be, its room is taken", "1q", "+16 f w0 i1 +2", "C S16 ~", "d1x1q16"},

    /* the one that a call was refused for */
    {"by halves", "", "+4 f w0 v @1 y v @1 v @1 y", "C S4 - S2s + S2s - S1s - S1 + S1a", "d3q1"},
    {"the last suspect may be innocent, too", "", "+4 f w0 v @1 y v @1 y y",
     "C S4 - S2s + S2s - S1s + S1s +", "d4"},
    {"the last suspect has AWS_MAX_ATTEMPTS", "1", "+2 f w0 v @1 y v", "C S2 - S1s + S1s -",
     "d1x1"},
    {"only the whole was too large", "", "+5 f w0 h @1 y y", "C S5 - S2s + S3s +", "d5"},
    {"named", "", "+4 f w0 n1 @1 y v w0", "C S4 - S3 + S1a -", "d3x1"},
    {"named, to the dead letter", "E", "+4 f w0 n1 @1 y v B", "C S4 - S3 + S1a - B1", "d3b1"},
    {"named for a limit that it keeps", "", "+3 f w0 m0/2000 @1 y v w0", "C S3 - S2 + S1a -",
     "d2x1"},
    {"413 of one at the last chance: half", "1", "b4000 f L2000 w0 h @1 y", "C S1 - S1 +", "d1"},
    {"named, and too large", "", "b4000 +1 f w0 m0/2000 @1 y", "C S2 - S2 +", "d2"},
    {"named, and too large: split", "p", "b4000 +1 f w0 m0/2000 @1 y", "C S2 - S4 +", "d2"},
    {"413 of one: half", "", "b4000 f w0 h @1000 h", "C S1 - S1a -", "q1"},
    {"all are refused: a failure like others", "", "+2 f w0 v @1 v @1 v w0 @51 v",
     "C S2 - S1s - S1 - S1a -", "q2"},
    {"a search is not given up for a failure", "", "+4 f w0 v @1 5 @51 y y",
     "C S4 - S2s - S2s + recovers S2s +", "d4"},

    /* the queue is full */
    {"the event waits", "q", "+40 F w0 y w0", "C S16 + U", "d16"},
    {"and is offered again after each call", "q", "+40 F w0 t", "C S16 - U", "q16"},
    {"dropped then: the newest", "q",
     "+40 F w0 w500 w500 w500 w500 w500 w500 w500 w500 w500 w500 +3", "C S16 full U", "x3q16"},
    {"a freeze is no patience", "q", "+40 F w0 w60000 w500 w500 w500 w500 w500 w500 w500 w500 +3 F",
     "C S16", "q16"},
    {"patience is shortened", "q", "+40 F w0 P100 w100 +3", "C S16 full U", "x3q16"},
    {"the oldest, unless they are being sent", "qo", "+40 F w0 P100 w100 +3", "C S16 full U",
     "x3q16"},
    {"the oldest", "qo", "+40 F w0 n! +1 F P400 w400 +3", "C S16 - opened U full U", "x3q16"},

    /* the end */
    {"nothing rests", "", "+1 f w0 n! L2000 w1 n! @101 n! @201 n! @401 n!",
     "C S1 - opened S1 - S1 - S1 - S1 -", "q1"},
    {"what is left is dropped", "", "+3 L2000 w0 5 E", "C S3 -", "x3"},
    {"what comes then, too", "", "E +2", "", "x2"},
    {"buried: half of the time", "S", "+3 L2000 w0 w999 | w1 B", "C S3 | X B3", "b3"},
    {"buried: standard error needs less", "E", "+3 L2000 w0 w1849 | w1 B", "C S3 | X B3", "b3"},
    {"buried: what waits has room in vain", "qS", "+40 F w0 L2000 w1000 B", "C S16 X U B16", "b16"},
    {"buried as soon as it is in vain", "S", "+3 f w0 n! L2000 w1 n! B", "C S3 - opened S3 - B3",
     "b3"},
    {"what comes after it, too", "S", "L2000 w1000 +2 w0 B", "B2", "b2"},

    /* the dead letter */
    {"gathered for five seconds", "1S", "+2 w200 i0 w4999 | w1 B", "C S2 - opened | B2", "b2"},
    {"a flush before is not for them", "1S", "+1 f w0 y +2 w200 i0 w4999 | w1 B",
     "C S1 + C S2 - | B2", "d1b2"},
    {"S3 needs credentials", "1S", "+2 w200 i1 kC +1 w200 | f w0 | @1000", "C S2 ~ C K | | K",
     "d1q2"},
    {"standard error needs none", "1E", "+2 w200 i1 kC +1 w200 | f w0 B", "C S2 ~ C K | B1",
     "d1b1q1"},
    {"or at a flush", "1S", "+2 f w0 i0 +1 f w0 B @1000", "C S2 - opened B2 S1", "b2q1"},
    {"S3 fails", "1S", "+2 f w0 i0 f w0 b! @52 B", "C S2 - opened B2 B2", "b2"},
    {"nobody knows: the same again", "1S", "+2 f w0 i0 f w0 b? @52 B", "C S2 - opened B2 B2!",
     "b2"},
    {"credentials are refused: at once", "1Sc", "+2 f w0 i0 f w0 bc bc @52 B",
     "C S2 - opened B2 R B2 B2", "b2"},
    {"a part, by standard error", "1E", "+2 f w0 i0 f w0 B1 @1 B", "C S2 - opened B2 B1", "b2"},
    {"a slow one at the last chance", "1S", "+2 f w0 i0 f w0 L900 w299 | w1 B",
     "C S2 - opened B2 | Y B2", "b2"},

    /* a snapshot, and copies of it */
    {"asleep: nothing goes out", "", "Z +3 f w0 o w0 +600 w60000", "", "q603"},
    {"nor to the dead letter", "1S", "+2 w200 i0 Z f w60000 r B", "C S2 - opened B2", "b2"},
    {"a copy sends what is there", "", "Z +3 f w0 r y", "S3 +", "d3"},
    {"and counts nothing else", "", "+2 f w0 y Z +1 w0 r @200 y", "C S2 + S1 +", "d1"},
    {"an outage of before is none of its own", "1", "+1 f w0 5 Z w0 r y", "C S1 - opened S1 +",
     "d1"},
    {"nor a wait", "", "+2 f w0 5 Z w0 r y", "C S2 - S2 +", "d2"},
    {"nor credentials that were coming", "c", "kC +1 f w0 Z w0 r kR w0 y", "C K K S1 +", "d1"},
    {"a queue that is full meanwhile", "q", "Z +40 F w0 r y w0", "S16 + U", "d16"},
    {"the last chance of all", "", "Z +2 w0 L1000 y", "S2 +", "d2"},
};

static struct {
    char text[512];
    size_t len;
    bool coming; /* credentials */
    bool full;   /* the last event had no room */
} run;

static void
put(const char *word, uint64_t number, const char *mark)
{
    int n = snprintf(run.text + run.len, sizeof run.text - run.len, "%s%s", run.len > 0 ? " " : "",
                     word);

    run.len += (size_t)n;
    if (number > 0)
        run.len += (size_t)snprintf(run.text + run.len, sizeof run.text - run.len, "%u%s",
                                    (unsigned)number, mark);
    assert_true(run.len < sizeof run.text);
}

static void
obey(enum delivery_act act)
{
    static const char *const notes[] = {"full", "opened", "recovers"};
    static const char *const marks[] = {"", "", "s", "a"};

    switch (act) {
    case DELIVERY_NOTE:
        put(notes[order.note], 0, "");
        break;
    case DELIVERY_ABORT:
        put("X", 0, "");
        delivery_aborted(&delivery, 0);
        break;
    case DELIVERY_ABORT_DEAD:
        put("Y", 0, "");
        delivery_dead_aborted(&delivery, false);
        break;
    case DELIVERY_REFRESH:
        put("R", 0, "");
        break;
    case DELIVERY_RESUME:
        put("U", 0, "");
        break;
    case DELIVERY_CONNECT:
        put("C", 0, "");
        break;
    case DELIVERY_CREDENTIALS:
        if (run.coming)
            put("K", 0, "");
        delivery_credentials(&delivery, now, run.coming ? DELIVERY_COMING : DELIVERY_READY);
        break;
    case DELIVERY_SEND:
        put("S", queue_batch_len(&delivery.queue, QUEUE_STREAM), marks[delivery.call.what]);
        break;
    case DELIVERY_BURY:
        put("B", queue_batch_len(&delivery.queue, QUEUE_DEAD_LETTER), order.again ? "!" : "");
        break;
    case DELIVERY_WAIT:
    default:
        break;
    }
}

static void
drain(const char *name)
{
    enum delivery_act act;

    for (unsigned n = 0; (act = delivery_next(&delivery, now, &order)) != DELIVERY_WAIT; n++) {
        CHECK(name, n < 20);
        obey(act);
    }
    CHECK(name, order.at_ms > now.ms);
}

static void
replied(const char *name, struct delivery_reply r)
{
    static const char *const worths[] = {".", "-", "~", "+", "k"};

    CHECK(name, delivery.call.under_way);
    r.form = WIRE_CBOR;
    put(worths[delivery_replied(&delivery, now, &r)], 0, "");
}

static void
records(const char *name, uint32_t accepted, const char *code)
{
    struct delivery_reply r = {.status = 200, .records = true, .requests = 1};

    CHECK(name, delivery.call.under_way);
    for (uint32_t i = 0; i < delivery.call.len; i++)
        delivery_record(&delivery, i, i < accepted ? SPAN("") : span_of(code));
    replied(name, r);
}

static void
refused(const char *name, unsigned status, enum retry_class class, const char *message)
{
    struct delivery_reply r = {.status = status,
                               .class = class,
                               .skewed = class == RETRY_SKEW,
                               .message = span_of(message),
                               .requests = 1,
                               .doubtful = status == 502};

    replied(name, r);
}

static void
unheard(const char *name, int result, bool hopeless, unsigned requests)
{
    struct delivery_reply r = {.result = result,
                               .class = RETRY_TRANSIENT,
                               .hopeless = hopeless,
                               .requests = requests,
                               .unanswered = requests};

    replied(name, r);
}

static void
buried(const char *word)
{
    uint32_t len = queue_batch_len(&delivery.queue, QUEUE_DEAD_LETTER);
    struct dead_letter_reply r = {.written = 0};

    if (word[0] == 'B')
        r.written = word[1] == '\0' ? len : (uint32_t)atoi(word + 1);
    r.unanswered = word[1] == '?';
    r.class = word[1] == 'c' ? RETRY_CREDENTIALS : RETRY_TRANSIENT;
    delivery_buried(&delivery, now, &r);
}

static void
happens(const char *name, const char *word)
{
    long n = word[0] == '\0' ? 0 : atol(word + 1);
    char text[160];
    unsigned limit;

    switch (word[0]) {
    case '+':
        for (run.full = false; n > 0 && !run.full; n--)
            run.full = offer(100) != 0;
        break;
    case 'b':
        if (word[1] == '!' || word[1] == '?' || word[1] == 'c')
            buried(word);
        else
            run.full = offer((size_t)n) != 0;
        break;
    case 'F':
        CHECK(name, run.full);
        run.full = false;
        break;
    case 'f':
        delivery_flush(&delivery);
        break;
    case 'o':
        delivery_open(&delivery);
        break;
    case 'Z':
        delivery_sleep(&delivery);
        break;
    case 'r':
        delivery_restored(&delivery, &(struct intake_seed){.numbers = 11});
        break;
    case '@':
        CHECK(name, order.at_ms > now.ms && order.at_ms - now.ms <= (uint64_t)n);
        n = (long)(order.at_ms - now.ms);
        pass((uint64_t)n);
        break;
    case 'w':
        pass((uint64_t)n);
        break;
    case 'a':
        delivery_await(&delivery, now, n == 0 ? 0 : now.ms + (uint64_t)n);
        break;
    case 'P':
        delivery_patience(&delivery, now, (uint32_t)n);
        break;
    case 'L':
        delivery_last_chance(&delivery, now, now.ms + (uint64_t)n);
        break;
    case 'E':
        delivery_end(&delivery);
        break;
    case 'z':
        now.wall_ms += (uint64_t)n;
        break;
    case 'k':
        run.coming = word[1] == 'C' || (word[1] == 'N' && run.coming);
        if (word[1] != 'C')
            delivery_credentials(&delivery, now, word[1] == 'R' ? DELIVERY_READY : DELIVERY_NONE);
        if (word[1] != '\0' && word[2] == 'r') {
            delivery_restored(&delivery, &(struct intake_seed){.numbers = 11});
            run.coming = true;
        }
        break;
    case 'y':
        records(name, word[1] == '\0' ? UINT32_MAX : (uint32_t)n,
                "ProvisionedThroughputExceededException");
        break;
    case 'i':
        records(name, (uint32_t)n, "InternalFailure");
        break;
    case '5':
        refused(name, 500, RETRY_TRANSIENT, "");
        break;
    case 'g':
        refused(name, 502, RETRY_TRANSIENT, "");
        break;
    case 't':
        refused(name, 400, RETRY_THROTTLED, "");
        break;
    case 'v':
        refused(name, 400, RETRY_RECORD, "");
        break;
    case 'h':
        refused(name, 413, RETRY_RECORD, "");
        break;
    case 's':
        refused(name, 403, RETRY_SKEW, "");
        break;
    case 'c':
        refused(name, 403, RETRY_CREDENTIALS, "");
        break;
    case 'm':
        limit = (unsigned)atoi(strchr(word, '/') + 1);
        snprintf(
            text, sizeof text,
            "Value at 'records.%ld.member.data' failed to satisfy constraint: Member must have "
            "length less than or equal to %u",
            n + 1, limit);
        refused(name, 400, RETRY_RECORD, text);
        break;
    case 'n':
        snprintf(text, sizeof text, "Value at 'records.%ld.member.partitionKey' is bad", n + 1);
        if (word[1] == '!')
            refused(name, 400, RETRY_CONFIGURATION, "");
        else
            refused(name, 400, RETRY_RECORD, text);
        break;
    case 'l':
        unheard(name, ERR_LATE, false, 1);
        break;
    case 'd':
    case 'D':
        unheard(name, ERR_IO, word[0] == 'D', 0);
        break;
    case 'u':
        refused(name, 0, RETRY_CONFIGURATION, "");
        break;
    case 'B':
        buried(word);
        break;
    case '|':
        put("|", 0, "");
        break;
    default:
        fail_msg("%s: what is %s?", name, word);
    }
}

static bool
only_comes(const char *word)
{
    return strchr("+bfkzPo|", word[0]) != NULL && word[1] != '!' && word[1] != '?' &&
           strcmp(word, "bc") != 0;
}

static void
run_row(const struct row *row)
{
    const struct ledger *l = &delivery.ledger;
    char words[256], left[64] = "";
    char *rest = NULL;
    size_t len = 0;

    set(row->options);
    begin();
    memset(&run, 0, sizeof run);
    assert_true(strlen(row->script) < sizeof words);
    strcpy(words, row->script);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        happens(row->name, word);
        /* what only comes is acted upon at the end of what is being read */
        if (!only_comes(word))
            drain(row->name);
        delivery_check(&delivery);
    }
    CHECK_SPAN(row->name, ((struct span){run.text, run.len}), span_of(row->log));
    if (l->delivered > 0)
        len += (size_t)snprintf(left + len, sizeof left - len, "d%u", (unsigned)l->delivered);
    if (l->dead_lettered > 0)
        len += (size_t)snprintf(left + len, sizeof left - len, "b%u", (unsigned)l->dead_lettered);
    if (ledger_dropped(l) > 0)
        len += (size_t)snprintf(left + len, sizeof left - len, "x%u", (unsigned)ledger_dropped(l));
    if (delivery.queue.events > 0)
        len +=
            (size_t)snprintf(left + len, sizeof left - len, "q%u", (unsigned)delivery.queue.events);
    CHECK_SPAN(row->name, ((struct span){left, len}), span_of(row->left));
}

static void
script(void **state)
{
    const char *only = getenv("ROW");

    (void)state;
    for (size_t i = 0; i < LEN(scripts); i++)
        if (only == NULL || strcmp(only, scripts[i].name) == 0)
            run_row(&scripts[i]);
}

/* Each copy has what was queued, so all of it may be there as often. */
static void
doubles(void **state)
{
    const struct ledger *l = &delivery.ledger;

    (void)state;
    set("");
    begin();
    memset(&run, 0, sizeof run);
    for (const char *const *word = (const char *const[]){"+2", "f", "w0", "l", "Z", "+3", NULL};
         *word != NULL; word++) {
        happens("doubles", *word);
        drain("doubles");
    }
    CHECK_INT("asleep", l->duplicates_possible, 2);
    happens("doubles", "r");
    CHECK_INT("received", l->received, 5);
    CHECK_INT("doubles", l->duplicates_possible, 2 + 5);
    CHECK_INT("the rest", l->retried + l->delivered + l->breaker_openings + l->bytes, 0);
}

/* What of the memory is for what, and that it suffices for all of it. */
static void
memory_of(void **state)
{
    static const struct {
        const char *options;
        uint32_t queue_max_bytes, cap;
        size_t dead;
    } rows[] = {
        {"", 65536, 65536, 0}, {"S", 65536, 65536, 8192}, {"E", 65543, 65536, 8192},
        {"", 65544, 65544, 0}, {"", 65551, 65544, 0},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const struct queue *q = &delivery.queue;

        set(rows[i].options);
        settings.queue_max_bytes = rows[i].queue_max_bytes;
        begin();
        assert_int_equal(delivery_bytes(&settings), rows[i].cap +
                                                        (rows[i].dead + 500) * sizeof(uint32_t) +
                                                        intake_bytes(&settings));
        assert_int_equal(q->ring.cap, rows[i].cap);
        assert_ptr_equal(q->batches[QUEUE_STREAM].offsets, q->ring.bytes + rows[i].cap);
        assert_int_equal(q->batches[QUEUE_STREAM].cap, 500);
        assert_int_equal(q->batches[QUEUE_DEAD_LETTER].cap, rows[i].dead);
        if (rows[i].dead > 0)
            assert_ptr_equal(q->batches[QUEUE_DEAD_LETTER].offsets,
                             q->batches[QUEUE_STREAM].offsets + 500);
        assert_ptr_equal(delivery.intake.scratch,
                         q->batches[QUEUE_STREAM].offsets + 500 + rows[i].dead);
        assert_int_equal(delivery.form, WIRE_JSON);
    }
}

/* A copy has an identity and random numbers of its own; a seed lasts for a while. */
static void
copies(void **state)
{
    struct intake_seed seed = {.sandbox = {9}, .numbers = 11};
    char before[sizeof delivery.intake.sandbox];

    (void)state;
    anew(0);
    memcpy(before, delivery.intake.sandbox, sizeof before);
    delivery_restored(&delivery, &seed);
    assert_true(memcmp(before, delivery.intake.sandbox, sizeof before) != 0);
    assert_true(delivery.random == ~(uint64_t)11);
    assert_true(delivery.intake.random == 11);
    assert_false(delivery_wants_seed(&delivery));
    delivery.intake.random_left = 1;
    assert_false(delivery_wants_seed(&delivery));
    delivery.intake.random_left = 0;
    assert_true(delivery_wants_seed(&delivery));
    delivery_reseed(&delivery, 12);
    assert_false(delivery_wants_seed(&delivery));
}

/* Whether a record that waits for room to be split keeps others out. */
static void
kept_out(void **state)
{
    static const struct {
        const char *name;
        bool cramped, overflow, calling;
        unsigned failures;
        uint32_t aside;
        enum queue_take_what what;
        bool want;
    } rows[] = {
        {"one waits", true, false, false, 0, 1, QUEUE_TAKE_FRESH, true},
        {"it is being sent", true, false, true, 0, 0, QUEUE_TAKE_ASIDE, true},
        {"another call", true, false, true, 0, 0, QUEUE_TAKE_FRESH, false},
        {"it has gone", true, false, false, 0, 0, QUEUE_TAKE_ASIDE, false},
        {"not for want of room", false, false, false, 0, 1, QUEUE_TAKE_FRESH, false},
        {"calls fail", true, false, false, 1, 1, QUEUE_TAKE_FRESH, false},
        {"events are dropped", true, true, false, 0, 1, QUEUE_TAKE_FRESH, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(rows[i].aside);
        if (rows[i].aside > 0)
            make(1, QUEUE_ASIDE);
        delivery.suspect.cramped = rows[i].cramped;
        delivery.full.overflow = rows[i].overflow;
        delivery.breaker.failures = rows[i].failures;
        delivery.call.under_way = rows[i].calling;
        delivery.call.what = rows[i].what;
        CHECK_INT(rows[i].name, offer(100), rows[i].want ? ERR_FULL : 0);
    }
}

/* An event for which a full queue has no room. */
static void
no_room(void **state)
{
    static const struct {
        const char *name;
        enum queue_state oldest;
        unsigned refusals; /* of the oldest, of 5 that it may have */
        bool drop_oldest, overflow;
        uint32_t flush, want_flush; /* fresh records that a flush is for */
        int want;
        uint64_t dropped, refused;
    } rows[] = {
        {"waits", QUEUE_FRESH, 0, false, false, 9, 16, ERR_FULL, 0, 0},
        {"waits, whatever is dropped then", QUEUE_FRESH, 0, true, false, 9, 16, ERR_FULL, 0, 0},
        {"is dropped itself", QUEUE_FRESH, 0, false, true, 9, 9, 0, 1, 0},
        {"the oldest is dropped", QUEUE_FRESH, 0, true, true, 9, 8, 0, 1, 0},
        {"no flush is for it", QUEUE_FRESH, 0, true, true, 0, 0, 0, 1, 0},
        {"the last one of a flush", QUEUE_FRESH, 0, true, true, 1, 0, 0, 1, 0},
        {"the oldest has failed", QUEUE_FAILED, 1, true, true, 9, 9, 0, 1, 0},
        {"the oldest is being sent", QUEUE_SENT, 0, true, true, 9, 9, 0, 1, 0},
        {"the oldest may be in the dead letter", QUEUE_IN_DOUBT, 1, true, true, 9, 9, 0, 1, 0},
        {"it was refused too often", QUEUE_FAILED, 5, false, false, 9, 9, 0, 0, 1},
        {"it was refused often", QUEUE_FAILED, 4, false, false, 9, 15, ERR_FULL, 0, 0},
        {"it is aside", QUEUE_ASIDE, 5, false, false, 9, 15, ERR_FULL, 0, 0},
        {"too often, and events are dropped", QUEUE_FAILED, 5, false, true, 9, 9, 0, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const struct ledger *l = &delivery.ledger;
        bool sending = rows[i].oldest == QUEUE_SENT;

        set(rows[i].drop_oldest ? "qo" : "q");
        begin();
        for (unsigned n = 0; n < 16; n++)
            assert_int_equal(offer(100), 0);
        for (unsigned n = 1; n < rows[i].refusals; n++) {
            take(1);
            queue_refused(&delivery.queue, QUEUE_STREAM, 0, QUEUE_FAILED);
        }
        if (rows[i].oldest != QUEUE_FRESH) {
            take(1);
            if (!sending)
                queue_refused(&delivery.queue, QUEUE_STREAM, 0, rows[i].oldest);
        }
        delivery.call.under_way = sending;
        delivery.news = false;
        delivery.full.overflow = rows[i].overflow;
        delivery.urgency.flush_fresh = rows[i].flush;
        pass(10);
        CHECK_INT(rows[i].name, offer(100), rows[i].want);
        CHECK_INT(rows[i].name, delivery.urgency.flush_fresh, rows[i].want_flush);
        CHECK_INT(rows[i].name, delivery.urgency.flush, rows[i].want != 0);
        CHECK_INT(rows[i].name, l->dropped[DROP_OVERFLOW], rows[i].dropped);
        CHECK_INT(rows[i].name, l->dropped[DROP_REFUSED], rows[i].refused);
        CHECK_INT(rows[i].name, delivery.queue.count[QUEUE_IN_DOUBT],
                  rows[i].oldest == QUEUE_IN_DOUBT);
        CHECK_INT(rows[i].name, delivery.full.refused, rows[i].want != 0);
        CHECK_INT(rows[i].name, delivery.full.waits, rows[i].want != 0);
        CHECK_INT(rows[i].name, delivery.news, rows[i].want != 0);
        delivery_check(&delivery);
        if (rows[i].want == 0)
            continue;
        CHECK_INT(rows[i].name, delivery.full.left_ms, DELIVERY_PATIENCE_MS);
        CHECK_INT(rows[i].name, delivery.full.seen_ms, now.ms);
        delivery.full.left_ms = 7;
        pass(10);
        CHECK_INT(rows[i].name, offer(100), ERR_FULL);
        CHECK_INT(rows[i].name, delivery.full.left_ms, 7);
        CHECK_INT(rows[i].name, delivery.full.seen_ms, now.ms - 10);
    }
}

/* When an event is news. */
static void
news(void **state)
{
    (void)state;
    anew(0);
    delivery.news = false;
    assert_int_equal(offer(100), 0);
    assert_true(delivery.news && delivery.pending.connect);
    assert_int_equal(delivery.urgency.fresh_since_ms, now.ms);
    for (unsigned n = 1; n < 502; n++) {
        pass(1);
        delivery.news = delivery.pending.connect = false;
        assert_int_equal(offer(100), 0);
        assert_int_equal(delivery.news, n == 499);
        assert_false(delivery.pending.connect);
        assert_int_equal(delivery.urgency.fresh_since_ms, now.ms - n);
    }
}

/* Patience with a full queue. */
static void
patience(void **state)
{
    static const struct {
        const char *name;
        bool waits, told;
        uint32_t left_ms;
        uint64_t passed_ms;
        uint32_t want_ms;
        bool overflow;
    } rows[] = {
        {"nobody waits", false, false, 400, 300, 400, false},
        {"some is left", true, false, 400, 300, 100, false},
        {"one is left", true, false, 400, 399, 1, false},
        {"none is left", true, false, 400, 400, 0, true},
        {"long ago none was", true, false, 400, 450, 0, true},
        {"half a second counts", true, false, 900, 500, 400, false},
        {"and no more", true, false, 900, 501, 400, false},
        {"told already", true, true, 400, 400, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct delivery_full *f = &delivery.full;

        anew(0);
        *f = (struct delivery_full){.waits = rows[i].waits,
                                    .told = rows[i].told,
                                    .left_ms = rows[i].left_ms,
                                    .seen_ms = now.ms - rows[i].passed_ms};
        delivery_count_patience(&delivery, now);
        CHECK_INT(rows[i].name, f->left_ms, rows[i].want_ms);
        CHECK_INT(rows[i].name, f->overflow, rows[i].overflow);
        CHECK_INT(rows[i].name, f->waits, rows[i].waits && !rows[i].overflow);
        CHECK_INT(rows[i].name, f->told, rows[i].told || rows[i].overflow);
        CHECK_INT(rows[i].name, delivery.pending.full, rows[i].overflow && !rows[i].told);
        CHECK_INT(rows[i].name, delivery.pending.resume, rows[i].overflow);
        CHECK_INT(rows[i].name, f->seen_ms, now.ms - (rows[i].waits ? 0 : rows[i].passed_ms));
    }
    anew(0);
    delivery.full = (struct delivery_full){.waits = true, .left_ms = 400, .seen_ms = now.ms - 100};
    delivery_patience(&delivery, now, 500);
    assert_int_equal(delivery.full.left_ms, 300);
    assert_int_equal(delivery.full.patience_ms, 500);
    delivery_patience(&delivery, now, 299);
    assert_int_equal(delivery.full.left_ms, 299);
    delivery.full.waits = false;
    delivery_patience(&delivery, now, 9);
    assert_int_equal(delivery.full.left_ms, 299);
    assert_int_equal(delivery.full.patience_ms, 9);
}

/* What is asked about the queue. */
static void
questions(void **state)
{
    static const struct {
        enum queue_state state;
        bool delivered;
    } rows[] = {
        {QUEUE_FRESH, false}, {QUEUE_FAILED, false}, {QUEUE_SUSPECT, false},
        {QUEUE_ASIDE, false}, {QUEUE_DEAD, true},    {QUEUE_IN_DOUBT, true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(1);
        if (rows[i].state != QUEUE_FRESH)
            make(1, rows[i].state);
        assert_int_equal(delivery_delivered(&delivery), rows[i].delivered);
        assert_false(delivery_drained(&delivery));
    }
    anew(0);
    assert_true(delivery_delivered(&delivery) && delivery_drained(&delivery));
    delivery.call.under_way = true;
    assert_false(delivery_delivered(&delivery));
    for (uint32_t more = 0; more < 2; more++) {
        set("");
        settings.queue_max_bytes = 4096;
        begin();
        assert_int_equal(offer(1000), 0);
        assert_int_equal(offer(1048 + more), 0);
        assert_int_equal(delivery_crowded(&delivery), more);
        delivery.full = (struct delivery_full){.waits = true, .overflow = true, .told = true};
        delivery_room_came(&delivery);
        assert_int_equal(delivery.full.told, more);
        assert_false(delivery.full.waits || delivery.full.overflow);
        delivery.full.told = false;
        delivery_room_came(&delivery);
        assert_false(delivery.full.told);
    }
}

/* How much time is left, and how much of it a silent connection may take. */
static void
time_left(void **state)
{
    static const struct {
        const char *name;
        uint64_t deadline_ms, bury_ms; /* from now on; 0: none */
        bool last_chance;
        uint32_t left_ms, hurry_ms;
    } rows[] = {
        {"nobody waits", 0, 0, false, UINT32_MAX, 0},
        {"someone does", 900, 0, false, 900, 0},
        {"the last chance", 900, 0, true, 900, 300},
        {"little time", 153, 0, true, 153, 51},
        {"less", 150, 0, true, 150, 50},
        {"still less", 147, 0, true, 147, 50},
        {"none", UINT64_MAX, 0, true, 0, 50},
        {"then the rest is buried", 900, 400, true, 400, 300},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(0);
        if (rows[i].deadline_ms > 0)
            delivery.urgency.deadline_ms = now.ms + rows[i].deadline_ms;
        if (rows[i].bury_ms > 0)
            delivery.urgency.bury_at_ms = now.ms + rows[i].bury_ms;
        delivery.urgency.last_chance = rows[i].last_chance;
        CHECK_INT(rows[i].name, delivery_left_ms(&delivery, now), rows[i].left_ms);
        CHECK_INT(rows[i].name, delivery_hurry_ms(&delivery, now), rows[i].hurry_ms);
    }
}

/* Waits that were chosen when nobody waited end sooner, once someone does. */
static void
awaited_now(void **state)
{
    static const struct {
        const char *name;
        uint64_t before_ms, deadline_ms; /* when it was awaited until, and is now; 0: not */
        bool hopeful;
        uint64_t least_ms, most_ms; /* of the next call's wait, which was 9 s */
        enum retry_class class;
        unsigned failures;
    } rows[] = {
        {"someone waits", 0, 400, true, 1, 51, RETRY_THROTTLED, 4},
        {"the same, after one failure", 0, 400, true, 1, 51, RETRY_TRANSIENT, 1},
        {"someone has waited", 500, 400, true, 9000, 9000, RETRY_THROTTLED, 4},
        {"nobody does any more", 500, 0, true, 9000, 9000, RETRY_THROTTLED, 4},
        {"nobody does", 0, 0, true, 9000, 9000, RETRY_THROTTLED, 4},
        {"nothing can be hoped for", 0, 400, false, 9000, 9000, RETRY_THROTTLED, 4},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        uint64_t longest = 0, longest_failed = 0, least = UINT64_MAX, least_failed = UINT64_MAX;

        for (uint64_t seed = 0; seed < 500; seed++) {
            struct delivery_backoff *b = &delivery.backoff;

            anew(0);
            delivery_reseed(&delivery, seed);
            delivery.call.hopeful = rows[i].hopeful;
            delivery.call.class = rows[i].class;
            delivery.call.most_attempts = delivery.breaker.failures = rows[i].failures;
            if (rows[i].before_ms > 0)
                delivery.urgency.deadline_ms = now.ms + rows[i].before_ms;
            b->calls_at_ms = b->failed_at_ms = delivery.pace.next_ms = now.ms + 9000;
            delivery_await(&delivery, now,
                           rows[i].deadline_ms == 0 ? 0 : now.ms + rows[i].deadline_ms);
            CHECK_INT(rows[i].name, delivery.pace.next_ms - now.ms,
                      rows[i].most_ms == 51 ? 50 : 9000);
            CHECK(rows[i].name, b->calls_at_ms - now.ms >= rows[i].least_ms);
            longest = b->calls_at_ms - now.ms > longest ? b->calls_at_ms - now.ms : longest;
            longest_failed = b->failed_at_ms - now.ms > longest_failed ? b->failed_at_ms - now.ms
                                                                       : longest_failed;
            least = b->calls_at_ms - now.ms < least ? b->calls_at_ms - now.ms : least;
            least_failed =
                b->failed_at_ms - now.ms < least_failed ? b->failed_at_ms - now.ms : least_failed;
            b->calls_at_ms = b->failed_at_ms = now.ms;
            delivery.urgency.deadline_ms = 0;
            delivery_await(&delivery, now, now.ms + 400);
            CHECK_INT(rows[i].name, b->calls_at_ms - now.ms, 0);
            CHECK_INT(rows[i].name, b->failed_at_ms - now.ms, 0);
            b->calls_at_ms = b->failed_at_ms = now.ms + 1;
            delivery.urgency.deadline_ms = 0;
            delivery_await(&delivery, now, now.ms + 400);
            CHECK_INT(rows[i].name, b->calls_at_ms - now.ms, 1);
            CHECK(rows[i].name, b->failed_at_ms - now.ms <= 1);
        }
        CHECK_INT(rows[i].name, least, rows[i].least_ms);
        CHECK_INT(rows[i].name, least_failed, rows[i].least_ms - (rows[i].least_ms == 1));
        CHECK(rows[i].name, longest <= rows[i].most_ms && longest > rows[i].most_ms - 11);
        CHECK(rows[i].name,
              longest_failed <= rows[i].most_ms && longest_failed > rows[i].most_ms - 11);
    }
}

/* The last chance, and the end. */
static void
ends(void **state)
{
    static const struct {
        const char *options;
        uint64_t deadline_ms;
        uint32_t stream_ms;
        bool buries;
    } rows[] = {
        {"", 2000, 2000, false}, {"S", 2000, 1000, true}, {"E", 2000, 1850, true},
        {"E", 151, 1, true},     {"E", 150, 0, true},     {"E", 149, 0, true},
        {"S", 0, 0, true},       {"", 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const char *name = rows[i].options;
        struct delivery_urgency *u = &delivery.urgency;

        set(rows[i].options);
        begin();
        assert_int_equal(offer(100), 0);
        delivery.backoff.calls_at_ms = delivery.backoff.failed_at_ms = delivery.pace.next_ms =
            now.ms + 9000;
        delivery_last_chance(&delivery, now, now.ms + rows[i].deadline_ms);
        CHECK_INT(name, u->deadline_ms, now.ms + rows[i].deadline_ms);
        CHECK_INT(name, u->stream_ms, rows[i].stream_ms);
        CHECK_INT(name, u->bury_at_ms, rows[i].buries ? now.ms + rows[i].stream_ms : 0);
        CHECK(name, u->last_chance && u->flush && u->flush_fresh == 1 && delivery.call.hopeful);
        CHECK_INT(name, delivery.dead.last_chance, rows[i].buries);
        CHECK_INT(name, delivery.backoff.calls_at_ms, now.ms + 1);
        CHECK_INT(name, delivery.backoff.failed_at_ms, 0);
        CHECK(name, delivery.pace.next_ms <= now.ms + 50);
        delivery.queue.common_key = SPAN("key");
        delivery.full.waits = true;
        delivery_end(&delivery);
        CHECK(name, u->over && delivery.intake.over && !delivery.full.waits);
        CHECK_INT(name, u->bury_at_ms, 0);
        CHECK_INT(name, delivery.ledger.dropped[DROP_SHUTDOWN], 1);
        CHECK_INT(name, delivery.queue.events, 0);
        CHECK_SPAN(name, delivery.queue.common_key, SPAN("key"));
        CHECK_INT(name, delivery_next(&delivery, now, &order), DELIVERY_WAIT);
        CHECK(name, order.at_ms == UINT64_MAX);
        delivery.pending.connect = delivery.news = false;
        CHECK_INT(name, offer(100), 0);
        CHECK_INT(name, delivery.ledger.dropped[DROP_SHUTDOWN], 2);
        CHECK(name, !delivery.pending.connect && !delivery.news);
    }
    /* once it is buried, nothing is to be buried again */
    set("S");
    begin();
    assert_int_equal(offer(100), 0);
    delivery_last_chance(&delivery, now, now.ms + 2000);
    pass(1000);
    delivery.pending.connect = false;
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_CREDENTIALS);
    assert_int_equal(delivery.urgency.bury_at_ms, 0);
    assert_true(delivery.urgency.over && delivery.intake.last);
    assert_int_equal(delivery.queue.count[QUEUE_DEAD], 1);
}

/* Of what was learnt of the stream and the dead letter nothing outlasts a snapshot. */
static void
forgets(void **state)
{
    struct pace nothing = {0};

    (void)state;
    set("");
    begin();
    delivery.batch_max = 7;
    delivery.breaker.failures = 3;
    delivery.backoff.calls_at_ms = delivery.backoff.failed_at_ms = now.ms + 9000;
    delivery.pace = (struct pace){.per_second = 3, .next_ms = now.ms + 9000};
    delivery.dead.again_ms = now.ms + 9000;
    delivery.dead.failures = 3;
    delivery.pending.credentials_at_ms = now.ms + 9000;
    delivery.quota.tokens = 3;
    delivery_sleep(&delivery);
    assert_int_equal(delivery.keys, KEYS_SENT);
    assert_int_equal(delivery.batch_max, BATCH_MAX_RECORDS);
    assert_int_equal(delivery.breaker.failures, 0);
    assert_int_equal(delivery.backoff.calls_at_ms + delivery.backoff.failed_at_ms, 0);
    assert_memory_equal(&delivery.pace, &nothing, sizeof nothing);
    assert_int_equal(delivery.dead.again_ms + delivery.dead.failures, 0);
    assert_int_equal(delivery.pending.credentials_at_ms, 0);
    assert_true(delivery.quota.tokens > 3);
    for (enum delivery_keys keys = KEYS_SENT; keys <= KEYS_NEEDLESS; keys++) {
        set("k");
        begin();
        assert_int_equal(delivery.keys, KEYS_DOUBTED);
        delivery.keys = keys;
        delivery_sleep(&delivery);
        assert_int_equal(delivery.keys, KEYS_DOUBTED);
    }
}

/* Whether a connection is opened ahead of need, for a function that has long been silent. */
static void
ahead(void **state)
{
    static const struct {
        enum queue_state state;
        uint32_t records;
        unsigned silent;
        bool want;
    } rows[] = {
        {QUEUE_FRESH, 0, 9, false}, {QUEUE_FRESH, 1, 9, true}, {QUEUE_FAILED, 1, 9, true},
        {QUEUE_DEAD, 1, 9, false},  {QUEUE_FRESH, 0, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(rows[i].records);
        if (rows[i].state != QUEUE_FRESH)
            make(rows[i].records, rows[i].state);
        delivery.pending.connect = false;
        delivery.ahead =
            (struct ahead){.received = delivery.ledger.received, .silent = rows[i].silent};
        delivery_open(&delivery);
        assert_int_equal(delivery.pending.connect, rows[i].want);
    }
}

/* Until when there is nothing to do. */
static void
rests(void **state)
{
    (void)state;
    anew(0);
    delivery.news = delivery.pending.ready = true;
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_WAIT);
    assert_true(order.at_ms == UINT64_MAX && !delivery.news && !delivery.pending.ready);
    for (uint32_t left_ms = 499; left_ms <= 502; left_ms++) {
        delivery.full =
            (struct delivery_full){.waits = true, .left_ms = left_ms, .seen_ms = now.ms};
        assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_WAIT);
        assert_int_equal(order.at_ms - now.ms, left_ms < 500 ? left_ms : 500);
    }
}

/* What the report about credentials changes. */
static void
credentials(void **state)
{
    static const struct {
        enum delivery_credentials report;
        bool ready;
        uint64_t at_ms;
        unsigned failures;
    } rows[] = {{DELIVERY_READY, true, 0, 0},
                {DELIVERY_COMING, false, 1000, 0},
                {DELIVERY_NONE, false, 0, 1}};

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        anew(0);
        delivery.pending.ready = !rows[i].ready;
        delivery.pending.credentials_at_ms = 7;
        delivery_credentials(&delivery, now, rows[i].report);
        assert_int_equal(delivery.pending.ready, rows[i].ready);
        assert_int_equal(delivery.pending.credentials_at_ms,
                         rows[i].at_ms > 0 ? now.ms + rows[i].at_ms : 0);
        assert_int_equal(delivery.breaker.failures, rows[i].failures);
        assert_false(breaker_open(&delivery.breaker));
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(script),      cmocka_unit_test(doubles),     cmocka_unit_test(memory_of),
        cmocka_unit_test(copies),      cmocka_unit_test(kept_out),    cmocka_unit_test(no_room),
        cmocka_unit_test(news),        cmocka_unit_test(patience),    cmocka_unit_test(questions),
        cmocka_unit_test(time_left),   cmocka_unit_test(awaited_now), cmocka_unit_test(ends),
        cmocka_unit_test(credentials), cmocka_unit_test(ahead),       cmocka_unit_test(forgets),
        cmocka_unit_test(rests),
    };

    return RUN(argc, argv, tests);
}
