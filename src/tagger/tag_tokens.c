/*
 * tag_tokens.c
 *	  From pieces and words to windows of tokens.
 */
#include "tagger/tag_tokens.h"

#include <string.h>

#include "transformer/piece_windows.h"

/* The special pieces around a window, and how many of the text fit between them. */
typedef struct Frame
{
	const uint32_t *before;
	const uint32_t *after;
	size_t n_before;
	size_t n_after;
	size_t room;
} Frame;

static MrenStatus
reserve(const MrenEnv *env, const MrenTagPieces *text, const Frame *frame,
		MrenTagTokenBuffer *buffer, MrenError *err)
{
	MrenWindow window = {0};
	size_t n_windows = 0;
	size_t n = 0;

	while (text->pieces->n > 0 && mren_next_window(&window, text->pieces->n, frame->room))
	{
		n_windows++;
		n += frame->n_before + window.n + frame->n_after;
	}
	if (n > MREN_MAX_TAG_TOKENS)
		return mren_fail(err, MREN_ELIMIT,
						 "sentence of %zu pieces is too long for the text encoder",
						 text->pieces->n);
	MREN_TRY(mren_grow(env, &buffer->ids, &buffer->ids_capacity, 0, n + 1, sizeof(int32_t), err));
	MREN_TRY(mren_grow(env, &buffer->windows, &buffer->windows_capacity, 0, n_windows + 1,
					   sizeof(uint32_t), err));
	return mren_grow(env, &buffer->firsts, &buffer->firsts_capacity, 0, text->n_words + 1,
					 sizeof(uint32_t), err);
}

static size_t
put_special(int32_t *ids, const uint32_t *special, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ids[i] = (int32_t) special[i];
	return n;
}

/* Words are numbered on from *word, and pieces from *piece. */
static void
put_firsts(const MrenTagPieces *text, const MrenWindow *window, size_t at, size_t *word,
		   size_t *piece, uint32_t *firsts)
{
	const MrenPiece *pieces = text->pieces->piece;

	for (; *word < text->n_words; (*word)++)
	{
		const MrenTagWordSpan *span = &text->words[*word];

		while (*piece < text->pieces->n && pieces[*piece].cover_end <= span->start)
			(*piece)++;
		if (*piece >= window->to)
			return;
		firsts[*word] = pieces[*piece].start < span->end ? (uint32_t) (at + *piece - window->start)
														 : UINT32_MAX;
	}
}

MrenStatus
mren_tag_tokens(const MrenEnv *env, const MrenTagPieces *text, MrenTagTokenBuffer *buffer,
				MrenTagTokens *tokens, MrenError *err)
{
	size_t most =
		text->max_tokens < MREN_TAG_WINDOW_TOKENS ? text->max_tokens : MREN_TAG_WINDOW_TOKENS;
	MrenWindow window = {0};
	Frame frame;
	size_t at = 0;
	size_t word = 0;
	size_t piece = 0;

	frame.n_before = mren_subword_prefix(text->tokenizer, &frame.before);
	frame.n_after = mren_subword_suffix(text->tokenizer, &frame.after);
	if (frame.n_before + frame.n_after >= most)
		return mren_fail(err, MREN_EDATA, "special tokens leave no position for text");
	frame.room = most - frame.n_before - frame.n_after;
	MREN_TRY(reserve(env, text, &frame, buffer, err));
	*tokens =
		(MrenTagTokens){.windows = buffer->windows, .ids = buffer->ids, .firsts = buffer->firsts};
	while (text->pieces->n > 0 && mren_next_window(&window, text->pieces->n, frame.room))
	{
		size_t begin = at;

		at += put_special(buffer->ids + at, frame.before, frame.n_before);
		put_firsts(text, &window, at, &word, &piece, buffer->firsts);
		for (size_t i = 0; i < window.n; i++)
			buffer->ids[at++] = (int32_t) text->pieces->piece[window.start + i].id;
		at += put_special(buffer->ids + at, frame.after, frame.n_after);
		buffer->windows[tokens->n_windows++] = (uint32_t) (at - begin);
		MREN_TRY(mren_check_interrupts(env, err));
	}
	for (; word < text->n_words; word++)
		buffer->firsts[word] = UINT32_MAX;
	tokens->n = at;
	return MREN_OK;
}

void
mren_tag_tokens_free(const MrenEnv *env, MrenTagTokenBuffer *buffer)
{
	mren_release(env, buffer->ids);
	mren_release(env, buffer->windows);
	mren_release(env, buffer->firsts);
	memset(buffer, 0, sizeof(*buffer));
}
