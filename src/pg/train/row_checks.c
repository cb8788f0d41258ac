/*
 * row_checks.c
 *	  Warnings before a training, so that nobody waits for a model that was
 *	  trained on a mistake.
 */
#include "pg/train/row_checks.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "base/names.h"
#include "base/utf8.h"
#include "data/example.h"
#include "pg/support/pg_env.h"
#include "relation/layout.h"

typedef struct Found
{
	MrenNames relations;
	size_t n_words;
	size_t n_known; /* of them, words with a vector */
	bool has_image;
	bool has_audio;
	size_t n_weak; /* rows that train but are not gold */
	size_t n_gold; /* rows that train and are */
	int64 n_weak_read;
	uint64 together; /* the number of the first gold row's group */
	bool has_groups; /* a column "group" gives it */
	bool has_others; /* there are gold rows of other groups */
	bool has_validation;
} Found;

static void
count_words(const MrenSentence *sentence, Found *found)
{
	found->n_words += sentence->n_words;
	for (uint32 w = 0; w < sentence->n_words; w++)
	{
		for (uint32 p = sentence->starts[w]; p < sentence->starts[w + 1]; p++)
		{
			if (sentence->pieces[p] >= 0)
			{
				found->n_known++;
				break;
			}
		}
	}
}

/* Which rows can validate. */
static void
count_row(const MrenExample *example, Found *found)
{
	found->has_validation |= example->split == MREN_SPLIT_VALIDATION;
	if (!mren_split_trains(example->split))
		return;
	if (!example->weak && found->n_gold == 0)
		found->together = example->together;
	found->n_weak += example->weak;
	found->n_gold += !example->weak;
	found->has_groups |= example->has_together;
	found->has_others |= !example->weak && example->together != found->together;
}

static void
read_rows(const MrenEnv *env, const MrenSource *rows, Found *found)
{
	for (size_t i = 0; i < rows->n; i++)
	{
		const uint8_t *record;
		MrenExample example;
		MrenError err;
		uint32_t number;
		size_t len;
		size_t size;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err, rows->read(rows->state, i, &record, &len, &err));
		MREN_PG_CALL(err, mren_example_read(record, len, &example, &size, &err));
		found->has_image |= example.has_image;
		found->has_audio |= example.has_audio;
		count_words(&example.sentence, found);
		found->n_weak_read += example.weak;
		count_row(&example, found);
		/* More relations than a network can have are the trainer's error. */
		if (found->relations.n <= MREN_MAX_RELATIONS)
			MREN_PG_CALL(
				err, mren_names_intern(env, &found->relations, example.relation, &number, &err));
	}
}

/* The name in lower-case ASCII, without white space at its ends, runs of it as one blank. */
static MrenTextSpan
fold(MrenTextSpan name)
{
	char *folded = palloc(name.len + 1);
	uint32 n = 0;

	for (uint32 i = 0; i < name.len; i++)
	{
		bool blank = name.data[i] == ' ' || (name.data[i] >= '\t' && name.data[i] <= '\r');

		if (!blank)
			folded[n++] = pg_ascii_tolower((unsigned char) name.data[i]);
		else if (n > 0 && folded[n - 1] != ' ')
			folded[n++] = ' ';
	}
	if (n > 0 && folded[n - 1] == ' ')
		n--;
	return (MrenTextSpan){folded, n};
}

static char *
shown(MrenTextSpan name)
{
	MrenExcerpt excerpt = mren_utf8_excerpt(name.data, name.len);

	return pg_any_to_server(pstrdup(excerpt.text), strlen(excerpt.text), PG_UTF8);
}

/* The names are in bytewise order; each is reported once. */
static void
warn_of_relations(const MrenEnv *env, const MrenNames *relations)
{
	MrenNames folded = {0};
	MrenTextSpan *first = palloc(relations->n * sizeof(MrenTextSpan));

	for (size_t i = 0; i < relations->n; i++)
	{
		MrenTextSpan name = mren_names_get(relations, i);
		MrenTextSpan key = fold(name);
		size_t before = folded.n;
		uint32_t number;
		MrenError err;

		MREN_PG_CALL(err, mren_names_intern(env, &folded, key, &number, &err));
		if (folded.n > before)
			first[number] = name;
		else
			ereport(WARNING,
					(errmsg("relations \"%s\" and \"%s\" differ only in case or blanks",
							shown(first[number]), shown(name)),
					 errhint("They are two classes to the model. Spell them alike in the query, as "
							 "with lower(regexp_replace(relation, '^\\s+|\\s+$', '', 'g')).")));
	}
	mren_names_free(env, &folded);
}

/* Embeddings of the texts' language have vectors of more than half of their running words. */
#define LEAST_SHARE_OF_VECTORS 0.05

void
mren_train_check_vectors(const char *embeddings, size_t n_words, size_t n_known)
{
	if (embeddings == NULL || n_known >= LEAST_SHARE_OF_VECTORS * n_words)
		return;
	ereport(WARNING,
			(n_known == 0
				 ? errmsg("embeddings \"%s\" have a vector of none of the %zu words of the rows",
						  embeddings, n_words)
				 : errmsg("embeddings \"%s\" have vectors of only %zu of the %zu words of the rows",
						  embeddings, n_known, n_words),
			 errhint("They may be of another language or alphabet.")));
}

static void
warn_of_validation(const MrenTrainSetup *setup, const Found *found)
{
	if (found->n_weak > 0 && found->n_gold == 0)
		ereport(WARNING,
				(errmsg("none of the %zu rows is gold", found->n_weak),
				 errdetail("The model is neither validated nor calibrated, so its confidence means "
						   "little."),
				 errhint("Label some rows by hand: 200 tell how good the model is.")));
	else if (found->has_groups && !found->has_others && !found->has_validation &&
			 found->n_gold > 1 && setup->net.common.validation_share != 0)
		ereport(WARNING,
				(errmsg("none of the %zu rows validates, since they are one group", found->n_gold),
				 errdetail("The model is neither validated nor calibrated, so its confidence means "
						   "little."),
				 errhint("Rows with the same value of column \"group\" validate together. Give the "
						 "rows of each document a value of their own.")));
}

int64
mren_train_check_rows(const MrenTrainSetup *setup, const MrenSource *rows)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	Found found = {0};

	read_rows(&env, rows, &found);
	warn_of_relations(&env, &found.relations);
	mren_names_free(&env, &found.relations);
	warn_of_validation(setup, &found);
	mren_train_check_vectors(setup->embeddings, found.n_words, found.n_known);
	if (setup->encoder_named && !found.has_image)
		ereport(WARNING, (errmsg("image encoder \"%s\" is not used, since no row has an image",
								 setup->image_encoder),
						  errhint("The query's column of images must be named \"image\", that of "
								  "their vectors \"image_vector\".")));
	if (setup->audio_named && setup->audio_encoder != NULL && !found.has_audio)
		ereport(WARNING,
				(errmsg("audio encoder \"%s\" is not used, since no row has a recording",
						setup->audio_encoder),
				 errhint("The query's column of recordings must be named \"audio\", that of "
						 "their vectors \"audio_vector\".")));
	return found.n_weak_read;
}
