/*
 * tokens.c
 *	  Unicode words: a table-driven fast path, and ICU for the rest.
 *
 * The fast path covers code points below TABLE_END and part of the general
 * punctuation, whose word-break class is one of the simple ones below, and
 * follows UAX #29 rules WB3 to WB13b for them.  Anything else (combining marks,
 * dictionary scripts, emoji, Hebrew's quotes) is "complex": the text from the
 * last safe cut before it to the next one after it goes to ICU.
 *
 * A cut is safe where a simple blank is followed by a simple character that is
 * no blank: no rule joins across it, so the two sides can be segmented apart.
 * The table is made from ICU's own properties when the tokenizer is opened, so
 * that both agree whatever Unicode version ICU has.
 */
#include "text/tokens.h"

#include <string.h>

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/uversion.h>

#include "base/utf8.h"
#include "text/icu.h"
#include "text/script.h"

#define TABLE_END 0x530
#define PUNCTUATION_START 0x2010 /* hyphens, dashes, quotes, ellipsis */
#define PUNCTUATION_END 0x2028

/* ICU's window, in code points: about a millisecond even for a dictionary. */
#define WINDOW 4096

typedef enum BreakClass
{
	CLASS_COMPLEX,
	CLASS_BLANK,
	CLASS_OTHER, /* a token by itself */
	CLASS_LETTER,
	CLASS_DIGIT,
	CLASS_JOINER,	  /* ExtendNumLet: the underscore */
	CLASS_MID_LETTER, /* between letters */
	CLASS_MID_NUMBER, /* between digits */
	CLASS_MID_BOTH,	  /* between either: full stop, apostrophe */
} BreakClass;

struct MrenTokenizer
{
	MrenEnv env; /* which allocated this */
	UBreakIterator *words;
	uint8_t table[TABLE_END];
	uint8_t punctuation[PUNCTUATION_END - PUNCTUATION_START];
	/* One window as UTF-16, and where each unit's code point begins. */
	UChar units[2 * WINDOW];
	uint32_t bytes[2 * WINDOW + 1];
	uint32_t chars[2 * WINDOW + 1];
};

/* One call's state: where in the text the scan stands. */
typedef struct Scan
{
	MrenTokenizer *tokenizer;
	const MrenEnv *env;
	const char *text;
	size_t len;
	size_t at;		/* byte */
	uint32_t chars; /* code points before it */
	MrenTokens *tokens;
	MrenError *err;
} Scan;

static BreakClass
class_from_icu(uint32_t code)
{
	switch (u_getIntPropertyValue((UChar32) code, UCHAR_WORD_BREAK))
	{
		case U_WB_ALETTER:
			return CLASS_LETTER;
		case U_WB_NUMERIC:
			return CLASS_DIGIT;
		case U_WB_EXTENDNUMLET:
			return CLASS_JOINER;
		case U_WB_MIDLETTER:
			return CLASS_MID_LETTER;
		case U_WB_MIDNUM:
			return CLASS_MID_NUMBER;
		case U_WB_MIDNUMLET:
		case U_WB_SINGLE_QUOTE:
			return CLASS_MID_BOTH;
		case U_WB_DOUBLE_QUOTE:
			return CLASS_OTHER; /* joins Hebrew letters only */
		case U_WB_CR:
		case U_WB_LF:
		case U_WB_NEWLINE:
		case U_WB_WSEGSPACE:
			return CLASS_BLANK;
		case U_WB_OTHER:
			return mren_icu_is_blank(code) ? CLASS_BLANK : CLASS_OTHER;
		default:
			return CLASS_COMPLEX;
	}
}

static bool
is_one_word(UBreakIterator *words, const UChar *units, int32_t n)
{
	UErrorCode status = U_ZERO_ERROR;

	ubrk_setText(words, units, n, &status);
	return U_SUCCESS(status) && ubrk_following(words, 0) == n;
}

/*
 * CLDR departs from Unicode's property for a few characters (since version 42
 * the colon joins nothing, and "@" is a letter), so ICU itself is tried.
 */
static BreakClass
confirm_class(UBreakIterator *words, uint32_t code, BreakClass supposed)
{
	UChar letters[3] = {'a', (UChar) code, 'a'};
	UChar digits[3] = {'1', (UChar) code, '1'};
	bool joins_letters;
	bool joins_digits;

	if (supposed == CLASS_OTHER && is_one_word(words, letters, 2))
		return CLASS_LETTER;
	if (supposed < CLASS_MID_LETTER)
		return supposed;
	joins_letters = is_one_word(words, letters, 3);
	joins_digits = is_one_word(words, digits, 3);
	if (joins_letters)
		return joins_digits ? CLASS_MID_BOTH : CLASS_MID_LETTER;
	return joins_digits ? CLASS_MID_NUMBER : CLASS_OTHER;
}

