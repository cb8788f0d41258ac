/*
 * mentions.c
 *	  Finding the mentions of a document.
 *
 * Each source's own mentions do not overlap.  Of those of several sources the
 * longest is kept, of equally long ones that of the source named first, a
 * lexicon before the tagger, then the first in the text.
 */
#include "pg/extract/mentions.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/resource/tokenizer.h"
#include "pg/support/args.h"
#include "pg/support/settings.h"
#include "pg/tagger/tagger_model.h"
#include "text/names/short_forms.h"
#include "text/name.h"

/* ---- opening ---- */

static void
open_lexicons(MrenFinder *finder, ArrayType *array)
{
	Datum *names;
	bool *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &finder->n_lexicons);
	finder->lexicons = palloc(finder->n_lexicons * sizeof(*finder->lexicons));
	finder->names = palloc(finder->n_lexicons * sizeof(*finder->names));
	for (int i = 0; i < finder->n_lexicons; i++)
	{
		MrenLexiconRow row;

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument \"lexicons\" must not contain nulls")));
		finder->names[i] = TextDatumGetCString(names[i]);
		mren_catalog_need_lexicon(finder->names[i], &row);
		finder->lexicons[i] = mren_lexicon_open(&row);
	}
}

static void
open_tagger(MrenFinder *finder, FunctionCallInfo fcinfo, const MrenFinderArgs *args)
{
	char *name = mren_arg_text(fcinfo, args->tagger, "tagger");

	finder->tagger_name = name;
	finder->tagger = mren_mention_tagger_open(name, strlen(name),
											  mren_arg_version(fcinfo, args->tagger_version));
}

void
mren_finder_open(MrenFinder *finder, FunctionCallInfo fcinfo, const MrenFinderArgs *args)
{
	memset(finder, 0, sizeof(*finder));
	if (!PG_ARGISNULL(args->lexicons))
		open_lexicons(finder, PG_GETARG_ARRAYTYPE_P(args->lexicons));
	if (!PG_ARGISNULL(args->tagger))
		open_tagger(finder, fcinfo, args);
	if (finder->n_lexicons == 0 && finder->tagger == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("no lexicon or tagger is specified"),
						errhint("Specify lexicons, as in lexicons => ARRAY['places'], or a tagger, "
								"as in tagger => 'entities'.")));
}

static void
add_type(const char ***types, int *n, const char *type)
{
	for (int i = 0; i < *n; i++)
	{
		if (strcmp((*types)[i], type) == 0)
			return;
	}
	if ((*n & (*n - 1)) == 0)
		*types = repalloc(*types, Max(2 * *n, 1) * sizeof(char *));
	(*types)[(*n)++] = type;
}

const char **
mren_finder_types(const MrenFinder *finder, int *n)
{
	const char **types = palloc(sizeof(char *));

	*n = 0;
	for (int i = 0; i < finder->n_lexicons; i++)
	{
		for (size_t k = 0; k < mren_lexicon_n_types(finder->lexicons[i]); k++)
		{
			size_t len;
			const char *type = mren_lexicon_type(finder->lexicons[i], k, &len);

			add_type(&types, n, pg_any_to_server(type, len, PG_UTF8));
		}
	}
	for (int i = 0; finder->tagger != NULL && i < mren_mention_tagger_n_types(finder->tagger); i++)
		add_type(&types, n, mren_mention_tagger_type(finder->tagger, i));
	return types;
}

/* ---- finding ---- */

typedef struct Found
{
	MrenDocMention *items;
	int n;
	int capacity;
} Found;

static MrenDocMention *
add_mention(Found *found)
{
	if (found->n == found->capacity)
	{
		found->capacity = found->capacity == 0 ? 16 : found->capacity * 2;
		found->items = found->items == NULL
						   ? palloc(found->capacity * sizeof(*found->items))
						   : repalloc_huge(found->items, found->capacity * sizeof(*found->items));
	}
	return &found->items[found->n++];
}

