/*
 * read_rows.c
 *	  Between all tokens of a batch and those that are read.
 */
#include "transformer/read_rows.h"

#include <string.h>

void
mren_read_rows_fill(MrenReadRows *rows, const MrenTransformerBatch *batch)
{
	rows->n = 0;
	for (size_t i = 0; i < batch->n_tokens; i++)
	{
		rows->before[i] = (uint32_t) rows->n;
		if (batch->read == NULL || batch->read[i])
			rows->tokens[rows->n++] = (uint32_t) i;
	}
	rows->before[batch->n_tokens] = (uint32_t) rows->n;
}

void
mren_read_rows_gather(const MrenReadRows *rows, const float *x, size_t width, float *to)
{
	/* A token is never before its row, so no row is overwritten before it is read. */
	for (size_t i = 0; i < rows->n; i++)
		memmove(to + i * width, x + rows->tokens[i] * width, width * sizeof(float));
}

void
mren_read_rows_spread(const MrenReadRows *rows, size_t n_tokens, size_t width, float *x)
{
	size_t end = n_tokens;

	for (size_t i = rows->n; i-- > 0; end = rows->tokens[i])
	{
		size_t token = rows->tokens[i];

		memset(x + (token + 1) * width, 0, (end - token - 1) * width * sizeof(float));
		memmove(x + token * width, x + i * width, width * sizeof(float));
	}
	memset(x, 0, end * width * sizeof(float));
}
