#include "srtp.h"

#include <stdlib.h>

#include "bytes.h"

#define GCM_TAG 16
#define SHA1_TAG 10
#define SHA1_SIZE 20
#define SHA1_BLOCK 64
#define MOST_SOURCES 256 /* SSRCs of one direction: a peer with keys could else fill memory */
#define ENCRYPTED 0x80000000u

static int is_gcm(const Srtp *srtp) { return srtp->profile == AEAD_AES_128_GCM || srtp->profile == AEAD_AES_256_GCM; }

int srtp_tag(const Srtp *srtp) { return srtp->profile == AES_CM_128_HMAC_SHA1_80 ? SHA1_TAG : GCM_TAG; }

static int key_length(Profile profile) { return profile == AEAD_AES_256_GCM ? 32 : 16; }

/* --- keys ---------------------------------------------------------------------------------------------------------- */

/* RFC 3711 section 4.3.3: the key stream of AES-CM over (label, salt); RFC 7714 section 11 pads its salt with zeros. */
static int derive(const uint8_t *key, int length, const uint8_t *salt, int label, uint8_t *out, int size)
{
    uint8_t counter[16] = {0};
    memcpy(counter, salt, 14);
    counter[7] ^= (uint8_t)label;
    memset(out, 0, (size_t)size);
    void *context = crypto.context_new();
    int got = 0;
    int good = context &&
               crypto.encrypt_init(context, length == 32 ? crypto.aes_256_ctr() : crypto.aes_128_ctr(), NULL, key,
                                   counter) == 1 &&
               crypto.encrypt_update(context, out, &got, out, size) == 1 && got == size;
    if (context)
        crypto.context_free(context);
    return good;
}

