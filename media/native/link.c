/* One outgoing stream: a source's packets written anew with the receiver's numbers and ids, sent again on request
 * (media/forward/subscription.py, rewrite.py and the guard of history.py). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "engine.h"

#define PLAUSIBLE 2.0          /* seconds that a clock from sender reports may differ from the arrivals */
#define SMALLEST_STEP (1.0 / 30) /* seconds between the last packet of one source and the first of the next */

void link_free(Link *link)
{
    packet_drop(link->last);
    free(link->guard.done);
    free(link);
}

int link_started(const Link *link)
{
    return link->stream && link->shown == link->stream->handle && gate_flows(&link->gate);
}

/* From the stream's next key frame on; nothing until then. */
void link_show(Link *link, Stream *stream, const Format *format, Clock delta)
{
    gate_shut(&link->gate, add_clocks(gate_clock(&link->gate), delta));
    link->stream = stream;
    link->shown = -1;
    link->upcoming = NULL;
    if (!format)
        return;
    if (format->form != link->format.form) {
        packet_drop(link->last);
        link->last = NULL;
    }
    link->format = *format;
}

/* --- numbers ------------------------------------------------------------------------------------------------------- */

static uint32_t magnitude(int32_t value) { return value < 0 ? 0u - (uint32_t)value : (uint32_t)value; }

/* The packet with this number and timestamp will be the first of a new segment (media/forward/rewrite.py). */
static void new_segment(Link *link, int64_t number, uint32_t timestamp, double now)
{
    double passed = link->last_at >= 0 ? fmax(now - link->last_at, SMALLEST_STEP) : 0.0;
    Clock clock = link->gate.step;
    uint32_t expected = link->last_timestamp + (uint32_t)(int64_t)rint(passed * link->rate);
    uint32_t base = link->base + clock.value;
    int32_t off = (int32_t)(timestamp + base - expected);
    if (!clock.known || !link->segment_count || magnitude(off) > PLAUSIBLE * link->rate)
        link->base = link->timestamp_offset = expected - timestamp;
    else { /* a decoder takes two pictures of one timestamp for one */
        int32_t behind = (int32_t)(link->last_timestamp + 1 - timestamp - base);
        link->base = base;
        link->timestamp_offset = base + (behind > 0 ? (uint32_t)behind : 0);
    }
    link->offset = link->highest + 1 - number;
    if (link->segment_count == SEGMENTS)
        memmove(link->segments, link->segments + 1, (size_t)--link->segment_count * sizeof *link->segments);
    link->segments[link->segment_count++] =
        (Segment){link->stream->handle, number, link->offset, link->timestamp_offset, link->shift};
}

