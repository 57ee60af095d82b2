#ifndef OPTIONS_H
#define OPTIONS_H
/*
 * The command line of the bench host: --post-events 500 and so on, by the names in options.c.
 */
#define MARKS_MAX 8

struct options {
    const char *certificate, *key, *ca, *log; /* paths */
    unsigned long events, size;               /* events 0: SHUTDOWN follows the first next */
    unsigned long per_invocation, post_events, post_bytes;
    const char *settings;     /* more of the environment, as NAME=value,NAME=value */
    unsigned long objects;    /* 1: what is logged are objects (load.h) */
    unsigned long one_in;     /* the settings filter all events but these: number 0, one_in, ... */
    unsigned long delay_ms;   /* of each answer of Kinesis */
    unsigned long idle_ms;    /* between invocations */
    unsigned long patience_s; /* with one thing that is awaited */
    unsigned long limit_s;    /* for the whole run */
    unsigned long marks[MARKS_MAX]; /* memory and CPU are noted after so many events */
    unsigned marks_len;
};

extern struct options o;

/* What follows the command, up to the NULL. A wrong option ends the host. */
void options_parse(char **list);

#endif
