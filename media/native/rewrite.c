/* Maps the packets of changing sources onto one outgoing stream without a seam (media/forward/rewrite.py). */
#include <math.h>
#include <string.h>

#include "engine.h"

#define PLAUSIBLE 2.0            /* seconds that a clock from sender reports may differ from the arrivals */
#define SMALLEST_STEP (1.0 / 30) /* seconds between the last packet of one source and the first of the next */

static uint32_t magnitude(int32_t value) { return value < 0 ? 0u - (uint32_t)value : (uint32_t)value; }

static void add(Rewriter *rewriter, Segment segment)
{
    if (rewriter->count == SEGMENTS)
        memmove(rewriter->segments, rewriter->segments + 1, (size_t)--rewriter->count * sizeof *rewriter->segments);
    rewriter->segments[rewriter->count++] = segment;
}

void rewriter_switch(Rewriter *rewriter, const Packet *media, int64_t stream, Clock clock, Shift shift, double now)
{
    double passed = rewriter->last_at >= 0 ? fmax(now - rewriter->last_at, SMALLEST_STEP) : 0.0;
    uint32_t expected = rewriter->last_timestamp + (uint32_t)(int64_t)rint(passed * rewriter->rate);
    uint32_t offset = rewriter->timestamp_offset + clock.value;
    int32_t off = (int32_t)(media->timestamp + offset - expected);
    if (!clock.known || !rewriter->count || magnitude(off) > PLAUSIBLE * rewriter->rate)
        offset = expected - media->timestamp;
    /* Two layers' pictures of one moment: a decoder would take them for one. */
    int32_t behind = (int32_t)(rewriter->last_timestamp + 1 - media->timestamp - offset);
    rewriter->surplus = rewriter->count && behind > 0 ? (uint32_t)behind : 0;
    rewriter->timestamp_offset = offset;
    rewriter->settled = rewriter->surplus ? NEVER : media->number;
    rewriter->offset = rewriter->highest + 1 - media->number;
    add(rewriter, (Segment){stream, media->number, rewriter->offset, offset + rewriter->surplus, shift});
}

uint32_t rewriter_surplus(Rewriter *rewriter, int64_t number, uint32_t timestamp)
{
    uint32_t without = timestamp + rewriter->timestamp_offset;
    if (rewriter->settled != NEVER) /* came late */
        return (int32_t)(without - rewriter->after) <= 0 ? rewriter->surplus : 0;
    if (number + rewriter->offset <= rewriter->highest || (int32_t)(without - rewriter->last_timestamp) <= 0)
        return rewriter->surplus;
    Segment begun = rewriter->segments[rewriter->count - 1];
    rewriter->settled = number;
    rewriter->after = rewriter->last_timestamp;
    add(rewriter, (Segment){begun.stream, number, rewriter->offset, rewriter->timestamp_offset, begun.shift});
    return 0;
}

uint32_t rewriter_newest(const Rewriter *rewriter)
{
    return rewriter->last_timestamp - rewriter->timestamp_offset - (rewriter->settled == NEVER ? rewriter->surplus : 0);
}

const Segment *rewriter_locate(const Rewriter *rewriter, int64_t out)
{
    for (int i = rewriter->count; out <= rewriter->highest && i-- > 0;)
        if (out >= rewriter->segments[i].first + rewriter->segments[i].offset)
            return &rewriter->segments[i];
    return NULL;
}
