/*
 * graph_values.c
 *	  What graphs are computed with: names in one form, content hashes of
 *	  documents, and the aggregate that combines probabilities.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "pg/support/args.h"
#include "pg/support/digest.h"
#include "pg/support/pg_env.h"
#include "text/name.h"

PG_FUNCTION_INFO_V1(mren_normalize_name);
PG_FUNCTION_INFO_V1(mren_document_hash);
PG_FUNCTION_INFO_V1(mren_graph_identity);
PG_FUNCTION_INFO_V1(mren_follow_links);
PG_FUNCTION_INFO_V1(mren_noisy_or_add);
PG_FUNCTION_INFO_V1(mren_noisy_or_final);

/* mren.normalize_name(name text) → text */
Datum
mren_normalize_name(PG_FUNCTION_ARGS)
{
	text *name = PG_GETARG_TEXT_PP(0);
	MrenTextSpan utf8 = mren_datum_utf8(PointerGetDatum(name));
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;
	char *normal;
	char *converted;
	size_t len;

	MREN_PG_CALL(err, mren_name_normalize(&env, utf8.data, utf8.len, &normal, &len, &err));
	converted = pg_any_to_server(normal, len, PG_UTF8);
	if (converted != normal)
		PG_RETURN_TEXT_P(cstring_to_text(converted));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(normal, len));
}

/* Bytes between two checks for interrupts. */
#define CHECK_BYTES (1024 * 1024)

static void
add_bytes(pg_cryptohash_ctx *context, const void *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += CHECK_BYTES)
	{
		CHECK_FOR_INTERRUPTS();
		mren_digest_add(context, (const char *) bytes + at, Min(len - at, CHECK_BYTES));
	}
}

/* Each part with its length before it, and -1 for one that is not there. */
static void
add_part(pg_cryptohash_ctx *context, const void *bytes, int64 len)
{
	uint8 prefix[8];

	for (int i = 0; i < 8; i++)
		prefix[i] = (uint8) ((uint64) len >> (8 * i));
	mren_digest_add(context, prefix, sizeof(prefix));
	if (len > 0)
		add_bytes(context, bytes, len);
}

/* mren.document_hash(document text, image bytea, image_vector real[]) → bytea */
Datum
mren_document_hash(PG_FUNCTION_ARGS)
{
	text *document = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	bytea *image = PG_ARGISNULL(1) ? NULL : PG_GETARG_BYTEA_PP(1);
	int n = -1;
	const float4 *vector =
		PG_ARGISNULL(2) ? NULL : mren_array_floats(PG_GETARG_ARRAYTYPE_P(2), "image_vector", &n);
	MrenTextSpan utf8 = {NULL, 0};
	uint8 sha256[MREN_SHA256_LENGTH];
	pg_cryptohash_ctx *context;

	if (document != NULL)
		utf8 = mren_datum_utf8(PointerGetDatum(document));
	context = mren_digest_begin();
	add_part(context, utf8.data, document != NULL ? (int64) utf8.len : -1);
	add_part(context, image != NULL ? VARDATA_ANY(image) : NULL,
			 image != NULL ? (int64) VARSIZE_ANY_EXHDR(image) : -1);
	add_part(context, vector, n < 0 ? -1 : (int64) (n * sizeof(float4)));
	mren_digest_end(context, sha256);
	PG_RETURN_BYTEA_P(mren_digest_bytea(sha256));
}

/* mren.graph_identity(key text) → uuid: the first half of SHA-256 */
Datum
mren_graph_identity(PG_FUNCTION_ARGS)
{
	text *key = PG_GETARG_TEXT_PP(0);
	MrenTextSpan utf8 = mren_datum_utf8(PointerGetDatum(key));
	pg_cryptohash_ctx *context = mren_digest_begin();
	pg_uuid_t *identity = palloc(sizeof(pg_uuid_t));
	uint8 sha256[MREN_SHA256_LENGTH];

	add_bytes(context, utf8.data, utf8.len);
	mren_digest_end(context, sha256);
	memcpy(identity->data, sha256, UUID_LEN);
	PG_RETURN_UUID_P(identity);
}

