/*
 * dataset_semeval.c
 *	  SemEval-2010 Task 8: its training files and, without relations, its
 *	  test files.
 */
#include <stdio.h>
#include <string.h>

#include "text/dataset/dataset_parts.h"
#include "base/utf8.h"

static MrenTextSpan
trim(MrenTextSpan text)
{
	while (text.len > 0 && strchr(" \t", text.data[0]) != NULL && text.data[0] != '\0')
	{
		text.data++;
		text.len--;
	}
	while (text.len > 0 && text.data[text.len - 1] != '\0' &&
		   strchr(" \t", text.data[text.len - 1]) != NULL)
		text.len--;
	return text;
}

/*
 * The line at dataset->at without its end, and how long it is with it.  It ends
 * with a line feed, a carriage return, or both; a file may have all of them.
 */
static MrenTextSpan
peek_line(const MrenDataset *dataset, size_t *whole)
{
	const char *start = dataset->content + dataset->at;
	size_t left = dataset->len - dataset->at;
	size_t len = 0;

	while (len < left && start[len] != '\n' && start[len] != '\r')
		len++;
	*whole = len;
	if (*whole < left)
		*whole += start[len] == '\r' && left - len > 1 && start[len + 1] == '\n' ? 2 : 1;
	return trim((MrenTextSpan){start, len});
}

static void
skip_line(MrenDataset *dataset, size_t whole)
{
	dataset->at += whole;
	dataset->line++;
	snprintf(dataset->place, sizeof(dataset->place), "line %lld", (long long) dataset->line);
}

/* "8001<tab>..." and its parts; false if the line is none such. */
static bool
split_record(MrenTextSpan line, MrenTextSpan *id, MrenTextSpan *sentence)
{
	size_t n = 0;

	while (n < line.len && line.data[n] >= '0' && line.data[n] <= '9')
		n++;
	if (n == 0 || n == line.len || (line.data[n] != '\t' && line.data[n] != ' '))
		return false;
	*id = (MrenTextSpan){line.data, n};
	*sentence = trim((MrenTextSpan){line.data + n, line.len - n});
	return true;
}

static const char *const marks[MREN_DATASET_MARKS] = {"<e1>", "</e1>", "<e2>", "</e2>"};

/* The sentence is the text without its marks; places[] are where they stood. */
static MrenStatus
strip_marks(MrenDataset *dataset, MrenTextSpan text, int32_t *places, MrenError *err)
{
	size_t from = 0;
	size_t at = 0;

	mren_dataset_start_sentence(dataset);
	while (at < text.len)
	{
		const char *angle = memchr(text.data + at, '<', text.len - at);
		int mark;

		if (angle == NULL)
			break;
		at = (size_t) (angle - text.data);
		mark = mren_dataset_mark_at(marks, angle, text.len - at);
		if (mark == MREN_DATASET_MARKS)
		{
			at++;
			continue;
		}
		if (places[mark] >= 0)
			return mren_dataset_fail(dataset, err, "mark \"%s\" occurs twice", marks[mark]);
		MREN_TRY(mren_dataset_append(dataset, text.data + from, at - from, err));
		places[mark] = dataset->n_chars;
		at += strlen(marks[mark]);
		from = at;
	}
	return mren_dataset_append(dataset, text.data + from, text.len - from, err);
}

static MrenStatus
take_sentence(MrenDataset *dataset, MrenTextSpan text, MrenDatasetRow *row, MrenError *err)
{
	int32_t places[MREN_DATASET_MARKS] = {-1, -1, -1, -1};
	size_t bad;

	if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
		text = (MrenTextSpan){text.data + 1, text.len - 2};
	if (!mren_utf8_valid(text.data, text.len, &bad))
		return mren_dataset_fail(dataset, err, "sentence is not valid UTF-8 at byte %zu", bad + 1);
	MREN_TRY(strip_marks(dataset, text, places, err));
	return mren_dataset_fill_marked(dataset, marks, places, "sentence", row, err);
}

/* The lines between a sentence and the next: its relation and its comment. */
static MrenStatus
take_label(MrenDataset *dataset, MrenDatasetRow *row, MrenError *err)
{
	static const char prefix[] = "Comment:";

	while (dataset->at < dataset->len)
	{
		size_t whole;
		MrenTextSpan line = peek_line(dataset, &whole);
		MrenTextSpan id;
		MrenTextSpan sentence;

		if (line.len == 0 || split_record(line, &id, &sentence))
			break;
		skip_line(dataset, whole);
		if (line.len >= sizeof(prefix) - 1 && memcmp(line.data, prefix, sizeof(prefix) - 1) == 0)
		{
			line.data += sizeof(prefix) - 1;
			line.len -= sizeof(prefix) - 1;
			row->comment = trim(line);
			if (row->comment.len == 0)
				row->comment.data = NULL;
		}
		else if (row->relation.data == NULL && row->comment.data == NULL)
			row->relation = line;
		else
			return mren_dataset_fail(dataset, err,
									 "expected a comment, a blank line or a sentence, found \"%s\"",
									 mren_utf8_excerpt(line.data, line.len).text);
	}
	return MREN_OK;
}

MrenStatus
mren_semeval_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	while (dataset->at < dataset->len)
	{
		size_t whole;
		MrenTextSpan line = peek_line(dataset, &whole);
		MrenTextSpan sentence;

		skip_line(dataset, whole);
		if (line.len == 0)
			continue;
		if (!split_record(line, &row->id, &sentence))
			return mren_dataset_fail(dataset, err,
									 "expected a number, a tab and a sentence, found \"%s\"",
									 mren_utf8_excerpt(line.data, line.len).text);
		MREN_TRY(take_sentence(dataset, sentence, row, err));
		*more = true;
		return take_label(dataset, row, err);
	}
	return MREN_OK;
}
