/* Packets in: whose is it, is it authentic, which stream, is it new (media/pyengine.py, "packets in"). */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "engine.h"

#define AT_ONCE 32       /* datagrams per system call */
#define MOST_AT_ONCE 256 /* per service: timers and other ports wait at most a millisecond or two */
#define MOST_ERRORS 64   /* pending ICMP errors skipped per service */
#define BELIEVED 1.0     /* seconds a kernel's arrival may differ: more means that the wall clock was set meanwhile */
#define TOGETHER 0.001   /* seconds between two readings of a clock that count as the same moment */

/* RFC 7983 section 7, RFC 5761 section 4. */
enum { GARBAGE, IS_STUN, IS_DTLS, IS_RTP, IS_RTCP };

static int classify(const uint8_t *data, int size)
{
    if (size < 2)
        return GARBAGE;
    if (data[0] <= 3)
        return size >= 20 ? IS_STUN : GARBAGE;
    if (data[0] >= 20 && data[0] <= 63)
        return size >= 13 ? IS_DTLS : GARBAGE;
    if (data[0] < 128 || data[0] > 191)
        return GARBAGE;
    if (data[1] >= 192 && data[1] <= 223)
        return size >= 8 ? IS_RTCP : GARBAGE;
    return size >= 12 ? IS_RTP : GARBAGE;
}

/* --- extensions ---------------------------------------------------------------------------------------------------- */

/* Finds both elements anew; remembers where they stood, in the form browsers use. */
static void search(const Peer *peer, int level_id, Source *source, const uint8_t *data, int start, int end,
                   int *level_at, int *cc_at)
{
    int profile = get16(data + start), two_byte = (profile & 0xFFF0) == 0x1000;
    *level_at = *cc_at = 0;
    for (int at = start + 4; at < end && (two_byte || profile == 0xBEDE);) {
        int element = data[at], length;
        if (!element) {
            at++;
            continue;
        }
        if (two_byte) {
            if (at + 2 > end)
                break;
            length = data[at + 1];
            at += 2;
        } else {
            length = (element & 15) + 1;
            element >>= 4;
            at++;
            if (element == 15) /* RFC 8285 section 4.2: stop */
                break;
        }
        if (at + length > end)
            break;
        if (element == peer->transport_cc_id && length == 2)
            *cc_at = at;
        else if (level_id && element == level_id)
            *level_at = at;
        at += length;
    }
    if (profile == 0xBEDE) {
        source->level_at = *level_at;
        source->transport_cc_at = *cc_at;
    }
}

/* Books the transport-wide number; where the audio level stands, 0 for nowhere. Looks at the last place first. */
static int extensions(Peer *peer, Source *source, const uint8_t *data, int start, int end, double now)
{
    int pictures = source->stream && source->stream->form != AUDIO; /* the level is that of another track */
    int level_id = pictures ? 0 : peer->level_id, cc_id = peer->transport_cc_id;
    int level_at = source->level_at, cc_at = source->transport_cc_at;
    int known = data[start] == 0xBE &&
                (!cc_id || (cc_at && cc_at + 2 <= end && data[cc_at - 1] == (cc_id << 4 | 1))) &&
                (!level_id || (level_at && level_at < end && data[level_at - 1] == level_id << 4));
    if (!known)
        search(peer, level_id, source, data, start, end, &level_at, &cc_at);
    if (cc_at)
        peer_arrived(peer, get16(data + cc_at), now);
    return level_at;
}

/* --- one packet ---------------------------------------------------------------------------------------------------- */

static void take_rtcp(Engine *engine, Peer *peer, uint8_t *data, int size)
{
    int plain = srtp_unprotect_rtcp(peer->receive, data, size);
    if (plain)
        engine_event(engine, (Event){.kind = RTCP, .one = peer->handle}, data, plain);
    else
        peer->refused++;
}

/* Numbers a packet whose payload is [start, end) and hands it on. */
static void number(Engine *engine, Stream *stream, const uint8_t *data, uint16_t sequence, int start, int end,
                   const uint8_t *level, double now)
{
    uint32_t timestamp = get32(data + 4);
    if (now - stream->last_arrival > PAUSE)
        engine_event(engine, (Event){.kind = STREAM_ACTIVE, .one = stream->handle}, NULL, 0);
    stream->last_arrival = now;
    int64_t number = receiver_note(&stream->receiver, sequence, timestamp, now);
    if (number < 0) {
        if (number != RESTARTED)
            return;
        number = stream->receiver.highest;
        engine_deliver(engine);
        stream_restart(stream);
    }
    Packet *packet = packet_new(data + start, end - start);
    if (!packet)
        return;
    packet->number = number;
    packet->timestamp = timestamp;
    packet->marker = data[1] & 0x80;
    packet->has_level = level != NULL;
    packet->level = level ? *level : 0;
    stream_keep(engine, stream, packet, now);
    packet_drop(packet);
    if (stream->key_wanted) {
        stream->key_wanted = 0;
        engine_event(engine, (Event){.kind = KEY_FRAME_WANTED, .one = stream->handle}, NULL, 0);
    }
}

