/* Methods per person: ports, peers, streams, links. Unknown handles are ignored: teardown and packets cross. */
#include "bytes.h"
#include "module.h"

#define MOST_SSRCS 16

static void *find(const Table *table, long long handle) { return table_get(table, (uint64_t)handle); }

/* Enters the engine for the one with this handle; NULL with an exception, or without one: nobody has it any more. */
static void *enter_for(EngineObject *self, const Table *table, PyObject *handle)
{
    long long number = PyLong_AsLongLong(handle);
    return PyErr_Occurred() || enter(self) < 0 ? NULL : find(table, number);
}

static PyObject *leave_done(EngineObject *self) { return leave(self, Py_NewRef(Py_None)); }

static PyObject *leave_full(EngineObject *self) { return leave(self, PyErr_Occurred() ? NULL : PyErr_NoMemory()); }

/* --- ports --------------------------------------------------------------------------------------------------------- */

/* attach(descriptor or -1, segments, send) -> handle */
static PyObject *attach(EngineObject *self, PyObject *arguments)
{
    int descriptor, segments;
    PyObject *sender;
    if (!PyArg_ParseTuple(arguments, "ipO", &descriptor, &segments, &sender) || enter(self) < 0)
        return NULL;
    Port *port = calloc(1, sizeof *port);
    int64_t handle = self->engine->next_port + 1;
    if (!port || table_put(&self->engine->ports, (uint64_t)handle, port) < 0) {
        free(port);
        return leave_full(self);
    }
    *port = (Port){.handle = handle, .descriptor = descriptor, .sender = Py_NewRef(sender), .segments = segments};
    self->engine->next_port = handle;
    return leave(self, PyLong_FromLongLong(handle));
}

static PyObject *detach(EngineObject *self, PyObject *handle)
{
    Port *port = enter_for(self, &self->engine->ports, handle);
    if (PyErr_Occurred())
        return NULL;
    if (port) {
        PyObject *sender = port->sender;
        engine_detach(self->engine, port);
        Py_DECREF(sender);
    }
    return leave_done(self);
}

/* dropped(port) -> packets the kernel did not take */
static PyObject *dropped(EngineObject *self, PyObject *handle)
{
    long long number = PyLong_AsLongLong(handle);
    if (PyErr_Occurred())
        return NULL;
    const Port *port = find(&self->engine->ports, number);
    return PyLong_FromUnsignedLongLong(port ? port->dropped : 0);
}

/* --- peers --------------------------------------------------------------------------------------------------------- */

static PyObject *add_peer(EngineObject *self, PyObject *handle)
{
    Peer *old = enter_for(self, &self->engine->peers, handle);
    if (PyErr_Occurred())
        return NULL;
    long long number = PyLong_AsLongLong(handle);
    Peer *peer = calloc(1, sizeof *peer);
    if (old)
        engine_remove_peer(self->engine, old);
    if (!peer || table_put(&self->engine->peers, (uint64_t)number, peer) < 0) {
        free(peer);
        return leave_full(self);
    }
    peer->handle = number;
    peer->highest = peer->transport_cc = FIRST_CYCLE;
    return leave_done(self);
}

/* set_keys(peer, profile, receive, send): master key and salt each */
static PyObject *set_keys(EngineObject *self, PyObject *arguments)
{
    long long handle;
    int profile;
    const uint8_t *receive, *send;
    Py_ssize_t receive_size, send_size;
    if (!PyArg_ParseTuple(arguments, "Liy#y#", &handle, &profile, &receive, &receive_size, &send, &send_size) ||
        enter(self) < 0)
        return NULL;
    Peer *peer = find(&self->engine->peers, handle);
    if (peer) {
        Srtp *in = srtp_open((Profile)profile, receive, (size_t)receive_size, 1);
        Srtp *out = srtp_open((Profile)profile, send, (size_t)send_size, 0);
        if (!in || !out) {
            srtp_close(in);
            srtp_close(out);
            return leave(self, PyErr_Format(PyExc_ValueError, "no such SRTP profile, or keys of the wrong size"));
        }
        srtp_close(peer->receive);
        srtp_close(peer->send);
        peer->receive = in;
        peer->send = out;
    }
    return leave_done(self);
}

