/* What arrived of one SSRC and what is missing: media/forward/loss.py in C. */
#ifndef TONGTANG_RECEIVER_H
#define TONGTANG_RECEIVER_H

#include <stdint.h>

#define DUPLICATE (-1)
#define RESTARTED (-2)

typedef struct {
    int64_t number;
    double since, next;
    int tries;
} Missing;

typedef struct {
    int clock, has_transit;
    double jitter, transit;
    int64_t bad, base, highest, received;
    Missing *missing; /* ascending */
    int count, size;
} Receiver;

void receiver_init(Receiver *receiver, int clock);
void receiver_free(Receiver *receiver);
int64_t receiver_note(Receiver *receiver, uint16_t sequence, uint32_t timestamp, double now);
int receiver_wants(const Receiver *receiver, int64_t number);
void receiver_expire(Receiver *receiver, double now);
/* Extended numbers to ask for now, at most ``size``; how many. */
int receiver_due(Receiver *receiver, double now, int64_t *numbers, int size);

#endif
