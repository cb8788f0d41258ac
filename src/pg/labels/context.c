/*
 * context.c
 *	  mren.context: the text before, between and after the mentions of a pair,
 *	  on which labelling functions are written.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"

#include "pg/resource/tokenizer.h"
#include "pg/support/args.h"
#include "pg/support/pg_env.h"
#include "text/encode.h"

PG_FUNCTION_INFO_V1(mren_context);
PG_FUNCTION_INFO_V1(mren_context_range);

#define N_CONTEXT 6

static Datum
part(const MrenPair *pair, uint32 start, uint32 end)
{
	MrenTextSpan text = {pair->sentence.data + start, end - start};

	return PointerGetDatum(mren_server_text(text));
}

/* Nothing is between mentions that overlap. */
static Datum
context(FunctionCallInfo fcinfo, bool ranges)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenTokens tokens = {0};
	MrenPair pair = {0};
	MrenToken head;
	MrenToken tail;
	MrenToken first;
	MrenToken second;
	uint32 end;
	TupleDesc desc;
	Datum values[N_CONTEXT];
	bool nulls[N_CONTEXT] = {false};
	MrenError err;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	mren_pair_sentence(&pair, PG_GETARG_DATUM(0));
	mren_pair_mentions(&pair, PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), ranges);
	MREN_PG_CALL(err, mren_tokenize(mren_pg_tokenizer(), &env, pair.sentence.data,
									pair.sentence.len, &tokens, &err));
	MREN_PG_CALL(err,
				 mren_mentions_place(&env, &(MrenMentionPair){pair.sentence, pair.head, pair.tail},
									 &tokens, &head, &tail, &err));
	first = tail.start < head.start ? tail : head;
	second = tail.start < head.start ? head : tail;
	end = Max(first.end, second.end);
	values[0] = part(&pair, 0, first.start);
	values[1] = part(&pair, head.start, head.end);
	values[2] = part(&pair, first.end, Max(first.end, second.start));
	values[3] = part(&pair, tail.start, tail.end);
	values[4] = part(&pair, end, pair.sentence.len);
	values[5] = BoolGetDatum(tail.start < head.start);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* mren.context(sentence, head text, tail text) → (before, head, middle, tail, after, reversed) */
Datum
mren_context(PG_FUNCTION_ARGS)
{
	return context(fcinfo, false);
}

/* mren.context(sentence, head int4range, tail int4range) → the same */
Datum
mren_context_range(PG_FUNCTION_ARGS)
{
	return context(fcinfo, true);
}
