/*
 * text_features.c
 *	  mren.tokens, text_features.
 *
 * Special tokens that are typed in the sentence are ordinary text, so that a document
 * cannot steer an encoder.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/resource/text_encoders.h"
#include "pg/support/args.h"
#include "pg/support/pg_env.h"
#include "transformer/sentence_vector.h"

static const MrenOpenTextEncoder *
open_arg(FunctionCallInfo fcinfo)
{
	MrenTextEncoderRow row;

	mren_catalog_need_text_encoder(mren_arg_text(fcinfo, 0, "encoder"), &row);
	return mren_text_encoder_open(&row);
}

/* The pieces of the argument `sentence`, in the current context. */
static void
read_pieces(FunctionCallInfo fcinfo, const MrenOpenTextEncoder *encoder, MrenPieces *pieces)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenTextSpan utf8 = mren_datum_utf8(PG_GETARG_DATUM(1));
	MrenError err;

	MREN_PG_CALL(
		err, mren_subword_encode(&env, encoder->tokenizer, utf8.data, utf8.len, 0, pieces, &err));
}

static Datum
piece_text(const MrenOpenTextEncoder *encoder, uint32 id)
{
	MrenTextSpan utf8;

	utf8.data = mren_subword_piece_text(encoder->tokenizer, id, &utf8.len);
	return PointerGetDatum(mren_server_text(utf8));
}

PG_FUNCTION_INFO_V1(mren_tokens);
/* mren.tokens(encoder, sentence) → TABLE (piece, id, span) */
Datum
mren_tokens(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const MrenOpenTextEncoder *encoder;
	MrenPieces pieces = {0};

	InitMaterializedSRF(fcinfo, 0);
	encoder = open_arg(fcinfo);
	read_pieces(fcinfo, encoder, &pieces);
	for (size_t i = 0; i < pieces.n; i++)
	{
		const MrenPiece *piece = &pieces.piece[i];
		Datum values[] = {piece_text(encoder, piece->id), Int32GetDatum((int32) piece->id),
						  mren_int4range((int32) piece->start, (int32) piece->end)};
		bool nulls[3] = {false};

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		pfree(DatumGetPointer(values[0]));
		pfree(DatumGetPointer(values[2]));
	}
	return (Datum) 0;
}

static MrenPooling
pooling_arg(FunctionCallInfo fcinfo)
{
	char *pooling = mren_arg_text(fcinfo, 2, "pooling");

	if (strcmp(pooling, "mean") == 0)
		return MREN_POOLING_MEAN;
	if (strcmp(pooling, "cls") == 0)
		return MREN_POOLING_CLS;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown pooling \"%s\"", pooling),
			 errhint("Specify \"mean\" or \"cls\".")));
}

/* The ids of the pieces, with the special ones around them. */
static void
encoder_input(const MrenOpenTextEncoder *encoder, const MrenPieces *pieces,
			  MrenSentencePieces *input)
{
	const uint32_t *before;
	const uint32_t *after;
	int32 *ids;

	input->n_before = mren_subword_prefix(encoder->tokenizer, &before);
	input->n_text = pieces->n;
	input->n_after = mren_subword_suffix(encoder->tokenizer, &after);
	ids = MemoryContextAllocHuge(CurrentMemoryContext,
								 (input->n_before + input->n_text + input->n_after + 1) *
									 sizeof(int32));
	input->ids = ids;
	for (size_t i = 0; i < input->n_before; i++)
		*ids++ = (int32) before[i];
	for (size_t i = 0; i < input->n_text; i++)
		*ids++ = (int32) pieces->piece[i].id;
	for (size_t i = 0; i < input->n_after; i++)
		*ids++ = (int32) after[i];
}

PG_FUNCTION_INFO_V1(mren_text_features);
/* mren.text_features(encoder, sentence, pooling) → real[] */
Datum
mren_text_features(PG_FUNCTION_ARGS)
{
	MrenPooling pooling = pooling_arg(fcinfo);
	const MrenOpenTextEncoder *encoder = open_arg(fcinfo);
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	float4 *vector = palloc(encoder->config->width * sizeof(float4));
	MrenPieces pieces = {0};
	MrenSentencePieces input;
	MrenError err;

	read_pieces(fcinfo, encoder, &pieces);
	encoder_input(encoder, &pieces, &input);
	/* Without special pieces an empty sentence has no vectors, and so no mean. */
	if (input.n_before + input.n_text + input.n_after == 0)
		PG_RETURN_NULL();
	MREN_PG_CALL(err,
				 mren_sentence_vector(&env, encoder->transformer, &input, pooling, vector, &err));
	mren_pieces_free(&env, &pieces);
	PG_RETURN_ARRAYTYPE_P(mren_real_array(vector, (int) encoder->config->width));
}
