/* The packet side of one published track: what of it arrived, who gets it (media/forward/track.py). */
#include <stdlib.h>

#include "bytes.h"
#include "engine.h"

static void drop_burst(Stream *stream)
{
    for (size_t i = 0; i < stream->burst.count; i++)
        packet_drop(stream->burst.items[i]);
    stream->burst.count = 0;
}

void stream_free(Stream *stream)
{
    drop_burst(stream);
    list_free(&stream->burst);
    list_free(&stream->links);
    history_clear(&stream->history);
    free(stream->history.ring);
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
        ((Link *)stream->links.items[i])->waiting = 1;
    stream->key_wanted = stream->form != AUDIO && stream->links.count;
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

void stream_keep(Engine *engine, Stream *stream, Packet *packet, double now)
{
    history_put(&stream->history, packet);
    if (stream->links.count) {
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

/* Link after link, so that the arena stays in the cache. */
void engine_deliver(Engine *engine)
{
    for (size_t i = 0; i < engine->waiting.count; i++) {
        Stream *stream = engine->waiting.items[i];
        for (size_t k = 0; k < stream->links.count; k++)
            link_forward(engine, stream->links.items[k], (Packet *const *)stream->burst.items, stream->burst.count,
                         engine->now);
        drop_burst(stream);
        stream->waiting = 0;
    }
    engine->waiting.count = 0;
}
