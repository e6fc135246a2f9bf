#include "table.h"

#include <stdlib.h>
#include <string.h>

static size_t place_of(const Table *table, uint64_t key)
{
    return (size_t)((key * 0x9E3779B97F4A7C15ull) >> 20) & (table->size - 1);
}

void *table_get(const Table *table, uint64_t key)
{
    if (!table->size)
        return NULL;
    for (size_t at = place_of(table, key);; at = (at + 1) & (table->size - 1)) {
        const Slot *slot = &table->slots[at];
        if (!slot->value || slot->key == key)
            return slot->value;
    }
}

static int grow(Table *table)
{
    Table larger = {NULL, table->size ? 2 * table->size : 8, 0};
    larger.slots = calloc(larger.size, sizeof(Slot));
    if (!larger.slots)
        return -1;
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].value)
            table_put(&larger, table->slots[i].key, table->slots[i].value);
    free(table->slots);
    *table = larger;
    return 0;
}

int table_put(Table *table, uint64_t key, void *value)
{
    if (2 * (table->used + 1) > table->size && grow(table) < 0)
        return -1;
    size_t at = place_of(table, key);
    while (table->slots[at].value && table->slots[at].key != key)
        at = (at + 1) & (table->size - 1);
    if (!table->slots[at].value)
        table->used++;
    table->slots[at] = (Slot){key, value};
    return 0;
}

void *table_take(Table *table, uint64_t key)
{
    if (!table->size)
        return NULL;
    size_t mask = table->size - 1, at = place_of(table, key);
    while (table->slots[at].value && table->slots[at].key != key)
        at = (at + 1) & mask;
    void *taken = table->slots[at].value;
    if (!taken)
        return NULL;
    table->used--;
    /* Those behind it move up, so that no search stops at the hole. */
    for (size_t next = (at + 1) & mask; table->slots[next].value; next = (next + 1) & mask) {
        size_t home = place_of(table, table->slots[next].key);
        if (((next - home) & mask) >= ((next - at) & mask)) {
            table->slots[at] = table->slots[next];
            at = next;
        }
    }
    table->slots[at].value = NULL;
    return taken;
}

void table_free(Table *table)
{
    free(table->slots);
    *table = (Table){NULL, 0, 0};
}

int list_add(List *list, void *item)
{
    if (list->count == list->size) {
        size_t size = list->size ? 2 * list->size : 4;
        void **items = realloc(list->items, size * sizeof *items);
        if (!items)
            return -1;
        list->items = items;
        list->size = size;
    }
    list->items[list->count++] = item;
    return 0;
}

void list_remove(List *list, const void *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == item) {
            list->count--;
            memmove(list->items + i, list->items + i + 1, (list->count - i) * sizeof *list->items);
            return;
        }
}

void list_free(List *list)
{
    free(list->items);
    *list = (List){NULL, 0, 0};
}