static void begin(Engine *engine, Link *link, const Packet *media, double now)
{
    Shift none = {0, 0};
    link->shift = link->format.form == VP8 ? shift_behind(link->last, link->shift, media) : none;
    new_segment(link, media->number, media->timestamp, now);
    if (link->shown != link->stream->handle) {
        link->shown = link->stream->handle;
        engine_switched(engine, link->handle, link->shown);
    }
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

typedef struct {
    int type; /* with the marker's bit */
    uint32_t sequence, timestamp, ssrc;
    const Packet *media;
    Shift shift;
    int original; /* RTX: the number that comes first in the payload; -1 */
    int padding;  /* RFC 3550 section 5.1: the P bit, for a payload that is nothing else */
} Written;

static int write_head(const Engine *engine, const Link *link, const Written *what, uint8_t *at)
{
    const Packet *media = what->media;
    const Head *head = media->has_level ? &link->with_level : &link->bare;
    memcpy(at, head->bytes, (size_t)head->size);
    at[0] |= what->padding ? 0x20 : 0;
    at[1] = (uint8_t)what->type;
    put16(at + 2, what->sequence);
    put32(at + 4, what->timestamp);
    put32(at + 8, what->ssrc);
    if (head->level_at)
        at[head->level_at] = media->level;
    if (head->stamp_at)
        memcpy(at + head->stamp_at, engine->stamp, 3);
    if (head->transport_cc_at)
        put16(at + head->transport_cc_at, (uint32_t)link->peer->transport_cc + 1);
    return head->size;
}

/* The hottest lines of the house: one head, one encryption that is also the copy. Bytes sent. */
static int write_packet(Engine *engine, Link *link, Written what)
{
    Peer *peer = link->peer;
    const Packet *media = what.media;
    uint8_t *at = out_room(engine, peer, (int)sizeof link->bare.bytes + 2 + media->size);
    if (!at)
        return 0;
    int head = write_head(engine, link, &what, at), size = media->size;
    const uint8_t *payload = media->payload;
    if (what.original >= 0 || what.shift.picture || what.shift.tl0) { /* changed, so copied first */
        int more = what.original >= 0 ? 2 : 0; /* RFC 4588 section 4 */
        put16(at + head, (uint32_t)what.original);
        memcpy(at + head + more, payload, (size_t)size);
        renumber(at + head + more, size, what.shift);
        payload = at + head;
        size += more;
    }
    int sealed = srtp_protect(peer->send, at, head, payload, size);
    if (!sealed)
        return 0;
    if ((media->has_level ? link->with_level : link->bare).transport_cc_at)
        peer_departed(peer, ++peer->transport_cc, engine->now, sealed);
    out_queue(engine, peer, sealed);
    return sealed;
}

static void keep_last(Link *link, Packet *media)
{
    packet_drop(link->last);
    media->references++;
    link->last = media;
}

void link_forward(Engine *engine, Link *link, Packet *const *burst, size_t count, double now)
{
    Gate *gate = &link->gate;
    for (size_t i = 0; i < count; i++) {
        Packet *media = burst[i];
        int64_t number = media->number;
        if (!gate->open) {
            if (!link->peer->port || !link->peer->send || !link->stream)
                continue;
            Verdict verdict = gate_admits(gate, number, media->timestamp, media->starts);
            if (verdict == TURNED_AWAY)
                continue;
            if (verdict == BEGINS)
                begin(engine, link, media, now);
        } else if (number < gate->first)
            continue; /* of before the switch */
        number += link->offset;
        uint32_t timestamp = media->timestamp + link->timestamp_offset;
        Written what = {link->format.payload_type | media->marker, (uint32_t)number, timestamp, link->ssrc, media,
                        link->shift, -1, 0};
        if (!write_packet(engine, link, what))
            continue;
        link->packets++;
        link->octets += (uint64_t)media->size;
        if (number > link->highest) {
            link->highest = number;
            link->last_timestamp = timestamp;
            link->last_at = now;
            if (media->size && link->format.form == VP8)
                keep_last(link, media);
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

typedef struct {
    const Packet *media;
    const Segment *segment;
    int64_t out;
} Sent;

/* What the history still holds of the packet that went out under this number; 0 for nothing. */
static int find_sent(const Engine *engine, const Link *link, uint16_t sequence, Sent *sent)
{
    sent->out = extend(sequence, link->highest);
    sent->segment = NULL;
    for (int i = link->segment_count; !sent->segment && i-- > 0;)
        if (sent->out <= link->highest && sent->out >= link->segments[i].first + link->segments[i].offset)
            sent->segment = &link->segments[i];
    const Stream *stream = sent->segment ? table_get(&engine->streams, (uint64_t)sent->segment->stream) : NULL;
    sent->media = stream ? history_get(&stream->history, sent->out - sent->segment->offset) : NULL;
    return sent->media != NULL;
}

/* As RTX (RFC 4588 section 4) where negotiated, else the same once more; bytes sent. */
static int repeat(Engine *engine, Link *link, const Sent *sent)
{
    const Packet *media = sent->media;
    uint16_t sequence = (uint16_t)sent->out;
    Written what = {link->format.payload_type | media->marker, sequence, media->timestamp + sent->segment->timestamp_offset,
                    link->ssrc, media, sent->segment->shift, -1, 0};
    if (link->format.rtx >= 0 && link->has_rtx_ssrc) {
        what.type = link->format.rtx | media->marker;
        what.original = sequence;
        what.sequence = ++link->rtx_sequence;
        what.ssrc = link->rtx_ssrc;
    }
    return write_packet(engine, link, what);
}

/* A packet of padding as RTX; bytes sent. */
static int pad(Engine *engine, Link *link)
{
    uint8_t padding[255] = {0};
    padding[sizeof padding - 1] = sizeof padding;
    Packet *media = packet_new(padding, sizeof padding);
    if (!media)
        return 0;
    Written what = {link->format.rtx, ++link->rtx_sequence, link->last_timestamp, link->rtx_ssrc, media, {0, 0}, -1, 1};
    int sent = write_packet(engine, link, what);
    packet_drop(media);
    return sent;
}

int link_resend(Engine *engine, Link *link, uint16_t sequence, double now)
{
    Sent sent;
    if (!find_sent(engine, link, sequence, &sent))
        return 0;
    refill(&link->guard, (int64_t)link->octets, now);
    return allows(&link->guard, sent.out, sent.media->size, now) && repeat(engine, link, &sent) > 0;
}

#define NEWEST 16      /* packets a probe repeats, over and over */
#define PADDING 255    /* a probe up to this size is padding */
#define MOST_PROBES 64 /* packets of one probe: 0.1 s of 6 Mbit/s */

int link_probe(Engine *engine, Link *link, int size)
{
    Sent newest[NEWEST];
    int count = 0, done = 0;
    if (link->format.rtx < 0 || !link->has_rtx_ssrc)
        return 0;
    for (int i = 0; size > PADDING && i < NEWEST; i++)
        if (find_sent(engine, link, (uint16_t)(link->highest - i), &newest[count]) && newest[count].media->size)
            count++;
    for (int i = 0; count && i < MOST_PROBES && done < size; i++)
        done += repeat(engine, link, &newest[i % count]);
    for (int sent = 1; !count && sent && done < size; done += sent)
        sent = pad(engine, link);
    return done;
}
