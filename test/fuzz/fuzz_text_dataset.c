/*
 * fuzz_text_dataset.c
 *	  Any bytes as one of the published sets, JSON and Python literals among them.
 *
 * The first byte says which.  Checks that each row's mentions lie in its
 * sentence and that what was unescaped is valid text.
 */
#include "fuzz.h"

#include <string.h>

#include "text/dataset/dataset.h"
#include "base/utf8.h"

/* Pairs of entities grow with the square of the input. */
#define MAX_ROWS 2000

static void
check_text(MrenTextSpan text)
{
	if (text.data != NULL && memchr(text.data, '\0', text.len) != NULL)
		abort();
}

static void
check_mention(int32_t lower, int32_t upper, size_t n_chars)
{
	if (lower < 0 || lower > upper || (size_t) upper > n_chars)
		abort();
}

static void
check_row(const MrenDatasetRow *row, bool json)
{
	size_t n_chars = mren_utf8_length(row->sentence.data, row->sentence.len);

	if (row->sentence.data == NULL || !mren_utf8_valid(row->sentence.data, row->sentence.len, NULL))
		abort();
	check_mention(row->head_lower, row->head_upper, n_chars);
	check_mention(row->tail_lower, row->tail_upper, n_chars);
	if (!json)
		return;
	check_text(row->sentence);
	check_text(row->id);
	check_text(row->relation);
	check_text(row->head_name);
	check_text(row->tail_type);
	check_text(row->image_name);
}

/* The text, up to the first line feed, and its annotations. */
static MrenStatus
open_brat(const MrenEnv *env, const char *data, size_t size, MrenDataset **dataset, MrenError *err)
{
	const char *end = memchr(data, '\n', size);
	size_t n = end != NULL ? (size_t) (end - data) : size;
	size_t at = end != NULL ? n + 1 : n;

	return mren_dataset_open_brat(env, (MrenTextSpan){data, n},
								  (MrenTextSpan){data + at, size - at}, dataset, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 64 << 20);
	MrenDataset *dataset;
	MrenDatasetKind kind;
	MrenStatus status;
	MrenError err = {0};
	bool more = true;

	if (size == 0)
		return 0;
	kind = (MrenDatasetKind) (data[0] % 9);
	if (kind == MREN_DATASET_BRAT)
		status = open_brat(env, (const char *) data + 1, size - 1, &dataset, &err);
	else
		status = mren_dataset_open(env, kind, (const char *) data + 1, size - 1, data[0] & 0x80,
								   &dataset, &err);
	for (size_t n = 0; status == MREN_OK && more && n < MAX_ROWS; n++)
	{
		MrenDatasetRow row;

		status = mren_dataset_next(dataset, &row, &more, &err);
		if (status == MREN_OK && more)
			check_row(&row, kind != MREN_DATASET_SEMEVAL && kind != MREN_DATASET_BRAT);
	}
	if (status != MREN_OK && strlen(err.message) == 0)
		abort();
	mren_dataset_close(dataset);
	fuzz_done(&fuzz);
	return 0;
}
