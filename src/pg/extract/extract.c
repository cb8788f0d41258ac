/*
 * extract.c
 *	  mren.extract and mren.extract_evidence: from a document to triples.
 *
 * Pairs of mentions are encoded and fused one by one; the dense layers run
 * over batches of fused vectors.  The image's vector is computed once.  A row's
 * answer has the same bits as that of mren.classify on the same sentence.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/extract/candidates.h"
#include "pg/extract/extract.h"
#include "pg/predict/predictor.h"
#include "pg/support/args.h"
#include "text/word_shape.h"

#define BATCH 64

enum
{
	ARG_MODEL,
	ARG_DOCUMENT,
	ARG_IMAGE,
	ARG_TAGGER,
	ARG_LEXICONS,
	ARG_SCHEMA,
	ARG_MAX_DISTANCE,
	ARG_THRESHOLD,
	ARG_IMAGE_VECTOR,
	ARG_VERSION,
	ARG_TAGGER_VERSION
};

/* What is returned of a triple: extract, extract_evidence, document_evidence. */
typedef enum Detail
{
	DETAIL_TRIPLE,
	DETAIL_EVIDENCE, /* where it comes from, and what text and image say alone */
	DETAIL_DOCUMENT, /* the fullest forms of names and the mentions' confidences, too */
} Detail;

/* The columns of the result; each detail adds some. */
enum
{
	OUT_HEAD,
	OUT_HEAD_TYPE,
	OUT_RELATION,
	OUT_TAIL,
	OUT_TAIL_TYPE,
	OUT_CONFIDENCE,
	OUT_SENTENCE,
	OUT_HEAD_SPAN,
	OUT_TAIL_SPAN,
	OUT_SENTENCE_SPAN,
	OUT_VERSION,
	OUT_TEXT_RELATION, /* and its confidence */
	OUT_IMAGE_RELATION = OUT_TEXT_RELATION + 2,
	OUT_HEAD_FULL = OUT_IMAGE_RELATION + 2,
	OUT_TAIL_FULL,
	OUT_HEAD_CONFIDENCE,
	OUT_TAIL_CONFIDENCE,
	OUT_NEEDED,
	OUT_COLUMNS
};

/* A relation of the model without "(e1,e2)" or "(e2,e1)" at its end. */
typedef struct Label
{
	char *name; /* in the database's encoding */
	bool reversed;
} Label;

/* Fused vectors of a batch, and their distributions. */
typedef struct Scores
{
	float4 *features;	   /* (BATCH, row_dim) */
	float4 *probabilities; /* (BATCH, n_relations) */
} Scores;

typedef struct Extraction
{
	MrenPredictor predictor;
	MrenDocument document;
	MrenPairing pairing;
	Label *labels;
	bool directed; /* labels end in "(e1,e2)" or "(e2,e1)" */
	double threshold;
	Detail detail;

	bool has_image;
	MrenPair image;	 /* only its image, for the first row */
	MrenInput first; /* whose image the others share */
	bool has_first;
	float4 *image_alone; /* (n_relations), with evidence only */

	int n;
	MrenCandidate batch[BATCH];
	Scores both;
	Scores text;		/* without the image; with evidence only */
	MemoryContext work; /* of one row */
	ReturnSetInfo *rsinfo;
} Extraction;

static MrenExtractCounts counts; /* of calls of extract_evidence */

MrenExtractCounts
mren_extract_counts_take(void)
{
	MrenExtractCounts taken = counts;

	counts = (MrenExtractCounts){0};
	return taken;
}

/* ---- labels ---- */

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name);
	size_t n_end = strlen(end);

	return n > n_end && strcmp(name + n - n_end, end) == 0;
}

static void
read_labels(Extraction *extraction)
{
	size_t n = extraction->predictor.info.n_relations;

	extraction->labels = palloc(n * sizeof(Label));
	for (size_t i = 0; i < n; i++)
	{
		char *name = text_to_cstring(mren_predictor_relation(&extraction->predictor, i));
		bool reversed = ends_with(name, "(e2,e1)");

		if (reversed || ends_with(name, "(e1,e2)"))
		{
			name[strlen(name) - strlen("(e1,e2)")] = '\0';
			extraction->directed = true;
		}
		extraction->labels[i] = (Label){name, reversed};
	}
}