static void
fill_tables(MrenTokenizer *tokenizer)
{
	for (uint32_t code = 0; code < TABLE_END; code++)
		tokenizer->table[code] =
			(uint8_t) confirm_class(tokenizer->words, code, class_from_icu(code));
	for (uint32_t code = PUNCTUATION_START; code < PUNCTUATION_END; code++)
		tokenizer->punctuation[code - PUNCTUATION_START] =
			(uint8_t) confirm_class(tokenizer->words, code, class_from_icu(code));
}

MrenStatus
mren_tokenizer_open(const MrenEnv *env, MrenTokenizer **tokenizer, MrenError *err)
{
	UErrorCode status = U_ZERO_ERROR;
	MrenTokenizer *fresh;

	*tokenizer = NULL;
	MREN_TRY(mren_allocate(env, 1, sizeof(*fresh), &fresh, err));
	fresh->env = *env;
	fresh->words = ubrk_open(UBRK_WORD, "", NULL, 0, &status);
	if (U_FAILURE(status))
	{
		mren_tokenizer_close(fresh);
		return mren_icu_fail(err, MREN_EUNSUPPORTED, "could not open ICU's word segmentation",
							 status);
	}
	fill_tables(fresh);
	*tokenizer = fresh;
	return MREN_OK;
}

void
mren_tokenizer_close(MrenTokenizer *tokenizer)
{
	MrenEnv env;

	if (tokenizer == NULL)
		return;
	if (tokenizer->words != NULL)
		ubrk_close(tokenizer->words);
	env = tokenizer->env;
	mren_release(&env, tokenizer);
}

static MrenStatus
add_token(Scan *scan, MrenToken token)
{
	MrenTokens *tokens = scan->tokens;

	if (tokens->n == tokens->capacity)
		MREN_TRY(mren_grow(scan->env, &tokens->items, &tokens->capacity, tokens->n, tokens->n + 1,
						   sizeof(*tokens->items), scan->err));
	tokens->items[tokens->n++] = token;
	return MREN_OK;
}

static MrenStatus
fail_encoding(Scan *scan, size_t at)
{
	return mren_fail(scan->err, MREN_EDATA, "text is not valid UTF-8 at byte %zu", at + 1);
}

/*
 * The class of the character at byte `at` (not the end) and its length, 0 for
 * invalid bytes.
 */
static inline BreakClass
class_at(const Scan *scan, size_t at, size_t *n)
{
	const MrenTokenizer *tokenizer = scan->tokenizer;
	unsigned char c = (unsigned char) scan->text[at];
	uint32_t code;

	if (c < 0x80)
	{
		*n = 1;
		return tokenizer->table[c];
	}
	*n = mren_utf8_decode_long(scan->text + at, scan->len - at, &code);
	if (*n == 0)
		return CLASS_COMPLEX;
	if (code < TABLE_END)
		return tokenizer->table[code];
	if (code >= PUNCTUATION_START && code < PUNCTUATION_END)
		return tokenizer->punctuation[code - PUNCTUATION_START];
	return CLASS_COMPLEX;
}

/* Rules WB6, WB7, WB11, WB12: may middle stand between two of around? */
static inline bool
joins(BreakClass around, BreakClass middle)
{
	return middle == CLASS_MID_BOTH ||
		   middle == (around == CLASS_LETTER ? CLASS_MID_LETTER : CLASS_MID_NUMBER);
}

/*
 * Moves the scan past the word that begins there with a character of class
 * `class`, n bytes long.  False when a complex character decides where it ends.
 */
static inline bool
scan_word(Scan *scan, BreakClass class, size_t n)
{
	size_t len = scan->len;
	size_t at = scan->at + n;
	uint32_t chars = scan->chars + 1;
	bool settled = true;

	while (at < len)
	{
		BreakClass next = class_at(scan, at, &n);
		BreakClass after;
		size_t n_after;

		if (next >= CLASS_LETTER && next <= CLASS_JOINER)
		{
			at += n;
			chars++;
			class = next;
			continue;
		}
		settled = next != CLASS_COMPLEX;
		if (next < CLASS_MID_LETTER || class == CLASS_JOINER || !joins(class, next) ||
			at + n == len)
			break;
		after = class_at(scan, at + n, &n_after);
		settled = after != CLASS_COMPLEX;
		if (after != class)
			break;
		at += n + n_after;
		chars += 2;
	}
	scan->at = at;
	scan->chars = chars;
	return settled;
}

