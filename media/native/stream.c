/* The packet side of one published track: what of it arrived, who gets it (media/forward/track.py). */
#include <stdlib.h>

#include "bytes.h"
#include "engine.h"

void stream_free(Stream *stream)
{
    for (size_t i = 0; i < stream->burst.count; i++)
        packet_drop(stream->burst.items[i]);
    list_free(&stream->burst);
    list_free(&stream->links);
    list_free(&stream->expected_by);
    history_free(&stream->history);
    receiver_free(&stream->receiver);
    free(stream);
}

void stream_begin(Stream *stream, uint32_t ssrc)
{
    if (stream->has_ssrc) {
        stream_restart(stream);
        history_clear(&stream->history);
    }
    stream->has_ssrc = 1;
    stream->ssrc = ssrc;
    receiver_init(&stream->receiver, stream->receiver.clock);
}

void stream_restart(Stream *stream)
{
    for (size_t i = 0; i < stream->links.count; i++)
        gate_shut(&((Link *)stream->links.items[i])->gate, UNKNOWN_CLOCK);
    for (size_t i = 0; i < stream->expected_by.count; i++)
        ((Link *)stream->expected_by.items[i])->upcoming_clock = UNKNOWN_CLOCK;
    stream->key_wanted = stream->form != AUDIO && (stream->links.count || stream->expected_by.count);
}

/* A copy for the recorder, as media/record/sink.py wants it: no extensions, no padding, primary payload type. */
static void tap(Engine *engine, const Stream *stream, const Packet *packet, double now)
{
    uint8_t plain[12 + MOST_DATAGRAM];
    plain[0] = 0x80;
    plain[1] = (uint8_t)(stream->payload_type | packet->marker);
    put16(plain + 2, (uint32_t)packet->number);
    put32(plain + 4, packet->timestamp);
    put32(plain + 8, stream->ssrc);
    memcpy(plain + 12, packet->payload, (size_t)packet->size);
    engine_event(engine, (Event){.kind = TAPPED, .one = stream->handle, .at = now}, plain, 12 + packet->size);
}

/* RFC 6464 section 3: V bit, then -dBov. */
static void hear(Stream *stream, int level)
{
    stream->levels++;
    stream->voiced += level >> 7;
    level &= 0x7F;
    stream->level_sum += level;
    if (level < stream->loudest)
        stream->loudest = level;
}

void stream_keep(Engine *engine, Stream *stream, Packet *packet, double now)
{
    history_put(&stream->history, packet, now);
    if (packet->has_level)
        hear(stream, packet->level);
    if (stream->links.count || stream->expected_by.count) {
        if (stream->waiting || list_add(&engine->waiting, stream) == 0) {
            stream->waiting = 1;
            packet->starts = (uint8_t)starts_key_frame(stream->form, packet->payload, packet->size);
            if (list_add(&stream->burst, packet) == 0)
                packet->references++;
        }
    }
    if (stream->tapped)
        tap(engine, stream, packet, now);
}
