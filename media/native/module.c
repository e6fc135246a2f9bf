/* The module: a type ``Engine`` whose methods are in control_methods.c and packet_methods.c, and ``load_crypto``. */
#include "module.h"

#include <arpa/inet.h>

int enter(EngineObject *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the packet engine serves one thread at a time");
        return -1;
    }
    self->busy = 1;
    return 0;
}

PyObject *leave(EngineObject *self, PyObject *result)
{
    self->busy = 0;
    return result;
}

/* --- paths --------------------------------------------------------------------------------------------------------- */

int path_of(PyObject *object, Path *path)
{
    long long port;
    const char *host;
    int number;
    if (!PyTuple_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "a path is (port, (host, number))");
        return -1;
    }
    if (!PyArg_ParseTuple(object, "L(si)", &port, &host, &number))
        return -1;
    *path = (Path){.port = port, .number = (uint16_t)number};
    char plain[INET6_ADDRSTRLEN] = "";
    const char *scope = strchr(host, '%');
    size_t size = scope ? (size_t)(scope - host) : strlen(host);
    if (size < sizeof plain) {
        memcpy(plain, host, size);
        plain[size] = 0;
    }
    if (inet_pton(AF_INET, plain, path->host) == 1)
        path->family = AF_INET;
    else if (inet_pton(AF_INET6, plain, path->host) == 1)
        path->family = AF_INET6;
    path->scope = scope ? (uint32_t)strtoul(scope + 1, NULL, 10) : 0;
    return 0; /* no address at all (a connection that is already gone): family 0, a path like any other */
}

PyObject *path_object(const Path *path)
{
    char host[INET6_ADDRSTRLEN + 12] = "";
    if (path->family)
        inet_ntop(path->family, path->host, host, INET6_ADDRSTRLEN);
    if (path->scope)
        snprintf(host + strlen(host), 12, "%%%u", path->scope);
    return Py_BuildValue("L(si)", (long long)path->port, host, (int)path->number);
}

/* --- events -------------------------------------------------------------------------------------------------------- */

static PyObject *event_object(EngineObject *self, const Event *event)
{
    const char *data = (const char *)self->engine->data + event->start;
    PyObject *maker = self->makers[event->kind];
    switch (event->kind) {
    case STUN:
    case DTLS:
        return PyObject_CallFunction(maker, "sNy#", event->kind == STUN ? "stun" : "dtls", path_object(&event->path), data,
                                     (Py_ssize_t)event->size);
    case RTCP:
        return PyObject_CallFunction(maker, "Ly#", (long long)event->one, data, (Py_ssize_t)event->size);
    case LINK_SWITCHED:
        return PyObject_CallFunction(maker, "LL", (long long)event->one, (long long)event->two);
    default:
        return PyObject_CallFunction(maker, "L", (long long)event->one);
    }
}

static int tell(EngineObject *self, const Event *event, PyObject *list)
{
    const char *data = (const char *)self->engine->data + event->start;
    PyObject *made;
    if (event->kind == TAPPED)
        made = PyObject_CallFunction(self->on_tap, "Ly#d", (long long)event->one, data, (Py_ssize_t)event->size, event->at);
    else
        made = event_object(self, event);
    int bad = !made || (event->kind != TAPPED && PyList_Append(list, made) < 0);
    Py_XDECREF(made);
    return bad ? -1 : 0;
}

int take_events(EngineObject *self, PyObject *list)
{
    Engine *engine = self->engine;
    int bad = 0;
    for (int i = 0; !bad && i < engine->event_count; i++)
        bad = tell(self, &engine->events[i], list);
    engine->event_count = 0;
    engine->data_fill = 0;
    return bad;
}

int take_later(EngineObject *self, PyObject *list)
{
    Engine *engine = self->engine;
    int bad = 0;
    for (int i = 0; !bad && i < engine->later_count; i++)
        bad = tell(self, &engine->later[i], list);
    engine->later_count = 0;
    return bad;
}

/* Called from anywhere in the engine, with or without the GIL. */
static void call_sender(Engine *engine, Port *port, const Path *path, const uint8_t *data, int bytes, const int *sizes,
                        int count)
{
    if (engine->python)
        PyEval_RestoreThread(engine->python);
    PyObject *name = path_object(path), *list = PyList_New(count), *view, *result = NULL;
    for (int i = 0; list && i < count; i++)
        PyList_SET_ITEM(list, i, PyLong_FromLong(sizes[i]));
    view = PyMemoryView_FromMemory((char *)data, bytes, PyBUF_READ);
    if (name && list && view)
        result = PyObject_CallFunctionObjArgs(port->sender, PyTuple_GET_ITEM(name, 1), view, list, NULL);
    if (!result) /* a port promises not to raise; what it raises all the same must not be lost in the dark */
        PyErr_WriteUnraisable(port->sender);
    Py_XDECREF(result);
    Py_XDECREF(view);
    Py_XDECREF(list);
    Py_XDECREF(name);
    if (engine->python)
        engine->python = PyEval_SaveThread();
}

