/*
 * dataset_brat.c
 *	  A document annotated in brat's standoff format: https://brat.nlplab.org/standoff.html
 *
 * Lines of annotations, each with an identifier, a tab and what it says:
 *
 *	T1	Person 0 12	Ada Lovelace		a mention; characters of the text
 *	R1	Born_in Arg1:T1 Arg2:T2			a relation: two arguments, in this order
 *	E1	Birth:T3 Person:T1				an event: relations may name it for its trigger
 *	*	Equiv T1 T4						mentions of one entity
 *
 * A mention in several pieces reaches from the first to the last.  Attributes,
 * normalizations and notes are passed over.  Sentences are those of
 * text/sentences.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/dataset/dataset_parts.h"
#include "text/sentences.h"
#include "base/sort.h"
#include "base/utf8.h"

/* The next of the fields that one character divides; false at the end. */
static bool
next_field(MrenTextSpan *rest, char divider, MrenTextSpan *field)
{
	const char *end;

	if (rest->data == NULL)
		return false;
	end = rest->len > 0 ? memchr(rest->data, divider, rest->len) : NULL;
	field->data = rest->data;
	field->len = end != NULL ? (size_t) (end - rest->data) : rest->len;
	if (end == NULL)
		*rest = (MrenTextSpan){NULL, 0};
	else
		*rest = (MrenTextSpan){end + 1, rest->len - field->len - 1};
	return true;
}

/* A whole number of one to nine digits. */
static bool
read_number(MrenTextSpan text, uint32_t *number)
{
	*number = 0;
	if (text.len == 0 || text.len > 9)
		return false;
	for (size_t i = 0; i < text.len; i++)
	{
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*number = *number * 10 + (uint32_t) (text.data[i] - '0');
	}
	return true;
}

/* "T12" or "E3", with the letter as given. */
static bool
read_reference(MrenTextSpan text, char letter, uint32_t *number)
{
	return text.len > 1 && text.data[0] == letter &&
		   read_number((MrenTextSpan){text.data + 1, text.len - 1}, number);
}

static MrenStatus
fail_line(const MrenDataset *dataset, MrenTextSpan line, const char *want, MrenError *err)
{
	return mren_dataset_fail(dataset, err, "expected %s, found \"%s\"", want,
							 mren_utf8_excerpt(line.data, line.len).text);
}

/* Whether two texts are the same but for the kind of white space, of which brat keeps blanks. */
static bool
same_text(MrenTextSpan a, MrenTextSpan b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
	{
		bool blank =
			a.data[i] == ' ' || a.data[i] == '\n' || a.data[i] == '\r' || a.data[i] == '\t';

		if (a.data[i] != b.data[i] && !(blank && strchr(" \n\r\t", b.data[i]) != NULL))
			return false;
	}
	return true;
}

/* "Person 0 5;8 12": the type, and the characters from the first piece to the last. */
static MrenStatus
read_place(const MrenDataset *dataset, MrenTextSpan line, MrenTextSpan place, MrenMark *mark,
		   bool *pieces, MrenError *err)
{
	static const char want[] = "a type and two numbers";
	MrenTextSpan field;
	uint32_t lower;
	uint32_t upper;

	if (!next_field(&place, ' ', &mark->type) || mark->type.len == 0 ||
		!next_field(&place, ' ', &field) || !read_number(field, &lower) || place.data == NULL)
		return fail_line(dataset, line, want, err);
	*pieces = memchr(place.data, ';', place.len) != NULL;
	for (size_t i = place.len; *pieces && i > 0; i--)
	{
		/* The end of the last piece stands last. */
		if (place.data[i - 1] == ' ')
		{
			place.data += i;
			place.len -= i;
			break;
		}
	}
	if (!read_number(place, &upper))
		return fail_line(dataset, line, want, err);
	return mren_dataset_char_range(dataset, "mention", (int32_t) lower, (int32_t) upper,
								   &mark->chars, err);
}

static MrenStatus
check_text(const MrenDataset *dataset, const MrenMark *mark, MrenTextSpan given, MrenError *err)
{
	MrenTextSpan text = mren_dataset_sentence(dataset);
	size_t start = mren_utf8_offset(text.data, text.len, (size_t) mark->chars.lower);
	size_t end = start + mren_utf8_offset(text.data + start, text.len - start,
										  (size_t) (mark->chars.upper - mark->chars.lower));

	if (same_text((MrenTextSpan){text.data + start, end - start}, given))
		return MREN_OK;
	mren_dataset_fail(dataset, err, "the mention is \"%s\", but the text has \"%s\" there",
					  mren_utf8_excerpt(given.data, given.len).text,
					  mren_utf8_excerpt(text.data + start, end - start).text);
	mren_error_hint(err, "The annotations must be of this text; positions count characters.");
	return MREN_EFORMAT;
}

