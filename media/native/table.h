/* Two containers: handles to things, and things in order. A failed allocation is told, never fatal. */
#ifndef TONGTANG_TABLE_H
#define TONGTANG_TABLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t key;
    void *value; /* NULL: free */
} Slot;

typedef struct {
    Slot *slots;
    size_t size, used; /* size: 0 or a power of two */
} Table;

void *table_get(const Table *table, uint64_t key);
int table_put(Table *table, uint64_t key, void *value); /* 0, or -1 without memory; replaces */
void *table_take(Table *table, uint64_t key);
void table_free(Table *table);

typedef struct {
    void **items;
    size_t count, size;
} List;

int list_add(List *list, void *item);
void list_remove(List *list, const void *item); /* keeps the order */
void list_free(List *list);

#endif
