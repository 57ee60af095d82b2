#ifndef FILTER_PATTERN_H
#define FILTER_PATTERN_H
/*
 * CloudWatch Logs' filter patterns: read once, into a fixed program for filter_match.h.
 *
 * Source: CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters, filter log
 * events, and Live Tail". A pattern is one of
 *
 *     nothing, or only blank phrases (" ")     every line
 *     ERROR "two words" -health                lines with all of these terms, and none behind a minus
 *     ?ERROR ?WARN                             lines with any of these
 *     { $.level = "ERROR" && $.ms > 500 }      lines that are JSON objects of which this holds
 *     [ip, user, ..., status = 4*, bytes]      lines with these fields between blanks, of which this holds
 *
 * Terms     Letters, digits and underscores (and whatever is not ASCII); anything else has to be in quotation marks,
 *           double ones or, which AWS does not have, single ones. There a backslash stands before such a mark, or
 *           before another backslash, and for itself elsewhere. A term is looked for anywhere, within words too; small
 *           and capital letters differ; * is itself. A sign belongs to the term that follows.
 * ?term     beside terms of another kind is refused: CloudWatch ignores the ?terms then, without a word, and who
 *           wrote them wanted something else.
 * {…}       A selector is $ and then .name (letters, digits, - and _), .["any name"], [number], [*] (each element) or
 *           .* (each member); more than one * is allowed here, by AWS one. It is followed by =, !=, <, >, <=, >= and a
 *           value, or by IS NULL, IS TRUE, IS FALSE, or NOT EXISTS. && goes before ||, parentheses before both.
 * […]       A field is a name, a condition that begins with it (status = 4* && status != 403), or nothing. "..."
 *           stands for any number of fields, none too, and may come once. A condition is about its own field: AWS
 *           refuses another one's name there, too.
 * Values    as terms, and without quotation marks also of . * + -. In both, * stands for any text, none too. One
 *           without quotation marks that is a number (1, -2.5, 1e3) is compared with numbers as one; the four that
 *           ask what is larger take nothing else.
 * %…%       Regular expressions are refused.
 */
#include "protocol/decimal.h"

#define FILTER_PATTERN_MAX_BYTES 1024 /* AWS's own limit */
#define FILTER_TESTS_MAX 32           /* terms, or comparisons */
#define FILTER_STEPS_MAX 128          /* of all selectors */
#define FILTER_DEPTH_MAX 16           /* of one */
#define FILTER_FIELDS_MAX 64

/* What a test asks. The first six are sets of less, equal and greater: the outcomes that are wanted. */
enum filter_op {
    FILTER_LESS = 1,
    FILTER_EQUAL = 2,
    FILTER_LESS_EQUAL = 3,
    FILTER_GREATER = 4,
    FILTER_DIFFERENT = 5,
    FILTER_GREATER_EQUAL = 6,
    FILTER_IS = 8, /* the raw value is the text: null, true or false */
    FILTER_NOT_EXISTS = 16
};

struct filter_text {
    uint16_t at, len; /* in texts */
};

struct filter_test {
    uint8_t op;     /* enum filter_op */
    uint8_t at;     /* a selector's first step; or which field, "..." not counted */
    uint8_t length; /* of a selector, in steps */
    bool numeric;   /* the text is a number */
    struct filter_text text;
    struct decimal number;
};

/* One step of a selector: a member of this name, the element of this index, or any. */
struct filter_step {
    bool element, any;
    uint16_t index;
    struct filter_text name;
};

/* Not to be looked into but by filter_match.c and tests. */
struct filter_pattern {
    uint8_t form; /* enum filter_form */
    uint8_t tests_len, steps_len, program_len;
    uint8_t fields; /* how many */
    uint8_t gap;    /* how many of them before "..."; all if there is none */
    bool gapped;
    bool grows; /* none is NOT EXISTS: more that is met never makes less of it */
    uint16_t texts_len;
    uint32_t all; /* the tests, if all of them have to hold and that is all; else 0 */
    /* tests by number, and after their operands FILTER_AND and FILTER_OR */
    uint8_t program[2 * FILTER_TESTS_MAX];
    struct filter_test tests[FILTER_TESTS_MAX];
    struct filter_step steps[FILTER_STEPS_MAX];
    char texts[FILTER_PATTERN_MAX_BYTES + 2 * FILTER_TESTS_MAX]; /* FILTER_ANY: any text */
    /* For each byte of a part between two FILTER_ANY: how long a shorter beginning of the part ends with this byte,
     * so that nothing of a line is looked at twice. */
    uint16_t back[FILTER_PATTERN_MAX_BYTES + 2 * FILTER_TESTS_MAX];
};

enum filter_form { FILTER_TERMS, FILTER_JSON, FILTER_FIELDS };

enum { FILTER_ANY = 0, FILTER_AND = FILTER_TESTS_MAX, FILTER_OR };

/* Why a pattern is refused. */
struct filter_error {
    /* Of the byte that cannot be, from 1 on; behind the last one where something is missing. */
    size_t column;
    const char *reason;
};

/*
 * Reads a pattern in UTF-8 that ends with a zero byte, and is not needed any more afterwards. Blanks around it, and
 * within where nothing else is said, mean nothing.
 *
 * Returns 0; ERR_BAD and the error: p is of no use then.
 */
int filter_pattern_read(struct filter_pattern *p, const char *pattern, struct filter_error *error);

#endif
