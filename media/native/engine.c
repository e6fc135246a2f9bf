/* What the control plane asks for: peers, paths, streams, links come and go. Rule: whoever goes is first flushed, then
 * taken out of everything that points at it. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

Engine *engine_new(void) { return calloc(1, sizeof(Engine)); }

static void free_all(Table *table, void (*release)(void *))
{
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].value)
            release(table->slots[i].value);
    table_free(table);
}

void engine_free(Engine *engine)
{
    for (size_t i = 0; i < engine->peers.size; i++)
        if (engine->peers.slots[i].value)
            path_drop_of(engine, engine->peers.slots[i].value, 0);
    free_all(&engine->links, (void (*)(void *))link_free);
    free_all(&engine->streams, (void (*)(void *))stream_free);
    free_all(&engine->peers, (void (*)(void *))peer_free);
    free_all(&engine->ports, free);
    table_free(&engine->paths);
    list_free(&engine->waiting);
    free(engine->events);
    free(engine->later);
    list_free(&engine->paced);
    free(engine->data);
    free(engine);
}

void engine_stamp(Engine *engine, double now)
{
    uint64_t stamp = now > 0 ? (uint64_t)(now * 262144) : 0; /* 24 bits, 6.18 fixed point seconds */
    engine->now = now;
    engine->stamp[0] = (uint8_t)(stamp >> 16);
    engine->stamp[1] = (uint8_t)(stamp >> 8);
    engine->stamp[2] = (uint8_t)stamp;
}

void engine_later(Engine *engine, Event event)
{
    if (engine->later_count == engine->later_size) {
        int larger = engine->later_size ? 2 * engine->later_size : 16;
        Event *later = realloc(engine->later, (size_t)larger * sizeof *later);
        if (!later)
            return;
        engine->later = later;
        engine->later_size = larger;
    }
    engine->later[engine->later_count++] = event;
}

void engine_event(Engine *engine, Event event, const uint8_t *data, int size)
{
    if (engine->event_count == engine->event_size) {
        int larger = engine->event_size ? 2 * engine->event_size : 64;
        Event *events = realloc(engine->events, (size_t)larger * sizeof *events);
        if (!events)
            return;
        engine->events = events;
        engine->event_size = larger;
    }
    if (engine->data_fill + (size_t)size > engine->data_size) {
        size_t larger = 2 * engine->data_size + (size_t)size + 4096;
        uint8_t *bytes = realloc(engine->data, larger);
        if (!bytes)
            return;
        engine->data = bytes;
        engine->data_size = larger;
    }
    event.start = engine->data_fill;
    event.size = size;
    if (size)
        memcpy(engine->data + engine->data_fill, data, (size_t)size);
    engine->data_fill += (size_t)size;
    engine->events[engine->event_count++] = event;
}

int engine_pending(const Engine *engine)
{
    return engine->waiting.count || engine->out.messages || engine->paced.count;
}

void engine_flush(Engine *engine)
{
    engine_deliver(engine);
    if (engine->out.messages)
        out_send(engine);
}

/* --- ports and peers ----------------------------------------------------------------------------------------------- */

void engine_aim(Engine *engine, Peer *peer, Port *port, const Path *path)
{
    out_send(engine);
    peer->port = port;
    if (path)
        peer->path = *path;
}

void engine_detach(Engine *engine, Port *port)
{
    out_send(engine);
    path_drop_of(engine, NULL, port->handle);
    for (size_t i = 0; i < engine->peers.size; i++) {
        Peer *peer = engine->peers.slots[i].value;
        if (peer && peer->port == port)
            peer->port = NULL;
    }
    table_take(&engine->ports, (uint64_t)port->handle);
    free(port);
}

void engine_remove_peer(Engine *engine, Peer *peer)
{
    engine_flush(engine);
    peer->port = NULL;
    list_remove(&engine->paced, peer);
    path_drop_of(engine, peer, 0);
    while (peer->streams.count)
        engine_remove_stream(engine, peer->streams.items[0]);
    while (peer->links.count) {
        Link *link = peer->links.items[peer->links.count - 1];
        engine_switch(engine, link, NULL, link->format, 0, UNKNOWN_CLOCK);
        if (peer->backlog)
            backlog_forget(peer->backlog, link);
        peer->links.count--;
        table_take(&engine->links, (uint64_t)link->handle);
        link_free(link);
    }
    table_take(&engine->peers, (uint64_t)peer->handle);
    peer_free(peer);
}

int engine_pace(Engine *engine, Peer *peer, double bits_per_second)
{
    engine_flush(engine);
    if (!peer->backlog && !(peer->backlog = backlog_new()))
        return -1;
    if (bits_per_second > 0) {
        backlog_set_rate(peer->backlog, bits_per_second);
        if (!peer->paced && list_add(&engine->paced, peer) < 0)
            return -1;
        peer->paced = 1;
        return 0;
    }
    backlog_drain(engine, peer->backlog, engine->now);
    peer->paced = 0;
    list_remove(&engine->paced, peer);
    engine_flush(engine);
    return 0;
}

/* --- streams and links --------------------------------------------------------------------------------------------- */

int engine_add_stream(Engine *engine, Stream *stream)
{
    Peer *peer = stream->peer;
    if (list_add(&peer->streams, stream) < 0)
        return -1;
    if (table_put(&engine->streams, (uint64_t)stream->handle, stream) < 0) {
        list_remove(&peer->streams, stream);
        return -1;
    }
    /* Ids are one set per BUNDLE (RFC 8843 section 9.2), so any stream may name them. */
    peer->level_id = stream->ids.audio_level ? stream->ids.audio_level : peer->level_id;
    peer->transport_cc_id = stream->ids.transport_cc ? stream->ids.transport_cc : peer->transport_cc_id;
    return 0;
}

int engine_add_link(Engine *engine, Link *link)
{
    if (list_add(&link->peer->links, link) < 0)
        return -1;
    if (table_put(&engine->links, (uint64_t)link->handle, link) < 0) {
        list_remove(&link->peer->links, link);
        return -1;
    }
    return 0;
}
