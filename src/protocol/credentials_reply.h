#ifndef CREDENTIALS_REPLY_H
#define CREDENTIALS_REPLY_H
/*
 * What the container's credentials endpoint answers.
 *
 *     {"AccessKeyId":"…","SecretAccessKey":"…","Token":"…","Expiration":"2026-11-20T12:00:00Z"}
 *
 * Source: SDK reference, container credential provider.
 */
#include "protocol/out.h"

struct credentials_reply {
    struct span access_key; /* these three point into the caller's room */
    struct span secret_key;
    struct span session_token;
    uint64_t expires_ms; /* since 1970 */
};

/*
 * Reads a reply; the values, their escapes decoded, are appended to room.
 *
 * Returns 0; ERR_BAD when it is not such a document, one of the four is absent or empty, or one of the
 * first three has a byte that is not printable ASCII, which could not be sent in a header field;
 * ERR_FULL when the room is too small.
 */
int credentials_reply_read(struct span body, struct out *room, struct credentials_reply *r);

#endif
