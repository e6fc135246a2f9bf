/* The packet engine: what media/pyengine.py and media/forward/ are, in C. See media/engine.py for the contract.
 *
 * Way of a packet: engine_service (inbound.c) -> take -> take_rtp -> stream_keep (stream.c) -> engine_deliver ->
 * link_forward (link.c) -> out_room, srtp_protect, out_queue (outgoing.c) -> out_send.
 * Rule: nothing here knows Python but for three hooks; engine_service runs without the GIL.
 */
#ifndef TONGTANG_ENGINE_H
#define TONGTANG_ENGINE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "gate.h"
#include "receiver.h"
#include "srtp.h"
#include "table.h"

#define PAUSE 2.0          /* as media.engine.PAUSE */
#define MOST_DATAGRAM 2048 /* above any MTU; what is longer is cut and fails authentication */
#define MOST_MID 16
#define MOST_SOURCES_LEARNT 64
#define MOST_ARRIVALS 4096
#define MOST_DEPARTURES 2048 /* two seconds of 5 Mbit/s: feedback comes every 50 to 250 ms */

typedef struct {
    int64_t port; /* engine port */
    sa_family_t family;
    uint16_t number;
    uint32_t scope;
    uint8_t host[16];
} Path;

typedef struct Engine Engine;
typedef struct Peer Peer;
typedef struct Stream Stream;
typedef struct Link Link;

/* --- packets ------------------------------------------------------------------------------------------------------- */

/* A plain packet, written once, shared by history and bursts. */
typedef struct {
    int64_t number;
    uint32_t timestamp;
    int references, size;
    uint8_t marker, has_level, level, starts; /* starts: a decoder can begin here */
    uint8_t payload[];
} Packet;

Packet *packet_new(const uint8_t *payload, int size);
void packet_drop(Packet *packet);

#define VIDEO_HISTORY 1024
#define AUDIO_HISTORY 128

/* Bounded by packets, bytes and age; the newest packet always stays. */
typedef struct {
    Packet **ring;
    double *arrivals;
    int size;
    int64_t first, bytes; /* lower numbers are forgotten */
} History;

int history_init(History *history, int size);
void history_clear(History *history);
void history_free(History *history);
void history_put(History *history, Packet *packet, double now); /* takes a reference of its own */
Packet *history_get(const History *history, int64_t number);

typedef enum { AUDIO, VP8, H264, OTHER_VIDEO } Form;

int starts_key_frame(Form form, const uint8_t *payload, int size);

/* Added to VP8 picture ids (modulo their width) and to TL0PICIDX (modulo 256); both 0: nothing to do. */
typedef struct {
    uint16_t picture;
    uint8_t tl0;
} Shift;

Shift shift_behind(const Packet *last, Shift shifted, const Packet *first);
void renumber(uint8_t *payload, int size, Shift shift);

/* --- ports and what goes out --------------------------------------------------------------------------------------- */

typedef struct {
    int64_t handle;
    int descriptor; /* of a UDP socket; -1: ``sender`` sends */
    void *sender;   /* Python's Port.send */
    int segments;   /* UDP_SEGMENT works */
    int refusals;   /* of it, in a row */
    uint64_t dropped;
} Port;

#define ARENA (64 * 1024)
#define MOST_MESSAGES 64
#define MOST_SIZES 2048

typedef struct {
    Port *port;
    Path path;
    int start, bytes, first, count, segment, closed;
} Message;

typedef struct {
    int fill, messages, sizes;
    const Peer *owner; /* of the last message */
    Message message[MOST_MESSAGES];
    int size[MOST_SIZES];
    uint8_t arena[ARENA + TRAILER];
} Outgoing;

/* Room for a packet of ``size`` plain bytes and its trailer, NULL when the peer cannot be sent to. */
uint8_t *out_room(Engine *engine, Peer *peer, int size);
void out_queue(Engine *engine, Peer *peer, int size);
void out_send(Engine *engine);
void out_plain(Engine *engine, Port *port, const Path *path, const uint8_t *data, int size);

/* --- peers, streams, links ----------------------------------------------------------------------------------------- */

typedef struct {
    Stream *stream; /* NULL: known and not wanted, or unknown */
    int rtx;
    int level_at, transport_cc_at; /* where the extension stood last time: browsers hardly ever move it */
} Source;

typedef struct {
    int64_t number;
    double at;
} Arrival;

typedef struct {
    int64_t number;
    double at;
    int size;
} Departure;

typedef struct Backlog Backlog;

struct Peer {
    int64_t handle;
    Backlog *backlog; /* made when the peer is paced for the first time */
    int paced;
    Srtp *receive, *send;
    Port *port;
    Path path;
    Table sources; /* SSRC -> Source */
    List streams, links;
    Source stranger;
    int level_id, transport_cc_id;
    Arrival *arrivals;
    int arrived, arrivals_size;
    int64_t highest;
    int64_t transport_cc; /* last number sent, extended */
    Departure *departures; /* a ring, made when the first packet with a number leaves */
    int departed, departures_at;
    uint64_t received_packets, received_bytes, sent_packets, sent_bytes, retransmitted, refused, probed;
};

