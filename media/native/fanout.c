/* Who gets which stream: packets wait here until the socket is drained, then go out viewer by viewer, so that the one
 * arena stays in the processor's cache (media/forward/fanout.py). */
#include "engine.h"

static void drop_burst(Stream *stream)
{
    for (size_t i = 0; i < stream->burst.count; i++)
        packet_drop(stream->burst.items[i]);
    stream->burst.count = 0;
}

static void call_off(Link *link)
{
    if (link->upcoming)
        list_remove(&link->upcoming->expected_by, link);
    link->upcoming = NULL;
}

static void leave(Link *link)
{
    call_off(link);
    if (link->stream)
        list_remove(&link->stream->links, link);
}

typedef void Show(Link *, Stream *, const Format *, Clock);

static void show(Link *link, Stream *stream, const Format *format, Clock delta, Show *how)
{
    how(link, stream, format, delta);
    if (list_add(&stream->links, link) < 0)
        link_show(link, NULL, NULL, UNKNOWN_CLOCK);
}

/* What it shows gives way to what it was to show next; ``how``: link_show, or link_follow what still waits. */
static void adopt(Link *link, Show *how)
{
    Stream *stream = link->upcoming;
    if (!stream)
        return;
    leave(link);
    show(link, stream, &link->upcoming_format, link->upcoming_clock, how);
}

void engine_deliver(Engine *engine)
{
    for (size_t i = 0; i < engine->waiting.count; i++) {
        Stream *stream = engine->waiting.items[i];
        Packet *const *burst = (Packet *const *)stream->burst.items;
        size_t count = stream->burst.count, start = 0;
        for (size_t k = 0; k < stream->links.count; k++)
            link_forward(engine, stream->links.items[k], burst, count, &stream->history, engine->now);
        while (start < count && !burst[start]->starts)
            start++;
        while (start < count && stream->expected_by.count) {
            Link *link = stream->expected_by.items[0];
            adopt(link, link_follow);
            link_forward(engine, link, burst + start, count - start, &stream->history, engine->now);
        }
        drop_burst(stream);
        stream->waiting = 0;
    }
    engine->waiting.count = 0;
    for (size_t i = 0; i < engine->paced.count; i++) {
        Backlog *backlog = ((Peer *)engine->paced.items[i])->backlog;
        if (backlog_busy(backlog))
            backlog_release(engine, backlog, engine->now);
    }
}

void engine_switch(Engine *engine, Link *link, Stream *stream, Format format, int keep, Clock delta)
{
    engine_flush(engine);
    if (!stream) {
        leave(link);
        link_show(link, NULL, NULL, UNKNOWN_CLOCK);
    } else if (keep && !gate_waiting(&link->gate)) {
        call_off(link);
        if (link->stream == stream || list_add(&stream->expected_by, link) < 0)
            return;
        link->upcoming = stream;
        link->upcoming_format = format;
        link->upcoming_clock = delta;
    } else {
        leave(link);
        show(link, stream, &format, delta, link_show);
    }
}

void engine_limit(Engine *engine, Link *link, Detail detail)
{
    engine_flush(engine);
    if (!link->video)
        return;
    if (detail == NOTHING)
        adopt(link, link_show); /* what goes on is what was to come */
    link_limit(link, detail);
}

void engine_remove_stream(Engine *engine, Stream *stream)
{
    engine_flush(engine);
    while (stream->expected_by.count)
        call_off(stream->expected_by.items[0]);
    while (stream->links.count) {
        Link *link = stream->links.items[0];
        if (link->upcoming)
            adopt(link, link_show);
        else {
            leave(link);
            link_show(link, NULL, NULL, UNKNOWN_CLOCK);
        }
    }
    list_remove(&stream->peer->streams, stream);
    peer_forget(stream->peer, stream);
    table_take(&engine->streams, (uint64_t)stream->handle);
    stream_free(stream);
}