static void
find_phrases(const MrenFinder *finder, MrenTextSpan document, Found *found)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenFolded folded = {0};
	MrenLexiconMatches matches = {0};
	MrenError err;

	if (finder->n_lexicons == 0)
		return;
	MREN_PG_CALL(err,
				 mren_fold(mren_pg_tokenizer(), &env, document.data, document.len, &folded, &err));
	for (int i = 0; i < finder->n_lexicons; i++)
	{
		const MrenLexicon *lexicon = finder->lexicons[i];

		MREN_PG_CALL(err, mren_lexicon_match(lexicon, &env, &folded, &matches, &err));
		for (size_t k = 0; k < matches.n; k++)
		{
			const MrenLexiconMatch *match = &matches.items[k];
			MrenToken first = folded.words[match->first];
			MrenToken last = folded.words[match->end - 1];
			MrenDocMention *mention = add_mention(found);
			size_t len;
			const char *type = mren_lexicon_type(lexicon, match->entries[0].type, &len);

			*mention = (MrenDocMention){
				.place = {first.start, last.end, first.char_start, last.char_end},
				.type = pg_any_to_server(type, len, PG_UTF8),
				.type_utf8 = {type, (int) len},
				.confidence = match->entries[0].confidence,
				.source = i,
			};
		}
	}
	mren_folded_free(&env, &folded);
	mren_lexicon_matches_free(&env, &matches);
}

/*
 * Tags sentence by sentence, and frees each sentence's working memory.  What is longer than a
 * phrase of a lexicon may be is no name, such as a table without a full stop that is tagged whole.
 */
static void
tag_sentences(const MrenFinder *finder, const MrenDocument *document, Found *found)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mren sentence", ALLOCSET_DEFAULT_SIZES);

	for (size_t i = 0; i < document->sentences.n; i++)
	{
		MrenToken sentence = document->sentences.items[i];
		MemoryContext old = MemoryContextSwitchTo(work);
		int n;
		MrenTaggedMention *tagged =
			mren_mention_tagger_tag(finder->tagger, document->text.data + sentence.start,
									(int) (sentence.end - sentence.start), &n);

		CHECK_FOR_INTERRUPTS();
		mren_document_check_time(document);
		MemoryContextSwitchTo(old);
		for (int k = 0; k < n; k++)
		{
			const char *type = tagged[k].type;

			if (tagged[k].end - tagged[k].start > MREN_MAX_PHRASE)
				continue;
			*add_mention(found) = (MrenDocMention){
				.place = {sentence.start + tagged[k].start, sentence.start + tagged[k].end,
						  sentence.char_start + tagged[k].char_start,
						  sentence.char_start + tagged[k].char_end},
				.type = type,
				.type_utf8 = mren_pg_utf8(type, strlen(type)),
				.confidence = tagged[k].confidence,
				.source = finder->n_lexicons,
			};
		}
		MemoryContextReset(work);
	}
	MemoryContextDelete(work);
}

/* ---- sentences ---- */

static int
compare_places(const void *a, const void *b)
{
	const MrenDocMention *x = a;
	const MrenDocMention *y = b;

	if (x->place.start != y->place.start)
		return x->place.start < y->place.start ? -1 : 1;
	return x->source - y->source;
}

/* Joins sentences that end inside a mention; both are in the order of the text. */
static void
join_sentences(const Found *found, MrenTokens *sentences)
{
	uint32 reach = 0; /* where the mentions so far end */
	size_t n = 0;
	int next = 0;

	for (size_t i = 0; i < sentences->n; i++)
	{
		MrenToken sentence = sentences->items[i];

		if (n > 0 && reach > sentence.start)
		{
			sentences->items[n - 1].end = sentence.end;
			sentences->items[n - 1].char_end = sentence.char_end;
		}
		else
			sentences->items[n++] = sentence;
		for (; next < found->n && found->items[next].place.start < sentence.end; next++)
			reach = Max(reach, found->items[next].place.end);
	}
	sentences->n = n;
}

static void
number_sentences(MrenDocument *document)
{
	uint32 sentence = 0;

	for (int i = 0; i < document->n_mentions; i++)
	{
		while (document->sentences.items[sentence].end <= document->mentions[i].place.start)
			sentence++;
		document->mentions[i].sentence = sentence;
	}
}

/* ---- overlaps ---- */

