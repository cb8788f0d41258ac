/*
 * explain.c
 *	  Leaving out one part at a time.
 *
 * A word outside the mentions is removed from the sentence; the words of a
 * mention stay where they are but lose their pieces, and with them their
 * vectors; a type becomes unknown; an image or a recording becomes absent.  Of a pretrained
 * encoder's tokens, those of a word are removed, too, and those of a mention
 * are masked.
 */
#include "relation/explain.h"

#include <string.h>

#define MAX_WORDS 4096
#define BATCH 32

/* One variant of the sentence, in buffers as long as those of the original. */
typedef struct Variant
{
	MrenSentence sentence;
	int32_t *pieces;
	uint32_t *starts;
	MrenMarkedTokens tokens;
	int32_t *ids;
} Variant;

typedef struct Explainer
{
	const MrenNet *net;
	const MrenWordVectors *vectors;
	const MrenInput *input;
	const MrenEnv *env;
	MrenNetInfo info;
	MrenContribution *parts;
	size_t n_parts;
	Variant variants[BATCH];
	MrenInput inputs[BATCH];
	const MrenVariantFeatures *source;
	uint32_t *codes;  /* (BATCH, MREN_MAX_ROW_FEATURES) */
	int32_t *pieces;  /* of all variants */
	uint32_t *starts; /* of all variants */
	int32_t *ids;	  /* of all variants' tokens */
	float *features;  /* (BATCH, row_dim) */
	float *scratch;
	float *probabilities; /* (BATCH, n_relations) */
} Explainer;

static bool
in_span(MrenSpan span, uint32_t word)
{
	return word >= span.first && word < span.end;
}

static void
add_part(Explainer *e, MrenExplainedPart part, uint32_t word)
{
	e->parts[e->n_parts++] = (MrenContribution){part, word, 0};
}

static void
list_parts(Explainer *e)
{
	const MrenSentence *s = e->input->sentence;

	for (uint32_t w = 0; w < s->n_words && w < MAX_WORDS; w++)
	{
		if (!in_span(s->head, w) && !in_span(s->tail, w))
			add_part(e, MREN_PART_WORD, w);
	}
	add_part(e, MREN_PART_HEAD, 0);
	add_part(e, MREN_PART_TAIL, 0);
	if (e->input->head_type >= 0)
		add_part(e, MREN_PART_HEAD_TYPE, 0);
	if (e->input->tail_type >= 0)
		add_part(e, MREN_PART_TAIL_TYPE, 0);
	if (e->input->image != NULL)
		add_part(e, MREN_PART_IMAGE, 0);
	if (e->input->audio != NULL)
		add_part(e, MREN_PART_AUDIO, 0);
}

static void
shift_span(MrenSpan *span, uint32_t word)
{
	if (span->first > word)
	{
		span->first--;
		span->end--;
	}
}

/* The sentence without a word that neither mention holds. */
static void
without_word(const MrenSentence *s, uint32_t word, Variant *v)
{
	uint32_t first = s->starts[word];
	uint32_t gone = s->starts[word + 1] - first;

	v->sentence = *s;
	v->sentence.pieces = v->pieces;
	v->sentence.starts = v->starts;
	v->sentence.n_words--;
	v->sentence.n_pieces -= gone;
	memcpy(v->pieces, s->pieces, first * sizeof(int32_t));
	memcpy(v->pieces + first, s->pieces + first + gone,
		   (s->n_pieces - first - gone) * sizeof(int32_t));
	for (uint32_t w = 0; w <= word; w++)
		v->starts[w] = s->starts[w];
	for (uint32_t w = word + 1; w <= s->n_words; w++)
		v->starts[w - 1] = s->starts[w] - gone;
	shift_span(&v->sentence.head, word);
	shift_span(&v->sentence.tail, word);
}

/* The sentence with a mention's words emptied of their pieces. */
static void
without_mention(const MrenSentence *s, MrenSpan span, Variant *v)
{
	uint32_t n = 0;

	v->sentence = *s;
	v->sentence.pieces = v->pieces;
	v->sentence.starts = v->starts;
	for (uint32_t w = 0; w < s->n_words; w++)
	{
		v->starts[w] = n;
		for (uint32_t p = s->starts[w]; p < s->starts[w + 1] && !in_span(span, w); p++)
			v->pieces[n++] = s->pieces[p];
	}
	v->starts[s->n_words] = n;
	v->sentence.n_pieces = n;
}

