/* Where datagrams come from and go to: (engine port, address) -> peer. Only authenticated paths are kept. */
#include <stdlib.h>
#include <string.h>

#include "engine.h"

typedef struct Entry {
    Path path;
    Peer *peer;
    struct Entry *next; /* same hash */
} Entry;

static uint64_t hash(const Path *path)
{
    uint64_t parts[2], value = (uint64_t)path->port * 0x9E3779B97F4A7C15ull ^ path->number;
    memcpy(parts, path->host, sizeof parts);
    value = (value ^ parts[0]) * 0xBF58476D1CE4E5B9ull;
    value = (value ^ parts[1] ^ value >> 29) * 0x94D049BB133111EBull;
    return value ^ value >> 32;
}

static int same(const Path *a, const Path *b)
{
    return a->port == b->port && a->number == b->number && a->family == b->family && a->scope == b->scope &&
           !memcmp(a->host, b->host, sizeof a->host);
}

Peer *path_owner(const Engine *engine, const Path *path)
{
    for (const Entry *entry = table_get(&engine->paths, hash(path)); entry; entry = entry->next)
        if (same(&entry->path, path))
            return entry->peer;
    return NULL;
}

int path_add(Engine *engine, const Path *path, Peer *peer)
{
    Entry *first = table_get(&engine->paths, hash(path));
    for (Entry *entry = first; entry; entry = entry->next)
        if (same(&entry->path, path)) {
            entry->peer = peer;
            return 0;
        }
    Entry *entry = malloc(sizeof *entry);
    if (!entry)
        return -1;
    *entry = (Entry){*path, peer, first};
    if (table_put(&engine->paths, hash(path), entry) < 0) {
        free(entry);
        return -1;
    }
    return 0;
}

void path_drop(Engine *engine, const Path *path)
{
    Entry *first = table_take(&engine->paths, hash(path));
    Entry **place = &first;
    while (*place && !same(&(*place)->path, path))
        place = &(*place)->next;
    if (*place) {
        Entry *gone = *place;
        *place = gone->next;
        free(gone);
    }
    if (first)
        table_put(&engine->paths, hash(path), first); /* a place was just made free: cannot fail */
}

void path_drop_of(Engine *engine, const Peer *peer, int64_t port)
{
    for (size_t i = 0; i < engine->paths.size;) {
        Entry *entry = engine->paths.slots[i].value;
        while (entry && !(peer ? entry->peer == peer : entry->path.port == port))
            entry = entry->next;
        if (entry) {
            Path path = entry->path;
            path_drop(engine, &path); /* may move others into this slot: look again */
        } else
            i++;
    }
}

int path_to_name(const Path *path, struct sockaddr_storage *name)
{
    memset(name, 0, sizeof *name);
    if (path->family == AF_INET) {
        struct sockaddr_in *four = (struct sockaddr_in *)name;
        four->sin_family = AF_INET;
        four->sin_port = htons(path->number);
        memcpy(&four->sin_addr, path->host, 4);
        return sizeof *four;
    }
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)name;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(path->number);
    six->sin6_scope_id = path->scope;
    memcpy(&six->sin6_addr, path->host, 16);
    return sizeof *six;
}

void path_from_name(Path *path, int64_t port, const struct sockaddr_storage *name)
{
    *path = (Path){.port = port, .family = name->ss_family};
    if (name->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)name;
        path->number = ntohs(four->sin_port);
        memcpy(path->host, &four->sin_addr, 4);
    } else if (name->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)name;
        path->number = ntohs(six->sin6_port);
        path->scope = six->sin6_scope_id;
        memcpy(path->host, &six->sin6_addr, 16);
    }
}
