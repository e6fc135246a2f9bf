/* Numbers in packets are big-endian; nothing here assumes alignment. */
#ifndef TONGTANG_BYTES_H
#define TONGTANG_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* media/wire/sequence.py: inside, numbers are extended and start one cycle up, so that none becomes negative. */
#define FIRST_CYCLE 65536

static inline int64_t extend(uint16_t sequence, int64_t reference)
{
    return reference + (int16_t)(uint16_t)(sequence - (uint16_t)reference);
}

#endif
