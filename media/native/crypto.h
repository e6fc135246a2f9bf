/* AES and SHA-1 out of an OpenSSL 3 that is already on the machine, found at run time: no headers, nothing linked.
 * Rule: the prototypes are ours, so a library is believed only after it gave known answers (srtp_selftest). */
#ifndef TONGTANG_CRYPTO_H
#define TONGTANG_CRYPTO_H

#include <stdint.h>

/* SHA_CTX has 96 bytes; its layout is not ours to know, only that it may be copied. */
typedef struct {
    uint64_t opaque[16];
} Sha1;

typedef struct {
    void *(*context_new)(void);
    void (*context_free)(void *);
    int (*encrypt_init)(void *, const void *, void *, const uint8_t *key, const uint8_t *iv);
    int (*encrypt_update)(void *, uint8_t *, int *, const uint8_t *, int);
    int (*encrypt_final)(void *, uint8_t *, int *);
    int (*decrypt_init)(void *, const void *, void *, const uint8_t *key, const uint8_t *iv);
    int (*decrypt_update)(void *, uint8_t *, int *, const uint8_t *, int);
    int (*decrypt_final)(void *, uint8_t *, int *);
    int (*control)(void *, int, int, void *);
    const void *(*aes_128_gcm)(void);
    const void *(*aes_256_gcm)(void);
    const void *(*aes_128_ctr)(void);
    const void *(*aes_256_ctr)(void);
    int (*sha1_init)(Sha1 *);
    int (*sha1_update)(Sha1 *, const void *, size_t);
    int (*sha1_final)(uint8_t *, Sha1 *);
} Crypto;

extern Crypto crypto; /* filled once, before the first session */

/* 0 when the library at ``path`` has everything; else -1 and ``crypto`` is as before. */
int crypto_load(const char *path);

#define CTRL_GET_TAG 0x10 /* EVP_CTRL_AEAD_GET_TAG */
#define CTRL_SET_TAG 0x11 /* EVP_CTRL_AEAD_SET_TAG */

#endif