/* --- the type ------------------------------------------------------------------------------------------------------ */

static PyObject *engine_make(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *datagram, *rtcp, *active, *wanted, *switched, *on_tap;
    if (keywords || !PyArg_ParseTuple(arguments, "OOOOOO", &datagram, &rtcp, &active, &wanted, &switched, &on_tap))
        return keywords ? PyErr_Format(PyExc_TypeError, "no keywords") : NULL;
    if (!crypto.context_new)
        return PyErr_Format(PyExc_RuntimeError, "load_crypto first");
    EngineObject *self = (EngineObject *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    PyObject *makers[] = {datagram, datagram, rtcp, active, wanted, on_tap, switched};
    for (int i = 0; i <= LINK_SWITCHED; i++)
        self->makers[i] = Py_NewRef(makers[i]);
    self->on_tap = Py_NewRef(on_tap);
    self->engine = engine_new();
    if (!self->engine) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    self->engine->call_sender = call_sender;
    return (PyObject *)self;
}

static int engine_traverse(EngineObject *self, visitproc visit, void *arg)
{
    for (int i = 0; i <= LINK_SWITCHED; i++)
        Py_VISIT(self->makers[i]);
    Py_VISIT(self->on_tap);
    for (size_t i = 0; self->engine && i < self->engine->ports.size; i++)
        if (self->engine->ports.slots[i].value)
            Py_VISIT(((Port *)self->engine->ports.slots[i].value)->sender);
    return 0;
}

static int engine_clear(EngineObject *self)
{
    for (int i = 0; i <= LINK_SWITCHED; i++)
        Py_CLEAR(self->makers[i]);
    Py_CLEAR(self->on_tap);
    for (size_t i = 0; self->engine && i < self->engine->ports.size; i++)
        if (self->engine->ports.slots[i].value) {
            PyObject **sender = (PyObject **)&((Port *)self->engine->ports.slots[i].value)->sender;
            Py_CLEAR(*sender);
        }
    return 0;
}

static void engine_dealloc(EngineObject *self)
{
    PyObject_GC_UnTrack(self);
    engine_clear(self);
    if (self->engine)
        engine_free(self->engine);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *get_garbage(EngineObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(self->engine->garbage);
}

static int set_garbage(EngineObject *self, PyObject *value, void *unused)
{
    (void)unused;
    unsigned long long number = value ? PyLong_AsUnsignedLongLong(value) : 0;
    if (PyErr_Occurred())
        return -1;
    self->engine->garbage = number;
    return 0;
}

static PyGetSetDef engine_attributes[] = {
    {"garbage", (getter)get_garbage, (setter)set_garbage, "datagrams that meant nothing, since the start", NULL},
    {0},
};

static PyTypeObject EngineType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "media._engine.Engine",
    .tp_doc = "The C twin of media.pyengine.PythonEngine; media/cengine.py gives it the contract's face.",
    .tp_basicsize = sizeof(EngineObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = engine_make,
    .tp_dealloc = (destructor)engine_dealloc,
    .tp_traverse = (traverseproc)engine_traverse,
    .tp_clear = (inquiry)engine_clear,
    .tp_getset = engine_attributes,
};

/* --- the module ---------------------------------------------------------------------------------------------------- */

static PyObject *load_crypto(PyObject *self, PyObject *path)
{
    (void)self;
    const char *text = PyUnicode_AsUTF8(path);
    if (!text)
        return NULL;
    Crypto before = crypto;
    if (before.context_new) /* sessions may hold its contexts */
        Py_RETURN_TRUE;
    if (crypto_load(text) == 0 && srtp_selftest() == 0)
        Py_RETURN_TRUE;
    crypto = before;
    Py_RETURN_FALSE;
}

static PyMethodDef functions[] = {
    {"load_crypto", load_crypto, METH_O, "Takes AES and SHA-1 out of this library; False unless it gives known answers."},
    {0},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "media._engine",
    .m_doc = "The packet engine in C. Sources: media/native/.",
    .m_size = -1,
    .m_methods = functions,
};

static PyMethodDef all_methods[64];

PyMODINIT_FUNC PyInit__engine(void)
{
    int count = 0;
    for (PyMethodDef *one = control_methods; one->ml_name; one++)
        all_methods[count++] = *one;
    for (PyMethodDef *one = packet_methods; one->ml_name; one++)
        all_methods[count++] = *one;
    EngineType.tp_methods = all_methods;
    PyObject *module = PyType_Ready(&EngineType) < 0 ? NULL : PyModule_Create(&definition);
    if (module && PyModule_AddObjectRef(module, "Engine", (PyObject *)&EngineType) < 0)
        Py_CLEAR(module);
    return module;
}