/* State: the probability that none was true; NULL before the first. */
Datum
mren_noisy_or_add(PG_FUNCTION_ARGS)
{
	double none = PG_ARGISNULL(0) ? 1 : PG_GETARG_FLOAT8(0);
	double p;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_FLOAT8(none);
	}
	p = PG_GETARG_FLOAT8(1);
	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("%g is not a probability", p),
				 errhint("It must be between 0 and 1.")));
	PG_RETURN_FLOAT8(none * (1 - p));
}

Datum
mren_noisy_or_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(1 - PG_GETARG_FLOAT8(0));
}

/*
 * Links
 */

typedef struct Link
{
	text *key;
	text *next;
	int32 to;	/* number of the link whose key is next; -1: none */
	int32 seen; /* the walk that came by; 0: none yet */
	text *last; /* where it ends, NULL until that is known */
} Link;

static int
compare_texts(const text *a, const text *b)
{
	int n_a = (int) VARSIZE_ANY_EXHDR(a);
	int n_b = (int) VARSIZE_ANY_EXHDR(b);
	int order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(n_a, n_b));

	return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

static int
compare_links(const void *a, const void *b)
{
	return compare_texts((*(const Link *const *) a)->key, (*(const Link *const *) b)->key);
}

/* The link whose key is a text, in an array sorted by key. */
static Link *
find_link(Link **sorted, int n, const text *key)
{
	int low = 0;

	while (low < n)
	{
		int middle = low + (n - low) / 2;
		int order = compare_texts(sorted[middle]->key, key);

		if (order == 0)
			return sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return NULL;
}

/* The least key of the circle that a link is part of. */
static text *
least_of_circle(const Link *links, int32 at)
{
	int32 start = at;
	text *least = links[at].key;

	while ((at = links[at].to) != start)
	{
		if (compare_texts(links[at].key, least) < 0)
			least = links[at].key;
	}
	return least;
}

/* Follows a link to its end, which then is the end of all that lie on the way. */
static void
follow(Link *links, int32 from, int32 walk)
{
	text *last = NULL;
	int32 at = from;

	while (last == NULL)
	{
		links[at].seen = walk;
		if (links[at].to < 0)
			last = links[at].next;
		else if (links[links[at].to].last != NULL)
			last = links[links[at].to].last;
		else if (links[links[at].to].seen == walk)
			last = least_of_circle(links, links[at].to);
		else
			at = links[at].to;
	}
	for (at = from; links[at].last == NULL;)
	{
		links[at].last = last;
		if (links[at].to < 0)
			break;
		at = links[at].to;
	}
}

/* mren.follow_links(keys text[], nexts text[]) → text[] */
Datum
mren_follow_links(PG_FUNCTION_ARGS)
{
	Datum *keys;
	Datum *nexts;
	bool *nulls;
	bool *next_nulls;
	int n;
	int n_nexts;
	Link *links;
	Link **sorted;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &keys, &nulls,
					  &n);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &nexts,
					  &next_nulls, &n_nexts);
	if (n != n_nexts)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("keys and links differ in number: %d and %d", n, n_nexts)));
	links = palloc0(Max(n, 1) * sizeof(Link));
	sorted = palloc(Max(n, 1) * sizeof(Link *));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i] || next_nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a key or a link is null")));
		links[i].key = DatumGetTextPP(keys[i]);
		links[i].next = DatumGetTextPP(nexts[i]);
		sorted[i] = &links[i];
	}
	qsort(sorted, n, sizeof(Link *), compare_links);
	for (int i = 0; i < n; i++)
	{
		Link *to = find_link(sorted, n, links[i].next);

		links[i].to = to == NULL ? -1 : (int32) (to - links);
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (links[i].last == NULL)
			follow(links, i, i + 1);
		keys[i] = PointerGetDatum(links[i].last);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(keys, n, TEXTOID, -1, false, TYPALIGN_INT));
}