static uint32
length_of(const MrenDocMention *mention)
{
	return mention->place.char_end - mention->place.char_start;
}

static int
compare_claims(const void *a, const void *b)
{
	const MrenDocMention *x = a;
	const MrenDocMention *y = b;

	if (length_of(x) != length_of(y))
		return length_of(x) > length_of(y) ? -1 : 1;
	if (x->source != y->source)
		return x->source - y->source;
	return x->place.start < y->place.start ? -1 : x->place.start > y->place.start;
}

/* A mention kept before is at least as long, so it covers an end of any that it overlaps. */
static void
resolve_overlaps(Found *found, int len)
{
	bool *taken = MemoryContextAllocExtended(CurrentMemoryContext, Max(len, 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int n = 0;

	qsort(found->items, found->n, sizeof(*found->items), compare_claims);
	for (int i = 0; i < found->n; i++)
	{
		MrenToken place = found->items[i].place;

		CHECK_FOR_INTERRUPTS();
		if (taken[place.start] || taken[place.end - 1])
			continue;
		memset(taken + place.start, true, place.end - place.start);
		found->items[n++] = found->items[i];
	}
	found->n = n;
	pfree(taken);
	qsort(found->items, found->n, sizeof(*found->items), compare_places);
}

/* The names in one form, by which mentions of the same name are known. */
static void
normalize_names(MrenDocument *document)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;

	for (int i = 0; i < document->n_mentions; i++)
	{
		MrenDocMention *mention = &document->mentions[i];
		char *name;
		size_t len;

		MREN_PG_CALL(err, mren_name_normalize(&env, document->text.data + mention->place.start,
											  mention->place.end - mention->place.start, &name,
											  &len, &err));
		mention->name = (MrenTextSpan){name, len};
	}
}

void
mren_document_check_time(const MrenDocument *document)
{
	if (mren_document_timeout == 0)
		return;
	if ((mren_processor_seconds() - document->began) * 1000 > mren_document_timeout)
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg(
				 "document of %zu bytes with %d mentions takes longer than %d ms of processor time",
				 document->text.len, document->n_mentions, mren_document_timeout),
			 errhint("Divide the document, lower mren.max_pairs_sentence, or raise "
					 "mren.document_timeout.")));
}

void
mren_document_read(const MrenFinder *finder, MrenTextSpan text, MrenDocument *document)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	Found found = {0};
	MrenError err;

	memset(document, 0, sizeof(*document));
	document->began = mren_processor_seconds();
	document->text = text;
	find_phrases(finder, text, &found);
	if (finder->n_lexicons > 1)
		qsort(found.items, found.n, sizeof(*found.items), compare_places);
	MREN_PG_CALL(err, mren_sentences(mren_pg_sentencer(), &env, text.data, text.len,
									 &document->sentences, &err));
	join_sentences(&found, &document->sentences);
	if (finder->tagger != NULL)
		tag_sentences(finder, document, &found);
	if (finder->n_lexicons + (finder->tagger != NULL) > 1)
		resolve_overlaps(&found, text.len);
	document->mentions = found.items;
	document->n_mentions = found.n;
	number_sentences(document);
	normalize_names(document);
}

void
mren_document_short_forms(MrenDocument *document)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	int n = document->n_mentions;
	MrenNamed *named = palloc_extended((Size) Max(n, 1) * sizeof(*named), MCXT_ALLOC_HUGE);
	MrenError err;

	for (int i = 0; i < n; i++)
	{
		const MrenDocMention *mention = &document->mentions[i];

		named[i] = (MrenNamed){.name = mention->name,
							   .type = mention->type_utf8,
							   .start = mention->place.start,
							   .end = mention->place.end};
	}
	MREN_PG_CALL(err,
				 mren_short_forms(&env, document->text.data, document->text.len, named, n, &err));
	for (int i = 0; i < n; i++)
		document->mentions[i].full = (int) named[i].full;
	pfree(named);
}

/* ---- conversion ---- */

text *
mren_document_text(const MrenDocument *document, uint32 start, uint32 end)
{
	return mren_server_text((MrenTextSpan){document->text.data + start, end - start});
}
