/* Methods per burst: packets in and out, and what feedback and statistics need. */
#include "module.h"

static void *find(const Table *table, long long handle) { return table_get(table, (uint64_t)handle); }

/* --- in ------------------------------------------------------------------------------------------------------------ */

/* receive(data, path, now) -> events */
static PyObject *receive(EngineObject *self, PyObject *arguments)
{
    Py_buffer data;
    PyObject *object;
    double now;
    Path path;
    if (!PyArg_ParseTuple(arguments, "y*Od", &data, &object, &now))
        return NULL;
    if (path_of(object, &path) < 0 || enter(self) < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    PyObject *list = PyList_New(0);
    if (data.len > MOST_DATAGRAM)
        self->engine->garbage++;
    else if (list && take_later(self, list) == 0) { /* of the flush before */
        uint8_t buffer[MOST_DATAGRAM + TRAILER];
        memcpy(buffer, data.buf, (size_t)data.len);
        engine_stamp(self->engine, now);
        engine_take(self->engine, buffer, (int)data.len, &path, now);
        if (take_events(self, list) < 0)
            Py_CLEAR(list);
    } else
        Py_CLEAR(list);
    PyBuffer_Release(&data);
    return leave(self, list);
}

/* take(data, path, arrival): one of a burst; ``stamp`` came before, ``events`` comes after. */
static PyObject *take(EngineObject *self, PyObject *arguments)
{
    Py_buffer data;
    PyObject *object;
    double arrival;
    Path path;
    if (!PyArg_ParseTuple(arguments, "y*Od", &data, &object, &arrival))
        return NULL;
    if (path_of(object, &path) < 0 || enter(self) < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    uint8_t buffer[MOST_DATAGRAM + TRAILER];
    int size = data.len > MOST_DATAGRAM ? MOST_DATAGRAM : (int)data.len;
    memcpy(buffer, data.buf, (size_t)size);
    PyBuffer_Release(&data);
    engine_take(self->engine, buffer, size, &path, arrival);
    return leave(self, Py_NewRef(Py_None));
}

static PyObject *stamp(EngineObject *self, PyObject *now)
{
    double value = PyFloat_AsDouble(now);
    if (PyErr_Occurred())
        return NULL;
    engine_stamp(self->engine, value);
    Py_RETURN_NONE;
}

static PyObject *all_events(EngineObject *self)
{
    PyObject *list = PyList_New(0);
    if (list && (take_events(self, list) < 0 || take_later(self, list) < 0))
        Py_CLEAR(list);
    return list;
}

static PyObject *events(EngineObject *self, PyObject *unused)
{
    (void)unused;
    if (enter(self) < 0)
        return NULL;
    engine_deliver(self->engine);
    return leave(self, all_events(self));
}

/* service(port, now) -> events; without the GIL */
static PyObject *service(EngineObject *self, PyObject *arguments)
{
    long long handle;
    double now;
    if (!PyArg_ParseTuple(arguments, "Ld", &handle, &now) || enter(self) < 0)
        return NULL;
    Port *port = find(&self->engine->ports, handle);
    if (port && port->descriptor >= 0) {
        self->engine->python = PyEval_SaveThread();
        engine_service(self->engine, port, now);
        PyEval_RestoreThread(self->engine->python);
        self->engine->python = NULL;
    }
    return leave(self, all_events(self));
}

/* --- out ----------------------------------------------------------------------------------------------------------- */

static PyObject *flush(EngineObject *self, PyObject *unused)
{
    (void)unused;
    if (enter(self) < 0)
        return NULL;
    if (engine_pending(self->engine)) {
        self->engine->python = PyEval_SaveThread();
        engine_flush(self->engine);
        PyEval_RestoreThread(self->engine->python);
        self->engine->python = NULL;
    }
    return leave(self, Py_NewRef(Py_None));
}

/* pump(now) -> the time of the next, or None */
static PyObject *pump(EngineObject *self, PyObject *arguments)
{
    double now, next = Py_HUGE_VAL;
    if (!PyArg_ParseTuple(arguments, "d", &now) || enter(self) < 0)
        return NULL;
    Engine *engine = self->engine;
    engine_stamp(engine, now);
    if (engine_pending(engine)) {
        engine->python = PyEval_SaveThread();
        engine_flush(engine);
        PyEval_RestoreThread(engine->python);
        engine->python = NULL;
    }
    for (size_t i = 0; i < engine->paced.count; i++) {
        const Backlog *backlog = ((Peer *)engine->paced.items[i])->backlog;
        if (backlog_busy(backlog) && backlog_next(backlog) < next)
            next = backlog_next(backlog);
    }
    return leave(self, next == Py_HUGE_VAL ? Py_NewRef(Py_None) : PyFloat_FromDouble(next));
}

/* send(path, data) */
static PyObject *send_plain(EngineObject *self, PyObject *arguments)
{
    Py_buffer data;
    PyObject *object;
    Path path;
    if (!PyArg_ParseTuple(arguments, "Oy*", &object, &data))
        return NULL;
    if (path_of(object, &path) < 0 || enter(self) < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    Port *port = find(&self->engine->ports, path.port);
    if (port)
        out_plain(self->engine, port, &path, data.buf, (int)data.len);
    PyBuffer_Release(&data);
    return leave(self, Py_NewRef(Py_None));
}

/* send_rtcp(peer, compound) */
static PyObject *send_rtcp(EngineObject *self, PyObject *arguments)
{
    long long handle;
    Py_buffer data;
    if (!PyArg_ParseTuple(arguments, "Ly*", &handle, &data))
        return NULL;
    if (enter(self) < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    Peer *peer = find(&self->engine->peers, handle);
    uint8_t *at = peer && data.len <= MOST_DATAGRAM ? out_room(self->engine, peer, (int)data.len) : NULL;
    if (at) {
        memcpy(at, data.buf, (size_t)data.len);
        int size = srtp_protect_rtcp(peer->send, at, (int)data.len);
        if (size)
            out_queue(self->engine, peer, size);
    }
    PyBuffer_Release(&data);
    return leave(self, Py_NewRef(Py_None));
}

/* resend(link, sequences, now) -> how many */
static PyObject *resend(EngineObject *self, PyObject *arguments)
{
    long long handle;
    PyObject *sequences;
    double now;
    if (!PyArg_ParseTuple(arguments, "LOd", &handle, &sequences, &now))
        return NULL;
    PyObject *fast = PySequence_Fast(sequences, "sequences");
    if (!fast || enter(self) < 0) {
        Py_XDECREF(fast);
        return NULL;
    }
    long done = 0;
    Link *link = find(&self->engine->links, handle);
    if (link)
        engine_stamp(self->engine, now);
    for (Py_ssize_t i = 0; link && i < PySequence_Fast_GET_SIZE(fast); i++) {
        unsigned long sequence = PyLong_AsUnsignedLongMask(PySequence_Fast_GET_ITEM(fast, i));
        done += link_resend(self->engine, link, (uint16_t)sequence, now);
    }
    if (link)
        link->peer->retransmitted += (uint64_t)done;
    Py_DECREF(fast);
    if (PyErr_Occurred()) {
        self->busy = 0;
        return NULL;
    }
    return leave(self, PyLong_FromLong(done));
}

/* probe(link, bytes, now) -> bytes sent */
static PyObject *probe(EngineObject *self, PyObject *arguments)
{
    long long handle;
    int size, done = 0;
    double now;
    if (!PyArg_ParseTuple(arguments, "Lid", &handle, &size, &now) || enter(self) < 0)
        return NULL;
    Link *link = find(&self->engine->links, handle);
    if (link && link_repeatable(link)) {
        engine_stamp(self->engine, now);
        done = link_probe(self->engine, link, size);
        link->peer->probed += (uint64_t)done;
    }
    return leave(self, PyLong_FromLong(done));
}

/* --- what feedback and statistics need ----------------------------------------------------------------------------- */

/* missing(stream, now, ask) -> numbers to NACK now; ask False: only forgets what is too old */
static PyObject *missing(EngineObject *self, PyObject *arguments)
{
    long long handle;
    double now;
    int ask;
    if (!PyArg_ParseTuple(arguments, "Ldp", &handle, &now, &ask))
        return NULL;
    Stream *stream = find(&self->engine->streams, handle);
    PyObject *list = PyList_New(0);
    if (!stream || !list)
        return list;
    receiver_expire(&stream->receiver, now);
    int64_t numbers[64];
    for (int found = 64; ask && found == 64;) {
        found = receiver_due(&stream->receiver, now, numbers, 64);
        for (int i = 0; i < found; i++) {
            PyObject *number = PyLong_FromLong((long)(numbers[i] & 0xFFFF));
            if (!number || PyList_Append(list, number) < 0) {
                Py_XDECREF(number);
                Py_DECREF(list);
                return NULL;
            }
            Py_DECREF(number);
        }
    }
    return list;
}

/* arrivals(peer) -> [(extended number, arrival)] as they came, since the last call */
static PyObject *arrivals(EngineObject *self, PyObject *handle)
{
    long long number = PyLong_AsLongLong(handle);
    if (PyErr_Occurred())
        return NULL;
    Peer *peer = find(&self->engine->peers, number);
    PyObject *list = PyList_New(peer ? peer->arrived : 0);
    for (int i = 0; list && peer && i < peer->arrived; i++) {
        PyObject *pair = Py_BuildValue("Ld", (long long)peer->arrivals[i].number, peer->arrivals[i].at);
        if (!pair)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, pair);
    }
    if (peer)
        peer->arrived = 0;
    return list;
}

/* departures(peer) -> [(extended number, time sent, bytes)] since the last call, ascending */
static PyObject *departures(EngineObject *self, PyObject *handle)
{
    long long number = PyLong_AsLongLong(handle);
    if (PyErr_Occurred())
        return NULL;
    Peer *peer = find(&self->engine->peers, number);
    PyObject *list = PyList_New(peer ? peer->departed : 0);
    for (int i = 0; list && peer && i < peer->departed; i++) {
        const Departure *one = &peer->departures[(peer->departures_at + i) % MOST_DEPARTURES];
        PyObject *triple = Py_BuildValue("Ldi", (long long)one->number, one->at, one->size);
        if (!triple)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, triple);
    }
    if (peer)
        peer->departed = peer->departures_at = 0;
    return list;
}

/* loudness(stream) -> the fields of media.engine.Loudness, or None */
static PyObject *loudness(EngineObject *self, PyObject *handle)
{
    long long number = PyLong_AsLongLong(handle);
    if (PyErr_Occurred())
        return NULL;
    Stream *stream = find(&self->engine->streams, number);
    if (!stream)
        Py_RETURN_NONE;
    PyObject *made = Py_BuildValue("iiii", stream->levels, stream->voiced, stream->loudest, stream->level_sum);
    stream->levels = stream->voiced = stream->level_sum = 0;
    stream->loudest = SILENT;
    return made;
}

/* reception(stream) -> the fields of media.engine.Reception, or None */
static PyObject *reception(EngineObject *self, PyObject *handle)
{
    long long number = PyLong_AsLongLong(handle);
    if (PyErr_Occurred())
        return NULL;
    const Stream *stream = find(&self->engine->streams, number);
    if (!stream || !stream->has_ssrc)
        Py_RETURN_NONE;
    const Receiver *r = &stream->receiver;
    long long expected = r->highest >= 0 ? r->highest - r->base + 1 : 0;
    return Py_BuildValue("kLLLLKd", (unsigned long)stream->ssrc, (long long)r->highest, expected, (long long)r->received,
                         (long long)r->jitter, (unsigned long long)stream->bytes, stream->last_arrival);
}

/* sending(link) -> the fields of media.engine.Sending, the stream -1 for none, or None */
static PyObject *sending(EngineObject *self, PyObject *handle)
{
    long long number = PyLong_AsLongLong(handle);
    if (PyErr_Occurred())
        return NULL;
    const Link *link = find(&self->engine->links, number);
    if (!link)
        Py_RETURN_NONE;
    return Py_BuildValue("kKKLkO", (unsigned long)link->ssrc, (unsigned long long)link->packets,
                         (unsigned long long)link->octets, link->stream ? (long long)link->stream->handle : -1LL,
                         (unsigned long)link->rewriter.timestamp_offset, link_started(link) ? Py_True : Py_False);
}

/* counters(peer) -> the fields of media.engine.PeerCounters, or None */
static PyObject *counters(EngineObject *self, PyObject *handle)
{
    long long number = PyLong_AsLongLong(handle);
    if (PyErr_Occurred())
        return NULL;
    const Peer *p = find(&self->engine->peers, number);
    if (!p)
        Py_RETURN_NONE;
    return Py_BuildValue("KKKKKKLKK", (unsigned long long)p->received_packets, (unsigned long long)p->received_bytes,
                         (unsigned long long)p->sent_packets, (unsigned long long)p->sent_bytes,
                         (unsigned long long)p->retransmitted, (unsigned long long)p->refused,
                         p->backlog ? (long long)p->backlog->bytes : 0LL,
                         p->backlog ? (unsigned long long)p->backlog->dropped : 0ULL,
                         (unsigned long long)p->probed);
}

static PyObject *handles_of(const List *list, int links)
{
    PyObject *made = PyList_New((Py_ssize_t)list->count);
    for (size_t i = 0; made && i < list->count; i++) {
        int64_t handle = links ? ((Link *)list->items[i])->handle : ((Stream *)list->items[i])->handle;
        PyObject *number = PyLong_FromLongLong(handle);
        if (!number)
            Py_CLEAR(made);
        else
            PyList_SET_ITEM(made, (Py_ssize_t)i, number);
    }
    return made;
}

static PyObject *things_of(EngineObject *self, PyObject *handle, int links)
{
    long long number = PyLong_AsLongLong(handle);
    if (PyErr_Occurred())
        return NULL;
    const Peer *peer = find(&self->engine->peers, number);
    if (!peer)
        return PyList_New(0);
    return handles_of(links ? &peer->links : &peer->streams, links);
}

static PyObject *streams_of(EngineObject *self, PyObject *peer) { return things_of(self, peer, 0); }

static PyObject *links_of(EngineObject *self, PyObject *peer) { return things_of(self, peer, 1); }

PyMethodDef packet_methods[] = {
    {"streams_of", (PyCFunction)streams_of, METH_O, NULL},
    {"links_of", (PyCFunction)links_of, METH_O, NULL},
    {"receive", (PyCFunction)receive, METH_VARARGS, NULL},
    {"take", (PyCFunction)take, METH_VARARGS, NULL},
    {"stamp", (PyCFunction)stamp, METH_O, NULL},
    {"events", (PyCFunction)events, METH_NOARGS, NULL},
    {"service", (PyCFunction)service, METH_VARARGS, NULL},
    {"pump", (PyCFunction)pump, METH_VARARGS, NULL},
    {"flush", (PyCFunction)flush, METH_NOARGS, NULL},
    {"send", (PyCFunction)send_plain, METH_VARARGS, NULL},
    {"send_rtcp", (PyCFunction)send_rtcp, METH_VARARGS, NULL},
    {"resend", (PyCFunction)resend, METH_VARARGS, NULL},
    {"probe", (PyCFunction)probe, METH_VARARGS, NULL},
    {"missing", (PyCFunction)missing, METH_VARARGS, NULL},
    {"arrivals", (PyCFunction)arrivals, METH_O, NULL},
    {"departures", (PyCFunction)departures, METH_O, NULL},
    {"loudness", (PyCFunction)loudness, METH_O, NULL},
    {"reception", (PyCFunction)reception, METH_O, NULL},
    {"sending", (PyCFunction)sending, METH_O, NULL},
    {"counters", (PyCFunction)counters, METH_O, NULL},
    {0},
};