/* Where the text before a complex character was last known to be settled. */
typedef struct Cut
{
	size_t at;
	uint32_t chars;
	size_t n_tokens;
} Cut;

/*
 * Segments simple text from scan->at on, until the end or a complex character;
 * for that the scan goes back to the last safe cut, and *complex is the
 * character's byte, or the text's length when there was none.
 */
static MrenStatus
scan_simple(Scan *scan, size_t *complex)
{
	Cut cut = {scan->at, scan->chars, scan->tokens->n};
	bool after_blank = true;
	unsigned steps = 0;

	*complex = scan->len;
	while (scan->at < scan->len)
	{
		MrenToken token = {(uint32_t) scan->at, 0, scan->chars, 0};
		size_t n;
		BreakClass class = class_at(scan, scan->at, &n);

		if (++steps % 4096 == 0)
			MREN_TRY(mren_check_interrupts(scan->env, scan->err));
		if (class != CLASS_COMPLEX && class != CLASS_BLANK && after_blank)
			cut = (Cut){scan->at, scan->chars, scan->tokens->n};
		after_blank = class == CLASS_BLANK;
		if (class >= CLASS_LETTER && class <= CLASS_JOINER)
		{
			if (!scan_word(scan, class, n))
				class = CLASS_COMPLEX;
		}
		else if (class != CLASS_COMPLEX)
		{
			scan->at += n;
			scan->chars++;
		}
		if (class == CLASS_COMPLEX)
		{
			*complex = scan->at;
			scan->at = cut.at;
			scan->chars = cut.chars;
			scan->tokens->n = cut.n_tokens;
			return MREN_OK;
		}
		if (class == CLASS_BLANK)
			continue;
		token.end = (uint32_t) scan->at;
		token.char_end = scan->chars;
		MREN_TRY(add_token(scan, token));
	}
	return MREN_OK;
}

static bool
all_blank(const UChar *units, int32_t start, int32_t end)
{
	while (start < end)
	{
		UChar32 code;

		U16_NEXT(units, start, end, code);
		if (!mren_icu_is_blank((uint32_t) code))
			return false;
	}
	return true;
}

/* ICU's segments of the window become tokens. */
static MrenStatus
segment(Scan *scan, const MrenIcuText *window)
{
	UBreakIterator *words = scan->tokenizer->words;
	UErrorCode status = U_ZERO_ERROR;
	int32_t start = 0;
	int32_t end;

	ubrk_setText(words, window->units, (int32_t) window->n, &status);
	if (U_FAILURE(status))
		return mren_icu_fail(scan->err, MREN_EUNSUPPORTED, "ICU could not segment a text", status);
	while ((end = ubrk_next(words)) != UBRK_DONE)
	{
		MrenToken token = {window->bytes[start], window->bytes[end], window->chars[start],
						   window->chars[end]};

		if (!all_blank(window->units, start, end))
			MREN_TRY(add_token(scan, token));
		start = end;
	}
	return MREN_OK;
}

/* White space or a full stop or comma of the scripts without spaces. */
static bool
ends_clause(BreakClass class, uint32_t code)
{
	return class == CLASS_BLANK || (code >= 0x3000 && code <= 0x3002) || code == 0xFF01 ||
		   code == 0xFF0C || code == 0xFF1A || code == 0xFF1B || code == 0xFF1F;
}

/* Whether code may begin a window: not what belongs to the character before. */
static bool
begins_clause(uint32_t code)
{
	return !mren_script_extends(code) && !mren_icu_is_blank(code);
}

/*
 * mren_tokenize's slow part: one window from scan->at on, which ends at the
 * first safe cut after `complex`, at the text's end (then *done), or when it
 * is full: at the last end of a clause in it, if there is one.
 */
