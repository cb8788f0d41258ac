/*
 * experiment.c
 *	  Trains and scores the core without a server, to try an option or a change
 *	  of the network before it becomes a default.  "bench/build accuracy/experiment" builds it.
 *
 * experiment VECTORS ROWS.tsv [TEST.tsv] [folds=5] [images=FILE.f32:DIM] [lexicon=FILE.tsv]
 *		[option=value ...]
 *
 * A row is relation, sentence, head lower, head upper, tail lower, tail upper
 * (characters), and perhaps head type, tail type, number of its image (or
 * empty), split, separated by tabs.  With a test file it is scored; otherwise
 * rows are divided into folds by their sentence and the pooled predictions
 * scored.  VECTORS is "none" to go without; a lexicon's line is phrase, type
 * and perhaps confidence. images holds DIM floats of each image in this
 * machine's byte order.
 */
#include "../bench.h"

#include <math.h>
#include <string.h>

#include "base/blas.h"
#include "data/examples.h"
#include "evaluation/metrics.h"
#include "evaluation/ranked.h"
#include "relation/train/trainer.h"
#include "text/encode.h"
#include "text/features/features_lexicon.h"
#include "text/vectors/vector_file.h"

#define MAX_FIELDS 10

typedef struct Row
{
	char *fields[MAX_FIELDS];
	char *predicted;
	float confidence;
	double loss; /* -log p(relation) */
} Row;

typedef struct Lab
{
	MrenOptions options;
	int folds;
	char *image_path;
	size_t image_dim;
	float *images;
	size_t n_images;

	float *vectors; /* (n_words, dim) */
	char **words;
	size_t n_words;
	size_t capacity;
	size_t dim;
	int32_t *slots; /* open addressing */
	size_t n_slots;

	MrenTokenizer *tokenizer;
	MrenEncoded encoded;
	MrenFeatures features;
	char *lexicon_path;
	MrenLexicon *lexicon;
	MrenLexiconTypes types;
} Lab;

static MrenStatus
take_word(void *state, const char *word, size_t len, const float *vector, size_t dim,
		  MrenError *error)
{
	Lab *lab = state;

	(void) error;
	if (lab->n_words == lab->capacity)
	{
		lab->capacity = lab->capacity > 0 ? lab->capacity * 2 : 1024;
		lab->words = realloc(lab->words, lab->capacity * sizeof(char *));
		lab->vectors = realloc(lab->vectors, lab->capacity * dim * sizeof(float));
	}
	lab->dim = dim;
	lab->words[lab->n_words] = strndup(word, len);
	memcpy(lab->vectors + lab->n_words * dim, vector, dim * sizeof(float));
	lab->n_words++;
	return MREN_OK;
}

static size_t
word_slot(const Lab *lab, const char *word, size_t len)
{
	size_t slot = mren_hash64(word, len, 0) & (lab->n_slots - 1);

	while (lab->slots[slot] >= 0 && (strlen(lab->words[lab->slots[slot]]) != len ||
									 memcmp(lab->words[lab->slots[slot]], word, len) != 0))
		slot = (slot + 1) & (lab->n_slots - 1);
	return slot;
}

static MrenStatus
find_word(void *state, const char *word, size_t len, int32_t *id, MrenError *error)
{
	const Lab *lab = state;

	(void) error;
	*id = -1;
	if (lab->n_words > 0)
		*id = lab->slots[word_slot(lab, word, len)];
	return MREN_OK;
}

static void
load_vectors(Lab *lab, const char *path)
{
	MrenVectorSink sink = {lab, take_word};
	MrenVectorReader *reader;
	MrenVectorFileInfo info;
	size_t len;
	char *data = read_file(path, &len);

	must(mren_vector_reader_open(&env, MREN_VECTORS_AUTO, -1, false, &sink, &reader, &err));
	must(mren_vector_reader_feed(reader, data, len, &err));
	must(mren_vector_reader_finish(reader, &info, &err));
	mren_vector_reader_close(reader);
	free(data);
	for (lab->n_slots = 1024; lab->n_slots < 2 * lab->n_words;)
		lab->n_slots *= 2;
	lab->slots = malloc(lab->n_slots * sizeof(int32_t));
	memset(lab->slots, 0xFF, lab->n_slots * sizeof(int32_t));
	for (size_t i = 0; i < lab->n_words; i++)
		lab->slots[word_slot(lab, lab->words[i], strlen(lab->words[i]))] = (int32_t) i;
}