typedef struct {
    int mid, rid, repaired_rid, audio_level, transport_cc; /* 0: not negotiated */
} Ids;

struct Stream {
    int64_t handle;
    Peer *peer;
    Form form;
    int payload_type, rtx; /* rtx: -1 without */
    Ids ids;
    char mid[MOST_MID + 1], rid[MOST_MID + 1];
    int has_rid;
    Receiver receiver;
    History history;
    List links, burst; /* burst: Packets of this drain, each with a reference */
    List expected_by;  /* links that will show it from its next key frame on, and another one until then */
    int levels, voiced, loudest, level_sum;
    int waiting, key_wanted, tapped, has_ssrc;
    uint32_t ssrc;
    double last_arrival;
    uint64_t bytes;
};

/* A subscriber's head of a packet: everything but the changing numbers, which stand at these places (0: absent). */
typedef struct {
    uint8_t bytes[64];
    int size, level_at, stamp_at, transport_cc_at;
} Head;

typedef struct {
    int64_t stream, first, offset; /* stream: its handle */
    uint32_t timestamp_offset;
    Shift shift;
} Segment;

#define SEGMENTS 8
#define NEVER (1ll << 62)

typedef struct {
    int rate, count;
    int64_t highest, offset, settled;
    uint32_t last_timestamp, timestamp_offset, surplus, after;
    double last_at;
    Segment segments[SEGMENTS];
} Rewriter;

void rewriter_switch(Rewriter *rewriter, const Packet *media, int64_t stream, Clock clock, Shift shift, double now);
/* What packets before ``settled`` get on top, so that time goes forward. */
uint32_t rewriter_surplus(Rewriter *rewriter, int64_t number, uint32_t timestamp);
uint32_t rewriter_newest(const Rewriter *rewriter); /* the newest packet's timestamp as its source gave it */
const Segment *rewriter_locate(const Rewriter *rewriter, int64_t out);

typedef struct {
    int64_t number;
    double at;
    int times;
} Resent;

typedef struct {
    Resent *done;
    int count, size;
    double at, rate, tokens;
    int64_t octets;
} Guard;

typedef struct {
    Form form;
    int payload_type, rtx; /* rtx: -1 without */
} Format;

typedef struct {
    int64_t stream;
    Format format;
    Clock clock;
} Step;

/* What can go out once more under its own number, where the receiver takes no RTX. */
typedef struct {
    int64_t number;
    Packet *media;
    Shift shift;
    uint32_t timestamp;
    uint16_t transport_cc;
    uint8_t type, stamp[3];
} Kept;

#define KEPT 256
#define MOST_DISTANCE 2
#define MOST_RED_TYPES 4

struct Link {
    int64_t handle;
    Peer *peer;
    Stream *stream, *upcoming;  /* upcoming: takes over at its next key frame */
    Format format, gate_format; /* of what goes out, and of what passes the gate: a backlog lies between */
    Format upcoming_format;
    Clock upcoming_clock;
    int video;
    Gate gate;
    Rewriter rewriter;
    int64_t shown; /* handle of the stream whose packets the newest segment holds, -1 */
    Shift shift;
    Packet *last; /* newest video packet sent, with a reference */
    Head bare, with_level;
    uint32_t ssrc, rtx_ssrc;
    int has_rtx_ssrc;
    uint16_t rtx_sequence;
    int type, red, distance; /* type: payload type that goes out; red: it is RED's */
    struct {
        int plain, red;
    } red_types[MOST_RED_TYPES];
    int red_count;
    uint32_t tail; /* timestamp of the newest picture that went into the backlog */
    int losing;    /* while backlog.c sifts */
    Clock lost_clock;
    int keeps;
    Kept *kept;
    uint64_t packets, octets;
    Guard guard;
};

typedef struct {
    int type; /* with the marker's bit */
    uint32_t sequence, timestamp, ssrc;
    Packet *media;
    Shift shift;
    const History *history; /* RED: where its earlier blocks are; else NULL */
    int has_original;       /* RTX: the number that comes first in the payload */
    uint16_t original;
    int padding; /* RFC 3550 section 5.1: the P bit, for a payload that is nothing else */
} Written;

int write_packet(Engine *engine, Link *link, Written what); /* bytes sent */

typedef struct {
    Link *link;
    Packet *media;
    Step step; /* where ``begins`` */
    int begins, opens, size;
} Waiting;

struct Backlog {
    double rate, due, next;
    Waiting *waiting; /* [start, start + count) of ``size`` */
    int start, count, size;
    List starved; /* links that lost packets here and wait for a key frame */
    int64_t bytes;
    uint64_t dropped;
};

