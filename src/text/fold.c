/*
 * fold.c
 *	  Cutting a text into words and folding them: ASCII by hand, the rest by ICU.
 */
#include "text/fold.h"

#include <string.h>

#include <unicode/ustring.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "text/casefold.h"
#include "text/clitic.h"
#include "text/icu.h"
#include "text/script.h"

/*
 * UTF-16 units that a word may become: three bytes of UTF-8 give at most 18
 * units (U+FDFA), two bytes at most 4.
 */
#define MAX_UNITS (MREN_MAX_FOLDED_WORD / 3 * 18 + 64)

typedef struct Folder
{
	const MrenEnv *env;
	const char *text;
	MrenFolded *out;
	size_t n_bytes;
	MrenError *err;
} Folder;

/* Room for one more word of at most `bytes` folded bytes. */
static MrenStatus
reserve(Folder *folder, size_t bytes)
{
	MrenFolded *out = folder->out;
	size_t n = out->n;

	if (n == out->words_capacity)
		MREN_TRY(mren_grow(folder->env, &out->words, &out->words_capacity, n, n + 1,
						   sizeof(*out->words), folder->err));
	if (n + 2 > out->starts_capacity)
		MREN_TRY(mren_grow(folder->env, &out->starts, &out->starts_capacity,
						   out->starts == NULL ? 0 : n + 1, n + 2, sizeof(*out->starts),
						   folder->err));
	if (n == out->hashes_capacity)
		MREN_TRY(mren_grow(folder->env, &out->hashes, &out->hashes_capacity, n, n + 1,
						   sizeof(*out->hashes), folder->err));
	if (folder->n_bytes + bytes > out->bytes_capacity)
		MREN_TRY(mren_grow(folder->env, &out->bytes, &out->bytes_capacity, folder->n_bytes,
						   folder->n_bytes + bytes, 1, folder->err));
	return MREN_OK;
}

/* The bytes written after n_bytes are the word at span. */
static void
end_word(Folder *folder, MrenToken span, size_t n)
{
	MrenFolded *out = folder->out;

	out->words[out->n] = span;
	out->hashes[out->n] = mren_hash64(out->bytes + folder->n_bytes, n, 0);
	folder->n_bytes += n;
	out->n++;
	out->starts[out->n] = (uint32_t) folder->n_bytes;
}

/* A word that is not ASCII, of at most MREN_MAX_FOLDED_WORD bytes; *n is 0 if nothing is left. */
static MrenStatus
fold_wide(Folder *folder, const char *word, size_t len, size_t *n)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar units[MREN_MAX_FOLDED_WORD];
	UChar folded[MAX_UNITS];
	int32_t n_units = 0;
	int32_t n_bytes = 0;

	u_strFromUTF8(units, MREN_MAX_FOLDED_WORD, &n_units, word, (int32_t) len, &status);
	n_units = mren_casefold(units, n_units, folded, MAX_UNITS, &status);
	if (U_SUCCESS(status))
	{
		MREN_TRY(reserve(folder, (size_t) n_units * 3));
		u_strToUTF8(folder->out->bytes + folder->n_bytes, n_units * 3, &n_bytes, folded, n_units,
					&status);
	}
	if (U_FAILURE(status))
		return mren_icu_fail(folder->err, MREN_EUNSUPPORTED, "ICU could not fold a word", status);
	*n = (size_t) n_bytes;
	return MREN_OK;
}

static MrenStatus
add_word(Folder *folder, MrenToken span)
{
	const char *word = folder->text + span.start;
	size_t len = span.end - span.start;
	size_t n = 0;

	MREN_TRY(reserve(folder, len));
	if (len > MREN_MAX_FOLDED_WORD)
	{
		end_word(folder, span, 0);
		return MREN_OK;
	}
	if (mren_ascii_only(word, len))
	{
		mren_ascii_lower(word, len, folder->out->bytes + folder->n_bytes);
		n = len;
	}
	else
		MREN_TRY(fold_wide(folder, word, len, &n));
	/* What is only invisible characters is no word. */
	if (n > 0)
		end_word(folder, span, n);
	return MREN_OK;
}

