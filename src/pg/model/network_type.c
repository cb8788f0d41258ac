/*
 * network_type.c
 *	  The type mren.network: its bytes, input and output.
 *
 * All numbers are little-endian:
 *
 *		magic "MRENNETW" | version u32
 *		n_options u32 | n_metrics u32 (0xFFFFFFFF: none) | n_net u64
 *		options, JSON | metrics, JSON | net, as mren_net_serialize wrote it
 *		checksum u64 over all before it
 *
 * Any role can cast a text to the type or import bytes, so reading trusts nothing:
 * the checksum finds accidental damage, and all that it covers is validated again
 * against deliberate damage.
 */
#include "pg/model/network_type.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "pg/model/old_options.h"
#include "pg/support/compat.h"
#include "pg/support/digest.h"
#include "pg/support/hex.h"
#include "pg/support/pg_env.h"

#define MAGIC "MRENNETW"
#define MAGIC_LENGTH 8
#define FORMAT_VERSION 1
#define NO_METRICS PG_UINT32_MAX
#define HEAD_LENGTH (MAGIC_LENGTH + 4 + 4 + 4 + 8)
#define CHECKSUM_LENGTH 8
#define MAX_JSON (16 * 1024 * 1024)

PG_FUNCTION_INFO_V1(mren_network_in);
PG_FUNCTION_INFO_V1(mren_network_out);
PG_FUNCTION_INFO_V1(mren_network_recv);
PG_FUNCTION_INFO_V1(mren_network_send);
PG_FUNCTION_INFO_V1(mren_network_info);

static void damaged(const char *what) MREN_NORETURN;

static void
damaged(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid network: %s", what),
			 errhint("A network is a value that mren.train_agg or mren.export_model returned, "
					 "unchanged.")));
	pg_unreachable();
}

/*
 * JSON
 */

Datum
mren_network_jsonb(const char *utf8)
{
	char *text = pg_any_to_server(utf8, strlen(utf8), PG_UTF8);
	Datum jsonb = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));

	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(jsonb)))
		damaged("its options and metrics must be JSON objects");
	return jsonb;
}

char *
mren_network_json_text(Datum value)
{
	Jsonb *jsonb = DatumGetJsonbP(value);
	char *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

/*
 * Writing
 */

/* The core's bytes of a network or tagger. */
static void
serialize(const MrenNetwork *network, const MrenEnv *env, uint8_t **bytes, size_t *len)
{
	MrenError err;

	if (network->tagger != NULL)
		MREN_PG_CALL(err, mren_tagger_serialize(network->tagger, env, bytes, len, &err));
	else
		MREN_PG_CALL(err, mren_net_serialize(network->net, env, bytes, len, &err));
}

Datum
mren_network_datum(const MrenNetwork *network)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenBuffer out = {0};
	char *options = mren_network_json_text(mren_network_jsonb(network->options));
	char *metrics = NULL;
	size_t n_options = strlen(options);
	size_t n_metrics = 0;
	uint8_t *bytes;
	size_t n_bytes;
	bytea *result;

	if (network->metrics != NULL)
	{
		metrics = mren_network_json_text(mren_network_jsonb(network->metrics));
		n_metrics = strlen(metrics);
	}
	serialize(network, &env, &bytes, &n_bytes);
	if (n_bytes > MaxAllocSize - VARHDRSZ - HEAD_LENGTH - CHECKSUM_LENGTH - n_options - n_metrics)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("network of %zu bytes exceeds the maximum size of a value", n_bytes),
						errhint("Train it with CALL mren.train, which stores it in parts, or "
								"with smaller hidden layers.")));
	out.capacity = HEAD_LENGTH + n_options + n_metrics + n_bytes + CHECKSUM_LENGTH;
	result = palloc(VARHDRSZ + out.capacity);
	SET_VARSIZE(result, VARHDRSZ + out.capacity);
	out.data = (uint8_t *) VARDATA(result);

	mren_buffer_put_bytes(&out, MAGIC, MAGIC_LENGTH);
	mren_buffer_put_u32(&out, FORMAT_VERSION);
	mren_buffer_put_u32(&out, n_options);
	mren_buffer_put_u32(&out, metrics == NULL ? NO_METRICS : (uint32_t) n_metrics);
	mren_buffer_put_u64(&out, n_bytes);
	mren_buffer_put_bytes(&out, options, n_options);
	if (metrics != NULL)
		mren_buffer_put_bytes(&out, metrics, n_metrics);
	mren_buffer_put_bytes(&out, bytes, n_bytes);
	mren_buffer_put_u64(&out, mren_hash64(out.data, out.len, 0));
	mren_release(&env, bytes);
	return PointerGetDatum(result);
}

/*
 * Reading
 */

typedef struct Envelope
{
	const char *options;
	uint32_t n_options;
	const char *metrics; /* NULL: none */
	uint32_t n_metrics;
	const uint8_t *net;
	size_t n_net;
} Envelope;

