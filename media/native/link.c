/* One outgoing stream: a source's packets written anew with the receiver's numbers and ids, sent again on request
 * (media/forward/subscription.py, rewrite.py and the guard of history.py). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "engine.h"

#define SMALLEST_STEP (1.0 / 30) /* seconds between the last packet of one source and the first of the next */

void link_free(Link *link)
{
    free(link->guard.done);
    free(link);
}

void link_show(Link *link, Stream *stream, int payload_type, int rtx)
{
    link->stream = stream;
    link->waiting = 1;
    link->started = 0;
    if (payload_type >= 0) {
        link->payload_type = payload_type;
        link->rtx = rtx;
    }
}

/* --- numbers ------------------------------------------------------------------------------------------------------- */

/* The packet with this number and timestamp will be the first of the new source. */
static void begin(Link *link, int64_t number, uint32_t timestamp, double now)
{
    double passed = link->last_at >= 0 ? fmax(now - link->last_at, SMALLEST_STEP) : 0.0;
    link->first = number;
    link->offset = link->highest + 1 - number;
    link->timestamp_offset = (uint32_t)((int64_t)link->last_timestamp + (int64_t)rint(passed * link->clock) - timestamp);
    if (link->segment_count == SEGMENTS)
        memmove(link->segments, link->segments + 1, (size_t)--link->segment_count * sizeof *link->segments);
    link->segments[link->segment_count++] =
        (Segment){link->stream->handle, number, link->offset, link->timestamp_offset};
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

typedef struct {
    int type; /* with the marker's bit */
    uint32_t sequence, timestamp, ssrc;
    const Packet *media;
    int original; /* RTX: the number that comes first in the payload; -1 */
} Written;

/* The hottest lines of the house: one head, one encryption that is also the copy. */
static int write_packet(Engine *engine, Link *link, Written what)
{
    Peer *peer = link->peer;
    const Packet *media = what.media;
    const Head *head = media->has_level ? &link->with_level : &link->bare;
    uint8_t *at = out_room(engine, peer, head->size + 2 + media->size);
    if (!at)
        return 0;
    memcpy(at, head->bytes, (size_t)head->size);
    at[1] = (uint8_t)what.type;
    put16(at + 2, what.sequence);
    put32(at + 4, what.timestamp);
    put32(at + 8, what.ssrc);
    if (head->level_at)
        at[head->level_at] = media->level;
    if (head->stamp_at)
        memcpy(at + head->stamp_at, engine->stamp, 3);
    if (head->transport_cc_at)
        put16(at + head->transport_cc_at, ++peer->transport_cc);
    const uint8_t *payload = media->payload;
    int size = media->size;
    if (what.original >= 0) { /* RFC 4588 section 4 */
        put16(at + head->size, (uint32_t)what.original);
        memcpy(at + head->size + 2, payload, (size_t)size);
        payload = at + head->size;
        size += 2;
    }
    int sealed = srtp_protect(peer->send, at, head->size, payload, size);
    if (sealed)
        out_queue(engine, peer, sealed);
    return sealed > 0;
}

void link_forward(Engine *engine, Link *link, Packet *const *burst, size_t count, double now)
{
    for (size_t i = 0; i < count; i++) {
        const Packet *media = burst[i];
        int64_t number = media->number;
        if (link->waiting) {
            if (!media->starts || !link->stream || !link->peer->port || !link->peer->send)
                continue;
            begin(link, number, media->timestamp, now);
            link->waiting = 0;
            link->started = 1;
        } else if (number < link->first)
            continue; /* of before the switch */
        number += link->offset;
        uint32_t timestamp = media->timestamp + link->timestamp_offset;
        Written what = {link->payload_type | media->marker, (uint32_t)number, timestamp, link->ssrc, media, -1};
        if (!write_packet(engine, link, what))
            continue;
        link->packets++;
        link->octets += (uint64_t)media->size;
        if (number > link->highest) {
            link->highest = number;
            link->last_timestamp = timestamp;
            link->last_at = now;
        }
    }
}

/* --- sending again ------------------------------------------------------------------------------------------------- */

#define AGAIN_AFTER 0.150
#define MOST_RESENDS 4
#define SHARE 0.20          /* of what was sent, over the last second */
#define FLOOR (60000.0 / 8) /* so that a still picture's few packets can be mended */

static void refill(Guard *guard, int64_t octets, double now)
{
    double passed = now - guard->at;
    if (passed < 0.05)
        return;
    guard->rate += fmin(passed, 1.0) * ((double)(octets - guard->octets) / passed - guard->rate);
    guard->octets = octets;
    guard->at = now;
    double allowed = fmax(guard->rate * SHARE, FLOOR);
    guard->tokens = fmin(allowed, guard->tokens + allowed * passed); /* never more than a second's worth */
    int kept = 0;
    for (int i = 0; i < guard->count; i++)
        if (!(now - guard->done[i].at > 2))
            guard->done[kept++] = guard->done[i];
    guard->count = kept;
}

static Resent *book_of(Guard *guard, int64_t number)
{
    for (int i = guard->count; i-- > 0;)
        if (guard->done[i].number == number)
            return &guard->done[i];
    if (guard->count == guard->size) {
        int size = guard->size ? 2 * guard->size : 16;
        Resent *done = realloc(guard->done, (size_t)size * sizeof *done);
        if (!done)
            return NULL;
        guard->done = done;
        guard->size = size;
    }
    guard->done[guard->count] = (Resent){number, -1.0, 0};
    return &guard->done[guard->count++];
}

static int allows(Guard *guard, int64_t number, int size, double now)
{
    if (guard->tokens < size)
        return 0;
    Resent *book = book_of(guard, number);
    if (!book || (book->times && now - book->at < AGAIN_AFTER) || book->times >= MOST_RESENDS)
        return 0;
    book->at = now;
    book->times++;
    guard->tokens -= size;
    return 1;
}

int link_resend(Engine *engine, Link *link, uint16_t sequence, double now)
{
    int64_t out = extend(sequence, link->highest);
    const Segment *segment = NULL;
    for (int i = link->segment_count; !segment && i-- > 0;)
        if (out <= link->highest && out >= link->segments[i].first + link->segments[i].offset)
            segment = &link->segments[i];
    Stream *stream = segment ? table_get(&engine->streams, (uint64_t)segment->stream) : NULL;
    const Packet *media = stream ? history_get(&stream->history, out - segment->offset) : NULL;
    if (!media)
        return 0;
    refill(&link->guard, (int64_t)link->octets, now);
    if (!allows(&link->guard, out, media->size, now))
        return 0;
    uint32_t timestamp = media->timestamp + segment->timestamp_offset;
    if (link->rtx < 0 || !link->has_rtx_ssrc)
        return write_packet(engine, link, (Written){link->payload_type | media->marker, sequence, timestamp, link->ssrc,
                                                    media, -1});
    return write_packet(engine, link, (Written){link->rtx | media->marker, ++link->rtx_sequence, timestamp,
                                                link->rtx_ssrc, media, sequence});
}