static void
load_lexicon(Lab *lab)
{
	size_t len;
	char *data = read_file(lab->lexicon_path, &len);
	char *at = data;
	char *line;

	must(mren_lexicon_create(&env, &lab->lexicon, &err));
	while ((line = strsep(&at, "\n")) != NULL && *line != '\0')
	{
		char *phrase = strsep(&line, "\t");
		char *type = strsep(&line, "\t");

		must(mren_lexicon_add(lab->lexicon, lab->tokenizer,
							  (MrenTextSpan){phrase, strlen(phrase)},
							  (MrenTextSpan){type, strlen(type)},
							  line != NULL ? atof(line) : 1, &err));
	}
	must(mren_lexicon_finish(lab->lexicon, &err));
	free(data);
}

static const float *
get_vector(void *state, int32_t id)
{
	const Lab *lab = state;

	return lab->vectors + (size_t) id * lab->dim;
}

static Row *
load_rows(const char *path, size_t *n)
{
	size_t len;
	size_t capacity = 1024;
	char *at = read_file(path, &len);
	Row *rows = calloc(capacity, sizeof(Row));

	*n = 0;
	while (*at != '\0')
	{
		char *line = at;
		char *end = strchr(at, '\n');

		at = end != NULL ? end + 1 : at + strlen(at);
		if (end != NULL)
			*end = '\0';
		if (*n == capacity)
		{
			rows = realloc(rows, 2 * capacity * sizeof(Row));
			memset(rows + capacity, 0, capacity * sizeof(Row));
			capacity *= 2;
		}
		for (int f = 0; f < MAX_FIELDS && line != NULL; f++)
			rows[*n].fields[f] = strsep(&line, "\t");
		++*n;
	}
	return rows;
}

static bool
has(const Row *row, int field)
{
	return row->fields[field] != NULL && row->fields[field][0] != '\0';
}

static MrenTextSpan
text_of(const Row *row, int field)
{
	if (!has(row, field))
		return (MrenTextSpan){NULL, 0};
	return (MrenTextSpan){row->fields[field], (uint32_t) strlen(row->fields[field])};
}

static MrenMention
mention_of(const Row *row, int field)
{
	return (MrenMention){
		.is_range = true, .lower = atoi(row->fields[field]), .upper = atoi(row->fields[field + 1])};
}

static const float *
image_of(const Lab *lab, const Row *row)
{
	return lab->image_dim > 0 && has(row, 8)
			   ? lab->images + (size_t) atoi(row->fields[8]) * lab->image_dim
			   : NULL;
}

/* Of the row in lab->encoded. */
static void
make_features(Lab *lab, const Row *row)
{
	MrenFeatureRow in = {.text = text_of(row, 1),
						 .tokens = lab->encoded.split.items,
						 .n_tokens = lab->encoded.split.n,
						 .head = lab->encoded.head,
						 .tail = lab->encoded.tail,
						 .head_type = text_of(row, 6),
						 .tail_type = text_of(row, 7)};

	if (lab->lexicon != NULL)
		must(mren_lexicon_types(&env, lab->tokenizer,
								(const MrenLexicon *const *) &lab->lexicon, 1, &in,
								&lab->types, &err));
	must(mren_features_extract(&env, &in, &lab->features, &err));
}

/* The sentence is in lab->encoded until the next row. */
static void
encode_row(Lab *lab, const Row *row, MrenExample *example)
{
	MrenVocabulary vocabulary = {lab, find_word};
	const MrenMentionPair pair = {text_of(row, 1), mention_of(row, 2), mention_of(row, 4)};
	const float *image = image_of(lab, row);

	must(mren_encode(lab->tokenizer, &env, &vocabulary, &pair, &lab->encoded, &err));
	memset(example, 0, sizeof(*example));
	example->sentence = lab->encoded.sentence;
	example->relation = text_of(row, 0);
	example->head_type = text_of(row, 6);
	example->tail_type = text_of(row, 7);
	example->weight = 1;
	if (lab->options.hash_bits > 0)
	{
		make_features(lab, row);
		example->features = lab->features.codes;
		example->n_features = (uint32_t) lab->features.n;
	}
	if (has(row, 9))
		must(mren_split_parse(row->fields[9], strlen(row->fields[9]), &example->split, &err));
	if (image != NULL)
	{
		example->has_image = true;
		example->image = mren_hash128(image, lab->image_dim * sizeof(float));
	}
	example->group = mren_example_group(row->fields[1], strlen(row->fields[1]),
										image != NULL ? &example->image : NULL);
}

static int
fold_of(const Lab *lab, const Row *row)
{
	return (int) (mren_hash64(row->fields[1], strlen(row->fields[1]), 99) % (uint64_t) lab->folds);
}