static void
open_envelope(const uint8_t *bytes, size_t len, Envelope *envelope)
{
	MrenCursor in = {.at = bytes, .end = bytes + len};
	MrenCursor tail;
	uint64_t n_net;
	uint32_t version;

	if (len < HEAD_LENGTH + CHECKSUM_LENGTH)
		damaged(psprintf("it has only %zu bytes", len));
	if (memcmp(mren_cursor_bytes(&in, MAGIC_LENGTH), MAGIC, MAGIC_LENGTH) != 0)
		damaged("it does not begin with a network's signature");
	version = mren_cursor_u32(&in);
	if (version != FORMAT_VERSION)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("network has format version %u, but only %d is supported", version,
							   FORMAT_VERSION),
						errhint("It was made by another version of mren, or is damaged.")));
	tail = (MrenCursor){.at = bytes + len - CHECKSUM_LENGTH, .end = bytes + len};
	if (mren_cursor_u64(&tail) != mren_hash64(bytes, len - CHECKSUM_LENGTH, 0))
		damaged("its checksum does not match, so it is damaged or cut short");
	envelope->n_options = mren_cursor_u32(&in);
	envelope->n_metrics = mren_cursor_u32(&in);
	n_net = mren_cursor_u64(&in);
	envelope->options = (const char *) mren_cursor_bytes(&in, envelope->n_options);
	envelope->metrics = NULL;
	if (envelope->n_metrics != NO_METRICS)
		envelope->metrics = (const char *) mren_cursor_bytes(&in, envelope->n_metrics);
	envelope->net = mren_cursor_bytes(&in, n_net);
	envelope->n_net = n_net;
	if (in.failed || mren_cursor_left(&in) != CHECKSUM_LENGTH)
		damaged("the lengths in it are inconsistent");
}

/*
 * Copies JSON text that must be UTF-8 and an object.  PostgreSQL's parser of JSON
 * cannot be canceled, so what is longer than any options or metrics is refused.
 */
static char *
copy_json(MemoryContext context, const char *text, uint32_t len)
{
	char *copy;

	if (len > MAX_JSON)
		damaged(psprintf("its options or metrics have %u bytes, more than %d", len, MAX_JSON));
	if (!pg_verify_mbstr(PG_UTF8, text, len, true))
		damaged("its options and metrics must be UTF-8");
	copy = MemoryContextAlloc(context, (Size) len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	(void) mren_network_jsonb(copy);
	return copy;
}

/* Relations become text in SQL, so they must be text. */
static size_t
n_labels(const MrenNetwork *network)
{
	MrenNetInfo info;
	MrenTaggerInfo tagger;

	if (network->tagger != NULL)
	{
		mren_tagger_info(network->tagger, &tagger);
		return tagger.n_types;
	}
	mren_net_info(network->net, &info);
	return info.n_relations;
}

static MrenTextSpan
label(const MrenNetwork *network, size_t i)
{
	return network->tagger != NULL ? mren_tagger_type(network->tagger, i)
								   : mren_net_relation(network->net, i);
}

static void
check_labels(const MrenNetwork *network)
{
	for (size_t i = 0; i < n_labels(network); i++)
	{
		MrenTextSpan name = label(network, i);

		if (!pg_verify_mbstr(PG_UTF8, name.data, name.len, true))
			damaged("the name of a relation must be UTF-8");
	}
}

void
mren_network_read_any(Datum value, MemoryContext context, MrenNetwork *network)
{
	bytea *bytes = DatumGetByteaPP(value);
	MrenEnv env = mren_pg_env(context);
	MrenError err;
	Envelope envelope;

	memset(network, 0, sizeof(*network));
	open_envelope((uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &envelope);
	network->options = copy_json(context, envelope.options, envelope.n_options);
	if (envelope.metrics != NULL)
		network->metrics = copy_json(context, envelope.metrics, envelope.n_metrics);
	if (mren_tagger_is(envelope.net, envelope.n_net))
		MREN_PG_CALL(err, mren_tagger_deserialize(&env, envelope.net, envelope.n_net,
												  &network->tagger, &err));
	else
		MREN_PG_CALL(err,
					 mren_net_deserialize(&env, envelope.net, envelope.n_net, &network->net, &err));
	check_labels(network);
	mren_network_rename_options(context, network);
	if ((Pointer) bytes != DatumGetPointer(value))
		pfree(bytes);
}

void
mren_network_read(Datum value, MemoryContext context, MrenNetwork *network)
{
	mren_network_read_any(value, context, network);
	if (network->tagger != NULL)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("value is an exported tagger, not a relation network"),
						errhint("Import it with mren.import_model.")));
}

/* The value, if it is a network; else an error. */
static Datum
checked(bytea *value)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren network check", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	MrenNetwork network;

	mren_network_read(PointerGetDatum(value), context, &network);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_BYTEA_P(value);
}

