/* Packets on their way out: one arena for all peers, written and encrypted there, sent by sendmmsg, runs of equal
 * packets to one address as one datagram (UDP_SEGMENT, "GSO"). media/transport/outbox.py and media/net/udp.py in C. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "engine.h"

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#define UDP_SEGMENT_OPTION 103 /* linux/udp.h */
#define MOST_SEGMENTS 64       /* UDP_MAX_SEGMENTS of older kernels */
#define MOST_BYTES 65000       /* one IP datagram's worth before segmentation */
#define MOST_REFUSALS 16       /* one peer behind a narrow tunnel must not take it from all others */

uint8_t *out_room(Engine *engine, Peer *peer, int size)
{
    Outgoing *out = &engine->out;
    if (!peer->port || !peer->send || size > ARENA / 2)
        return NULL;
    if (out->fill + size > ARENA - TRAILER || out->sizes == MOST_SIZES)
        out_send(engine);
    return out->arena + out->fill;
}

static int joins(const Message *last, int size)
{
    if (last->port->descriptor < 0)
        return 1;
    return last->port->segments && !last->closed && last->count < MOST_SEGMENTS && size <= last->segment &&
           last->bytes + size < MOST_BYTES;
}

void out_queue(Engine *engine, Peer *peer, int size)
{
    Outgoing *out = &engine->out;
    Message *last = out->messages ? &out->message[out->messages - 1] : NULL;
    if (!last || out->owner != peer || !joins(last, size)) {
        if (out->messages == MOST_MESSAGES) { /* the packet just written moves to the front */
            int at = out->fill;
            out_send(engine);
            memmove(out->arena, out->arena + at, (size_t)size);
        }
        last = &out->message[out->messages++];
        *last = (Message){.port = peer->port, .path = peer->path, .start = out->fill, .first = out->sizes, .segment = size};
        out->owner = peer;
    }
    last->closed = size < last->segment; /* a shorter one may end the run */
    last->count++;
    last->bytes += size;
    out->size[out->sizes++] = size;
    out->fill += size;
    peer->sent_packets++;
    peer->sent_bytes += (uint64_t)size;
}

static void send_each(Port *port, struct msghdr *head, const uint8_t *data, const int *sizes, int count)
{
    for (int i = 0; i < count; data += sizes[i++])
        if (sendto(port->descriptor, data, (size_t)sizes[i], MSG_DONTWAIT, head->msg_name, head->msg_namelen) < 0)
            port->dropped++; /* full buffer, no route: media is not worth waiting */
}

typedef union {
    char bytes[CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr align;
} Control;

static void segment(struct msghdr *head, Control *control, int size)
{
    memset(control, 0, sizeof *control);
    head->msg_control = control->bytes;
    head->msg_controllen = sizeof control->bytes;
    struct cmsghdr *first = CMSG_FIRSTHDR(head);
    first->cmsg_level = SOL_UDP;
    first->cmsg_type = UDP_SEGMENT_OPTION;
    first->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t value = (uint16_t)size;
    memcpy(CMSG_DATA(first), &value, sizeof value);
}

/* A message the kernel did not take: packet by packet, or not at all. */
static void after_failure(Outgoing *out, const Message *message, struct msghdr *head, int error)
{
    Port *port = message->port;
    if (message->count > 1 && error != EAGAIN && error != EWOULDBLOCK && error != ENOBUFS)
        if (++port->refusals >= MOST_REFUSALS) /* EINVAL, EMSGSIZE: this path cannot; EIO: this device cannot */
            port->segments = 0;
    if (message->count > 1)
        send_each(port, head, out->arena + message->start, out->size + message->first, message->count);
    else
        port->dropped++;
}

static void send_native(Outgoing *out, const Message *messages, int count)
{
    struct mmsghdr heads[MOST_MESSAGES];
    struct iovec pieces[MOST_MESSAGES];
    struct sockaddr_storage names[MOST_MESSAGES];
    Control controls[MOST_MESSAGES];
    memset(heads, 0, (size_t)count * sizeof *heads);
    for (int i = 0; i < count; i++) {
        struct msghdr *head = &heads[i].msg_hdr;
        pieces[i] = (struct iovec){out->arena + messages[i].start, (size_t)messages[i].bytes};
        head->msg_iov = &pieces[i];
        head->msg_iovlen = 1;
        head->msg_name = &names[i];
        head->msg_namelen = (socklen_t)path_to_name(&messages[i].path, &names[i]);
        if (messages[i].count > 1)
            segment(head, &controls[i], messages[i].segment);
    }
    Port *port = messages[0].port;
    for (int done = 0; done < count;) {
        int sent = sendmmsg(port->descriptor, heads + done, (unsigned)(count - done), MSG_DONTWAIT);
        if (sent > 0) {
            done += sent;
            port->refusals = 0;
        } else if (sent < 0 && errno == EINTR)
            continue;
        else {
            after_failure(out, &messages[done], &heads[done].msg_hdr, errno);
            done++;
        }
    }
}

void out_send(Engine *engine)
{
    Outgoing *out = &engine->out;
    for (int at = 0; at < out->messages;) {
        const Message *first = &out->message[at];
        int count = 1;
        if (first->port->descriptor < 0)
            engine->call_sender(engine, first->port, &first->path, out->arena + first->start, first->bytes,
                                out->size + first->first, first->count);
        else {
            while (at + count < out->messages && first[count].port == first->port)
                count++;
            send_native(out, first, count);
        }
        at += count;
    }
    out->fill = out->messages = out->sizes = 0;
    out->owner = NULL;
}

void out_plain(Engine *engine, Port *port, const Path *path, const uint8_t *data, int size)
{
    struct sockaddr_storage name;
    if (port->descriptor < 0)
        engine->call_sender(engine, port, path, data, size, &size, 1);
    else if (sendto(port->descriptor, data, (size_t)size, MSG_DONTWAIT, (struct sockaddr *)&name,
                    (socklen_t)path_to_name(path, &name)) < 0)
        port->dropped++;
}