static PyObject *add_path(EngineObject *self, PyObject *arguments)
{
    long long handle;
    PyObject *object;
    Path path;
    if (!PyArg_ParseTuple(arguments, "LO", &handle, &object) || path_of(object, &path) < 0 || enter(self) < 0)
        return NULL;
    Peer *peer = find(&self->engine->peers, handle);
    if (peer && path_add(self->engine, &path, peer) < 0)
        return leave_full(self);
    return leave_done(self);
}

static PyObject *drop_path(EngineObject *self, PyObject *object)
{
    Path path;
    if (path_of(object, &path) < 0 || enter(self) < 0)
        return NULL;
    path_drop(self->engine, &path);
    return leave_done(self);
}

static PyObject *select_path(EngineObject *self, PyObject *arguments)
{
    long long handle;
    PyObject *object;
    Path path;
    if (!PyArg_ParseTuple(arguments, "LO", &handle, &object) || path_of(object, &path) < 0 || enter(self) < 0)
        return NULL;
    Peer *peer = find(&self->engine->peers, handle);
    if (peer)
        engine_aim(self->engine, peer, find(&self->engine->ports, path.port), &path);
    return leave_done(self);
}

static PyObject *remove_peer(EngineObject *self, PyObject *handle)
{
    Peer *peer = enter_for(self, &self->engine->peers, handle);
    if (PyErr_Occurred())
        return NULL;
    if (peer)
        engine_remove_peer(self->engine, peer);
    return leave_done(self);
}

/* --- streams ------------------------------------------------------------------------------------------------------- */

static int know_all(Peer *peer, Stream *stream, PyObject *ssrcs, int rtx)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ssrcs); i++) {
        unsigned long ssrc = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(ssrcs, i));
        if (PyErr_Occurred() || peer_know(peer, (uint32_t)ssrc, stream, rtx) < 0)
            return -1;
    }
    return 0;
}

/* add_stream(stream, peer, form, clock, payload type, rtx or -1, mid, rid or None, (mid, rid, repaired, level,
 * transport-cc ids), ssrcs, rtx ssrcs) */
static PyObject *add_stream(EngineObject *self, PyObject *arguments)
{
    long long handle, owner;
    int form, clock, payload_type, rtx;
    const char *mid, *rid;
    Ids ids;
    PyObject *ssrcs, *rtx_ssrcs;
    if (!PyArg_ParseTuple(arguments, "LLiiiisz(iiiii)O!O!", &handle, &owner, &form, &clock, &payload_type, &rtx, &mid, &rid,
                          &ids.mid, &ids.rid, &ids.repaired_rid, &ids.audio_level, &ids.transport_cc, &PyTuple_Type,
                          &ssrcs, &PyTuple_Type, &rtx_ssrcs))
        return NULL;
    if (strlen(mid) > MOST_MID || (rid && strlen(rid) > MOST_MID))
        return PyErr_Format(PyExc_ValueError, "mid or rid longer than %d", MOST_MID);
    if (enter(self) < 0)
        return NULL;
    Peer *peer = find(&self->engine->peers, owner);
    Stream *old = find(&self->engine->streams, handle);
    if (!peer)
        return leave_done(self);
    if (old)
        engine_remove_stream(self->engine, old);
    Stream *stream = calloc(1, sizeof *stream);
    if (stream) {
        *stream = (Stream){.handle = handle, .peer = peer, .form = (Form)form, .payload_type = payload_type, .rtx = rtx,
                           .ids = ids, .last_arrival = -Py_HUGE_VAL};
        strcpy(stream->mid, mid);
        strcpy(stream->rid, rid ? rid : "");
        stream->has_rid = rid != NULL;
        stream->loudest = SILENT;
        receiver_init(&stream->receiver, clock);
    }
    if (!stream || history_init(&stream->history, form == AUDIO ? AUDIO_HISTORY : VIDEO_HISTORY) < 0 ||
        engine_add_stream(self->engine, stream) < 0) {
        if (stream)
            stream_free(stream);
        return leave_full(self);
    }
    if (know_all(peer, stream, ssrcs, 0) < 0 || know_all(peer, stream, rtx_ssrcs, 1) < 0)
        return leave_full(self);
    return leave_done(self);
}

