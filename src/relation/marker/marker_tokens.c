/*
 * marker_tokens.c
 *	  From pieces and mentions to marked tokens.
 */
#include "relation/marker/marker_tokens.h"

#include <string.h>

/* Half open, in pieces. */
typedef struct PieceSpan
{
	size_t first;
	size_t end;
} PieceSpan;

/* The pieces of a mention; the one after it, or the last one, if it has none. */
static PieceSpan
pieces_of(const MrenPieces *pieces, MrenCharSpan mention)
{
	PieceSpan span = {0, 0};

	while (span.first < pieces->n && pieces->piece[span.first].cover_end <= mention.start)
		span.first++;
	if (span.first == pieces->n && pieces->n > 0)
		span.first = pieces->n - 1;
	span.end = span.first + (pieces->n > 0);
	while (span.end < pieces->n && pieces->piece[span.end].start < mention.end)
		span.end++;
	return span;
}

/* A window of `room` pieces with the span in its middle, as far as the sentence allows it. */
static PieceSpan
window_around(PieceSpan span, size_t n, size_t room)
{
	size_t length = span.end - span.first;
	size_t first = span.first;

	if (length < room)
	{
		size_t before = (room - length) / 2;

		first = span.first > before ? span.first - before : 0;
	}
	if (first + room > n)
		first = n - room;
	return (PieceSpan){first, first + room};
}

/*
 * The pieces that are read, in one window or in two that do not overlap; the second is empty
 * where one is enough.
 */
static void
choose_windows(size_t n, PieceSpan head, PieceSpan tail, size_t room, PieceSpan windows[2])
{
	PieceSpan first = head.first <= tail.first ? head : tail;
	PieceSpan second = head.first <= tail.first ? tail : head;
	PieceSpan both = {first.first, first.end > second.end ? first.end : second.end};

	windows[1] = (PieceSpan){n, n};
	if (n <= room)
	{
		windows[0] = (PieceSpan){0, n};
		return;
	}
	if (both.end - both.first <= room || room < 2)
	{
		windows[0] = window_around(both, n, room);
		return;
	}
	windows[0] = window_around(first, n, room - room / 2);
	windows[1] = window_around(second, n, room / 2);
	if (windows[1].first < windows[0].end)
	{
		/* They meet: the second one begins where the first ends. */
		windows[1].first = windows[0].end;
		windows[1].end = windows[0].end + room / 2 < n ? windows[0].end + room / 2 : n;
	}
}

/* The token of piece i; pieces that are not read have that of the nearest one that is. */
static uint32_t
token_of(const PieceSpan windows[2], size_t n_before, size_t i)
{
	size_t in_first = windows[0].end - windows[0].first;

	if (windows[1].end > windows[1].first && i >= windows[1].first)
	{
		size_t last = windows[1].end - 1;

		return (uint32_t) (n_before + in_first + (i < last ? i : last) - windows[1].first);
	}
	if (i < windows[0].first)
		i = windows[0].first;
	if (i >= windows[0].end)
		i = windows[0].end - 1;
	return (uint32_t) (n_before + i - windows[0].first);
}

static MrenStatus
reserve(const MrenEnv *env, MrenMarkerTokenBuffer *buffer, size_t n, MrenError *err)
{
	if (n <= buffer->capacity)
		return MREN_OK;
	mren_marker_tokens_free(env, buffer);
	MREN_TRY(mren_allocate(env, n, sizeof(int32_t), &buffer->ids, err));
	MREN_TRY(mren_allocate(env, n, sizeof(uint32_t), &buffer->chars, err));
	buffer->capacity = n;
	return MREN_OK;
}

void
mren_marker_tokens_free(const MrenEnv *env, MrenMarkerTokenBuffer *buffer)
{
	mren_release(env, buffer->ids);
	mren_release(env, buffer->chars);
	memset(buffer, 0, sizeof(*buffer));
}

static size_t
put_special(MrenMarkerTokenBuffer *buffer, size_t at, const uint32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++, at++)
	{
		buffer->ids[at] = (int32_t) ids[i];
		buffer->chars[at] = UINT32_MAX;
	}
	return at;
}

static size_t
put_pieces(MrenMarkerTokenBuffer *buffer, size_t at, const MrenPieces *pieces, PieceSpan window)
{
	for (size_t i = window.first; i < window.end; i++, at++)
	{
		buffer->ids[at] = (int32_t) pieces->piece[i].id;
		buffer->chars[at] = pieces->piece[i].start;
	}
	return at;
}

MrenStatus
mren_marker_tokens(const MrenEnv *env, const MrenMarkerText *text, MrenMarkerTokenBuffer *buffer,
				   MrenMarkedTokens *tokens, MrenError *err)
{
	const MrenPieces *pieces = text->pieces;
	const uint32_t *before;
	const uint32_t *after;
	size_t n_before = mren_subword_prefix(text->tokenizer, &before);
	size_t n_after = mren_subword_suffix(text->tokenizer, &after);
	size_t most =
		text->max_tokens < MREN_MARKER_MAX_TOKENS ? text->max_tokens : MREN_MARKER_MAX_TOKENS;
	PieceSpan head = pieces_of(pieces, text->head);
	PieceSpan tail = pieces_of(pieces, text->tail);
	PieceSpan windows[2];
	size_t n;

	*tokens = (MrenMarkedTokens){0};
	if (pieces->n == 0)
		return MREN_OK;
	if (n_before + n_after >= most)
		return mren_fail(err, MREN_EDATA, "special tokens leave no position for text");
	choose_windows(pieces->n, head, tail, most - n_before - n_after, windows);
	MREN_TRY(reserve(env, buffer, most, err));
	n = put_special(buffer, 0, before, n_before);
	n = put_pieces(buffer, n, pieces, windows[0]);
	n = put_pieces(buffer, n, pieces, windows[1]);
	n = put_special(buffer, n, after, n_after);
	*tokens = (MrenMarkedTokens){.ids = buffer->ids,
								 .n = (uint32_t) n,
								 .windowed = n - n_before - n_after < pieces->n,
								 .marks = {token_of(windows, n_before, head.first),
										   token_of(windows, n_before, head.end - 1),
										   token_of(windows, n_before, tail.first),
										   token_of(windows, n_before, tail.end - 1)}};
	return MREN_OK;
}