/* ---- choosing ---- */

/* Whether a relation may be the answer for a pair. */
static bool
is_allowed(const Extraction *extraction, const MrenCandidate *candidate, int relation)
{
	const Label *label = &extraction->labels[relation];
	const MrenDocMention *head = label->reversed ? candidate->tail : candidate->head;
	const MrenDocMention *tail = label->reversed ? candidate->head : candidate->tail;

	return relation == extraction->predictor.info.negative ||
		   mren_relation_allowed(extraction->pairing.schema, label->name, head->type, tail->type,
								 candidate->head_first);
}

/* The most likely relation that is allowed, the first of equals; -1 if none is. */
static int
choose(const Extraction *extraction, const MrenCandidate *candidate, const float4 *probabilities)
{
	int best = -1;

	for (int i = 0; i < (int) extraction->predictor.info.n_relations; i++)
	{
		if ((best < 0 || probabilities[i] > probabilities[best]) &&
			is_allowed(extraction, candidate, i))
			best = i;
	}
	return best;
}

/* ---- rows ---- */

/* The relation that text or image alone gives, and its probability. */
static void
put_alone(const Extraction *extraction, const MrenCandidate *candidate, const float4 *probabilities,
		  Datum *values, bool *nulls)
{
	int best = choose(extraction, candidate, probabilities);

	nulls[0] = nulls[1] = best < 0;
	if (best < 0)
		return;
	values[0] = CStringGetTextDatum(extraction->labels[best].name);
	values[1] = Float8GetDatum(probabilities[best]);
}

/* The fullest form of a mention's name in the document; NULL if it is the mention's own. */
static void
put_full(const MrenDocument *document, const MrenDocMention *mention, Datum *value, bool *isnull)
{
	const MrenDocMention *full = &document->mentions[mention->full];

	*isnull = full->name.len == mention->name.len &&
			  memcmp(full->name.data, mention->name.data, mention->name.len) == 0;
	if (!*isnull)
		*value = PointerGetDatum(mren_document_text(document, full->place.start, full->place.end));
}

/* What extract_evidence adds to the triple of a row. */
static void
put_evidence(const Extraction *extraction, int row, Datum *values, bool *nulls)
{
	const MrenCandidate *candidate = &extraction->batch[row];
	MrenToken text = candidate->text;

	values[OUT_SENTENCE_SPAN] = mren_int4range(text.char_start, text.char_end);
	values[OUT_VERSION] = Int32GetDatum(extraction->predictor.version);
	memset(nulls + OUT_TEXT_RELATION, true, OUT_HEAD_FULL - OUT_TEXT_RELATION);
	if (!extraction->has_image)
		return;
	put_alone(extraction, candidate,
			  extraction->text.probabilities + row * extraction->predictor.info.n_relations,
			  values + OUT_TEXT_RELATION, nulls + OUT_TEXT_RELATION);
	put_alone(extraction, candidate, extraction->image_alone, values + OUT_IMAGE_RELATION,
			  nulls + OUT_IMAGE_RELATION);
}

