/* One outgoing stream: a packet passes the gate, may wait in the backlog, gets its number, is written
 * (media/forward/subscription.py, writer.py). */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "engine.h"

#define LATE (10 * 90000) /* a packet of a picture that is already on its way, repaired: older: the clock wrapped */

void link_free(Link *link)
{
    packet_drop(link->last);
    link_drop_kept(link);
    free(link->guard.done);
    free(link);
}

int link_started(const Link *link)
{
    return link->stream && link->shown == link->stream->handle && gate_flows(&link->gate);
}

static Backlog *backlog_of(const Link *link) { return link->peer->paced ? link->peer->backlog : NULL; }

void link_show(Link *link, Stream *stream, const Format *format, Clock delta)
{
    if (backlog_of(link))
        backlog_forget(backlog_of(link), link);
    link->shown = -1;
    link_follow(link, stream, format, delta);
}

void link_follow(Link *link, Stream *stream, const Format *format, Clock delta)
{
    gate_shut(&link->gate, add_clocks(gate_clock(&link->gate), delta));
    link->stream = stream;
    link->upcoming = NULL;
    if (format)
        link->gate_format = *format;
}

void link_limit(Link *link, Detail detail)
{
    Backlog *backlog = backlog_of(link);
    uint32_t newest = rewriter_newest(&link->rewriter);
    if (backlog && backlog->bytes) {
        newest = link->tail;
        if (detail == NOTHING)
            backlog_forget(backlog, link);
    }
    gate_limit(&link->gate, detail, newest);
}

/* --- RED (RFC 2198): a packet with those before it ------------------------------------------------------------------ */

#define MOST_OFFSET ((1 << 14) - 1)
#define MOST_LENGTH ((1 << 10) - 1)
#define MOST_TOTAL 1100 /* bytes: a voice packet must never be cut by a tunnel */

void link_choose_type(Link *link)
{
    link->type = link->format.payload_type;
    link->red = 0;
    for (int i = 0; link->distance > 0 && !link->red && i < link->red_count; i++)
        if (link->red_types[i].plain == link->format.payload_type) {
            link->type = link->red_types[i].red;
            link->red = 1;
        }
}

