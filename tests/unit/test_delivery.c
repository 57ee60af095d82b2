#include "protocol/delivery.h"

#include "delivery_driver.h"
#include "protocol/put_records.h"

/*
 * Scripts: what happens, and which orders follow. Options come first, each a letter:
 *
 *   S E   a dead letter: S3, standard error        o   TELEMETRY_DROP=oldest
 *   q     a queue of 2 KiB                         p   TELEMETRY_OVERSIZE=split
 *   c     credentials are fetched from somewhere   1   AWS_MAX_ATTEMPTS=1
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
 * + well, ~ partly, - error, . nothing to say.
 */
static const struct row {
    const char *name, *options, *script, *log;
    const char
        *left; /* what has become of the events: d delivered, b buried, x dropped, q queued */
} rows[] = {
    /* when records go */
    {"after 200 ms", "", "+3 w199 | w1 y", "C | S3 +", "d3"},
    {"at a flush", "", "+3 f w0 y", "C S3 +", "d3"},
    {"a full batch at once", "", "+499 w0 +1 w0 y", "C S500 +", "d500"},
    {"a MiB at once", "", "b300000 b300000 b300000 w0 b300000 w0 y", "C S4 +", "d4"},
    {"just a MiB", "", "b300000 b300000 b300000 b148576 w0 | y", "C S4 | +", "d4"},
    {"less than that", "", "b300000 b300000 b300000 b148575 w0 | w200 y", "C | S4 +", "d4"},
    {"within 5 ms while someone waits", "", "a500 +3 w4 | w1 y", "C | S3 +", "d3"},
    {"a flush is for what is there", "", "+2 f w0 +2 y w0 w199 | w1 y", "C S2 + C | S2 +", "d4"},
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
    {"buried: half of the time", "S", "+3 L2000 w0 w999 w1 B", "C S3 X B3", "b3"},
    {"buried: standard error needs less", "E", "+3 L2000 w0 w1849 w1 B", "C S3 X B3", "b3"},
    {"buried: what waits has room in vain", "qS", "+40 F w0 L2000 w1000 B", "C S16 X U B16", "b16"},
    {"buried as soon as it is in vain", "S", "+3 f w0 n! L2000 w1 n! B", "C S3 - opened S3 - B3",
     "b3"},
    {"what comes after it, too", "S", "L2000 w1000 +2 w0 B", "B2", "b2"},

    /* the dead letter */
    {"gathered for five seconds", "1S", "+2 f w0 i0 w4999 w1 B", "C S2 - opened B2", "b2"},
    {"or at a flush", "1S", "+2 f w0 i0 +1 f w0 B @1000", "C S2 - opened B2 S1", "b2q1"},
    {"S3 fails", "1S", "+2 f w0 i0 f w0 b! @52 B", "C S2 - opened B2 B2", "b2"},
    {"nobody knows: the same again", "1S", "+2 f w0 i0 f w0 b? @52 B", "C S2 - opened B2 B2!",
     "b2"},
    {"credentials are refused: at once", "1Sc", "+2 f w0 i0 f w0 bc bc @52 B",
     "C S2 - opened B2 R B2 B2", "b2"},
    {"a part, by standard error", "1E", "+2 f w0 i0 f w0 B1 @1 B", "C S2 - opened B2 B1", "b2"},
    {"a slow one at the last chance", "1S", "+2 f w0 i0 f w0 L900 w299 w1 B",
     "C S2 - opened B2 Y B2", "b2"},

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
    static const char *const worths[] = {".", "-", "~", "+"};

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
set(const char *options)
{
    settings = (struct settings){.key = KEY_SANDBOX, .format = EVENT_VERBATIM};
    for (const char *o = options; *o != '\0'; o++) {
        if (*o == 'S' || *o == 'E')
            settings.dead_letter = *o == 'S' ? DEAD_LETTER_S3 : DEAD_LETTER_STDERR;
        else if (*o == 'o')
            settings.drop = WHEN_FULL_OLDEST;
        else if (*o == 'q')
            settings.queue_max_bytes = 2048;
        else if (*o == 'p')
            settings.oversize = OVERSIZE_SPLIT;
        else if (*o == 'c')
            settings.credentials.host = SPAN("127.0.0.1");
        else if (*o == '1')
            settings.max_attempts = 1;
        else
            fail_msg("what is %c?", *o);
    }
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
    for (size_t i = 0; i < LEN(rows); i++)
        if (only == NULL || strcmp(only, rows[i].name) == 0)
            run_row(&rows[i]);
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

/* --- what a script does not tell ------------------------------------------------------------------ */

static void
anew(uint32_t events)
{
    set("");
    begin();
    for (uint32_t i = 0; i < events; i++)
        assert_int_equal(offer(100), 0);
}

/* Orders until there is a call; its records. */
static uint32_t
sent(void)
{
    while (!delivery.call.under_way) {
        enum delivery_act act = delivery_next(&delivery, now, &order);

        assert_int_not_equal(act, DELIVERY_WAIT);
        if (act == DELIVERY_CREDENTIALS)
            delivery_credentials(&delivery, now, DELIVERY_READY);
    }
    return delivery.call.len;
}

/* Whether it is pointless to wait for an event that has come just now. */
static void
pointless(void **state)
{
    (void)state;
    anew(0);
    assert_false(delivery_pointless_until(&delivery, now, 0, true));
    anew(1);
    assert_false(delivery_pointless_until(&delivery, now, 0, false));
    assert_false(delivery_pointless_until(&delivery, now, now.ms + 1, true));
    assert_true(delivery_pointless_until(&delivery, now, now.ms, true));
    delivery_flush(&delivery);
    (void)sent();
    assert_false(delivery_pointless_until(&delivery, now, 0, true));
    anew(1);
    delivery.backoff.calls_at_ms = now.ms + 100;
    assert_false(delivery_pointless_until(&delivery, now, now.ms + 101, true));
    assert_true(delivery_pointless_until(&delivery, now, now.ms + 100, true));
    assert_false(delivery_pointless_until(&delivery, now, now.ms + 100, false));
    anew(0);
    delivery.breaker.intervals = 1;
    assert_true(delivery_pointless_until(&delivery, now, UINT64_MAX, false));
    delivery.urgency.last_chance = true;
    assert_false(delivery_pointless_until(&delivery, now, UINT64_MAX, false));
}

/* The breaker's probe is as far away as it may be, by a wall clock that was set back; further is not believed. */
static void
far_probe(void **state)
{
    (void)state;
    for (unsigned further = 0; further < 2; further++) {
        anew(1);
        delivery.breaker.intervals = delivery.breaker.failures = 1;
        delivery.breaker.probe_at_ms = now.wall_ms + 30000 + further;
        delivery_flush(&delivery);
        delivery.pending.connect = false;
        assert_int_equal(delivery_next(&delivery, now, &order),
                         further ? DELIVERY_CREDENTIALS : DELIVERY_WAIT);
        assert_int_equal(order.at_ms, further ? 0 : now.ms + 30000);
    }
}

/* While the stream throttles, fresh records and those that failed take turns. */
static void
turns(void **state)
{
    (void)state;
    for (uint32_t per_second = 0; per_second < 2; per_second++) {
        struct delivery_reply r = {.status = 200, .records = true, .requests = 1};

        anew(1);
        delivery_flush(&delivery);
        assert_int_equal(sent(), 1);
        delivery_record(&delivery, 0, SPAN("InternalFailure"));
        (void)delivery_replied(&delivery, now, &r);
        delivery.call.what = QUEUE_TAKE_FAILED;
        delivery.pace.per_second = per_second;
        assert_int_equal(offer(100), 0);
        delivery_flush(&delivery);
        pass(20000);
        delivery.backoff.failed_at_ms = 0;
        (void)sent();
        assert_int_equal(delivery.call.what, per_second ? QUEUE_TAKE_FRESH : QUEUE_TAKE_FAILED);
    }
}

/* What a request takes: as many bytes as records, by how they are written. */
static void
request_sizes(void **state)
{
    static const struct {
        const char *name;
        uint32_t batch_max;
        bool last_chance, rests;
        uint32_t bytes;
    } rows[] = {
        {"whole", 500, false, false, 5 * 1024 * 1024 - 4096},
        {"fifth", 100, false, false, (5 * 1024 * 1024 - 4096) / 5},
        {"last chance", 500, true, false, 1048576},
        {"last chance, small", 50, true, false, (5 * 1024 * 1024 - 4096) / 10},
        {"probe", 26, false, true, (5 * 1024 * 1024 - 4096) / 20},
        {"probe of many", 500, false, true, (5 * 1024 * 1024 - 4096) / 20},
    };

    (void)state;
    for (size_t i = 0; i < 2 * LEN(rows); i++) {
        const char *name = rows[i / 2].name;
        bool over = i % 2;
        size_t left = rows[i / 2].bytes + over;
        uint32_t records = 0;
        struct queue_record one;

        set("");
        settings.queue_max_bytes = 16 << 20;
        begin();
        delivery.form = WIRE_CBOR;
        assert_int_equal(offer(100), 0);
        assert_true(queue_oldest(&delivery.queue, &one));
        for (left -= put_records_size(WIRE_CBOR, 100, one.partition_key); left > 0; records++) {
            size_t bytes = left > 1000000 ? 500000 : left > 200000 ? 100000 : left;

            if (bytes == left)
                bytes -= put_records_size(WIRE_CBOR, bytes, one.partition_key) - bytes;
            assert_int_equal(offer(bytes), 0);
            left -= put_records_size(WIRE_CBOR, bytes, one.partition_key);
        }
        delivery_flush(&delivery);
        delivery.batch_max = rows[i / 2].batch_max;
        delivery.urgency.last_chance = rows[i / 2].last_chance;
        delivery.breaker.intervals = rows[i / 2].rests;
        CHECK_INT(name, sent(), records + !over);
    }
}

/* A call of as many records as are allowed is full. */
static void
full_call(void **state)
{
    (void)state;
    for (uint32_t most = 3; most <= 4; most++) {
        anew(3);
        delivery_flush(&delivery);
        delivery.batch_max = most;
        assert_int_equal(sent(), 3);
        assert_int_equal(delivery.call.full, most == 3);
    }
}

static void
answer(const char *const codes[], struct delivery_reply r)
{
    r.form = WIRE_CBOR;
    for (uint32_t i = 0; codes != NULL && i < delivery.call.len; i++)
        delivery_record(&delivery, i, span_of(codes[i]));
    r.records = codes != NULL;
    (void)delivery_replied(&delivery, now, &r);
}

#define TRANSIENT "InternalFailure"
#define THROTTLED "ProvisionedThroughputExceededException"

/* Until it may be sent, whatever it waits for. */
static void
sent_again(void)
{
    pass(60000);
    (void)sent();
}

/* What a call's records say of it together. */
static void
of_records(void **state)
{
    static const struct {
        const char *name, *codes[2];
        uint32_t accepted, throttled;
        enum retry_class class;
        unsigned refusals; /* of the first, before */
        unsigned max_attempts;
        bool hopeful;
    } rows[] = {
        {"throttled", {THROTTLED, ""}, 1, 1, RETRY_THROTTLED, 0, 5, true},
        {"throttled, as often as it may be refused",
         {THROTTLED, ""},
         1,
         1,
         RETRY_THROTTLED,
         4,
         5,
         true},
        {"failed", {TRANSIENT, ""}, 1, 0, RETRY_TRANSIENT, 0, 5, true},
        {"failed for the last time", {TRANSIENT, ""}, 1, 0, RETRY_TRANSIENT, 4, 5, false},
        {"failed for the last but one", {TRANSIENT, ""}, 1, 0, RETRY_TRANSIENT, 3, 5, true},
        {"one of each", {THROTTLED, TRANSIENT}, 0, 1, RETRY_THROTTLED, 0, 5, true},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        struct delivery_reply r = {.status = 200, .requests = 1};

        anew(1);
        delivery_flush(&delivery);
        (void)sent();
        for (unsigned n = 0; n < rows[i].refusals; n++) {
            answer((const char *const[]){TRANSIENT}, r);
            delivery.breaker = (struct breaker){0};
            sent_again();
        }
        answer((const char *const[]){THROTTLED}, r);
        assert_int_equal(offer(100), 0);
        sent_again();
        CHECK_INT(rows[i].name, delivery.call.len, 2);
        answer(rows[i].codes, r);
        CHECK_INT(rows[i].name, delivery.call.accepted, rows[i].accepted);
        CHECK_INT(rows[i].name, delivery.call.throttled, rows[i].throttled);
        CHECK_INT(rows[i].name, delivery.call.class, rows[i].class);
        CHECK_INT(rows[i].name, delivery.call.hopeful, rows[i].hopeful);
        CHECK_INT(rows[i].name, delivery.call.most_attempts, rows[i].refusals + 2);
    }
}

/* The longest wait of many after a call that failed so, and after a part of one. */
static void
waits(void **state)
{
    static const struct {
        const char *name, *codes[2];
        enum retry_class class;
        uint32_t hint_ms;
        uint64_t least_ms, most_ms;
    } rows[] = {
        {"transient", {NULL}, RETRY_TRANSIENT, 0, 40, 51},
        {"throttled", {NULL}, RETRY_THROTTLED, 0, 800, 1001},
        {"as asked for", {NULL}, RETRY_TRANSIENT, 300, 301, 301},
        {"a part, transient", {"", TRANSIENT}, RETRY_TRANSIENT, 0, 40, 50},
        {"a part, as asked for", {"", TRANSIENT}, RETRY_TRANSIENT, 300, 300, 300},
        {"a part, throttled", {"", THROTTLED}, RETRY_TRANSIENT, 0, 800, 1000},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        uint64_t longest = 0;

        for (uint64_t seed = 0; seed < 64; seed++) {
            struct delivery_reply r = {
                .status = 200, .requests = 1, .retry_after_ms = rows[i].hint_ms};
            bool whole = rows[i].codes[0] == NULL;
            uint64_t at;

            anew(2);
            delivery_reseed(&delivery, seed);
            delivery_flush(&delivery);
            (void)sent();
            r.class = rows[i].class;
            r.status = whole ? 500 : 200;
            answer(whole ? NULL : rows[i].codes, r);
            at = whole ? delivery.backoff.calls_at_ms : delivery.backoff.failed_at_ms;
            longest = at - now.ms > longest ? at - now.ms : longest;
        }
        CHECK_INT(rows[i].name, longest >= rows[i].least_ms && longest <= rows[i].most_ms, true);
    }
}

/* A call after one that failed is paid for; without means it is not made, and the breaker opens. */
static void
paid_for(void **state)
{
    struct delivery_reply r = {.status = 500, .requests = 1};

    (void)state;
    anew(1);
    delivery_flush(&delivery);
    (void)sent();
    answer(NULL, r);
    pass(delivery.backoff.calls_at_ms - now.ms);
    (void)sent();
    assert_int_equal(delivery.quota.tokens, 486);
    anew(1);
    delivery_flush(&delivery);
    delivery.breaker.failures = 1;
    delivery.quota.tokens = 13;
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_CONNECT);
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_CREDENTIALS);
    delivery_credentials(&delivery, now, DELIVERY_READY);
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_NOTE);
    assert_int_equal(order.note, DELIVERY_OPENED);
    assert_int_equal(order.failures, 2);
    assert_int_equal(delivery.ledger.breaker_openings, 1);
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_WAIT);
    assert_in_range(order.at_ms, now.ms + 500, now.ms + 1000);
    assert_true(breaker_open(&delivery.breaker));
    /* the probe succeeds */
    pass(order.at_ms - now.ms);
    (void)sent();
    answer((const char *const[]){""}, (struct delivery_reply){.status = 200, .requests = 1});
    assert_int_equal(delivery_next(&delivery, now, &order), DELIVERY_NOTE);
    assert_int_equal(order.note, DELIVERY_RECOVERS);
    assert_int_equal(order.failures, 2);
}