static void key_hmac(SrtpCipher *cipher, const uint8_t *key)
{
    uint8_t pad[SHA1_BLOCK];
    for (int i = 0; i < SHA1_BLOCK; i++)
        pad[i] = (uint8_t)((i < SHA1_SIZE ? key[i] : 0) ^ 0x36);
    crypto.sha1_init(&cipher->inner);
    crypto.sha1_update(&cipher->inner, pad, sizeof pad);
    for (int i = 0; i < SHA1_BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    crypto.sha1_init(&cipher->outer);
    crypto.sha1_update(&cipher->outer, pad, sizeof pad);
}

static int derive_cipher(Srtp *srtp, SrtpCipher *cipher, const uint8_t *key, const uint8_t *salt, int first_label)
{
    int length = key_length(srtp->profile);
    uint8_t authentication[SHA1_SIZE];
    if (!derive(key, length, salt, first_label, cipher->key, length) ||
        !derive(key, length, salt, first_label + 1, authentication, sizeof authentication) ||
        !derive(key, length, salt, first_label + 2, cipher->salt, is_gcm(srtp) ? 12 : 14))
        return 0;
    key_hmac(cipher, authentication);
    return 1;
}

static int has_profile(int profile)
{
#ifdef TONGTANG_FLOOR
    if (profile == NULL_WITH_TAG)
        return 1;
#endif
    return profile >= AEAD_AES_128_GCM && profile <= AES_CM_128_HMAC_SHA1_80;
}

Srtp *srtp_open(Profile profile, const uint8_t *key, size_t size, int inbound)
{
    if (!has_profile(profile))
        return NULL;
    int length = key_length(profile), salted = profile == AES_CM_128_HMAC_SHA1_80 ? 14 : 12;
    Srtp *srtp = size == (size_t)(length + salted) ? calloc(1, sizeof *srtp) : NULL;
    if (!srtp)
        return NULL;
    srtp->profile = profile;
    srtp->inbound = inbound;
    uint8_t salt[14] = {0};
    memcpy(salt, key + length, (size_t)salted);
    if (!derive_cipher(srtp, &srtp->rtp, key, salt, 0) || !derive_cipher(srtp, &srtp->rtcp, key, salt, 3)) {
        srtp_close(srtp);
        return NULL;
    }
    return srtp;
}

void srtp_close(Srtp *srtp)
{
    if (!srtp)
        return;
    if (srtp->rtp.context)
        crypto.context_free(srtp->rtp.context);
    if (srtp->rtcp.context)
        crypto.context_free(srtp->rtcp.context);
    for (int i = 0; i < srtp->count; i++)
        free(srtp->sources[i]);
    free(srtp->sources);
    memset(srtp, 0, sizeof *srtp);
    free(srtp);
}

static void *context_of(const Srtp *srtp, SrtpCipher *cipher)
{
    if (cipher->context)
        return cipher->context;
    void *context = crypto.context_new();
    if (!context)
        return NULL;
    int large = key_length(srtp->profile) == 32, good;
    if (!is_gcm(srtp))
        good = crypto.encrypt_init(context, crypto.aes_128_ctr(), NULL, cipher->key, NULL);
    else if (srtp->inbound)
        good = crypto.decrypt_init(context, large ? crypto.aes_256_gcm() : crypto.aes_128_gcm(), NULL, cipher->key, NULL);
    else
        good = crypto.encrypt_init(context, large ? crypto.aes_256_gcm() : crypto.aes_128_gcm(), NULL, cipher->key, NULL);
    if (good != 1) {
        crypto.context_free(context);
        return NULL;
    }
    return cipher->context = context;
}

/* --- numbers ------------------------------------------------------------------------------------------------------- */

static SrtpSource *find_source(Srtp *srtp, uint32_t ssrc)
{
    if (srtp->last < srtp->count && srtp->sources[srtp->last]->ssrc == ssrc)
        return srtp->sources[srtp->last];
    for (int i = 0; i < srtp->count; i++)
        if (srtp->sources[i]->ssrc == ssrc) {
            srtp->last = i;
            return srtp->sources[i];
        }
    return NULL;
}

/* What arrives gets a source only once it proved authentic: ``fresh`` stands in until then. */
static SrtpSource *keep_source(Srtp *srtp, const SrtpSource *fresh)
{
    if (srtp->count == MOST_SOURCES)
        return NULL;
    if (srtp->count == srtp->size) {
        int size = srtp->size ? 2 * srtp->size : 2;
        SrtpSource **sources = realloc(srtp->sources, (size_t)size * sizeof *sources);
        if (!sources)
            return NULL;
        srtp->sources = sources;
        srtp->size = size;
    }
    SrtpSource *source = malloc(sizeof *source);
    if (!source)
        return NULL;
    *source = *fresh;
    return srtp->sources[srtp->count++] = source;
}

/* RFC 3711 section 3.3.1; below 2^15 nothing can have wrapped yet (libsrtp reads it so, too). */
static int64_t guess_index(int64_t highest, uint16_t sequence)
{
    if (highest <= 0x8000)
        return sequence;
    int64_t roc = highest >> 16;
    int local = (int)(highest & 0xFFFF);
    if (local < 0x8000)
        roc -= (int)sequence - local > 0x8000;
    else
        roc += local - 0x8000 > (int)sequence;
    return roc * 65536 + sequence;
}

enum { NEW, SEEN, OLD };

static int check_index(const SrtpSource *source, int64_t index)
{
    int64_t behind = source->index - index;
    if (behind < 0)
        return NEW;
    if (behind > REPLAY_WINDOW - 1 || index < 0)
        return OLD;
    return source->seen[(index % REPLAY_WINDOW) / 64] >> (index % 64) & 1 ? SEEN : NEW;
}

static void book_index(SrtpSource *source, int64_t index)
{
    if (index - source->index >= REPLAY_WINDOW)
        memset(source->seen, 0, sizeof source->seen);
    else
        for (int64_t i = source->index + 1; i < index; i++)
            source->seen[(i % REPLAY_WINDOW) / 64] &= ~(1ull << (i % 64));
    source->seen[(index % REPLAY_WINDOW) / 64] |= 1ull << (index % 64);
    if (index > source->index)
        source->index = index;
}

static int rtcp_check(const SrtpSource *source, uint32_t index)
{
    if (index < source->rtcp_start)
        return OLD;
    if (index - source->rtcp_start >= RTCP_WINDOW)
        return NEW;
    return source->rtcp_seen[(index % RTCP_WINDOW) / 64] >> (index % 64) & 1 ? SEEN : NEW;
}

static void rtcp_book(SrtpSource *source, uint32_t index)
{
    while (index - source->rtcp_start >= RTCP_WINDOW) {
        uint32_t leaving = source->rtcp_start;
        if (index - leaving >= 2 * RTCP_WINDOW) {
            memset(source->rtcp_seen, 0, sizeof source->rtcp_seen);
            source->rtcp_start = index - RTCP_WINDOW + 1;
            break;
        }
        source->rtcp_seen[(leaving % RTCP_WINDOW) / 64] &= ~(1ull << (leaving % 64));
        source->rtcp_start++;
    }
    source->rtcp_seen[(index % RTCP_WINDOW) / 64] |= 1ull << (index % 64);
}

/* --- ciphers ------------------------------------------------------------------------------------------------------- */

/* RFC 7714 sections 8.1, 9.1: 0, SSRC, then ROC and SEQ, or 0 and the SRTCP index; all XOR salt. */
static void gcm_iv(const SrtpCipher *cipher, uint32_t ssrc, uint64_t index, uint8_t *iv)
{
    put16(iv, 0);
    put32(iv + 2, ssrc);
    put16(iv + 6, (uint32_t)(index >> 32));
    put32(iv + 8, (uint32_t)index);
    for (int i = 0; i < 12; i++)
        iv[i] ^= cipher->salt[i];
}

/* RFC 3711 section 4.1.1. */
static void ctr_iv(const SrtpCipher *cipher, uint32_t ssrc, uint64_t index, uint8_t *iv)
{
    memset(iv, 0, 16);
    put32(iv + 4, ssrc);
    put16(iv + 8, (uint32_t)(index >> 32));
    put32(iv + 10, (uint32_t)index);
    for (int i = 0; i < 14; i++)
        iv[i] ^= cipher->salt[i];
}

typedef struct {
    const uint8_t *at;
    int size;
} Piece;

static int gcm_seal(void *context, const uint8_t *iv, Piece first, Piece second, uint8_t *out, Piece plain)
{
    int got = 0;
    return crypto.encrypt_init(context, NULL, NULL, NULL, iv) == 1 &&
           crypto.encrypt_update(context, NULL, &got, first.at, first.size) == 1 &&
           (!second.size || crypto.encrypt_update(context, NULL, &got, second.at, second.size) == 1) &&
           (!plain.size || crypto.encrypt_update(context, out, &got, plain.at, plain.size) == 1) &&
           crypto.encrypt_final(context, out + plain.size, &got) == 1 &&
           crypto.control(context, CTRL_GET_TAG, GCM_TAG, out + plain.size) == 1;
}

/* ``at``: ciphertext of ``size`` bytes, then the tag. */
static int gcm_open(void *context, const uint8_t *iv, Piece first, Piece second, uint8_t *at, int size)
{
    int got = 0;
    return crypto.decrypt_init(context, NULL, NULL, NULL, iv) == 1 &&
           crypto.decrypt_update(context, NULL, &got, first.at, first.size) == 1 &&
           (!second.size || crypto.decrypt_update(context, NULL, &got, second.at, second.size) == 1) &&
           (!size || crypto.decrypt_update(context, at, &got, at, size) == 1) &&
           crypto.control(context, CTRL_SET_TAG, GCM_TAG, at + size) == 1 &&
           crypto.decrypt_final(context, at + size, &got) == 1;
}

static int ctr_apply(void *context, const uint8_t *iv, uint8_t *out, const uint8_t *in, int size)
{
    int got = 0;
    return crypto.encrypt_init(context, NULL, NULL, NULL, iv) == 1 &&
           (!size || crypto.encrypt_update(context, out, &got, in, size) == 1);
}

static void hmac(const SrtpCipher *cipher, Piece first, Piece second, uint8_t *out)
{
    Sha1 state = cipher->inner;
    crypto.sha1_update(&state, first.at, (size_t)first.size);
    if (second.size)
        crypto.sha1_update(&state, second.at, (size_t)second.size);
    crypto.sha1_final(out, &state);
    state = cipher->outer;
    crypto.sha1_update(&state, out, SHA1_SIZE);
    crypto.sha1_final(out, &state);
}

static int same_tag(const uint8_t *a, const uint8_t *b)
{
    int different = 0;
    for (int i = 0; i < SHA1_TAG; i++)
        different |= a[i] ^ b[i];
    return !different;
}

static int seal(Srtp *srtp, uint8_t *packet, int head, const uint8_t *payload, int size, uint64_t index)
{
    void *context = context_of(srtp, &srtp->rtp);
    uint32_t ssrc = get32(packet + 8);
    uint8_t iv[16], *body = packet + head;
#ifdef TONGTANG_FLOOR
    if (srtp->profile == NULL_WITH_TAG) {
        memmove(body, payload, (size_t)size);
        memset(body + size, 0, GCM_TAG);
        return head + size + GCM_TAG;
    }
#endif
    if (!context)
        return 0;
    if (is_gcm(srtp)) {
        gcm_iv(&srtp->rtp, ssrc, index, iv);
        int good = gcm_seal(context, iv, (Piece){packet, head}, (Piece){0}, body, (Piece){payload, size});
        return good ? head + size + GCM_TAG : 0;
    }
    ctr_iv(&srtp->rtp, ssrc, index, iv);
    if (!ctr_apply(context, iv, body, payload, size))
        return 0;
    uint8_t roc[4], tag[SHA1_SIZE];
    put32(roc, (uint32_t)(index >> 16));
    hmac(&srtp->rtp, (Piece){packet, head + size}, (Piece){roc, 4}, tag);
    memcpy(body + size, tag, SHA1_TAG);
    return head + size + SHA1_TAG;
}

static int open_packet(Srtp *srtp, uint8_t *packet, int head, int size, uint64_t index)
{
    void *context = context_of(srtp, &srtp->rtp);
    uint32_t ssrc = get32(packet + 8);
    uint8_t iv[16];
#ifdef TONGTANG_FLOOR
    if (srtp->profile == NULL_WITH_TAG)
        return size - GCM_TAG;
#endif
    if (!context)
        return 0;
    if (is_gcm(srtp)) {
        int body = size - head - GCM_TAG;
        gcm_iv(&srtp->rtp, ssrc, index, iv);
        return body >= 0 && gcm_open(context, iv, (Piece){packet, head}, (Piece){0}, packet + head, body) ? head + body
                                                                                                      : 0;
    }
    int body = size - head - SHA1_TAG;
    if (body < 0)
        return 0;
    uint8_t roc[4], tag[SHA1_SIZE];
    put32(roc, (uint32_t)(index >> 16));
    hmac(&srtp->rtp, (Piece){packet, head + body}, (Piece){roc, 4}, tag);
    if (!same_tag(tag, packet + head + body))
        return 0;
    ctr_iv(&srtp->rtp, ssrc, index, iv);
    return ctr_apply(context, iv, packet + head, packet + head, body) ? head + body : 0;
}

/* --- packets ------------------------------------------------------------------------------------------------------- */

int srtp_protect(Srtp *srtp, uint8_t *packet, int head, const uint8_t *payload, int size)
{
    uint32_t ssrc = get32(packet + 8);
    SrtpSource *source = find_source(srtp, ssrc);
    if (!source) {
        SrtpSource fresh = {.ssrc = ssrc};
        source = keep_source(srtp, &fresh);
        if (!source)
            return 0;
    }
    int64_t index = guess_index(source->index, get16(packet + 2));
    int known = check_index(source, index);
    if (known == OLD || index < 0)
        return 0;
    if (known == NEW) /* SEEN: a NACK answered without RTX sends the very same packet again */
        book_index(source, index);
    return seal(srtp, packet, head, payload, size, (uint64_t)index);
}

/* Size of the RTP header with extensions, 0 where it contradicts the packet's. */
static int header_size(const uint8_t *packet, int size)
{
    if (size < 12)
        return 0;
    int head = 12 + 4 * (packet[0] & 15);
    if (packet[0] & 0x10) {
        if (head + 4 > size)
            return 0;
        head += 4 + 4 * get16(packet + head + 2);
    }
    return head <= size ? head : 0;
}

int srtp_unprotect(Srtp *srtp, uint8_t *packet, int size)
{
    int head = header_size(packet, size);
    if (!head)
        return 0;
    SrtpSource fresh = {.ssrc = get32(packet + 8)};
    SrtpSource *source = find_source(srtp, fresh.ssrc);
    int64_t index = guess_index(source ? source->index : 0, get16(packet + 2));
    if (index < 0 || (source && check_index(source, index) != NEW))
        return 0;
    int plain = open_packet(srtp, packet, head, size, (uint64_t)index);
    if (!plain || (!source && !(source = keep_source(srtp, &fresh))))
        return 0;
    book_index(source, index);
    return plain;
}

int srtp_protect_rtcp(Srtp *srtp, uint8_t *packet, int size)
{
    if (size < 8)
        return 0;
    uint32_t ssrc = get32(packet + 4);
    SrtpSource *source = find_source(srtp, ssrc), fresh = {.ssrc = ssrc};
    void *context = context_of(srtp, &srtp->rtcp);
    if (!context || (!source && !(source = keep_source(srtp, &fresh))) || source->rtcp_start >= 0x7FFFFFFF)
        return 0;
    uint32_t index = ++source->rtcp_start;
    uint8_t iv[16], trailer[4];
    put32(trailer, index | ENCRYPTED);
    if (is_gcm(srtp)) { /* RFC 7714 section 9.2: tag, then index */
        gcm_iv(&srtp->rtcp, ssrc, index, iv);
        if (!gcm_seal(context, iv, (Piece){packet, 8}, (Piece){trailer, 4}, packet + 8, (Piece){packet + 8, size - 8}))
            return 0;
        memcpy(packet + size + GCM_TAG, trailer, 4);
        return size + GCM_TAG + 4;
    }
    ctr_iv(&srtp->rtcp, ssrc, index, iv);
    if (!ctr_apply(context, iv, packet + 8, packet + 8, size - 8))
        return 0;
    uint8_t tag[SHA1_SIZE];
    memcpy(packet + size, trailer, 4);
    hmac(&srtp->rtcp, (Piece){packet, size + 4}, (Piece){0}, tag);
    memcpy(packet + size + 4, tag, SHA1_TAG);
    return size + 4 + SHA1_TAG;
}

static int open_rtcp(Srtp *srtp, uint8_t *packet, int body, const uint8_t *trailer, uint32_t ssrc, uint32_t index)
{
    void *context = context_of(srtp, &srtp->rtcp);
    uint8_t iv[16], tag[SHA1_SIZE];
    if (!context)
        return 0;
    if (is_gcm(srtp)) {
        gcm_iv(&srtp->rtcp, ssrc, index, iv);
        return gcm_open(context, iv, (Piece){packet, 8}, (Piece){trailer, 4}, packet + 8, body - 8);
    }
    hmac(&srtp->rtcp, (Piece){packet, body + 4}, (Piece){0}, tag);
    if (!same_tag(tag, packet + body + 4))
        return 0;
    ctr_iv(&srtp->rtcp, ssrc, index, iv);
    return ctr_apply(context, iv, packet + 8, packet + 8, body - 8);
}

int srtp_unprotect_rtcp(Srtp *srtp, uint8_t *packet, int size)
{
    int gcm = is_gcm(srtp), body = size - 4 - (gcm ? GCM_TAG : SHA1_TAG);
    if (body < 8)
        return 0;
    const uint8_t *trailer = packet + (gcm ? size - 4 : body);
    uint32_t word = get32(trailer), index = word & ~ENCRYPTED;
    SrtpSource fresh = {.ssrc = get32(packet + 4)};
    SrtpSource *source = find_source(srtp, fresh.ssrc);
    if (!(word & ENCRYPTED) || (source && rtcp_check(source, index) != NEW))
        return 0;
    if (!open_rtcp(srtp, packet, body, trailer, fresh.ssrc, index) || (!source && !(source = keep_source(srtp, &fresh))))
        return 0;
    rtcp_book(source, index);
    return body;
}

/* --- known answers ------------------------------------------------------------------------------------------------- */

static const uint8_t GCM_PLAIN[] = "\x80\x40\xf1\x7b\x80\x41\xf8\xd3\x55\x01\xa0\xb2"
                                   "Gallia est omnis divisa in partes tres";
static const uint8_t GCM_128[] =
    "\x80\x40\xf1\x7b\x80\x41\xf8\xd3\x55\x01\xa0\xb2\xf2\x4d\xe3\xa3\xfb\x34\xde\x6c\xac\xba\x86\x1c\x9d\x7e\x4b\xca"
    "\xbe\x63\x3b\xd5\x0d\x29\x4e\x6f\x42\xa5\xf4\x7a\x51\xc7\xd1\x9b\x36\xde\x3a\xdf\x88\x33\x89\x9d\x7f\x27\xbe\xb1"
    "\x6a\x91\x52\xcf\x76\x5e\xe4\x39\x0c\xce";
static const uint8_t GCM_256[] =
    "\x80\x40\xf1\x7b\x80\x41\xf8\xd3\x55\x01\xa0\xb2\x32\xb1\xde\x78\xa8\x22\xfe\x12\xef\x9f\x78\xfa\x33\x2e\x33\xaa"
    "\xb1\x80\x12\x38\x9a\x58\xe2\xf3\xb5\x0b\x2a\x02\x76\xff\xae\x0f\x1b\xa6\x37\x99\xb8\x7b\x7a\xa3\xdb\x36\xdf\xff"
    "\xd6\xb0\xf9\xbb\x78\x78\xd7\xa7\x6c\x13";
/* libsrtp's reference packet under the master key of RFC 3711 appendix B.3. */
static const uint8_t CM_KEY[] = "\xe1\xf9\x7a\x0d\x3e\x01\x8b\xe0\xd6\x4f\xa3\x2c\x06\xde\x41\x39"
                                "\x0e\xc6\x75\xad\x49\x8a\xfe\xeb\xb6\x96\x0b\x3a\xab\xe6";
static const uint8_t CM_SESSION_KEY[] = "\xc6\x1e\x7a\x93\x74\x4f\x39\xee\x10\x73\x4a\xfe\x3f\xf7\xa0\x87";
static const uint8_t CM_PLAIN[] = "\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe\xab\xab\xab\xab\xab\xab\xab\xab\xab"
                                  "\xab\xab\xab\xab\xab\xab\xab";
static const uint8_t CM_CIPHER[] =
    "\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe\x4e\x55\xdc\x4c\xe7\x99\x78\xd8\x8c\xa4\xd2\x15\x94\x9d\x24\x02"
    "\xb7\x8d\x6a\xcc\x99\xea\x17\x9b\x8d\xbb";

static int both_ways(Srtp *sender, Srtp *receiver, const uint8_t *plain, int size, const uint8_t *cipher, int sealed)
{
    uint8_t packet[128];
    memcpy(packet, plain, (size_t)size);
    return srtp_protect(sender, packet, 12, packet + 12, size - 12) == sealed &&
           !memcmp(packet, cipher, (size_t)sealed) && srtp_unprotect(receiver, packet, sealed) == size &&
           !memcmp(packet, plain, (size_t)size) && srtp_unprotect(receiver, packet, sealed) == 0;
}

static int gcm_selftest(Profile profile, const uint8_t *cipher)
{
    uint8_t zeros[44] = {0};
    size_t size = (size_t)key_length(profile) + 12;
    Srtp *sender = srtp_open(profile, zeros, size, 0), *receiver = srtp_open(profile, zeros, size, 1);
    int good = sender && receiver;
    for (int turn = 0; good && turn < 2; turn++) { /* RFC 7714 gives session keys: no derivation */
        SrtpCipher *one = turn ? &sender->rtp : &receiver->rtp;
        for (int i = 0; i < 32; i++)
            one->key[i] = (uint8_t)i;
        memcpy(one->salt, "Quid pro quo", 12);
    }
    good = good && both_ways(sender, receiver, GCM_PLAIN, sizeof GCM_PLAIN - 1, cipher, sizeof GCM_128 - 1);
    srtp_close(sender);
    srtp_close(receiver);
    return good;
}

int srtp_selftest(void)
{
    Srtp *sender = srtp_open(AES_CM_128_HMAC_SHA1_80, CM_KEY, 30, 0);
    Srtp *receiver = srtp_open(AES_CM_128_HMAC_SHA1_80, CM_KEY, 30, 1);
    int good = sender && receiver && !memcmp(sender->rtp.key, CM_SESSION_KEY, 16) &&
               both_ways(sender, receiver, CM_PLAIN, sizeof CM_PLAIN - 1, CM_CIPHER, sizeof CM_CIPHER - 1);
    srtp_close(sender);
    srtp_close(receiver);
    return good && gcm_selftest(AEAD_AES_128_GCM, GCM_128) && gcm_selftest(AEAD_AES_256_GCM, GCM_256) ? 0 : -1;
}
