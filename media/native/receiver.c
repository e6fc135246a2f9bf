#include "receiver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define MAX_GAP 300
#define MAX_LATE 1000
#define NACK_AFTER 0.010
#define NACK_EVERY 0.100
#define NACK_TRIES 8
#define FORGET_AFTER 1.5
#define MOST_MISSING 8192 /* the oldest are forgotten: nobody calls ``expire`` for a stream without repair */

void receiver_init(Receiver *receiver, int clock)
{
    free(receiver->missing);
    *receiver = (Receiver){.clock = clock, .bad = -1, .base = -1, .highest = -1};
}

void receiver_free(Receiver *receiver)
{
    free(receiver->missing);
    receiver->missing = NULL;
    receiver->count = receiver->size = 0;
}

static int find(const Receiver *receiver, int64_t number)
{
    int low = 0, high = receiver->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (receiver->missing[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < receiver->count && receiver->missing[low].number == number ? low : -1;
}

static void forget(Receiver *receiver, int at, int count)
{
    receiver->count -= count;
    memmove(receiver->missing + at, receiver->missing + at + count,
            (size_t)(receiver->count - at) * sizeof *receiver->missing);
}

static void miss(Receiver *receiver, int64_t number, double now)
{
    if (receiver->count == MOST_MISSING)
        forget(receiver, 0, MOST_MISSING / 2);
    if (receiver->count == receiver->size) {
        int size = receiver->size ? 2 * receiver->size : 16;
        Missing *missing = realloc(receiver->missing, (size_t)size * sizeof *missing);
        if (!missing)
            return;
        receiver->missing = missing;
        receiver->size = size;
    }
    receiver->missing[receiver->count++] = (Missing){number, now, now + NACK_AFTER, 0};
}

static int64_t restart(Receiver *receiver, int64_t number)
{
    if (number != receiver->bad) { /* RFC 3550 A.1: one alone means nothing */
        receiver->bad = number + 1;
        return DUPLICATE;
    }
    receiver->bad = -1;
    receiver->count = 0;
    receiver->highest = number > receiver->highest ? number : number + FIRST_CYCLE; /* numbers never go back */
    receiver->base = receiver->highest - receiver->received;
    receiver->received++;
    return RESTARTED;
}

static int64_t late(Receiver *receiver, int64_t number)
{
    int at = find(receiver, number);
    if (at >= 0) {
        forget(receiver, at, 1);
        receiver->received++;
        return number;
    }
    return number < receiver->highest - MAX_LATE ? restart(receiver, number) : DUPLICATE;
}

static void step_jitter(Receiver *receiver, uint32_t timestamp, double now)
{
    double transit = now * receiver->clock - timestamp;
    if (receiver->has_transit) {
        double step = fabs(transit - receiver->transit);
        if (step < 0x7FFFFFFF) /* not over the wrap of the timestamp */
            receiver->jitter += (step - receiver->jitter) / 16;
    }
    receiver->has_transit = 1;
    receiver->transit = transit;
}

int64_t receiver_note(Receiver *receiver, uint16_t sequence, uint32_t timestamp, double now)
{
    if (receiver->highest < 0) {
        receiver->base = receiver->highest = FIRST_CYCLE + sequence;
        receiver->received = 1;
        return receiver->highest;
    }
    int64_t number = extend(sequence, receiver->highest);
    if (number <= receiver->highest)
        return late(receiver, number);
    if (number > receiver->highest + MAX_GAP)
        return restart(receiver, number);
    if (number == receiver->highest + 1)
        step_jitter(receiver, timestamp, now);
    for (int64_t lost = receiver->highest + 1; lost < number; lost++)
        miss(receiver, lost, now);
    receiver->highest = number;
    receiver->received++;
    return number;
}

int receiver_wants(const Receiver *receiver, int64_t number) { return find(receiver, number) >= 0; }

void receiver_expire(Receiver *receiver, double now)
{
    int kept = 0;
    for (int i = 0; i < receiver->count; i++)
        if (!(now - receiver->missing[i].since > FORGET_AFTER))
            receiver->missing[kept++] = receiver->missing[i];
    receiver->count = kept;
}

int receiver_due(Receiver *receiver, double now, int64_t *numbers, int size)
{
    int found = 0;
    for (int i = 0; i < receiver->count && found < size; i++) {
        Missing *missing = &receiver->missing[i];
        if (now >= missing->next && missing->tries < NACK_TRIES) {
            missing->tries++;
            missing->next = now + NACK_EVERY;
            numbers[found++] = missing->number;
        }
    }
    return found;
}