/* Writes the payload with its redundant blocks; its size. ``at`` has room for MOST_TOTAL and the primary's size. */
static int write_red(const Link *link, const Packet *media, const History *history, uint8_t *at)
{
    const Packet *earlier[MOST_DISTANCE];
    int count = 0, total = media->size;
    int64_t first = media->number - link->distance;
    if (first < link->gate.first)
        first = link->gate.first;
    for (int64_t number = first; number < media->number; number++) {
        const Packet *one = history_get(history, number);
        int64_t offset = one ? (int32_t)(media->timestamp - one->timestamp) : 0;
        if (one && offset > 0 && offset <= MOST_OFFSET && one->size > 0 && one->size <= MOST_LENGTH) {
            total += 4 + one->size;
            earlier[count++] = one;
        }
    }
    int from = 0;
    while (from < count && total > MOST_TOTAL)
        total -= 4 + earlier[from++]->size;
    uint8_t *head = at, *body = at + 4 * (count - from) + 1;
    for (int i = from; i < count; i++, head += 4) {
        uint32_t offset = media->timestamp - earlier[i]->timestamp;
        put32(head, (uint32_t)(0x80 | link->format.payload_type) << 24 | offset << 10 | (uint32_t)earlier[i]->size);
        memcpy(body, earlier[i]->payload, (size_t)earlier[i]->size);
        body += earlier[i]->size;
    }
    *head = (uint8_t)link->format.payload_type;
    memcpy(body, media->payload, (size_t)media->size);
    return (int)(body - at) + media->size;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

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

/* A payload that is not the packet's own is made behind the head first; its size. */
static int write_changed(const Link *link, const Written *what, uint8_t *at)
{
    const Packet *media = what->media;
    if (what->history)
        return write_red(link, media, what->history, at);
    int more = what->has_original ? 2 : 0;
    if (more)
        put16(at, what->original);
    memcpy(at + more, media->payload, (size_t)media->size);
    renumber(at + more, media->size, what->shift);
    return more + media->size;
}

/* The hottest lines of the house: one head, one encryption that is also the copy. */
int write_packet(Engine *engine, Link *link, Written what)
{
    Peer *peer = link->peer;
    const Packet *media = what.media;
    uint8_t *at = out_room(engine, peer, (int)sizeof link->bare.bytes + MOST_TOTAL + media->size);
    if (!at)
        return 0;
    int head = write_head(engine, link, &what, at), size = media->size;
    const uint8_t *payload = media->payload;
    if (what.history || what.has_original || what.shift.picture || what.shift.tl0) {
        size = write_changed(link, &what, at + head);
        payload = at + head;
    }
    int sealed = srtp_protect(peer->send, at, head, payload, size);
    if (!sealed)
        return 0;
    if ((media->has_level ? link->with_level : link->bare).transport_cc_at)
        peer_departed(peer, ++peer->transport_cc, engine->now, sealed);
    out_queue(engine, peer, sealed);
    return sealed;
}

/* --- the way out --------------------------------------------------------------------------------------------------- */

static void keep_last(Link *link, Packet *media)
{
    packet_drop(link->last);
    media->references++;
    link->last = media;
}

static int head_and_payload(const Link *link, const Packet *media, int sealed)
{
    return sealed - (media->has_level ? link->with_level : link->bare).size - srtp_tag(link->peer->send);
}

/* ``history``: RED blocks come from there, NULL for a plain packet. */
static void emit(Engine *engine, Link *link, Packet *media, const History *history, double now)
{
    Rewriter *rewriter = &link->rewriter;
    int64_t number = media->number;
    uint32_t timestamp = media->timestamp;
    if (number < rewriter->settled)
        timestamp += rewriter_surplus(rewriter, number, timestamp);
    number += rewriter->offset;
    timestamp += rewriter->timestamp_offset;
    Written what = {.type = link->type | media->marker,
                    .sequence = (uint32_t)number,
                    .timestamp = timestamp,
                    .ssrc = link->ssrc,
                    .media = media,
                    .shift = link->shift,
                    .history = history};
    int sealed = write_packet(engine, link, what);
    if (!sealed)
        return;
    link->packets++;
    link->octets += (uint64_t)(history ? head_and_payload(link, media, sealed) : media->size);
    if (link->keeps)
        link_keep(link, number, &what, engine->stamp);
    if (number > rewriter->highest) {
        rewriter->highest = number;
        rewriter->last_timestamp = timestamp;
        rewriter->last_at = now;
        if (media->size && link->video)
            keep_last(link, media);
    }
}

void link_emit(Engine *engine, Link *link, Packet *media, double now) { emit(engine, link, media, NULL, now); }

void link_begin(Engine *engine, Link *link, Step step, const Packet *media, double now)
{
    Shift none = {0, 0};
    int vp8 = link->format.form == VP8 && step.format.form == VP8;
    link->format = step.format;
    link_choose_type(link);
    link->shift = vp8 ? shift_behind(link->last, link->shift, media) : none;
    rewriter_switch(&link->rewriter, media, step.stream, step.clock, link->shift, now);
    if (link->shown != step.stream) {
        link->shown = step.stream;
        engine_later(engine, (Event){.kind = LINK_SWITCHED, .one = link->handle, .two = step.stream});
    }
}

/* The gate opens with this packet. */
static Step step_with(Link *link, const Packet *media)
{
    Clock clock = gate_begin(&link->gate, media->number, media->timestamp);
    link->tail = media->timestamp;
    return (Step){link->stream->handle, link->gate_format, clock};
}

static Verdict judge(const Link *link, const Packet *media)
{
    if (!link->peer->port || !link->peer->send || !link->stream)
        return TURNED_AWAY;
    return gate_judge(&link->gate, media->number, media->timestamp, media->starts);
}

static void queue_up(Link *link, Backlog *backlog, Packet *const *burst, size_t count, double now)
{
    for (size_t i = 0; i < count; i++) {
        Packet *media = burst[i];
        Verdict verdict = judge(link, media);
        if (verdict == TURNED_AWAY)
            continue;
        int32_t newer = (int32_t)(media->timestamp - link->tail);
        int opens = verdict == BEGINS || newer > 0 || newer <= -LATE;
        if (backlog_late(backlog, link, opens, now)) {
            gate_shut(&link->gate, gate_clock(&link->gate));
            backlog_drop(backlog, link);
            continue;
        }
        Waiting waiting = {.link = link, .media = media, .opens = opens, .size = media->size + link->bare.size};
        if (opens)
            link->tail = media->timestamp;
        if (verdict == BEGINS) {
            waiting.begins = 1;
            waiting.step = step_with(link, media);
        }
        backlog_put(backlog, waiting);
    }
}

/* Until the gate opens; where in the burst that was. */
static size_t knock(Engine *engine, Link *link, Packet *const *burst, size_t count, double now)
{
    for (size_t i = 0; i < count; i++) {
        Verdict verdict = judge(link, burst[i]);
        if (verdict == BEGINS) {
            link_begin(engine, link, step_with(link, burst[i]), burst[i], now);
            if (link->gate.open)
                return i;
        }
        if (verdict != TURNED_AWAY)
            emit(engine, link, burst[i], NULL, now);
    }
    return count;
}

void link_forward(Engine *engine, Link *link, Packet *const *burst, size_t count, const History *history, double now)
{
    if (backlog_of(link) && link->video) {
        queue_up(link, backlog_of(link), burst, count, now);
        return;
    }
    size_t at = link->gate.open ? 0 : knock(engine, link, burst, count, now);
    for (; at < count; at++)
        if (burst[at]->number >= link->gate.first) /* lower numbers are of before the switch */
            emit(engine, link, burst[at], link->red && burst[at]->size ? history : NULL, now);
}
