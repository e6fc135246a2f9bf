/* One peer: its sources (SSRCs) and its transport-wide arrivals (media/forward/peer.py). */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "engine.h"

void peer_free(Peer *peer)
{
    for (size_t i = 0; i < peer->sources.size; i++)
        free(peer->sources.slots[i].value);
    table_free(&peer->sources);
    list_free(&peer->streams);
    list_free(&peer->links);
    free(peer->arrivals);
    backlog_free(peer->backlog);
    free(peer->departures);
    srtp_close(peer->receive);
    srtp_close(peer->send);
    free(peer);
}

int peer_know(Peer *peer, uint32_t ssrc, Stream *stream, int rtx)
{
    Source *source = table_get(&peer->sources, ssrc);
    if (!source) {
        source = malloc(sizeof *source);
        if (!source || table_put(&peer->sources, ssrc, source) < 0) {
            free(source);
            return -1;
        }
    }
    *source = (Source){.stream = stream, .rtx = rtx};
    return 0;
}

void peer_forget(Peer *peer, const Stream *stream)
{
    for (size_t i = 0; i < peer->sources.size;) {
        Source *source = peer->sources.slots[i].value;
        if (source && source->stream == stream) {
            table_take(&peer->sources, peer->sources.slots[i].key); /* may move others into this slot */
            free(source);
        } else
            i++;
    }
}

void peer_arrived(Peer *peer, uint16_t sequence, double now)
{
    int64_t number = extend(sequence, peer->highest);
    if (number > peer->highest)
        peer->highest = number;
    if (peer->arrived == peer->arrivals_size) {
        int size = peer->arrivals_size ? 2 * peer->arrivals_size : 64;
        Arrival *arrivals = size > MOST_ARRIVALS ? NULL : realloc(peer->arrivals, (size_t)size * sizeof *arrivals);
        if (!arrivals)
            return;
        peer->arrivals = arrivals;
        peer->arrivals_size = size;
    }
    peer->arrivals[peer->arrived++] = (Arrival){number, now};
}

void peer_departed(Peer *peer, int64_t number, double now, int size)
{
    if (!peer->departures && !(peer->departures = malloc(MOST_DEPARTURES * sizeof *peer->departures)))
        return;
    peer->departures[(peer->departures_at + peer->departed) % MOST_DEPARTURES] = (Departure){number, now, size};
    if (peer->departed < MOST_DEPARTURES)
        peer->departed++;
    else /* the oldest is forgotten */
        peer->departures_at = (peer->departures_at + 1) % MOST_DEPARTURES;
}

/* --- whose SSRC is this? By mid and rid (RFC 8843 section 9.2), else by a payload type of one stream only ---------- */

typedef struct {
    const uint8_t *at;
    int size; /* -1: absent */
} Text;

typedef struct {
    const uint8_t *packet;
    int profile, at, end;
} Block;

/* The block of a packet that contradicts itself nowhere; 0 else (media/wire/rtp.py). */
static int parse(const uint8_t *packet, int size, Block *block)
{
    int at = 12 + 4 * (packet[0] & 15);
    *block = (Block){packet, 0, at, at};
    if (size < 12)
        return 0;
    if (packet[0] & 0x10) {
        if (at + 4 > size)
            return 0;
        block->profile = get16(packet + at);
        block->at = at + 4;
        at = block->end = at + 4 + 4 * get16(packet + at + 2);
    }
    if (at > size)
        return 0;
    return !(packet[0] & 0x20) || size - packet[size - 1] >= at;
}

/* The last element of this id, as a dict would keep it. */
static Text text_of(Block block, int id)
{
    Text found = {NULL, -1};
    int two_byte = (block.profile & 0xFFF0) == 0x1000;
    if (!id || (!two_byte && block.profile != 0xBEDE))
        return found;
    for (int at = block.at; at < block.end;) {
        int element = block.packet[at], length;
        if (!element) {
            at++;
            continue;
        }
        if (two_byte) {
            if (at + 2 > block.end)
                break;
            length = block.packet[at + 1];
            at += 2;
        } else {
            length = (element & 15) + 1;
            element >>= 4;
            at++;
            if (element == 15)
                break;
        }
        if (at + length > block.end)
            break;
        if (element == id)
            found = (Text){block.packet + at, length};
        at += length;
    }
    return found;
}

static int says(Text text, const char *word)
{
    return text.size == (int)strlen(word) && !memcmp(text.at, word, (size_t)text.size);
}

static int has_type(const Stream *stream, int type) { return type == stream->payload_type || type == stream->rtx; }

Source *peer_learn(Peer *peer, const uint8_t *packet, int size)
{
    Block block;
    if (peer->sources.used >= MOST_SOURCES_LEARNT || !parse(packet, size, &block))
        return NULL;
    int type = packet[1] & 0x7F, layers = 0;
    const Stream *first = NULL; /* ids are one set per BUNDLE: the first one's will do */
    Stream *found[MOST_SOURCES_LEARNT];
    size_t count = 0, left = 0;
    for (size_t i = 0; !first && i < peer->streams.count; i++)
        if (has_type(peer->streams.items[i], type))
            first = peer->streams.items[i];
    if (!first)
        return NULL;
    Text mid = text_of(block, first->ids.mid);
    for (size_t i = 0; i < peer->streams.count && count < MOST_SOURCES_LEARNT; i++) {
        Stream *one = peer->streams.items[i];
        if (has_type(one, type) && (mid.size < 0 || says(mid, one->mid))) {
            found[count++] = one;
            layers |= one->has_rid;
        }
    }
    int rtx = count && type == found[0]->rtx;
    uint32_t ssrc = get32(packet + 8);
    if (layers) {
        Text rid = text_of(block, rtx ? first->ids.repaired_rid : first->ids.rid);
        if (rid.size < 0)
            return NULL; /* a layer that does not say which: wait for a packet that does */
        for (size_t i = 0; i < count; i++)
            if (!found[i]->has_rid || says(rid, found[i]->rid))
                found[left++] = found[i];
        count = left;
        if (!count)
            peer_know(peer, ssrc, NULL, rtx); /* a layer that nobody takes */
    }
    if (count != 1 || peer_know(peer, ssrc, found[0], rtx) < 0)
        return NULL;
    return table_get(&peer->sources, ssrc);
}
