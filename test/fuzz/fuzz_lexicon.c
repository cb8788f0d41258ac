/*
 * fuzz_lexicon.c
 *	  Any bytes as phrases, one a line up to an empty one, and a text.
 *
 * Checks that matches are in order, do not overlap, and are phrases; that every
 * phrase is found in itself; and what holds of folded words and of sentences.
 */
#include "fuzz.h"

#include <string.h>

#include "text/lexicon/lexicon.h"
#include "text/sentences.h"

/* More lines are not read: they would take time and show nothing new. */
#define MAX_PHRASES 24

typedef struct Subject
{
	const MrenEnv *env;
	MrenTokenizer *tokenizer;
	MrenLexicon *lexicon;
	MrenFolded folded;
	MrenLexiconMatches matches;
} Subject;

static void
check_places(const MrenToken *items, size_t n, size_t len)
{
	for (size_t i = 0; i < n; i++)
	{
		if (items[i].start >= items[i].end || items[i].char_start >= items[i].char_end ||
			items[i].end > len)
			abort();
		if (i > 0 &&
			(items[i].start < items[i - 1].end || items[i].char_start < items[i - 1].char_end))
			abort();
	}
}

static void
check_matches(const Subject *subject)
{
	const MrenLexiconMatches *matches = &subject->matches;

	for (size_t i = 0; i < matches->n; i++)
	{
		MrenLexiconMatch match = matches->items[i];
		size_t n;

		if (match.first >= match.end || match.end > subject->folded.n || match.n_entries == 0)
			abort();
		if (i > 0 && match.first < matches->items[i - 1].end)
			abort();
		if (mren_lexicon_phrase(subject->lexicon, &subject->folded, match.first, match.end, &n) !=
				match.entries ||
			n != match.n_entries)
			abort();
		for (size_t k = 0; k < n; k++)
		{
			if (match.entries[k].type >= mren_lexicon_n_types(subject->lexicon) ||
				(k > 0 && match.entries[k].confidence > match.entries[k - 1].confidence))
				abort();
		}
	}
}

/* False if the text cannot be read. */
static bool
match(Subject *subject, const char *text, size_t len)
{
	MrenError err;

	if (mren_fold(subject->tokenizer, subject->env, text, len, &subject->folded, &err) != MREN_OK)
		return false;
	check_places(subject->folded.words, subject->folded.n, len);
	if (mren_lexicon_match(subject->lexicon, subject->env, &subject->folded, &subject->matches,
						   &err) != MREN_OK)
		return false;
	check_matches(subject);
	return true;
}

/* At most MAX_PHRASES phrases; where the text begins. */
static size_t
add_phrases(Subject *subject, const char *text, size_t len, bool check)
{
	static const char *const types[] = {"T", "U", "V"};
	size_t at = 0;

	for (int n_phrases = 0; n_phrases < MAX_PHRASES && at < len && text[at] != '\n'; n_phrases++)
	{
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end != NULL ? (size_t) (end - text) - at : len - at;
		MrenError err;

		if (!check)
			mren_lexicon_add(subject->lexicon, subject->tokenizer, (MrenTextSpan){text + at, n},
							 (MrenTextSpan){types[n % 3], 1}, 1.0 / (double) (n % 7 + 1), &err);
		/* All of it is a phrase: nothing in it is longer. */
		else if (match(subject, text + at, n) && subject->folded.n > 0 && n <= MREN_MAX_PHRASE &&
				 (subject->matches.n != 1 || subject->matches.items[0].first != 0 ||
				  subject->matches.items[0].end != subject->folded.n))
			abort();
		at += n + 1;
	}
	return at < len ? at + 1 : len;
}

/*
 * What is opened once: ICU's segmentation takes longer to open than an input
 * takes to read, and neither object keeps anything from one text to the next.
 */
static MrenTokenizer *tokenizer;
static MrenSentencer *sentencer;

static void
open_once(void)
{
	static FuzzEnv lasting;
	const MrenEnv *env;
	MrenError err;

	if (sentencer != NULL)
		return;
	env = fuzz_env(&lasting, (size_t) 64 << 20);
	if (mren_tokenizer_open(env, &tokenizer, &err) != MREN_OK ||
		mren_sentencer_open(env, "", &sentencer, &err) != MREN_OK)
		abort();
}

static void
check_sentences(const MrenEnv *env, const char *text, size_t len)
{
	MrenTokens sentences = {0};
	MrenError err;

	if (mren_sentences(sentencer, env, text, len, &sentences, &err) == MREN_OK)
		check_places(sentences.items, sentences.n, len);
	mren_tokens_free(env, &sentences);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	FuzzEnv fuzz;
	Subject subject = {.env = fuzz_env(&fuzz, (size_t) 64 << 20)};
	MrenError err;
	size_t at;

	open_once();
	subject.tokenizer = tokenizer;
	if (mren_lexicon_create(subject.env, &subject.lexicon, &err) == MREN_OK)
	{
		at = add_phrases(&subject, text, size, false);
		if (mren_lexicon_finish(subject.lexicon, &err) == MREN_OK)
		{
			add_phrases(&subject, text, size, true);
			match(&subject, text + at, size - at);
		}
		check_sentences(subject.env, text + at, size - at);
	}
	mren_lexicon_free(subject.lexicon);
	mren_folded_free(subject.env, &subject.folded);
	mren_lexicon_matches_free(subject.env, &subject.matches);
	fuzz_done(&fuzz);
	return 0;
}