static MrenStatus
add_mark(MrenDataset *dataset, MrenTextSpan line, MrenTextSpan id, MrenTextSpan rest,
		 MrenError *err)
{
	MrenMark mark = {.entity = (uint32_t) dataset->n_marks};
	MrenTextSpan place;
	bool pieces;

	if (!read_reference(id, 'T', &mark.number))
		return fail_line(dataset, line, "a mention's number", err);
	next_field(&rest, '\t', &place);
	MREN_TRY(read_place(dataset, line, place, &mark, &pieces, err));
	if (rest.data != NULL && !pieces)
		MREN_TRY(check_text(dataset, &mark, rest, err));
	MREN_TRY(mren_grow(&dataset->env, &dataset->marks, &dataset->marks_capacity, dataset->n_marks,
					   dataset->n_marks + 1, sizeof(*dataset->marks), err));
	dataset->marks[dataset->n_marks++] = mark;
	return MREN_OK;
}

/* An event is known by its trigger, whose number is kept until mentions are sorted. */
static MrenStatus
add_event(MrenDataset *dataset, MrenTextSpan line, MrenTextSpan id, MrenTextSpan rest,
		  MrenError *err)
{
	MrenKeyed event = {0, 0};
	MrenTextSpan trigger;
	MrenTextSpan type;
	uint32_t number;
	uint32_t mention;

	if (!read_reference(id, 'E', &number) || !next_field(&rest, ' ', &trigger) ||
		!next_field(&trigger, ':', &type) || !read_reference(trigger, 'T', &mention))
		return fail_line(dataset, line, "an event with its trigger", err);
	event.key = number;
	event.at = mention;
	MREN_TRY(mren_grow(&dataset->env, &dataset->events, &dataset->events_capacity,
					   dataset->n_events, dataset->n_events + 1, sizeof(*dataset->events), err));
	dataset->events[dataset->n_events++] = event;
	return MREN_OK;
}

/* Relations and equivalences are read when all mentions are there. */
static MrenStatus
read_line(MrenDataset *dataset, MrenTextSpan line, MrenError *err)
{
	MrenTextSpan rest = line;
	MrenTextSpan id;

	next_field(&rest, '\t', &id);
	if (rest.data == NULL)
		return fail_line(dataset, line, "an identifier and a tab", err);
	switch (id.len > 0 ? id.data[0] : '\0')
	{
		case 'T':
			return add_mark(dataset, line, id, rest, err);
		case 'E':
			return add_event(dataset, line, id, rest, err);
		case 'R':
		case '*':
		case 'A':
		case 'M':
		case 'N':
		case '#':
			return MREN_OK;
		default:
			return fail_line(dataset, line,
							 "an identifier that begins with T, R, E, A, M, N, # or *", err);
	}
}

/* The next line that is not blank, without its end; false after the last. */
static bool
next_line(MrenDataset *dataset, MrenTextSpan *line)
{
	while (dataset->at < dataset->n_annotations)
	{
		MrenTextSpan rest = {dataset->annotations + dataset->at,
							 dataset->n_annotations - dataset->at};

		next_field(&rest, '\n', line);
		dataset->at += line->len + 1;
		dataset->line++;
		if (line->len > 0 && line->data[line->len - 1] == '\r')
			line->len--;
		snprintf(dataset->place, sizeof(dataset->place), "line %lld", (long long) dataset->line);
		if (!mren_text_is_blank(line->data, line->len))
			return true;
	}
	return false;
}

/* Marks by number: where they are in the order of the file. */
static MrenStatus
sort_marks(MrenDataset *dataset, MrenError *err)
{
	MREN_TRY(mren_grow(&dataset->env, &dataset->by_number, &dataset->by_number_capacity, 0,
					   dataset->n_marks, sizeof(*dataset->by_number), err));
	for (size_t i = 0; i < dataset->n_marks; i++)
		dataset->by_number[i] = (MrenKeyed){dataset->marks[i].number, i};
	mren_sort_keyed(dataset->by_number, dataset->n_marks, NULL, NULL);
	for (size_t i = 1; i < dataset->n_marks; i++)
	{
		if (dataset->by_number[i - 1].key == dataset->by_number[i].key)
			return mren_dataset_fail(dataset, err, "two mentions are T%u",
									 (unsigned) dataset->by_number[i].key);
	}
	mren_sort_keyed(dataset->events, dataset->n_events, NULL, NULL);
	return MREN_OK;
}

static const MrenKeyed *
find_keyed(const MrenKeyed *items, size_t n, uint32_t key)
{
	size_t low = 0;

	while (low < n)
	{
		size_t middle = low + (n - low) / 2;

		if (items[middle].key == key)
			return &items[middle];
		if (items[middle].key < key)
			low = middle + 1;
		else
			n = middle;
	}
	return NULL;
}

/* The mention that "T1" names, or "E1" by its trigger. */
static MrenStatus
find_mark(MrenDataset *dataset, MrenTextSpan line, MrenTextSpan reference, size_t *mark,
		  MrenError *err)
{
	const MrenKeyed *found;
	uint32_t number;

	if (read_reference(reference, 'E', &number))
	{
		found = find_keyed(dataset->events, dataset->n_events, number);
		if (found == NULL)
			return mren_dataset_fail(dataset, err, "there is no event E%u", number);
		number = (uint32_t) found->at;
	}
	else if (!read_reference(reference, 'T', &number))
		return fail_line(dataset, line, "a mention such as T1", err);
	found = find_keyed(dataset->by_number, dataset->n_marks, number);
	if (found == NULL)
		return mren_dataset_fail(dataset, err, "there is no mention T%u", number);
	*mark = found->at;
	return MREN_OK;
}

