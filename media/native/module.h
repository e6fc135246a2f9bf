/* Python objects and C values: shared by module.c (the type) and the method files. */
#ifndef TONGTANG_MODULE_H
#define TONGTANG_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "engine.h"

typedef struct {
    PyObject_HEAD
    Engine *engine;
    PyObject *makers[LINK_SWITCHED + 1]; /* callables that make events, by kind */
    PyObject *on_tap;                    /* (stream, packet, arrival) */
    int busy;
} EngineObject;

/* One thread at a time, and no way back in from a port's ``send``: 0, or -1 with RuntimeError. */
int enter(EngineObject *self);
PyObject *leave(EngineObject *self, PyObject *result); /* ``result`` */

int path_of(PyObject *object, Path *path); /* (port, (host, number)); -1 with an exception */
PyObject *path_object(const Path *path);
/* What happened since the last call onto a list; the recorder's packets go to ``on_tap`` on the way. */
int take_events(EngineObject *self, PyObject *list);
int take_later(EngineObject *self, PyObject *list);

#define SILENT 127 /* RFC 6464 section 3: -127 dBov, or nothing at all */

extern PyMethodDef packet_methods[], control_methods[];

#endif
