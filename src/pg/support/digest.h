/*
 * digest.h
 *	  SHA-256 over pieces, through PostgreSQL's own cryptographic hashes.
 */
#ifndef MREN_PG_SUPPORT_DIGEST_H
#define MREN_PG_SUPPORT_DIGEST_H

#include "postgres.h"

#include "common/cryptohash.h"

#define MREN_SHA256_LENGTH 32

extern pg_cryptohash_ctx *mren_digest_begin(void);
extern void mren_digest_add(pg_cryptohash_ctx *context, const void *bytes, size_t len);

/* sha256 (MREN_SHA256_LENGTH); the context is freed. */
extern void mren_digest_end(pg_cryptohash_ctx *context, uint8 *sha256);

/* A hash as a bytea; palloc'd. */
extern bytea *mren_digest_bytea(const uint8 *sha256);

#endif
