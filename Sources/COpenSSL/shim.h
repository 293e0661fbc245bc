#ifndef PURSER_COPENSSL_SHIM_H
#define PURSER_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#if defined(__linux__)
#include <sys/prctl.h>

/// `prctl` is variadic, which Swift cannot call. 0 on success.
static inline int purser_set_not_dumpable(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/// 1 while other processes of the user may read this one's memory, 0 when only root may.
static inline int purser_is_dumpable(void) {
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}
#endif

// Swift sees neither function-like macros nor macros with casts. Each wrapper below is one of those and no more.

static inline int purser_ssl_ctx_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline int purser_ssl_ctx_set1_groups_list(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, list);
}

static inline int purser_ssl_ctx_set1_sigalgs_list(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_sigalgs_list(context, list);
}

static inline void purser_ssl_ctx_set_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_mode(context, mode);
}

static inline void purser_ssl_ctx_set_session_cache_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}

static inline int purser_ssl_set_tlsext_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

static inline int purser_ssl_ctx_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline void purser_ssl_ctx_set_max_cert_list(SSL_CTX *context, long bytes) {
    SSL_CTX_set_max_cert_list(context, bytes);
}

static inline void purser_ssl_ctx_set_servername_callback(SSL_CTX *context, int (*callback)(SSL *, int *, void *)) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
}

static inline const char *purser_ssl_get_cipher_name(const SSL *ssl) {
    return SSL_get_cipher_name(ssl);
}

static inline void purser_bio_set_retry_read(BIO *bio) {
    BIO_set_retry_read(bio);
}

static inline void purser_bio_clear_retry_flags(BIO *bio) {
    BIO_clear_retry_flags(bio);
}

static inline void purser_x509v3_set_ctx_nodb(X509V3_CTX *context) {
    X509V3_set_ctx_nodb(context);
}

static inline long purser_bio_get_mem_data(BIO *bio, const char **data) {
    return BIO_get_mem_data(bio, (char **)data);
}

static const uint64_t purser_ssl_op_no_renegotiation = SSL_OP_NO_RENEGOTIATION;
static const uint64_t purser_ssl_op_no_compression = SSL_OP_NO_COMPRESSION;
static const uint64_t purser_ssl_op_no_ticket = SSL_OP_NO_TICKET;
static const uint64_t purser_ssl_op_cipher_server_preference = SSL_OP_CIPHER_SERVER_PREFERENCE;

#endif
