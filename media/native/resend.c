/* Packets sent again: for a NACK (the guard of media/forward/history.py), as a probe, or the very same bytes once more
 * (media/forward/writer.py). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "engine.h"

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

/* --- the very same bytes ------------------------------------------------------------------------------------------- */

void link_keep(Link *link, int64_t number, const Written *what, const uint8_t *stamp)
{
    if (!link->kept && !(link->kept = calloc(KEPT, sizeof *link->kept)))
        return;
    Kept *kept = &link->kept[number % KEPT];
    packet_drop(kept->media);
    what->media->references++;
    *kept = (Kept){number, what->media, what->shift, what->timestamp, (uint16_t)link->peer->transport_cc,
                   (uint8_t)what->type, {stamp[0], stamp[1], stamp[2]}};
}

/* Two different packets must never go out under one SSRC and number: their keystream would be the same. */
static int again(Engine *engine, Link *link, int64_t number)
{
    const Kept *kept = link->kept ? &link->kept[number % KEPT] : NULL;
    if (!kept || !kept->media || kept->number != number)
        return 0;
    const Head *head = &link->bare;
    Packet *media = kept->media;
    uint8_t *at = out_room(engine, link->peer, head->size + media->size);
    if (!at)
        return 0;
    memcpy(at, head->bytes, (size_t)head->size);
    at[1] = kept->type;
    put16(at + 2, (uint32_t)number);
    put32(at + 4, kept->timestamp);
    put32(at + 8, link->ssrc);
    if (head->stamp_at)
        memcpy(at + head->stamp_at, kept->stamp, 3);
    if (head->transport_cc_at)
        put16(at + head->transport_cc_at, kept->transport_cc);
    memcpy(at + head->size, media->payload, (size_t)media->size);
    renumber(at + head->size, media->size, kept->shift);
    int sealed = srtp_protect(link->peer->send, at, head->size, at + head->size, media->size);
    if (sealed)
        out_queue(engine, link->peer, sealed);
    return sealed;
}

void link_drop_kept(Link *link)
{
    for (int i = 0; link->kept && i < KEPT; i++)
        packet_drop(link->kept[i].media);
    free(link->kept);
}

/* --- RTX (RFC 4588 section 4) -------------------------------------------------------------------------------------- */

typedef struct {
    Packet *media;
    const Segment *segment;
    int64_t out;
} Sent;

int link_repeatable(const Link *link) { return link->format.rtx >= 0 && link->has_rtx_ssrc; }

/* What the history still holds of the packet that went out under this number; 0 for nothing. */
static int find_sent(const Engine *engine, const Link *link, uint16_t sequence, Sent *sent)
{
    sent->out = extend(sequence, link->rewriter.highest);
    sent->segment = rewriter_locate(&link->rewriter, sent->out);
    const Stream *stream = sent->segment ? table_get(&engine->streams, (uint64_t)sent->segment->stream) : NULL;
    sent->media = stream ? history_get(&stream->history, sent->out - sent->segment->offset) : NULL;
    return sent->media != NULL;
}

/* As RTX where negotiated, else the very same once more; bytes sent. */
static int repeat(Engine *engine, Link *link, const Sent *sent)
{
    if (!link_repeatable(link))
        return again(engine, link, sent->out);
    Packet *media = sent->media;
    return write_packet(engine, link,
                        (Written){.type = link->format.rtx | media->marker,
                                  .sequence = ++link->rtx_sequence,
                                  .timestamp = media->timestamp + sent->segment->timestamp_offset,
                                  .ssrc = link->rtx_ssrc,
                                  .media = media,
                                  .shift = sent->segment->shift,
                                  .has_original = 1,
                                  .original = (uint16_t)sent->out});
}

/* A packet of padding as RTX (RFC 3550 section 5.1); bytes sent. */
static int pad(Engine *engine, Link *link)
{
    uint8_t padding[255] = {0};
    padding[sizeof padding - 1] = sizeof padding;
    Packet *media = packet_new(padding, sizeof padding);
    if (!media)
        return 0;
    int sent = write_packet(engine, link,
                            (Written){.type = link->format.rtx,
                                      .sequence = ++link->rtx_sequence,
                                      .timestamp = link->rewriter.last_timestamp,
                                      .ssrc = link->rtx_ssrc,
                                      .media = media,
                                      .padding = 1});
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
    if (!link_repeatable(link))
        return 0;
    for (int i = 0; size > PADDING && i < NEWEST; i++)
        if (find_sent(engine, link, (uint16_t)(link->rewriter.highest - i), &newest[count]) && newest[count].media->size)
            count++;
    for (int i = 0; count && i < MOST_PROBES && done < size; i++)
        done += repeat(engine, link, &newest[i % count]);
    for (int sent = 1; !count && sent && done < size; done += sent)
        sent = pad(engine, link);
    return done;
}
