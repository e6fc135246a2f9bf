/* One VP8 picture numbering over changing sources (RFC 7741 section 4.2; media/wire/vp8.py). */
#include "engine.h"

typedef struct {
    int picture, bits, tl0; /* -1: not there */
} Numbers;

/* 0 where the descriptor runs over the end or no frame's byte follows it. */
static int numbers_of(const uint8_t *payload, int size, Numbers *numbers)
{
    int at = 1;
    *numbers = (Numbers){-1, 0, -1};
    if (size < 1)
        return 0;
    if (payload[0] & 0x80) {
        if (size < 2)
            return 0;
        int flags = payload[1];
        at = 2;
        if (flags & 0x80) {
            if (at >= size)
                return 0;
            numbers->picture = payload[at++];
            numbers->bits = 7;
            if (numbers->picture & 0x80) {
                if (at >= size)
                    return 0;
                numbers->picture = (numbers->picture & 0x7F) << 8 | payload[at++];
                numbers->bits = 15;
            }
        }
        if (flags & 0x40) {
            if (at >= size)
                return 0;
            numbers->tl0 = payload[at++];
        }
        if (flags & 0x30) {
            if (flags & 0x20 && at >= size)
                return 0;
            at++;
        }
    }
    return at < size;
}

Shift shift_behind(const Packet *last, Shift shifted, const Packet *first)
{
    Numbers old, new;
    Shift shift = {0, 0};
    if (!last || !numbers_of(last->payload, last->size, &old) || !numbers_of(first->payload, first->size, &new))
        return shift;
    if (old.picture >= 0 && new.picture >= 0) {
        int sent = (old.picture + shifted.picture) & ((1 << old.bits) - 1);
        shift.picture = (uint16_t)((sent + 1 - new.picture) & 0x7FFF);
    }
    if (old.tl0 >= 0 && new.tl0 >= 0)
        shift.tl0 = (uint8_t)(old.tl0 + shifted.tl0 + 1 - new.tl0);
    return shift;
}

/* In place; what has no numbers, or is cut off, stays as it is. */
void renumber(uint8_t *payload, int size, Shift shift)
{
    if (size < 3 || !(payload[0] & 0x80))
        return;
    int flags = payload[1], at = 2;
    if (flags & 0x80) {
        if (payload[2] & 0x80) { /* M: 15 bits */
            if (size < 4)
                return;
            int picture = (((payload[2] << 8 | payload[3]) + shift.picture) & 0x7FFF) | 0x8000;
            payload[2] = (uint8_t)(picture >> 8);
            payload[3] = (uint8_t)picture;
            at = 4;
        } else {
            payload[2] = (uint8_t)((payload[2] + shift.picture) & 0x7F);
            at = 3;
        }
    }
    if (flags & 0x40 && at < size)
        payload[at] = (uint8_t)(payload[at] + shift.tl0);
}
