#include <stddef.h>

#include "crypto.h"

#include <dlfcn.h>
#include <string.h>

Crypto crypto;

int crypto_load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return -1;
    static const struct {
        const char *name;
        size_t at;
    } names[] = {
        {"EVP_CIPHER_CTX_new", offsetof(Crypto, context_new)},
        {"EVP_CIPHER_CTX_free", offsetof(Crypto, context_free)},
        {"EVP_EncryptInit_ex", offsetof(Crypto, encrypt_init)},
        {"EVP_EncryptUpdate", offsetof(Crypto, encrypt_update)},
        {"EVP_EncryptFinal_ex", offsetof(Crypto, encrypt_final)},
        {"EVP_DecryptInit_ex", offsetof(Crypto, decrypt_init)},
        {"EVP_DecryptUpdate", offsetof(Crypto, decrypt_update)},
        {"EVP_DecryptFinal_ex", offsetof(Crypto, decrypt_final)},
        {"EVP_CIPHER_CTX_ctrl", offsetof(Crypto, control)},
        {"EVP_aes_128_gcm", offsetof(Crypto, aes_128_gcm)},
        {"EVP_aes_256_gcm", offsetof(Crypto, aes_256_gcm)},
        {"EVP_aes_128_ctr", offsetof(Crypto, aes_128_ctr)},
        {"EVP_aes_256_ctr", offsetof(Crypto, aes_256_ctr)},
        {"SHA1_Init", offsetof(Crypto, sha1_init)},
        {"SHA1_Update", offsetof(Crypto, sha1_update)},
        {"SHA1_Final", offsetof(Crypto, sha1_final)},
    };
    Crypto found;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *symbol = dlsym(library, names[i].name);
        if (!symbol) {
            dlclose(library);
            return -1;
        }
        memcpy((char *)&found + names[i].at, &symbol, sizeof symbol);
    }
    crypto = found; /* the library stays open for ever: sessions hold its contexts */
    return 0;
}