/*
 * A token that may hold characters of a script without spaces: each of them,
 * with what extends it, is a word; so is what lies between them.
 */
static MrenStatus
add_wide(Folder *folder, MrenToken token)
{
	MrenToken part = token;
	uint32_t at = token.start;
	uint32_t chars = token.char_start;
	bool single = false; /* the part at hand is such a character */
	unsigned steps = 0;

	while (at < token.end)
	{
		uint32_t code = 0;
		uint32_t n = (uint32_t) mren_utf8_decode(folder->text + at, token.end - at, &code);
		bool spaceless = mren_script_is_spaceless(code);

		if (++steps % 4096 == 0)
			MREN_TRY(mren_check_interrupts(folder->env, folder->err));
		if ((spaceless || single) && !mren_script_extends(code) && at > part.start)
		{
			part.end = at;
			part.char_end = chars;
			MREN_TRY(add_word(folder, part));
			part.start = at;
			part.char_start = chars;
			single = false;
		}
		single = single || spaceless;
		at += n;
		chars++;
	}
	part.end = token.end;
	part.char_end = token.char_end;
	return add_word(folder, part);
}

/* "'s": the apostrophe and its letters, as they are cut where they stand alone; "n't" is one. */
static MrenStatus
add_ending(Folder *folder, MrenToken ending)
{
	size_t n = mren_apostrophe_length(folder->text + ending.start, ending.end - ending.start);
	MrenToken apostrophe = ending;

	if (n == 0)
		return add_word(folder, ending);
	apostrophe.end = ending.start += (uint32_t) n;
	apostrophe.char_end = ++ending.char_start;
	MREN_TRY(add_word(folder, apostrophe));
	return add_word(folder, ending);
}

static MrenStatus
add_token(Folder *folder, MrenToken token)
{
	const char *word = folder->text + token.start;
	size_t len = token.end - token.start;
	MrenToken ending = token;
	size_t clitic;

	if (len == 1)
		return add_word(folder, token);
	clitic = mren_clitic_length(word, len);
	ending.start = token.end -= (uint32_t) clitic;
	ending.char_start = token.char_end -=
		(uint32_t) mren_utf8_length(folder->text + token.end, clitic);
	MREN_TRY(mren_ascii_only(word, len) ? add_word(folder, token) : add_wide(folder, token));
	return clitic > 0 ? add_ending(folder, ending) : MREN_OK;
}

MrenStatus
mren_fold(MrenTokenizer *tokenizer, const MrenEnv *env, const char *text, size_t len,
		  MrenFolded *folded, MrenError *err)
{
	Folder folder = {env, text, folded, 0, err};

	folded->n = 0;
	MREN_TRY(mren_tokenize(tokenizer, env, text, len, &folded->tokens, err));
	MREN_TRY(reserve(&folder, 0));
	folded->starts[0] = 0;
	for (size_t i = 0; i < folded->tokens.n; i++)
	{
		if (i % 4096 == 4095)
			MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(add_token(&folder, folded->tokens.items[i]));
	}
	return MREN_OK;
}

/* Number of words that end at or before byte `at`. */
static size_t
words_before(const MrenFolded *folded, size_t at)
{
	size_t low = 0;
	size_t high = folded->n;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (folded->words[middle].end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
mren_folded_within(const MrenFolded *folded, size_t start, size_t end, size_t *first,
				   size_t *end_word)
{
	*first = words_before(folded, start);
	*end_word = words_before(folded, end);
	/* A word that begins before the span is not inside it. */
	if (*first < *end_word && folded->words[*first].start < start)
		(*first)++;
}

void
mren_folded_free(const MrenEnv *env, MrenFolded *folded)
{
	mren_tokens_free(env, &folded->tokens);
	mren_release(env, folded->words);
	mren_release(env, folded->starts);
	mren_release(env, folded->hashes);
	mren_release(env, folded->bytes);
	*folded = (MrenFolded){0};
}
