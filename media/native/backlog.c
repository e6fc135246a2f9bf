/* Video that waits for its turn on one peer's line, not written yet (media/forward/backlog.py). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define APART 0.005           /* seconds between two bursts */
#define LONGEST 0.5           /* seconds of waiting: players skip what comes later */
#define LONGEST_PICTURE 2.0   /* a key frame larger than that comes too late whatever happens */
#define LONGEST_STILL 4.0     /* on a line for sound only it takes that long */
#define ENOUGH_ROOM 0.25      /* seconds of waiting under which a key frame is asked for */
#define SLOWEST 8000.0        /* bits/s: less means nothing, and must not divide by zero */
#define MOST_WAITING (1 << 16) /* packets: beyond any rate that is paced */

Backlog *backlog_new(void)
{
    Backlog *backlog = calloc(1, sizeof *backlog);
    if (backlog)
        backlog->rate = SLOWEST;
    return backlog;
}

void backlog_free(Backlog *backlog)
{
    if (!backlog)
        return;
    for (int i = 0; i < backlog->count; i++)
        packet_drop(backlog->waiting[backlog->start + i].media);
    free(backlog->waiting);
    list_free(&backlog->starved);
    free(backlog);
}

int backlog_busy(const Backlog *backlog) { return backlog->count || backlog->starved.count; }

static double wait_of(const Backlog *backlog, double now)
{
    return fmax(0.0, backlog->due - now) + (double)(backlog->bytes * 8) / backlog->rate;
}

int backlog_late(const Backlog *backlog, const Link *link, int opens, double now)
{
    double bound = link->gate.detail == STILLS ? LONGEST_STILL : opens ? LONGEST : LONGEST_PICTURE;
    return wait_of(backlog, now) > bound || backlog->count == MOST_WAITING;
}

double backlog_next(const Backlog *backlog) { return fmax(backlog->next, backlog->due); }

void backlog_put(Backlog *backlog, Waiting waiting)
{
    if (backlog->start + backlog->count == backlog->size) {
        if (backlog->start > backlog->size / 2) {
            memmove(backlog->waiting, backlog->waiting + backlog->start, (size_t)backlog->count * sizeof waiting);
            backlog->start = 0;
        } else {
            int size = backlog->size ? 2 * backlog->size : 32;
            Waiting *larger = realloc(backlog->waiting, (size_t)size * sizeof *larger);
            if (!larger)
                return;
            backlog->waiting = larger;
            backlog->size = size;
        }
    }
    waiting.media->references++;
    backlog->waiting[backlog->start + backlog->count++] = waiting;
    backlog->bytes += waiting.size;
}

void backlog_drop(Backlog *backlog, Link *link)
{
    backlog->dropped++;
    for (size_t i = 0; i < backlog->starved.count; i++)
        if (backlog->starved.items[i] == link)
            return;
    list_add(&backlog->starved, link);
}

static void let_out(Engine *engine, Backlog *backlog, double now)
{
    Waiting first = backlog->waiting[backlog->start++];
    if (!--backlog->count)
        backlog->start = 0;
    backlog->bytes -= first.size;
    if (first.begins)
        link_begin(engine, first.link, first.step, first.media, now);
    link_emit(engine, first.link, first.media, now);
    packet_drop(first.media);
}

void backlog_release(Engine *engine, Backlog *backlog, double now)
{
    if (now < backlog->next)
        return;
    backlog->due = fmax(backlog->due, now - APART);
    if (backlog->count && backlog->due <= now)
        backlog->next = now + APART;
    while (backlog->count && backlog->due <= now) {
        backlog->due += (double)(backlog->waiting[backlog->start].size * 8) / backlog->rate;
        let_out(engine, backlog, now);
    }
    if (!backlog->starved.count || wait_of(backlog, now) > ENOUGH_ROOM)
        return;
    for (size_t i = 0; i < backlog->starved.count; i++) {
        const Link *link = backlog->starved.items[i];
        if (link->stream && gate_waiting(&link->gate))
            engine_later(engine, (Event){.kind = KEY_FRAME_WANTED, .one = link->stream->handle});
    }
    backlog->starved.count = 0;
}

void backlog_drain(Engine *engine, Backlog *backlog, double now)
{
    while (backlog->count)
        let_out(engine, backlog, now);
    backlog->starved.count = 0;
}

/* A packet that does not go out: its link waits for a key frame; the clock's step that would have been taken stays. */
static void lose(Backlog *backlog, const Waiting *waiting)
{
    Link *link = waiting->link;
    if (!link->losing)
        link->lost_clock = SAME_CLOCK;
    link->losing = 1;
    if (waiting->begins)
        link->lost_clock = add_clocks(link->lost_clock, waiting->step.clock);
    backlog->bytes -= waiting->size;
    packet_drop(waiting->media);
}

/* Takes what ``only`` (or, when it is NULL, the rate) says out of the line. */
static void sift(Backlog *backlog, const Link *only)
{
    int64_t ahead = 0;
    int kept = 0;
    List losing = {0};
    for (int i = 0; i < backlog->count; i++) {
        Waiting *waiting = &backlog->waiting[backlog->start + i];
        double bound = (waiting->link->gate.detail == STILLS ? LONGEST_STILL : LONGEST) * backlog->rate / 8;
        int stays = only ? waiting->link != only : !waiting->link->losing && !(waiting->opens && ahead > bound);
        if (stays) {
            ahead += waiting->size;
            backlog->waiting[backlog->start + kept++] = *waiting;
            continue;
        }
        if (!waiting->link->losing)
            list_add(&losing, waiting->link);
        if (!only)
            backlog_drop(backlog, waiting->link);
        lose(backlog, waiting);
    }
    backlog->count = kept;
    for (size_t i = 0; i < losing.count; i++) {
        Link *link = losing.items[i];
        gate_shut(&link->gate, add_clocks(link->lost_clock, gate_clock(&link->gate)));
        link->losing = 0;
    }
    list_free(&losing);
}

void backlog_set_rate(Backlog *backlog, double bits_per_second)
{
    backlog->rate = fmax(bits_per_second, SLOWEST);
    sift(backlog, NULL);
}

void backlog_forget(Backlog *backlog, const Link *link)
{
    list_remove(&backlog->starved, link);
    sift(backlog, link);
}