static MrenNet *
train(Lab *lab, const Row *rows, size_t n, int held_out)
{
	static const uint8_t sha256[32] = {0};
	MrenExamplesHead head = {.options = "",
							 .dim = lab->dim,
							 .has_encoder = lab->image_dim > 0,
							 .image_dim = lab->image_dim};
	MrenTrainerInputs inputs = {
		.image_dim = lab->image_dim, .embeddings_sha256 = sha256, .encoder_sha256 = sha256};
	MrenExamples *examples;
	MrenTrainer *trainer;
	MrenProgress progress;
	MrenTrainReport report;
	MrenNet *net;
	double start = now();
	size_t steps = 0;

	must(mren_examples_create(&env, &head, &examples, &err));
	for (size_t i = 0; i < n; i++)
	{
		MrenExample example;

		if (held_out >= 0 && fold_of(lab, &rows[i]) == held_out)
			continue;
		encode_row(lab, &rows[i], &example);
		must(mren_examples_append(examples, &example, image_of(lab, &rows[i]), &err));
	}
	must(mren_examples_source(examples, &inputs.source, &err));
	inputs.vectors = (MrenWordVectors){lab, lab->dim, get_vector};
	must(mren_trainer_create(&env, &lab->options, &inputs, &trainer, &err));
	do
	{
		must(mren_trainer_step(trainer, &progress, &err));
		steps += progress.event == MREN_TRAIN_STEP;
	} while (progress.event != MREN_TRAIN_DONE);
	must(mren_trainer_finish(trainer, &net, &err));
	mren_trainer_report(trainer, &report);
	fprintf(stderr,
			"trained %zu + %zu rows, %zu features, %zu parameters: best epoch %d of %d, validation "
			"loss %.4f accuracy %.4f f1 %.4f, T %.3f, linear epoch %d share %.2f, unknown words %.2f "
			"%%, %.1f s, %.0f rows/s\n",
			report.n_train, report.n_validation, report.features_dim, report.n_parameters,
			report.best_epoch, report.epochs_run, report.validation_loss,
			report.validation_accuracy, report.validation_f1, report.temperature, report.linear_epoch,
			report.linear_share, 100.0 * (double) report.n_unknown_words / (double) report.n_words,
			now() - start,
			((double) report.n_train * report.epochs_run +
			 (double) (report.n_train + report.n_validation) * report.refit_epochs) /
				(now() - start));
	mren_trainer_free(trainer);
	mren_examples_free(examples);
	return net;
}

static void
predict(Lab *lab, const MrenNet *net, Row *rows, size_t n, int fold)
{
	MrenWordVectors vectors = {lab, lab->dim, get_vector};
	MrenNetInfo info;
	float *features;
	float *scratch;
	float *p;

	mren_net_info(net, &info);
	must(mren_allocate(&env, info.features_dim, sizeof(float), &features, &err));
	must(mren_allocate(&env, mren_net_scratch(net, 1), sizeof(float), &scratch, &err));
	must(mren_allocate(&env, info.n_relations, sizeof(float), &p, &err));
	for (size_t i = 0; i < n; i++)
	{
		MrenExample example;
		MrenInput input;
		MrenTextSpan best;
		int32_t label;

		if (fold >= 0 && fold_of(lab, &rows[i]) != fold)
			continue;
		encode_row(lab, &rows[i], &example);
		input = (MrenInput){
			.sentence = &example.sentence,
			.head_type = mren_net_type(net, example.head_type.data, example.head_type.len),
			.tail_type = mren_net_type(net, example.tail_type.data, example.tail_type.len),
			.features = example.features,
			.n_features = example.n_features,
			.image = image_of(lab, &rows[i])};
		must(mren_net_features(net, &vectors, &input, 1, features, scratch, &err));
		must(mren_net_probabilities(net, features, 1, p, scratch, &err));
		best = mren_net_relation(net, mren_net_best(p, info.n_relations));
		rows[i].predicted = strndup(best.data, best.len);
		rows[i].confidence = p[mren_net_best(p, info.n_relations)];
		label = mren_net_relation_index(net, example.relation.data, example.relation.len);
		/* A relation that no training row had: the lowest probability of a float. */
		rows[i].loss = -log(fmax(label >= 0 ? (double) p[label] : 0, 1e-7));
	}
	mren_release(&env, features);
	mren_release(&env, scratch);
	mren_release(&env, p);
}

