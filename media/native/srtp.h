/* SRTP and SRTCP of one peer (RFC 3711, RFC 7714), one direction each. Agrees with libsrtp packet for packet. */
#ifndef TONGTANG_SRTP_H
#define TONGTANG_SRTP_H

#include <stddef.h>
#include <stdint.h>

#include "crypto.h"

/* Bytes behind a plain packet that protection may need: tag (16) and SRTCP index (4), rounded up. */
#define TRAILER 32

typedef enum {
    AEAD_AES_128_GCM = 1,
    AEAD_AES_256_GCM = 2,
    AES_CM_128_HMAC_SHA1_80 = 3,
#ifdef TONGTANG_FLOOR
    NULL_WITH_TAG = 9, /* tests/bench/fanout.py only: what everything but cryptography costs */
#endif
} Profile;

#define REPLAY_WINDOW 1024 /* packets; RTX of a second ago may still come */
#define RTCP_WINDOW 128

typedef struct {
    uint32_t ssrc;
    uint32_t rtcp_start; /* sending: last index; receiving: first of the window */
    int64_t index;       /* highest, ROC << 16 | SEQ */
    uint64_t seen[REPLAY_WINDOW / 64];
    uint64_t rtcp_seen[RTCP_WINDOW / 64];
} SrtpSource;

typedef struct {
    uint8_t key[32];
    uint8_t salt[14];
    Sha1 inner, outer; /* HMAC-SHA1 with the key already hashed in */
    void *context;     /* made when first needed: most peers only receive */
} SrtpCipher;

typedef struct {
    Profile profile;
    int inbound;
    SrtpCipher rtp, rtcp;
    SrtpSource **sources;
    int count, size, last; /* last: where the newest packet's SSRC was found */
} Srtp;

/* NULL when the key has the wrong size or memory lacks. ``key``: master key and salt. */
Srtp *srtp_open(Profile profile, const uint8_t *key, size_t size, int inbound);
void srtp_close(Srtp *srtp);

int srtp_tag(const Srtp *srtp); /* bytes that protection adds to a packet */
/* Writes ``payload`` encrypted behind the ``head`` bytes at ``packet``, then the tag. ``payload`` may lie there already.
 * The size of it all, 0 when the number cannot be used. */
int srtp_protect(Srtp *srtp, uint8_t *packet, int head, const uint8_t *payload, int size);
/* In place; the plain size, 0 when refused. */
int srtp_unprotect(Srtp *srtp, uint8_t *packet, int size);
int srtp_protect_rtcp(Srtp *srtp, uint8_t *packet, int size);
int srtp_unprotect_rtcp(Srtp *srtp, uint8_t *packet, int size);

/* Known answers of RFC 7714 section 16 and RFC 3711 appendix B; 0 when all are right. */
int srtp_selftest(void);

#endif