/* The tokens without those of a word that neither mention holds. */
static void
tokens_without_word(const MrenInput *input, uint32_t word, Variant *v)
{
	const MrenMarkedTokens *from = input->tokens;

	v->tokens = *from;
	v->tokens.ids = v->ids;
	v->tokens.n = 0;
	for (uint32_t i = 0; i < from->n; i++)
	{
		for (int mark = 0; mark < MREN_N_MARKS; mark++)
		{
			if (from->marks[mark] == i)
				v->tokens.marks[mark] = v->tokens.n;
		}
		if (input->token_words[i] != word)
			v->ids[v->tokens.n++] = from->ids[i];
	}
	/* A mark at the removed word, which a mention without a token of its own can have. */
	for (int mark = 0; mark < MREN_N_MARKS; mark++)
	{
		if (v->tokens.marks[mark] == v->tokens.n && v->tokens.n > 0)
			v->tokens.marks[mark]--;
	}
}

/* The tokens with those of a mention masked. */
static void
tokens_without_mention(const MrenInput *input, MrenSpan span, Variant *v)
{
	v->tokens = *input->tokens;
	v->tokens.ids = v->ids;
	for (uint32_t i = 0; i < v->tokens.n; i++)
		v->ids[i] =
			in_span(span, input->token_words[i]) ? input->mask_token : input->tokens->ids[i];
}

static void
make_tokens(Explainer *e, const MrenContribution *part, size_t i)
{
	const MrenSentence *s = e->input->sentence;
	Variant *v = &e->variants[i];

	if (e->input->tokens == NULL || e->input->tokens->n == 0)
		return;
	if (part->part == MREN_PART_WORD)
		tokens_without_word(e->input, part->word, v);
	else if (part->part == MREN_PART_HEAD)
		tokens_without_mention(e->input, s->head, v);
	else if (part->part == MREN_PART_TAIL)
		tokens_without_mention(e->input, s->tail, v);
	else
		return;
	e->inputs[i].tokens = &v->tokens;
}

static void
make_variant(Explainer *e, const MrenContribution *part, size_t i)
{
	const MrenSentence *s = e->input->sentence;
	Variant *v = &e->variants[i];
	MrenInput *input = &e->inputs[i];

	*input = *e->input;
	switch (part->part)
	{
		case MREN_PART_WORD:
			without_word(s, part->word, v);
			input->sentence = &v->sentence;
			break;
		case MREN_PART_HEAD:
			without_mention(s, s->head, v);
			input->sentence = &v->sentence;
			break;
		case MREN_PART_TAIL:
			without_mention(s, s->tail, v);
			input->sentence = &v->sentence;
			break;
		case MREN_PART_HEAD_TYPE:
			input->head_type = -1;
			break;
		case MREN_PART_TAIL_TYPE:
			input->tail_type = -1;
			break;
		case MREN_PART_IMAGE:
			input->image = NULL;
			input->grid = NULL;
			input->head_box = input->tail_box = NULL;
			break;
		case MREN_PART_AUDIO:
			input->audio = NULL;
			break;
	}
}

/* Lexical features of a variant, if the network reads any. */
static MrenStatus
make_features(Explainer *e, const MrenContribution *part, size_t i, MrenError *err)
{
	uint32_t *codes;

	if (e->source == NULL || e->info.hash_bits == 0 || part->part == MREN_PART_AUDIO ||
		(part->part == MREN_PART_IMAGE && !e->info.box_features))
		return MREN_OK;
	codes = e->codes + i * MREN_MAX_ROW_FEATURES;
	e->inputs[i].features = codes;
	return e->source->without(e->source->state, part, codes, &e->inputs[i].n_features, err);
}

static MrenStatus
run(Explainer *e, const MrenInput *inputs, size_t n, MrenError *err)
{
	MREN_TRY(mren_check_interrupts(e->env, err));
	MREN_TRY(mren_net_features(e->net, e->vectors, inputs, n, e->features, e->scratch, err));
	return mren_net_probabilities(e->net, e->features, n, e->probabilities, e->scratch, err);
}

