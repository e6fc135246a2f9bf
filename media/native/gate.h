/* Which packets of a stream pass to one link, and from which on (media/forward/gate.py). Differences of clocks may be
 * unknown. */
#ifndef TONGTANG_GATE_H
#define TONGTANG_GATE_H

#include <stdint.h>

typedef enum { NOTHING, STILLS, ALL } Detail;
typedef enum { TURNED_AWAY, PASSES, BEGINS } Verdict;

typedef struct {
    int known;
    uint32_t value;
} Clock;

#define UNKNOWN_CLOCK ((Clock){0, 0})
#define SAME_CLOCK ((Clock){1, 0})

static inline Clock add_clocks(Clock first, Clock second)
{
    return first.known && second.known ? (Clock){1, first.value + second.value} : UNKNOWN_CLOCK;
}

typedef struct {
    Detail detail;
    int open, has_picture; /* picture: timestamp of the one picture that passes while not open */
    uint32_t picture;
    int64_t first; /* lower numbers are of before */
    Clock awaited;
} Gate;

static inline int gate_waiting(const Gate *gate) { return !gate->open && !gate->has_picture; }

static inline Clock gate_clock(const Gate *gate) { return gate_waiting(gate) ? gate->awaited : SAME_CLOCK; }

static inline int gate_flows(const Gate *gate) { return gate->open || (gate->detail == STILLS && gate->has_picture); }

static inline void gate_shut(Gate *gate, Clock clock)
{
    gate->open = gate->has_picture = 0;
    gate->awaited = clock;
}

static inline void gate_limit(Gate *gate, Detail detail, uint32_t newest)
{
    gate->detail = detail;
    if (detail == NOTHING)
        gate_shut(gate, gate_clock(gate));
    else if (detail == STILLS && gate->open) {
        gate->open = 0;
        gate->has_picture = 1;
        gate->picture = newest;
    }
}

static inline Verdict gate_judge(const Gate *gate, int64_t number, uint32_t timestamp, int starts)
{
    if (gate->open)
        return number >= gate->first ? PASSES : TURNED_AWAY;
    if (gate->detail == NOTHING)
        return TURNED_AWAY;
    if (gate->has_picture) {
        if (number < gate->first)
            return TURNED_AWAY;
        if (timestamp == gate->picture)
            return PASSES;
    }
    return starts ? BEGINS : TURNED_AWAY;
}

/* With the packet that gate_judge said begins; the clock of the segment that begins. */
static inline Clock gate_begin(Gate *gate, int64_t number, uint32_t timestamp)
{
    Clock clock = gate_clock(gate);
    gate->first = number;
    gate->open = gate->detail == ALL;
    gate->has_picture = !gate->open;
    gate->picture = timestamp;
    return clock;
}

#endif