static void
put_row(Extraction *extraction, int row, int best, float4 confidence)
{
	const MrenCandidate *candidate = &extraction->batch[row];
	const Label *label = &extraction->labels[best];
	const MrenDocMention *head = label->reversed ? candidate->tail : candidate->head;
	const MrenDocMention *tail = label->reversed ? candidate->head : candidate->tail;
	const MrenDocument *document = &extraction->document;
	const float *thresholds = extraction->predictor.info.thresholds;
	MrenToken text = candidate->text;
	uint32 from = text.char_start;
	Datum values[OUT_COLUMNS] = {0};
	bool nulls[OUT_COLUMNS] = {false};

	values[OUT_HEAD] =
		PointerGetDatum(mren_document_text(document, head->place.start, head->place.end));
	values[OUT_HEAD_TYPE] = CStringGetTextDatum(head->type);
	values[OUT_RELATION] = CStringGetTextDatum(label->name);
	values[OUT_TAIL] =
		PointerGetDatum(mren_document_text(document, tail->place.start, tail->place.end));
	values[OUT_TAIL_TYPE] = CStringGetTextDatum(tail->type);
	values[OUT_CONFIDENCE] = Float8GetDatum(confidence);
	values[OUT_SENTENCE] = PointerGetDatum(mren_document_text(document, text.start, text.end));
	values[OUT_HEAD_SPAN] =
		mren_int4range(head->place.char_start - from, head->place.char_end - from);
	values[OUT_TAIL_SPAN] =
		mren_int4range(tail->place.char_start - from, tail->place.char_end - from);
	if (extraction->detail >= DETAIL_EVIDENCE)
		put_evidence(extraction, row, values, nulls);
	if (extraction->detail == DETAIL_DOCUMENT)
	{
		put_full(document, head, values + OUT_HEAD_FULL, nulls + OUT_HEAD_FULL);
		put_full(document, tail, values + OUT_TAIL_FULL, nulls + OUT_TAIL_FULL);
		values[OUT_HEAD_CONFIDENCE] = Float8GetDatum(head->confidence);
		values[OUT_TAIL_CONFIDENCE] = Float8GetDatum(tail->confidence);
		nulls[OUT_NEEDED] = thresholds == NULL;
		if (thresholds != NULL)
			values[OUT_NEEDED] = Float8GetDatum(thresholds[best]);
	}
	tuplestore_putvalues(extraction->rsinfo->setResult, extraction->rsinfo->setDesc, values, nulls);
}

static void
put_best(Extraction *extraction, int row, const float4 *p)
{
	int best = choose(extraction, &extraction->batch[row], p);

	if (best >= 0 && best != extraction->predictor.info.negative &&
		p[best] >= extraction->threshold)
		put_row(extraction, row, best, p[best]);
}

/*
 * All relations that a model with thresholds predicts and that are allowed, in the order of their
 * names.  Thresholds are fitted with mentions that are right.  Of mentions that may be wrong, the
 * probability counts as often as they are right on average, which is their geometric mean.
 * Of a document's evidence, all that right mentions would have is returned, with the thresholds:
 * what keeps it decides, since people may say that the mentions are right.
 */
static void
put_predicted(Extraction *extraction, int row, const float4 *p)
{
	const MrenNetInfo *info = &extraction->predictor.info;
	const MrenCandidate *candidate = &extraction->batch[row];
	double mentions = extraction->detail == DETAIL_DOCUMENT
						  ? 1
						  : sqrt(candidate->head->confidence * candidate->tail->confidence);

	for (int i = 0; i < (int) info->n_relations; i++)
	{
		if (mren_net_predicts(info, i, p[i] * mentions) && p[i] >= extraction->threshold &&
			is_allowed(extraction, candidate, i))
			put_row(extraction, row, i, p[i]);
	}
}