/* The first mention of a mention's entity; paths are halved on the way. */
static uint32_t
first_mark(MrenDataset *dataset, size_t mark)
{
	MrenMark *marks = dataset->marks;

	while (marks[mark].entity != mark)
	{
		marks[mark].entity = marks[marks[mark].entity].entity;
		mark = marks[mark].entity;
	}
	return (uint32_t) mark;
}

static MrenStatus
join_marks(MrenDataset *dataset, MrenTextSpan line, MrenTextSpan rest, MrenError *err)
{
	MrenTextSpan field;
	uint32_t first = 0;
	bool has_first = false;

	if (!next_field(&rest, ' ', &field) || field.len != 5 || memcmp(field.data, "Equiv", 5) != 0)
		return MREN_OK;
	while (next_field(&rest, ' ', &field))
	{
		size_t mark = 0;
		uint32_t other;

		if (field.len == 0)
			continue;
		MREN_TRY(find_mark(dataset, line, field, &mark, err));
		other = first_mark(dataset, mark);
		if (!has_first)
			first = other;
		has_first = true;
		dataset->marks[first > other ? first : other].entity = first < other ? first : other;
		first = first < other ? first : other;
	}
	return MREN_OK;
}

static MrenStatus
each_line(MrenDataset *dataset, bool marks, MrenError *err)
{
	MrenTextSpan line;

	dataset->at = 0;
	dataset->line = 0;
	while (next_line(dataset, &line))
	{
		MREN_TRY(mren_check_interrupts(&dataset->env, err));
		if (marks)
			MREN_TRY(read_line(dataset, line, err));
		else if (line.data[0] == '*' && line.len > 2)
			MREN_TRY(join_marks(dataset, line, (MrenTextSpan){line.data + 2, line.len - 2}, err));
	}
	dataset->place[0] = '\0';
	return MREN_OK;
}

static MrenStatus
take_sentences(MrenDataset *dataset, MrenError *err)
{
	MrenSentencer *sentencer;
	MrenStatus status;

	MREN_TRY(mren_sentencer_open(&dataset->env, "", &sentencer, err));
	status = mren_sentences(sentencer, &dataset->env, dataset->content, dataset->len,
							&dataset->sentences, err);
	mren_sentencer_close(sentencer);
	return status;
}

MrenStatus
mren_brat_start(MrenDataset *dataset, MrenError *err)
{
	MREN_TRY(take_sentences(dataset, err));
	mren_dataset_start_sentence(dataset);
	MREN_TRY(mren_dataset_append(dataset, dataset->content, dataset->len, err));
	if (!mren_utf8_valid(dataset->annotations, dataset->n_annotations, NULL))
		return mren_fail(err, MREN_EFORMAT, "annotations are not valid UTF-8");
	MREN_TRY(each_line(dataset, true, err));
	MREN_TRY(sort_marks(dataset, err));
	MREN_TRY(each_line(dataset, false, err));
	dataset->at = 0;
	dataset->line = 0;
	dataset->part = MREN_PART_DOCUMENT;
	return MREN_OK;
}

static MrenStatus
next_relation(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	MrenTextSpan line;

	while (!*more && next_line(dataset, &line))
	{
		MrenTextSpan rest = line;
		MrenTextSpan field;
		int32_t *const ends[] = {&row->head, &row->tail};

		if (line.data[0] != 'R')
			continue;
		next_field(&rest, '\t', &field);
		if (!next_field(&rest, ' ', &row->relation) || row->relation.len == 0)
			return fail_line(dataset, line, "a relation with two arguments", err);
		for (int i = 0; i < 2; i++)
		{
			MrenTextSpan role;
			size_t mark = 0;

			if (!next_field(&rest, ' ', &field) || !next_field(&field, ':', &role) ||
				field.data == NULL)
				return fail_line(dataset, line, "a relation with two arguments", err);
			MREN_TRY(find_mark(dataset, line, field, &mark, err));
			*ends[i] = (int32_t) first_mark(dataset, mark);
		}
		row->part = MREN_PART_FACT;
		*more = true;
	}
	return MREN_OK;
}

MrenStatus
mren_brat_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	if (mren_dataset_next_text(dataset, row))
	{
		*more = true;
		return MREN_OK;
	}
	if (dataset->mark < dataset->n_marks)
	{
		const MrenMark *mark = &dataset->marks[dataset->mark];

		row->part = MREN_PART_MENTION;
		row->entity = (int32_t) first_mark(dataset, dataset->mark);
		row->head_type = mark->type;
		mren_dataset_fill_sentence(dataset, mark->chars, (MrenChars){0, 0}, row);
		dataset->mark++;
		*more = true;
		return MREN_OK;
	}
	return next_relation(dataset, row, more, err);
}