/* Likelihood, and the calibration error over 15 bins of equal mass. */
static void
score_confidence(const Row *rows, size_t n)
{
	MrenRanked ranked = {.env = &env};
	MrenReliabilityBin bins[15];
	MrenReliabilityBin all;
	double loss = 0;
	size_t n_bins;

	for (size_t i = 0; i < n; i++)
	{
		must(mren_ranked_add(&ranked, (double) rows[i].confidence,
							 strcmp(rows[i].predicted, rows[i].fields[0]) == 0, &err));
		loss += rows[i].loss;
	}
	must(mren_ranked_sort(&ranked, &err));
	must(mren_ranked_reliability(&ranked, 15, bins, &n_bins, &all, &err));
	printf("  likelihood loss %.4f  mean confidence %.4f  calibration error %.4f (by chance %.4f)",
		   loss / (double) n, all.confidence, all.error, all.expected_error);
	mren_ranked_free(&ranked);
}

static void
score(const Lab *lab, const Row *rows, size_t n)
{
	MrenConfusion *confusion;
	MrenTextSpan negative = {lab->options.negative, 0};
	MrenScore micro;
	MrenScore macro;
	MrenScore semeval;

	if (negative.data != NULL)
		negative.len = (uint32_t) strlen(negative.data);
	must(mren_confusion_create(&env, &confusion, &err));
	for (size_t i = 0; i < n; i++)
	{
		MrenTextSpan predicted = {rows[i].predicted, (uint32_t) strlen(rows[i].predicted)};

		must(mren_confusion_add(confusion, text_of(&rows[i], 0), predicted, 1, &err));
	}
	mren_confusion_micro(confusion, negative, &micro);
	mren_confusion_macro(confusion, negative, &macro);
	printf("rows %zu  accuracy %.4f  micro F1 %.4f  macro F1 %.4f", n,
		   mren_confusion_accuracy(confusion), micro.f1, macro.f1);
	if (mren_confusion_semeval(confusion, &semeval))
		printf("  SemEval official macro F1 %.2f", 100 * semeval.f1);
	score_confidence(rows, n);
	printf("\n");
	mren_confusion_free(confusion);
}

/* key=value: an option of this program, or of the network. */
static void
set_option(Lab *lab, char *argument)
{
	char *key = strsep(&argument, "=");
	double sizes[MREN_MAX_HIDDEN];
	MrenOptionValue value = {.kind = MREN_VALUE_STRING, .string = argument};
	char *end;

	if (strcmp(key, "folds") == 0)
		lab->folds = atoi(argument);
	else if (strcmp(key, "lexicon") == 0)
		lab->lexicon_path = argument;
	else if (strcmp(key, "images") == 0)
	{
		lab->image_path = strsep(&argument, ":");
		lab->image_dim = (size_t) atoi(argument);
	}
	else
	{
		value.number = strtod(argument, &end);
		if (*end == '\0')
			value.kind = MREN_VALUE_NUMBER;
		if (strcmp(argument, "true") == 0 || strcmp(argument, "false") == 0)
		{
			value.kind = MREN_VALUE_BOOL;
			value.boolean = argument[0] == 't';
		}
		if (strcmp(key, "hidden") == 0)
		{
			value.kind = MREN_VALUE_NUMBERS;
			value.numbers = sizes;
			for (char *size; (size = strsep(&argument, ",")) != NULL && value.n_numbers < 8;)
				sizes[value.n_numbers++] = atof(size);
		}
		must(mren_options_set(&lab->options, key, &value, &err));
	}
}

int
main(int argc, char **argv)
{
	Lab lab = {.folds = 5};
	char *test_path = NULL;
	Row *rows;
	size_t n;
	size_t len;

	if (argc < 3)
	{
		fprintf(stderr, "usage: experiment VECTORS ROWS.tsv [TEST.tsv] [folds=5] "
						"[images=FILE:DIM] [option=value ...]\n");
		return 1;
	}
	mren_options_init(&lab.options);
	for (int i = 3; i < argc; i++)
	{
		if (strchr(argv[i], '=') != NULL)
			set_option(&lab, argv[i]);
		else
			test_path = argv[i];
	}
	if (strcmp(argv[1], "none") != 0)
		load_vectors(&lab, argv[1]);
	if (lab.image_path != NULL)
		lab.images = (float *) (void *) read_file(lab.image_path, &len);
	must(mren_tokenizer_open(&env, &lab.tokenizer, &err));
	if (lab.lexicon_path != NULL)
		load_lexicon(&lab);
	rows = load_rows(argv[2], &n);
	if (test_path != NULL)
	{
		MrenNet *net = train(&lab, rows, n, -1);

		rows = load_rows(test_path, &n);
		predict(&lab, net, rows, n, -1);
	}
	for (int fold = 0; test_path == NULL && fold < lab.folds; fold++)
	{
		MrenNet *net = train(&lab, rows, n, fold);

		predict(&lab, net, rows, n, fold);
		mren_net_free(&env, net);
	}
	score(&lab, rows, n);
	return 0;
}
