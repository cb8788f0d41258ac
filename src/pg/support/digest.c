/*
 * digest.c
 *	  SHA-256 over pieces.
 */
#include "pg/support/digest.h"

#include "utils/builtins.h"

pg_cryptohash_ctx *
mren_digest_begin(void)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0)
		elog(ERROR, "could not begin a SHA-256 hash");
	return context;
}

void
mren_digest_add(pg_cryptohash_ctx *context, const void *bytes, size_t len)
{
	if (pg_cryptohash_update(context, bytes, len) < 0)
		elog(ERROR, "could not update a SHA-256 hash");
}

void
mren_digest_end(pg_cryptohash_ctx *context, uint8 *sha256)
{
	if (pg_cryptohash_final(context, sha256, MREN_SHA256_LENGTH) < 0)
		elog(ERROR, "could not finish a SHA-256 hash");
	pg_cryptohash_free(context);
}

bytea *
mren_digest_bytea(const uint8 *sha256)
{
	return (bytea *) cstring_to_text_with_len((const char *) sha256, MREN_SHA256_LENGTH);
}