static PyObject *remove_stream(EngineObject *self, PyObject *handle)
{
    Stream *stream = enter_for(self, &self->engine->streams, handle);
    if (PyErr_Occurred())
        return NULL;
    if (stream)
        engine_remove_stream(self->engine, stream);
    return leave_done(self);
}

/* tap(stream, on) */
static PyObject *tap(EngineObject *self, PyObject *arguments)
{
    long long handle;
    int on;
    if (!PyArg_ParseTuple(arguments, "Lp", &handle, &on))
        return NULL;
    Stream *stream = find(&self->engine->streams, handle);
    if (stream)
        stream->tapped = on;
    Py_RETURN_NONE;
}

/* --- links --------------------------------------------------------------------------------------------------------- */

static int head_of(PyObject *object, Head *head)
{
    const char *bytes;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(object, "y#iii", &bytes, &size, &head->level_at, &head->stamp_at, &head->transport_cc_at))
        return -1;
    if (size < 12 || size > (Py_ssize_t)sizeof head->bytes || head->level_at > size - 1 || head->stamp_at > size - 3 ||
        head->transport_cc_at > size - 2) {
        PyErr_SetString(PyExc_ValueError, "extensions too long");
        return -1;
    }
    memcpy(head->bytes, bytes, (size_t)size);
    head->size = (int)size;
    return 0;
}

static int red_types_of(PyObject *pairs, Link *link)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(pairs) && i < MOST_RED_TYPES; i++, link->red_count++)
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(pairs, i), "ii", &link->red_types[i].plain, &link->red_types[i].red))
            return -1;
    return 0;
}

/* add_link(link, peer, form, clock, payload type, rtx or -1, ssrc, rtx ssrc or -1, head without level, head with level,
 * first sequence, first timestamp, keeps, red); a head: (bytes, level at, abs-send-time at, transport-cc at), 0: absent;
 * keeps: some of its codecs have no RTX; red: ((plain type, RED's), ...) */
static PyObject *add_link(EngineObject *self, PyObject *arguments)
{
    long long handle, owner, ssrc, rtx_ssrc;
    int form, clock, payload_type, rtx, keeps;
    unsigned sequence, timestamp;
    PyObject *bare, *with_level, *red;
    if (!PyArg_ParseTuple(arguments, "LLiiiiLLO!O!IIpO!", &handle, &owner, &form, &clock, &payload_type, &rtx, &ssrc,
                          &rtx_ssrc, &PyTuple_Type, &bare, &PyTuple_Type, &with_level, &sequence, &timestamp, &keeps,
                          &PyTuple_Type, &red) ||
        enter(self) < 0)
        return NULL;
    Peer *peer = find(&self->engine->peers, owner);
    if (!peer || find(&self->engine->links, handle))
        return leave_done(self);
    Link *link = calloc(1, sizeof *link);
    if (link) {
        Format format = {(Form)form, payload_type, rtx};
        *link = (Link){.handle = handle, .peer = peer, .format = format, .gate_format = format, .video = form != AUDIO,
                       .ssrc = (uint32_t)ssrc, .rtx_ssrc = (uint32_t)rtx_ssrc, .has_rtx_ssrc = rtx_ssrc >= 0,
                       .gate = {.detail = ALL}, .rtx_sequence = (uint16_t)(sequence ^ 0x5555), .shown = -1,
                       .type = payload_type, .keeps = keeps && form != AUDIO, .guard = {.tokens = 60000.0 / 8},
                       .rewriter = {.rate = clock, .highest = FIRST_CYCLE + (int64_t)sequence - 1,
                                    .last_timestamp = timestamp, .last_at = -1.0}};
    }
    if (!link || head_of(bare, &link->bare) < 0 || head_of(with_level, &link->with_level) < 0 ||
        red_types_of(red, link) < 0 || engine_add_link(self->engine, link) < 0) {
        free(link);
        return leave_full(self);
    }
    return leave_done(self);
}