static MrenStatus
scan_window(Scan *scan, size_t complex, bool *done)
{
	MrenIcuText window = {scan->tokenizer->units, scan->tokenizer->bytes, scan->tokenizer->chars,
						  0};
	Cut clause = {0};
	size_t n_clause = 0;
	bool after_clause = false;
	bool after_blank = false;

	*done = true;
	for (size_t n_codes = 0; scan->at < scan->len; n_codes++)
	{
		size_t n_bytes;
		BreakClass class = class_at(scan, scan->at, &n_bytes);
		uint32_t code;

		if (n_bytes == 0 ||
			mren_utf8_decode(scan->text + scan->at, scan->len - scan->at, &code) == 0)
			return fail_encoding(scan, scan->at);
		if (after_blank && scan->at > complex && class > CLASS_BLANK)
			break;
		if (after_clause && begins_clause(code))
		{
			clause = (Cut){scan->at, scan->chars, 0};
			n_clause = window.n;
		}
		if (n_codes == WINDOW)
		{
			*done = false;
			break;
		}
		mren_icu_text_append(&window, code, scan->at, scan->chars);
		scan->at += n_bytes;
		scan->chars++;
		after_blank = class == CLASS_BLANK;
		after_clause = ends_clause(class, code);
	}
	mren_icu_text_end(&window, scan->at, scan->chars);
	if (!*done && n_clause > 0)
	{
		window.n = n_clause;
		scan->at = clause.at;
		scan->chars = clause.chars;
	}
	return segment(scan, &window);
}

MrenStatus
mren_text_check_length(size_t len, MrenError *err)
{
	if (len <= MREN_MAX_TEXT)
		return MREN_OK;
	mren_fail(err, MREN_ELIMIT, "text of %zu bytes is too long", len);
	mren_error_detail(err, "A text may have %d bytes.", MREN_MAX_TEXT);
	return MREN_ELIMIT;
}

MrenStatus
mren_tokenize(MrenTokenizer *tokenizer, const MrenEnv *env, const char *text, size_t len,
			  MrenTokens *tokens, MrenError *err)
{
	Scan scan = {tokenizer, env, text, len, 0, 0, tokens, err};

	tokens->n = 0;
	MREN_TRY(mren_text_check_length(len, err));
	while (scan.at < len)
	{
		size_t complex;
		bool done = false;

		MREN_TRY(scan_simple(&scan, &complex));
		while (!done && complex < len)
		{
			MREN_TRY(mren_check_interrupts(env, err));
			MREN_TRY(scan_window(&scan, complex, &done));
		}
	}
	return MREN_OK;
}

static MrenStatus
scan_all(Scan *scan, MrenIcuText *window)
{
	while (scan->at < scan->len)
	{
		uint32_t code;
		size_t n_bytes = mren_utf8_decode(scan->text + scan->at, scan->len - scan->at, &code);

		if (n_bytes == 0)
			return fail_encoding(scan, scan->at);
		mren_icu_text_append(window, code, scan->at, scan->chars);
		scan->at += n_bytes;
		scan->chars++;
	}
	mren_icu_text_end(window, scan->at, scan->chars);
	return segment(scan, window);
}

MrenStatus
mren_tokenize_reference(MrenTokenizer *tokenizer, const MrenEnv *env, const char *text, size_t len,
						MrenTokens *tokens, MrenError *err)
{
	Scan scan = {tokenizer, env, text, len, 0, 0, tokens, err};
	MrenIcuText window = {0};
	UErrorCode ignored = U_ZERO_ERROR;
	MrenStatus status = mren_text_check_length(len, err);

	tokens->n = 0;
	if (status == MREN_OK)
		status = mren_allocate(env, len + 1, sizeof(*window.units), &window.units, err);
	if (status == MREN_OK)
		status = mren_allocate(env, len + 1, sizeof(*window.bytes), &window.bytes, err);
	if (status == MREN_OK)
		status = mren_allocate(env, len + 1, sizeof(*window.chars), &window.chars, err);
	if (status == MREN_OK)
		status = scan_all(&scan, &window);
	/* ICU keeps a pointer to its text. */
	ubrk_setText(tokenizer->words, tokenizer->units, 0, &ignored);
	mren_release(env, window.units);
	mren_release(env, window.bytes);
	mren_release(env, window.chars);
	return status;
}

void
mren_tokens_free(const MrenEnv *env, MrenTokens *tokens)
{
	mren_release(env, tokens->items);
	*tokens = (MrenTokens){0};
}

const char *
mren_icu_version(void)
{
	return U_ICU_VERSION;
}

bool
mren_text_is_blank(const char *text, size_t len)
{
	for (size_t at = 0; at < len;)
	{
		uint32_t code;
		size_t n = mren_utf8_decode(text + at, len - at, &code);

		if (n == 0 || !mren_icu_is_blank(code))
			return false;
		at += n;
	}
	return true;
}