static MrenStatus
allocate(Explainer *e, MrenError *err)
{
	const MrenSentence *s = e->input->sentence;
	size_t words = s->n_words < MAX_WORDS ? s->n_words : MAX_WORDS;
	size_t tokens = e->input->tokens != NULL ? e->input->tokens->n : 0;

	MREN_TRY(mren_allocate(e->env, words + 6, sizeof(MrenContribution), &e->parts, err));
	MREN_TRY(mren_allocate(e->env, BATCH * (size_t) s->n_pieces, sizeof(int32_t), &e->pieces, err));
	MREN_TRY(mren_allocate(e->env, BATCH * ((size_t) s->n_words + 1), sizeof(uint32_t), &e->starts,
						   err));
	MREN_TRY(mren_allocate(e->env, BATCH * tokens, sizeof(int32_t), &e->ids, err));
	MREN_TRY(mren_allocate(e->env, BATCH * e->info.row_dim, sizeof(float), &e->features, err));
	MREN_TRY(
		mren_allocate(e->env, mren_net_scratch(e->net, BATCH), sizeof(float), &e->scratch, err));
	MREN_TRY(
		mren_allocate(e->env, BATCH * e->info.n_relations, sizeof(float), &e->probabilities, err));
	if (e->source != NULL && e->info.hash_bits > 0)
		MREN_TRY(
			mren_allocate(e->env, BATCH * MREN_MAX_ROW_FEATURES, sizeof(uint32_t), &e->codes, err));
	for (size_t i = 0; i < BATCH; i++)
	{
		e->variants[i].pieces = e->pieces + i * s->n_pieces;
		e->variants[i].starts = e->starts + i * ((size_t) s->n_words + 1);
		e->variants[i].ids = e->ids + i * tokens;
	}
	return MREN_OK;
}

static MrenStatus
explain(Explainer *e, int32_t relation, MrenError *err)
{
	size_t k = e->info.n_relations;
	double all;

	MREN_TRY(allocate(e, err));
	list_parts(e);
	MREN_TRY(run(e, e->input, 1, err));
	if (relation < 0)
		relation = mren_net_answer(&e->info, e->probabilities).strongest;
	all = (double) e->probabilities[relation];
	for (size_t first = 0; first < e->n_parts; first += BATCH)
	{
		size_t n = e->n_parts - first < BATCH ? e->n_parts - first : BATCH;

		for (size_t i = 0; i < n; i++)
		{
			make_variant(e, &e->parts[first + i], i);
			make_tokens(e, &e->parts[first + i], i);
			MREN_TRY(make_features(e, &e->parts[first + i], i, err));
		}
		MREN_TRY(run(e, e->inputs, n, err));
		for (size_t i = 0; i < n; i++)
			e->parts[first + i].contribution =
				all - (double) e->probabilities[i * k + (size_t) relation];
	}
	return MREN_OK;
}

MrenStatus
mren_net_explain(const MrenNet *net, const MrenExplainRequest *request, const MrenEnv *env,
				 MrenContribution **contributions, size_t *n, MrenError *err)
{
	Explainer e = {.net = net,
				   .vectors = request->vectors,
				   .input = request->input,
				   .source = request->features,
				   .env = env};
	MrenStatus status;

	mren_net_info(net, &e.info);
	if (request->relation >= (int32_t) e.info.n_relations)
		return mren_fail(err, MREN_EPARAM, "relation number must be below %zu, not %d",
						 e.info.n_relations, (int) request->relation);
	status = explain(&e, request->relation, err);
	mren_release(env, e.pieces);
	mren_release(env, e.starts);
	mren_release(env, e.ids);
	mren_release(env, e.codes);
	mren_release(env, e.features);
	mren_release(env, e.scratch);
	mren_release(env, e.probabilities);
	if (status != MREN_OK)
	{
		mren_release(env, e.parts);
		return status;
	}
	*contributions = e.parts;
	*n = e.n_parts;
	return MREN_OK;
}
