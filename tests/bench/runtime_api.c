/* see runtime_api.h */
#include "runtime_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

/* Calls are answered by as many threads as an extension may have connections here. */
#define THREADS 8
#define IDENTIFIER "11111111-2222-3333-4444-555555555555"
#define REGISTERED                                                                                 \
    "{\"accountId\":\"123456789012\",\"functionName\":\"bench\",\"functionVersion\":\"$LATEST\","  \
    "\"handler\":"                                                                                 \
    "\"index.handler\"}"

static void
reply(int fd, const char *status, const char *body)
{
    char text[1536];
    int len = snprintf(text, sizeof(text),
                       "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                       "Lambda-Extension-Identifier: " IDENTIFIER "\r\n"
                       "Lambda-Extension-Event-Identifier: " IDENTIFIER "\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       status, strlen(body), body);

    fd_write(fd, text, (size_t)len);
}

static void
note(struct runtime_api *api, int64_t *what, int64_t when)
{
    pthread_mutex_lock(&api->lock);
    if (*what == 0)
        *what = when;
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->lock);
}

/* "URI":"http://sandbox.localdomain:4243/path", the host being this one; and the schema. */
static void
take_subscription(struct runtime_api *api, struct http_in *in)
{
    char *at = memmem(in->body, in->body_len, "http://sandbox", 14);
    char *end = at ? memchr(at, '"', (size_t)(in->body + in->body_len - at)) : NULL;
    char *colon = end ? memchr(at + 7, ':', (size_t)(end - at) - 7) : NULL;

    api->strings = memmem(in->body, in->body_len, "\"2022-07-01\"", 12) != NULL;
    if (!colon)
        die("no destination in the subscription");
    *end = '\0';
    char *path = strchr(colon, '/');
    snprintf(api->telemetry_path, sizeof(api->telemetry_path), "%s", path ? path : "/");
    api->telemetry_port = (uint16_t)strtoul(colon + 1, NULL, 10);
}

static void
answer_next(struct runtime_api *api, int fd, int64_t arrived)
{
    char event[sizeof(api->event)];

    pthread_mutex_lock(&api->lock);
    if (api->nexts++ == 0)
        api->first_next_ns = arrived;
    api->next_ns = arrived;
    pthread_cond_broadcast(&api->changed);
    while (api->event[0] == '\0')
        pthread_cond_wait(&api->changed, &api->lock);
    strcpy(event, api->event);
    api->event[0] = '\0';
    api->answered_ns = now_ns();
    pthread_mutex_unlock(&api->lock);
    reply(fd, "200 OK", event);
}

static void
answer(struct runtime_api *api, int fd, struct http_in *in, int64_t arrived)
{
    if (strncmp(in->head, "GET /2020-01-01/extension/event/next ", 37) == 0) {
        answer_next(api, fd, arrived);
    } else if (strncmp(in->head, "POST /2020-01-01/extension/register ", 36) == 0) {
        note(api, &api->register_ns, arrived);
        reply(fd, "200 OK", REGISTERED);
    } else if (strncmp(in->head, "PUT /2022-07-01/telemetry ", 26) == 0) {
        take_subscription(api, in);
        note(api, &api->subscribe_ns, arrived);
        reply(fd, "200 OK", "\"OK\"");
    } else {
        fprintf(stderr, "bench host: not known: %.80s\n", in->head);
        reply(fd, "404 Not Found", "{}");
    }
}

static void *
serve_all(void *context)
{
    struct runtime_api *api = context;
    struct http_in in;
    int fd;

    http_in_init(&in, fd_read, &fd);
    for (;;) {
        fd = net_accept(api->listener);
        in.have = in.used = 0;
        while (http_read(&in))
            answer(api, fd, &in, now_ns());
        close(fd);
    }
    return NULL;
}

void
runtime_api_start(struct runtime_api *api)
{
    *api = (struct runtime_api){.port = 0};
    pthread_mutex_init(&api->lock, NULL);
    pthread_cond_init(&api->changed, NULL);
    api->listener = net_listen(&api->port);
    for (int i = 0; i < THREADS; i++)
        start_thread(serve_all, api);
}

bool
runtime_api_await_next(struct runtime_api *api, unsigned nexts, unsigned ms)
{
    struct timespec until = clock_in(ms);

    pthread_mutex_lock(&api->lock);
    while (api->nexts < nexts && pthread_cond_timedwait(&api->changed, &api->lock, &until) == 0)
        continue;
    bool good = api->nexts >= nexts;
    pthread_mutex_unlock(&api->lock);
    return good;
}

void
runtime_api_send(struct runtime_api *api, const char *event)
{
    pthread_mutex_lock(&api->lock);
    snprintf(api->event, sizeof(api->event), "%s", event);
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->lock);
}