/* Credentials are for one call, and asked for again before the next one. */
static void
asked_each_time(void **state)
{
    (void)state;
    anew(1);
    for (unsigned calls = 0; calls < 3; calls++) {
        unsigned asked = 0;

        assert_int_equal(calls == 0 ? 0 : offer(100), 0);
        delivery_flush(&delivery);
        while (!delivery.call.under_way) {
            enum delivery_act act = delivery_next(&delivery, now, &order);

            asked += act == DELIVERY_CREDENTIALS;
            assert_int_not_equal(act, DELIVERY_WAIT);
            if (act == DELIVERY_CREDENTIALS)
                delivery_credentials(&delivery, now, DELIVERY_READY);
        }
        assert_int_equal(asked, 1);
        answer((const char *const[]){""}, (struct delivery_reply){.status = 200, .requests = 1});
        pass(1);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(script),          cmocka_unit_test(doubles),
        cmocka_unit_test(pointless),       cmocka_unit_test(far_probe),
        cmocka_unit_test(turns),           cmocka_unit_test(request_sizes),
        cmocka_unit_test(full_call),       cmocka_unit_test(of_records),
        cmocka_unit_test(waits),           cmocka_unit_test(paid_for),
        cmocka_unit_test(asked_each_time),
    };

    return RUN(argc, argv, tests);
}