Backlog *backlog_new(void);
void backlog_free(Backlog *backlog);
int backlog_busy(const Backlog *backlog);
int backlog_late(const Backlog *backlog, const Link *link, int opens, double now);
double backlog_next(const Backlog *backlog);
void backlog_put(Backlog *backlog, Waiting waiting);
void backlog_drop(Backlog *backlog, Link *link);
void backlog_release(Engine *engine, Backlog *backlog, double now);
void backlog_drain(Engine *engine, Backlog *backlog, double now);
void backlog_set_rate(Backlog *backlog, double bits_per_second);
void backlog_forget(Backlog *backlog, const Link *link);

void peer_free(Peer *peer);
Source *peer_learn(Peer *peer, const uint8_t *packet, int size);
int peer_know(Peer *peer, uint32_t ssrc, Stream *stream, int rtx);
void peer_forget(Peer *peer, const Stream *stream);
void peer_arrived(Peer *peer, uint16_t sequence, double now);
void peer_departed(Peer *peer, int64_t number, double now, int size);

void stream_free(Stream *stream);
void stream_begin(Stream *stream, uint32_t ssrc);
void stream_restart(Stream *stream);
void stream_keep(Engine *engine, Stream *stream, Packet *packet, double now);

void link_free(Link *link);
/* From the stream's next key frame on; nothing until then. */
void link_show(Link *link, Stream *stream, const Format *format, Clock delta);
/* The same, but what waits in the backlog goes out before. */
void link_follow(Link *link, Stream *stream, const Format *format, Clock delta);
void link_limit(Link *link, Detail detail);
int link_started(const Link *link);
void link_choose_type(Link *link);
void link_begin(Engine *engine, Link *link, Step step, const Packet *media, double now);
void link_emit(Engine *engine, Link *link, Packet *media, double now);
void link_forward(Engine *engine, Link *link, Packet *const *burst, size_t count, const History *history, double now);
void link_keep(Link *link, int64_t number, const Written *what, const uint8_t *stamp);
void link_drop_kept(Link *link);
int link_resend(Engine *engine, Link *link, uint16_t sequence, double now);
int link_repeatable(const Link *link); /* it has RTX */
int link_probe(Engine *engine, Link *link, int size); /* bytes sent */

/* --- the engine ---------------------------------------------------------------------------------------------------- */

typedef enum { STUN, DTLS, RTCP, STREAM_ACTIVE, KEY_FRAME_WANTED, TAPPED, LINK_SWITCHED } EventKind;

typedef struct {
    EventKind kind;
    int64_t one, two; /* peer; stream; link and stream */
    Path path;
    double at;
    size_t start;
    int size; /* bytes of ``data`` from ``start`` */
} Event;

struct Engine {
    Table ports, peers, paths, streams, links; /* paths: see path.c */
    int64_t next_port;
    uint64_t garbage;
    double now;
    uint8_t stamp[3]; /* abs-send-time */
    List waiting;     /* streams with packets not forwarded yet */
    List paced;       /* peers */
    Event *later;     /* what delivering led to: told behind the others */
    int later_count, later_size;
    Event *events;
    int event_count, event_size;
    uint8_t *data;
    size_t data_fill, data_size;
    void *python; /* the thread state while the GIL is released */
    void (*call_sender)(Engine *, Port *, const Path *, const uint8_t *data, int bytes, const int *sizes, int count);
    Outgoing out;
};

Engine *engine_new(void);
void engine_free(Engine *engine);
void engine_stamp(Engine *engine, double now);
void engine_later(Engine *engine, Event event);
void engine_event(Engine *engine, Event event, const uint8_t *data, int size);
/* One datagram that lies in a buffer of at least MOST_DATAGRAM bytes. */
void engine_take(Engine *engine, uint8_t *data, int size, const Path *path, double now);
void engine_service(Engine *engine, Port *port, double now);
void engine_deliver(Engine *engine);
void engine_flush(Engine *engine);
int engine_pending(const Engine *engine); /* a flush would do something */
int engine_pace(Engine *engine, Peer *peer, double bits_per_second); /* 0: at once; -1 without memory */

Peer *path_owner(const Engine *engine, const Path *path);
int path_add(Engine *engine, const Path *path, Peer *peer);
void path_drop(Engine *engine, const Path *path);
void path_drop_of(Engine *engine, const Peer *peer, int64_t port); /* of a peer, or (NULL) of a port */

int path_to_name(const Path *path, struct sockaddr_storage *name);
void path_from_name(Path *path, int64_t port, const struct sockaddr_storage *name);

void engine_aim(Engine *engine, Peer *peer, Port *port, const Path *path);
int engine_add_stream(Engine *engine, Stream *stream); /* owns it when 0 */
void engine_remove_stream(Engine *engine, Stream *stream);
int engine_add_link(Engine *engine, Link *link);
void engine_switch(Engine *engine, Link *link, Stream *stream, Format format, int keep, Clock delta);
void engine_limit(Engine *engine, Link *link, Detail detail);
void engine_remove_peer(Engine *engine, Peer *peer);
void engine_detach(Engine *engine, Port *port);

#endif