static void take_rtp(Engine *engine, Peer *peer, uint8_t *data, int size, double now)
{
    size = srtp_unprotect(peer->receive, data, size);
    if (size < 12) {
        peer->refused++;
        return;
    }
    uint32_t ssrc = get32(data + 8);
    Source *source = table_get(&peer->sources, ssrc);
    if (!source) /* its transport-wide number counts all the same, or the sender would see losses */
        source = peer_learn(peer, data, size);
    if (!source)
        source = &peer->stranger;
    int start = 12 + 4 * (data[0] & 15), level_at = 0;
    if (data[0] & 0x10) {
        int end = start + 4 <= size ? start + 4 + 4 * get16(data + start + 2) : size + 1;
        if (end > size)
            return;
        level_at = extensions(peer, source, data, start, end, now);
        start = end;
    }
    int end = data[0] & 0x20 ? size - data[size - 1] : size;
    Stream *stream = source->stream;
    if (!stream || end < start)
        return;
    stream->bytes += (uint64_t)(end - start);
    uint16_t sequence = get16(data + 2);
    if (source->rtx) {
        if (end - start < 2)
            return; /* a probe */
        sequence = get16(data + start); /* RFC 4588 section 4: original sequence number */
        start += 2;
        Receiver *receiver = &stream->receiver;
        if (receiver->highest < 0 || !receiver_wants(receiver, extend(sequence, receiver->highest)))
            return; /* browsers probe with old packets */
    } else if (!stream->has_ssrc || stream->ssrc != ssrc) {
        engine_deliver(engine);
        stream_begin(stream, ssrc);
    }
    number(engine, stream, data, sequence, start, end, level_at ? data + level_at : NULL, now);
}

void engine_take(Engine *engine, uint8_t *data, int size, const Path *path, double now)
{
    int kind = classify(data, size);
    Peer *peer = kind == IS_STUN ? NULL : path_owner(engine, path);
    if (kind == IS_STUN || (kind == IS_DTLS && peer)) {
        engine_event(engine, (Event){.kind = kind == IS_STUN ? STUN : DTLS, .path = *path}, data, size);
        return;
    }
    if (!peer || !peer->receive || kind < IS_RTP) {
        engine->garbage++;
        return;
    }
    peer->received_packets++;
    peer->received_bytes += (uint64_t)size;
    if (kind == IS_RTP)
        take_rtp(engine, peer, data, size, now);
    else
        take_rtcp(engine, peer, data, size);
}

/* --- the socket ---------------------------------------------------------------------------------------------------- */

static double seconds_of(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

/* NAN (no stamp is believed) when somebody else ran between the readings: an arrival that looks 100 ms early would be
 * taken for the least delay of the next half minute. */
static double monotonic_minus_wall(void)
{
    for (int attempt = 0; attempt < 3; attempt++) {
        double before = seconds_of(CLOCK_MONOTONIC), wall = seconds_of(CLOCK_REALTIME);
        if (seconds_of(CLOCK_MONOTONIC) - before < TOGETHER)
            return before - wall;
    }
    return NAN;
}

/* The kernel's own arrival time: a browser's bandwidth probe is a few packets 3 ms apart, and a busy loop that reads
 * them in one go would report them as infinitely fast. */
static double arrival_of(struct msghdr *head, double offset, double now)
{
    for (struct cmsghdr *one = CMSG_FIRSTHDR(head); one; one = CMSG_NXTHDR(head, one))
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(one), sizeof stamp);
            double arrival = (double)stamp.tv_sec + (double)stamp.tv_nsec * 1e-9 + offset;
            return now - BELIEVED < arrival && arrival < now + BELIEVED ? arrival : now;
        }
    return now;
}

void engine_service(Engine *engine, Port *port, double now)
{
    static _Thread_local uint8_t buffers[AT_ONCE][MOST_DATAGRAM + TRAILER];
    struct mmsghdr heads[AT_ONCE];
    struct iovec pieces[AT_ONCE];
    struct sockaddr_storage names[AT_ONCE];
    char controls[AT_ONCE][64];
    int left = MOST_AT_ONCE, errors = 0;
    double offset = monotonic_minus_wall();
    engine_stamp(engine, now);
    while (left > 0 && errors < MOST_ERRORS) {
        memset(heads, 0, sizeof heads);
        for (int i = 0; i < AT_ONCE; i++) {
            pieces[i] = (struct iovec){buffers[i], MOST_DATAGRAM};
            heads[i].msg_hdr = (struct msghdr){.msg_name = &names[i], .msg_namelen = sizeof names[i],
                                               .msg_iov = &pieces[i], .msg_iovlen = 1,
                                               .msg_control = controls[i], .msg_controllen = sizeof controls[i]};
        }
        int got = recvmmsg(port->descriptor, heads, AT_ONCE, MSG_DONTWAIT, NULL);
        if (got < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
                break;
            errors++; /* an ICMP error of an earlier send: not about what waits behind it */
            continue;
        }
        for (int i = 0; i < got; i++) {
            Path path;
            path_from_name(&path, port->handle, &names[i]);
            engine_take(engine, buffers[i], (int)heads[i].msg_len, &path, arrival_of(&heads[i].msg_hdr, offset, now));
        }
        left -= got;
        if (got < AT_ONCE)
            break;
    }
    engine_deliver(engine);
}