/* switch(link, stream or -1, form, payload type, rtx or -1, keep, delta or -1) */
static PyObject *switch_link(EngineObject *self, PyObject *arguments)
{
    long long handle, shown, delta;
    int form, payload_type, rtx, keep;
    if (!PyArg_ParseTuple(arguments, "LLiiipL", &handle, &shown, &form, &payload_type, &rtx, &keep, &delta) ||
        enter(self) < 0)
        return NULL;
    Link *link = find(&self->engine->links, handle);
    if (link)
        engine_switch(self->engine, link, shown < 0 ? NULL : find(&self->engine->streams, shown),
                      (Format){(Form)form, payload_type, rtx}, keep,
                      delta < 0 ? UNKNOWN_CLOCK : (Clock){1, (uint32_t)delta});
    return leave_done(self);
}

/* set_detail(link, detail) */
static PyObject *set_detail(EngineObject *self, PyObject *arguments)
{
    long long handle;
    int detail;
    if (!PyArg_ParseTuple(arguments, "Li", &handle, &detail) || enter(self) < 0)
        return NULL;
    Link *link = find(&self->engine->links, handle);
    if (link && detail >= NOTHING && detail <= ALL)
        engine_limit(self->engine, link, (Detail)detail);
    return leave_done(self);
}

/* set_redundancy(link, distance) */
static PyObject *set_redundancy(EngineObject *self, PyObject *arguments)
{
    long long handle;
    int distance;
    if (!PyArg_ParseTuple(arguments, "Li", &handle, &distance) || enter(self) < 0)
        return NULL;
    engine_flush(self->engine);
    Link *link = find(&self->engine->links, handle);
    if (link && !link->video) {
        link->distance = distance < 0 ? 0 : distance > MOST_DISTANCE ? MOST_DISTANCE : distance;
        link_choose_type(link);
    }
    return leave_done(self);
}

/* pace(peer, bits per second; 0: at once) */
static PyObject *pace(EngineObject *self, PyObject *arguments)
{
    long long handle;
    double bits;
    if (!PyArg_ParseTuple(arguments, "Ld", &handle, &bits) || enter(self) < 0)
        return NULL;
    Peer *peer = find(&self->engine->peers, handle);
    if (peer && engine_pace(self->engine, peer, bits) < 0)
        return leave_full(self);
    return leave_done(self);
}

PyMethodDef control_methods[] = {
    {"attach", (PyCFunction)attach, METH_VARARGS, NULL},
    {"detach", (PyCFunction)detach, METH_O, NULL},
    {"dropped", (PyCFunction)dropped, METH_O, NULL},
    {"add_peer", (PyCFunction)add_peer, METH_O, NULL},
    {"set_keys", (PyCFunction)set_keys, METH_VARARGS, NULL},
    {"add_path", (PyCFunction)add_path, METH_VARARGS, NULL},
    {"drop_path", (PyCFunction)drop_path, METH_O, NULL},
    {"select_path", (PyCFunction)select_path, METH_VARARGS, NULL},
    {"remove_peer", (PyCFunction)remove_peer, METH_O, NULL},
    {"add_stream", (PyCFunction)add_stream, METH_VARARGS, NULL},
    {"remove_stream", (PyCFunction)remove_stream, METH_O, NULL},
    {"tap", (PyCFunction)tap, METH_VARARGS, NULL},
    {"add_link", (PyCFunction)add_link, METH_VARARGS, NULL},
    {"switch", (PyCFunction)switch_link, METH_VARARGS, NULL},
    {"set_redundancy", (PyCFunction)set_redundancy, METH_VARARGS, NULL},
    {"pace", (PyCFunction)pace, METH_VARARGS, NULL},
    {"set_detail", (PyCFunction)set_detail, METH_VARARGS, NULL},
    {0},
};