static void
flush(Extraction *extraction)
{
	const MrenNetInfo *info = &extraction->predictor.info;
	MemoryContext old;

	if (extraction->n == 0)
		return;
	old = MemoryContextSwitchTo(extraction->work);
	mren_predictor_probabilities(&extraction->predictor, extraction->both.features, extraction->n,
								 extraction->both.probabilities);
	if (extraction->text.features != NULL)
		mren_predictor_probabilities(&extraction->predictor, extraction->text.features,
									 extraction->n, extraction->text.probabilities);
	for (int i = 0; i < extraction->n; i++)
	{
		const float4 *p = extraction->both.probabilities + i * info->n_relations;

		if (info->thresholds != NULL)
			put_predicted(extraction, i, p);
		else
			put_best(extraction, i, p);
		MemoryContextReset(extraction->work);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(extraction->work);
	extraction->n = 0;
}

/* ---- pairs ---- */

static MrenMention
mention_within(MrenToken place, MrenToken text)
{
	return (MrenMention){.is_range = true,
						 .lower = (int32) (place.char_start - text.char_start),
						 .upper = (int32) (place.char_end - text.char_start)};
}

/* Encodes a pair; the image is encoded for the first pair only, and shared by the others. */
static void
encode(Extraction *extraction, const MrenCandidate *candidate, MrenInput *input)
{
	MrenToken text = candidate->text;
	MrenPair pair = {
		.sentence = {extraction->document.text.data + text.start, (int) (text.end - text.start)},
		.head = mention_within(candidate->head->place, text),
		.tail = mention_within(candidate->tail->place, text),
		.head_type = {candidate->head->type_utf8.data, (uint32) candidate->head->type_utf8.len},
		.tail_type = {candidate->tail->type_utf8.data, (uint32) candidate->tail->type_utf8.len},
	};

	if (!extraction->has_first && extraction->has_image)
	{
		pair.image = extraction->image.image;
		pair.image_vector = extraction->image.image_vector;
		pair.n_image_vector = extraction->image.n_image_vector;
	}
	mren_predictor_row(&extraction->predictor, &pair, input);
	if (!extraction->has_image)
		return;
	if (extraction->has_first)
		mren_input_share_image(input, &extraction->first);
	extraction->first = *input;
	extraction->has_first = true;
}

/*
 * Scores the image alone: with a sentence of two unknown words, which are the
 * mentions, and without types.
 */
static void
score_image_alone(Extraction *extraction)
{
	static const int32 pieces[] = {-1 - MREN_SHAPE_OTHER, -1 - MREN_SHAPE_OTHER};
	static const uint32 starts[] = {0, 1, 2};
	static const MrenSentence blank = {2, 2, pieces, starts, {0, 1}, {1, 2}};
	MrenInput input = {.sentence = &blank, .head_type = -1, .tail_type = -1};
	float4 *features = palloc(extraction->predictor.info.row_dim * sizeof(float4));

	mren_input_share_image(&input, &extraction->first);
	mren_predictor_features(&extraction->predictor, &input, features);
	mren_predictor_probabilities(&extraction->predictor, features, 1, extraction->image_alone);
	pfree(features);
}

static void
gather(void *state, const MrenCandidate *candidate)
{
	Extraction *extraction = state;
	size_t dim = extraction->predictor.info.row_dim;
	MemoryContext old = MemoryContextSwitchTo(extraction->work);
	bool first = !extraction->has_first;
	MrenInput input;

	mren_document_check_time(&extraction->document);
	encode(extraction, candidate, &input);
	mren_predictor_features(&extraction->predictor, &input,
							extraction->both.features + extraction->n * dim);
	if (extraction->text.features != NULL)
	{
		mren_input_drop_image(&input);
		mren_predictor_features(&extraction->predictor, &input,
								extraction->text.features + extraction->n * dim);
		if (first)
			score_image_alone(extraction);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(extraction->work);
	extraction->batch[extraction->n++] = *candidate;
	if (extraction->n == BATCH)
		flush(extraction);
}

/* ---- arguments ---- */

static double
threshold_arg(FunctionCallInfo fcinfo, const MrenPredictor *predictor)
{
	double threshold;

	if (PG_ARGISNULL(ARG_THRESHOLD))
		return predictor->info.threshold;
	threshold = PG_GETARG_FLOAT8(ARG_THRESHOLD);
	if (!(threshold >= 0 && threshold <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("threshold must be between 0 and 1, not %g", threshold),
						errhint("Specify the lowest confidence that a relation may have.")));
	return threshold;
}

static void
image_args(FunctionCallInfo fcinfo, Extraction *extraction)
{
	MrenPair *image = &extraction->image;

	if (!PG_ARGISNULL(ARG_IMAGE))
		image->image = PG_GETARG_BYTEA_PP(ARG_IMAGE);
	if (!PG_ARGISNULL(ARG_IMAGE_VECTOR))
		mren_pair_image_vector(image, PG_GETARG_DATUM(ARG_IMAGE_VECTOR));
	mren_pair_check(image);
	extraction->has_image = image->image != NULL || image->image_vector != NULL;
}

static void
open_scores(const Extraction *extraction, Scores *scores)
{
	const MrenNetInfo *info = &extraction->predictor.info;

	scores->features = palloc(BATCH * info->row_dim * sizeof(float4));
	scores->probabilities = palloc(BATCH * info->n_relations * sizeof(float4));
}

static void
open_extraction(FunctionCallInfo fcinfo, Extraction *extraction)
{
	MrenPredictor *predictor = &extraction->predictor;

	mren_predictor_open_args(predictor, fcinfo, ARG_MODEL, ARG_VERSION);
	mren_predictor_begin_rows(predictor, false, false);
	read_labels(extraction);
	extraction->threshold = threshold_arg(fcinfo, predictor);
	image_args(fcinfo, extraction);
	extraction->pairing.max_distance = mren_arg_max_distance(fcinfo, ARG_MAX_DISTANCE);
	extraction->pairing.schema = mren_relation_schema(fcinfo, ARG_SCHEMA);
	extraction->pairing.once = extraction->directed;
	/* Allocate here, not in a row's context, what lives as long as the call. */
	if (extraction->has_image && predictor->info.image_dim > 0)
		predictor->image = palloc(predictor->info.image_dim * sizeof(float4));
	if (extraction->image.image != NULL)
		mren_predictor_image_encoder(predictor);
	open_scores(extraction, &extraction->both);
	if (extraction->detail >= DETAIL_EVIDENCE && extraction->has_image)
	{
		open_scores(extraction, &extraction->text);
		extraction->image_alone = palloc(predictor->info.n_relations * sizeof(float4));
	}
	extraction->work =
		AllocSetContextCreate(CurrentMemoryContext, "mren row", ALLOCSET_DEFAULT_SIZES);
}

/* A graph, which calls extract_evidence for every batch, reports it once itself. */
static void
notice_schema(FunctionCallInfo fcinfo, const Extraction *extraction, const MrenFinder *finder)
{
	int n = (int) extraction->predictor.info.n_relations;
	const char **names;

	if (extraction->pairing.schema == NULL || extraction->detail >= DETAIL_EVIDENCE)
		return;
	names = palloc(n * sizeof(char *));
	for (int i = 0; i < n; i++)
		names[i] = extraction->labels[i].name;
	mren_relation_schema_notice(fcinfo, finder, extraction->predictor.model, names, n);
}

/* A graph, which calls extract_evidence, counts what was left out and reports it once. */
static void
count_skipped(const Extraction *extraction, int64 n_skipped)
{
	if (extraction->detail >= DETAIL_EVIDENCE)
		counts.skipped_pairs += n_skipped;
	else
		mren_candidates_notice(n_skipped);
}

static Datum
extract(FunctionCallInfo fcinfo, Detail detail)
{
	static const MrenFinderArgs args = {ARG_LEXICONS, ARG_TAGGER, ARG_TAGGER_VERSION};
	Extraction *extraction = palloc0(sizeof(Extraction));
	MrenFinder finder;
	text *value;

	InitMaterializedSRF(fcinfo, 0);
	counts.documents += detail >= DETAIL_EVIDENCE;
	extraction->detail = detail;
	extraction->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	open_extraction(fcinfo, extraction);
	mren_finder_open(&finder, fcinfo, &args);
	notice_schema(fcinfo, extraction, &finder);
	if (PG_ARGISNULL(ARG_DOCUMENT))
		return (Datum) 0;
	value = PG_GETARG_TEXT_PP(ARG_DOCUMENT);
	mren_document_read(&finder, mren_datum_utf8(PointerGetDatum(value)), &extraction->document);
	if (detail == DETAIL_DOCUMENT)
		mren_document_short_forms(&extraction->document);
	count_skipped(extraction, mren_candidates_visit(&extraction->document, &extraction->pairing,
													gather, extraction));
	flush(extraction);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(mren_extract);
/* mren.extract(model, document, image, …) → TABLE */
Datum
mren_extract(PG_FUNCTION_ARGS)
{
	return extract(fcinfo, DETAIL_TRIPLE);
}

PG_FUNCTION_INFO_V1(mren_extract_evidence);
/* mren.extract_evidence(model, document, image, …) → TABLE */
Datum
mren_extract_evidence(PG_FUNCTION_ARGS)
{
	return extract(fcinfo, DETAIL_EVIDENCE);
}

PG_FUNCTION_INFO_V1(mren_document_evidence);
/* mren.document_evidence(model, document, image, …) → TABLE */
Datum
mren_document_evidence(PG_FUNCTION_ARGS)
{
	return extract(fcinfo, DETAIL_DOCUMENT);
}