/*
 * Input and output
 */

Datum
mren_network_in(PG_FUNCTION_ARGS)
{
	return checked(mren_hex_in(PG_GETARG_CSTRING(0), "mren.network"));
}

Datum
mren_network_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(mren_hex_out(PG_GETARG_BYTEA_PP(0), "mren.network"));
}

Datum
mren_network_recv(PG_FUNCTION_ARGS)
{
	return checked(mren_hex_recv((StringInfo) PG_GETARG_POINTER(0)));
}

Datum
mren_network_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0));
}

/*
 * Information
 */

Datum
mren_network_relations(const MrenNetwork *network)
{
	size_t n = n_labels(network);
	Datum *names = palloc(Max(n, 1) * sizeof(Datum));

	for (size_t i = 0; i < n; i++)
		names[i] = PointerGetDatum(mren_server_text(label(network, i)));
	return PointerGetDatum(construct_array(names, (int) n, TEXTOID, -1, false, TYPALIGN_INT));
}

void
mren_network_sha256(const MrenNetwork *network, uint8 *sha256)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	uint8_t *bytes;
	size_t len;
	pg_cryptohash_ctx *digest;

	serialize(network, &env, &bytes, &len);
	digest = mren_digest_begin();
	mren_digest_add(digest, bytes, len);
	mren_digest_end(digest, sha256);
	mren_release(&env, bytes);
}

static void
put_hex(StringInfo out, const char *key, const uint8 *bytes)
{
	char hex[2 * MREN_SHA256_LENGTH + 1];

	hex_encode((const char *) bytes, MREN_SHA256_LENGTH, hex);
	hex[2 * MREN_SHA256_LENGTH] = '\0';
	appendStringInfo(out, ", \"%s\": \"%s\"", key, hex);
}

/* The names of the relations, then the number of the negative one as a name. */
static void
put_relations(StringInfo out, const MrenNet *net, const MrenNetInfo *info)
{
	for (size_t i = 0; i < info->n_relations; i++)
	{
		MrenTextSpan relation = mren_net_relation(net, i);

		appendStringInfoString(out, i == 0 ? "\"relations\": [" : ", ");
		escape_json(out, pnstrdup(relation.data, relation.len));
	}
	appendStringInfoString(out, "], \"negative\": ");
	if (info->negative < 0)
		appendStringInfoString(out, "null");
	else
	{
		MrenTextSpan negative = mren_net_relation(net, info->negative);

		escape_json(out, pnstrdup(negative.data, negative.len));
	}
}

Datum
mren_network_info(PG_FUNCTION_ARGS)
{
	MrenNetwork network;
	MrenNetInfo info;
	StringInfoData out;
	uint8 sha256[MREN_SHA256_LENGTH];

	mren_network_read(PG_GETARG_DATUM(0), CurrentMemoryContext, &network);
	mren_net_info(network.net, &info);
	mren_network_sha256(&network, sha256);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	put_relations(&out, network.net, &info);
	appendStringInfo(&out,
					 ", \"embedding_dimension\": %zu, \"image_dimension\": %zu"
					 ", \"features\": %zu, \"parameters\": %zu, \"training_rows\": %zu",
					 info.embedding_dim, info.image_dim, info.features_dim, info.n_parameters,
					 info.n_training_rows);
	if (info.n_members > 1)
		appendStringInfo(&out, ", \"members\": %zu, \"text_only_member\": %s", info.n_members,
						 info.text_only ? "true" : "false");
	appendStringInfo(&out, ", \"temperature\": %.9g", info.temperature);
	if (info.lapse > 0)
		appendStringInfo(&out, ", \"lapse_rate\": %.9g", info.lapse);
	if (info.threshold >= 0)
		appendStringInfo(&out, ", \"threshold\": %.9g", info.threshold);
	else
		appendStringInfoString(&out, ", \"threshold\": null");
	put_hex(&out, "embeddings_sha256", info.embeddings_sha256);
	if (info.has_image)
		put_hex(&out, "image_encoder_sha256", info.encoder_sha256);
	else
		appendStringInfoString(&out, ", \"image_encoder_sha256\": null");
	if (info.audio_dim > 0)
	{
		appendStringInfo(&out, ", \"audio_dimension\": %zu", info.audio_dim);
		put_hex(&out, "audio_encoder_sha256", info.audio_sha256);
	}
	if (info.text_encoder_sha256 != NULL)
		put_hex(&out, "text_encoder_sha256", info.text_encoder_sha256);
	put_hex(&out, "sha256", sha256);
	appendStringInfo(&out, ", \"options\": %s, \"metrics\": %s}", network.options,
					 network.metrics == NULL ? "null" : network.metrics);
	PG_RETURN_DATUM(mren_network_jsonb(out.data));
}
