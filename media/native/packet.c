/* Packets with a reference count, the history of a stream, and where a decoder can start (media/forward/history.py,
 * keyframes.py). */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "engine.h"

Packet *packet_new(const uint8_t *payload, int size)
{
    Packet *packet = malloc(sizeof *packet + (size_t)size);
    if (!packet)
        return NULL;
    *packet = (Packet){.references = 1, .size = size};
    memcpy(packet->payload, payload, (size_t)size);
    return packet;
}

void packet_drop(Packet *packet)
{
    if (packet && !--packet->references)
        free(packet);
}

#define MOST_HISTORY 1500000 /* bytes of one stream, whatever its packets' size */
#define OLDEST 3.0           /* seconds: players wait 1.5 s at most, a slow one asks twice */

int history_init(History *history, int size)
{
    history->ring = calloc((size_t)size, sizeof *history->ring);
    history->arrivals = calloc((size_t)size, sizeof *history->arrivals);
    history->size = size;
    history->first = FIRST_CYCLE;
    history->bytes = 0;
    return history->ring && history->arrivals ? 0 : -1;
}

void history_clear(History *history)
{
    for (int i = 0; history->ring && i < history->size; i++) {
        packet_drop(history->ring[i]);
        history->ring[i] = NULL;
        history->arrivals[i] = 0;
    }
    history->first = FIRST_CYCLE;
    history->bytes = 0;
}

void history_free(History *history)
{
    if (history->ring && history->arrivals)
        history_clear(history);
    free(history->ring);
    free(history->arrivals);
}

static void forget(History *history, int64_t newest, double since)
{
    int64_t first = newest - history->size + 1;
    if (first < history->first)
        first = history->first;
    for (; first < newest && (history->bytes > MOST_HISTORY || history->arrivals[first % history->size] < since); first++) {
        Packet **old = &history->ring[first % history->size];
        if (*old && (*old)->number <= first) {
            history->bytes -= (*old)->size;
            packet_drop(*old);
            *old = NULL;
        }
    }
    history->first = first;
}

void history_put(History *history, Packet *packet, double now)
{
    if (packet->number < history->first)
        return;
    Packet **place = &history->ring[packet->number % history->size];
    if (*place)
        history->bytes -= (*place)->size;
    packet_drop(*place);
    packet->references++;
    *place = packet;
    history->arrivals[packet->number % history->size] = now;
    history->bytes += packet->size;
    forget(history, packet->number, now - OLDEST);
}

Packet *history_get(const History *history, int64_t number)
{
    Packet *packet = number >= history->first ? history->ring[number % history->size] : NULL;
    return packet && packet->number == number ? packet : NULL;
}

/* RFC 7741 sections 4.2, 4.3: S bit, partition 0, and P = 0 in the frame header behind the descriptor. */
static int vp8(const uint8_t *payload, int size)
{
    if (size < 2 || (payload[0] & 0x17) != 0x10)
        return 0;
    int at = 1;
    if (payload[0] & 0x80) {
        uint8_t extended = payload[1];
        at = 2;
        if (extended & 0x80) /* picture id, 7 or 15 bits */
            at += size > at && payload[at] & 0x80 ? 2 : 1;
        at += (extended >> 6 & 1) + (extended & 0x30 ? 1 : 0);
    }
    return size > at && !(payload[at] & 1);
}

enum { IDR = 5, SPS = 7, STAP_A = 24, FU_A = 28 };

static int begins(int type) { return type == SPS || type == IDR; }

/* RFC 6184: a picture to start at begins with its SPS; an IDR slice counts too (senders with out-of-band sets). */
static int h264(const uint8_t *payload, int size)
{
    if (size < 2)
        return 0;
    int type = payload[0] & 31;
    if (type == STAP_A) {
        for (int at = 1; at + 2 < size; at += 2 + get16(payload + at))
            if (begins(payload[at + 2] & 31))
                return 1;
        return 0;
    }
    if (type == FU_A)
        return (payload[1] & 0x80) && begins(payload[1] & 31);
    return begins(type);
}

int starts_key_frame(Form form, const uint8_t *payload, int size)
{
    if (form == VP8)
        return vp8(payload, size);
    return form == H264 ? h264(payload, size) : 1;
}
