/*
 * dataset.c
 *	  Opening a dataset, and the parts its readers share.
 */
#include "text/dataset/dataset.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "text/dataset/dataset_parts.h"
#include "text/tokens.h"

static bool
is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '\0' || strchr(" \t\r\n", text[i]) == NULL)
			return false;
	}
	return true;
}

static bool
may_be_list(MrenDatasetKind kind)
{
	return kind == MREN_DATASET_CONLL04 || kind == MREN_DATASET_TACRED ||
		   kind == MREN_DATASET_DOCRED;
}

/* The outermost value must be a list or an object, as the kind has it. */
static MrenStatus
enter_root(MrenDataset *dataset, MrenError *err)
{
	const MrenLiteralNode *root = dataset->literal.nodes;
	bool list = root->kind == MREN_LITERAL_LIST;

	if (root->kind != MREN_LITERAL_MAP && !(list && may_be_list(dataset->kind)))
		return mren_fail(err, MREN_EFORMAT, "content is not %s",
						 dataset->kind == MREN_DATASET_DOCRED
							 ? "a list of documents, nor a single one"
						 : may_be_list(dataset->kind) ? "a list of sentences, nor a single one"
													  : "an object");
	if (dataset->kind == MREN_DATASET_FEWREL)
	{
		dataset->n_groups = root->n;
		dataset->node = 1;
	}
	else
	{
		dataset->n_left = list ? root->n : 1;
		dataset->node = list;
	}
	return MREN_OK;
}

/* A byte-order mark, which some editors put in front of UTF-8, is no part of any format. */
static void
skip_byte_order_mark(MrenDataset *dataset)
{
	if (dataset->len >= 3 && memcmp(dataset->content, "\xEF\xBB\xBF", 3) == 0)
	{
		dataset->content += 3;
		dataset->len -= 3;
	}
}

static MrenStatus
start(MrenDataset *dataset, MrenError *err)
{
	MrenSyntax syntax = MREN_SYNTAX_JSON;

	skip_byte_order_mark(dataset);
	if (dataset->kind == MREN_DATASET_SEMEVAL || is_blank(dataset->content, dataset->len))
		return MREN_OK;
	if (dataset->kind == MREN_DATASET_MNRE)
		syntax = MREN_SYNTAX_PYTHON;
	MREN_TRY(mren_literal_parse(&dataset->env, syntax, dataset->content, dataset->len,
								&dataset->literal, err));
	return enter_root(dataset, err);
}

/* A copy, so that what is given may be on the stack. */
static MrenStatus
open_dataset(const MrenDataset *given, MrenDataset **dataset, MrenError *err)
{
	MrenDataset *fresh;
	MrenStatus status;

	*dataset = NULL;
	MREN_TRY(mren_allocate_zero(&given->env, 1, sizeof(*fresh), &fresh, err));
	*fresh = *given;
	status = given->kind == MREN_DATASET_BRAT ? mren_brat_start(fresh, err) : start(fresh, err);
	if (status != MREN_OK)
		mren_dataset_close(fresh);
	else
		*dataset = fresh;
	return status;
}

MrenStatus
mren_dataset_open(const MrenEnv *env, MrenDatasetKind kind, const char *content, size_t len,
				  bool negatives, MrenDataset **dataset, MrenError *err)
{
	MrenDataset given = {
		.env = *env, .kind = kind, .content = content, .len = len, .negatives = negatives};

	return open_dataset(&given, dataset, err);
}

MrenStatus
mren_dataset_open_brat(const MrenEnv *env, MrenTextSpan text, MrenTextSpan annotations,
					   MrenDataset **dataset, MrenError *err)
{
	MrenDataset given = {.env = *env,
						 .kind = MREN_DATASET_BRAT,
						 .content = text.data,
						 .len = text.len,
						 .annotations = annotations.data,
						 .n_annotations = annotations.len};

	return open_dataset(&given, dataset, err);
}

MrenStatus
mren_dataset_next(MrenDataset *dataset, MrenDatasetRow *row, bool *more, MrenError *err)
{
	memset(row, 0, sizeof(*row));
	*more = false;
	MREN_TRY(mren_check_interrupts(&dataset->env, err));
	switch (dataset->kind)
	{
		case MREN_DATASET_SEMEVAL:
			return mren_semeval_next(dataset, row, more, err);
		case MREN_DATASET_FEWREL:
			return mren_fewrel_next(dataset, row, more, err);
		case MREN_DATASET_CONLL04:
			return mren_conll04_next(dataset, row, more, err);
		case MREN_DATASET_TACRED:
			return mren_tacred_next(dataset, row, more, err);
		case MREN_DATASET_MARKED:
			return mren_marked_next(dataset, row, more, err);
		case MREN_DATASET_DOCRED:
			return mren_docred_next(dataset, row, more, err);
		case MREN_DATASET_BRAT:
			return mren_brat_next(dataset, row, more, err);
		case MREN_DATASET_OPENNRE:
		case MREN_DATASET_MNRE:
			break;
	}
	return mren_opennre_next(dataset, row, more, err);
}

void
mren_dataset_close(MrenDataset *dataset)
{
	MrenEnv env;

	if (dataset == NULL)
		return;
	env = dataset->env;
	mren_literal_free(&env, &dataset->literal);
	mren_release(&env, dataset->sentence);
	mren_release(&env, dataset->tokens);
	mren_release(&env, dataset->entities);
	mren_release(&env, dataset->tags);
	mren_release(&env, dataset->tagged);
	mren_tokens_free(&env, &dataset->sentences);
	mren_release(&env, dataset->marks);
	mren_release(&env, dataset->by_number);
	mren_release(&env, dataset->events);
	mren_release(&env, dataset);
}

MrenStatus
mren_dataset_fail(const MrenDataset *dataset, MrenError *err, const char *fmt, ...)
{
	char what[384];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return mren_fail(err, MREN_EFORMAT, "%s%s%s", dataset->place,
					 dataset->place[0] != '\0' ? ": " : "", what);
}

void
mren_dataset_start_sentence(MrenDataset *dataset)
{
	dataset->n_sentence = 0;
	dataset->n_chars = 0;
	dataset->n_tokens = 0;
}

MrenStatus
mren_dataset_append(MrenDataset *dataset, const char *text, size_t len, MrenError *err)
{
	/* No model, and no tokenizer, takes a longer one. */
	MREN_TRY(mren_text_check_length(dataset->n_sentence + len, err));
	MREN_TRY(mren_grow(&dataset->env, &dataset->sentence, &dataset->sentence_capacity,
					   dataset->n_sentence, dataset->n_sentence + len, 1, err));
	if (len > 0)
		memcpy(dataset->sentence + dataset->n_sentence, text, len);
	dataset->n_sentence += len;
	dataset->n_chars += (int32_t) mren_utf8_length(text, len);
	return MREN_OK;
}

/* The Penn Treebank's names of brackets. */
static const char *const brackets[][2] = {
	{"-LRB-", "("}, {"-RRB-", ")"}, {"-LSB-", "["}, {"-RSB-", "]"}, {"-LCB-", "{"}, {"-RCB-", "}"},
};

/* The token as it is in the sentence: with tacred's brackets unescaped. */
static MrenTextSpan
token_text(const MrenDataset *dataset, const MrenLiteralNode *token)
{
	if (dataset->kind == MREN_DATASET_TACRED && token->len == 5 && token->text[0] == '-')
	{
		for (size_t i = 0; i < sizeof(brackets) / sizeof(*brackets); i++)
		{
			if (memcmp(token->text, brackets[i][0], 5) == 0)
				return (MrenTextSpan){brackets[i][1], 1};
		}
	}
	return (MrenTextSpan){token->text, token->len};
}

MrenStatus
mren_dataset_join_more(MrenDataset *dataset, const MrenLiteralNode *node, const char *key,
					   MrenError *err)
{
	const MrenLiteralNode *nodes = dataset->literal.nodes;
	size_t n = dataset->n_tokens;
	size_t at;

	if (node == NULL)
		return mren_dataset_fail(dataset, err, "\"%s\" is missing", key);
	if (node->kind != MREN_LITERAL_LIST)
		return mren_dataset_fail(dataset, err, "\"%s\" is not a list", key);
	at = (size_t) (node - nodes) + 1;
	MREN_TRY(mren_grow(&dataset->env, &dataset->tokens, &dataset->tokens_capacity, n, n + node->n,
					   sizeof(*dataset->tokens), err));
	for (uint32_t i = 0; i < node->n; i++)
	{
		const MrenLiteralNode *token = &nodes[at];
		MrenTextSpan text;
		int32_t lower;

		if (token->kind != MREN_LITERAL_STRING)
			return mren_dataset_fail(dataset, err, "\"%s\" has an element %u that is not a string",
									 key, i + 1);
		if (i % 4096 == 4095)
			MREN_TRY(mren_check_interrupts(&dataset->env, err));
		if (i > 0)
			MREN_TRY(mren_dataset_append(dataset, " ", 1, err));
		lower = dataset->n_chars;
		text = token_text(dataset, token);
		if (text.len == 0)
			return mren_dataset_fail(dataset, err, "\"%s\" has an element %u that is empty", key,
									 i + 1);
		MREN_TRY(mren_dataset_append(dataset, text.data, text.len, err));
		dataset->tokens[n + i] =
			(MrenPlacedToken){{lower, dataset->n_chars}, mren_text_is_blank(text.data, text.len)};
		at = token->next;
	}
	dataset->n_tokens = n + node->n;
	return MREN_OK;
}

MrenStatus
mren_dataset_join(MrenDataset *dataset, const MrenLiteralNode *node, const char *key,
				  MrenError *err)
{
	mren_dataset_start_sentence(dataset);
	return mren_dataset_join_more(dataset, node, key, err);
}

bool
mren_dataset_next_text(MrenDataset *dataset, MrenDatasetRow *row)
{
	MrenChars chars = {0, dataset->n_chars};

	row->part = dataset->part;
	if (dataset->part == MREN_PART_DOCUMENT)
	{
		dataset->part = MREN_PART_SENTENCE;
		dataset->next_sentence = 0;
	}
	else if (dataset->next_sentence < dataset->sentences.n)
	{
		const MrenToken *sentence = &dataset->sentences.items[dataset->next_sentence++];

		chars = (MrenChars){(int32_t) sentence->char_start, (int32_t) sentence->char_end};
	}
	else
	{
		row->part = MREN_PART_PAIR;
		row->sentence = mren_dataset_sentence(dataset);
		return false;
	}
	mren_dataset_fill_sentence(dataset, chars, (MrenChars){0, 0}, row);
	return true;
}

static MrenStatus
fail_blank(const MrenDataset *dataset, const char *what, MrenChars chars, MrenError *err)
{
	return mren_dataset_fail(dataset, err, "%s at characters [%d,%d) contains only white space",
							 what, chars.lower, chars.upper);
}

MrenStatus
mren_dataset_token_range(const MrenDataset *dataset, const char *what, int32_t lower, int32_t upper,
						 MrenChars *chars, MrenError *err)
{
	if (lower < 0 || lower >= upper || (size_t) upper > dataset->n_tokens)
		return mren_dataset_fail(dataset, err, "%s at tokens [%d,%d) is not in a sentence of %zu",
								 what, lower, upper, dataset->n_tokens);
	chars->lower = dataset->tokens[lower].chars.lower;
	chars->upper = dataset->tokens[upper - 1].chars.upper;
	while (lower < upper && dataset->tokens[lower].blank)
		lower++;
	if (lower == upper)
		return fail_blank(dataset, what, *chars, err);
	return MREN_OK;
}

MrenStatus
mren_dataset_char_range(const MrenDataset *dataset, const char *what, int32_t lower, int32_t upper,
						MrenChars *chars, MrenError *err)
{
	MrenTextSpan sentence = mren_dataset_sentence(dataset);
	size_t start;
	size_t end;

	if (lower < 0 || lower >= upper || upper > dataset->n_chars)
		return mren_dataset_fail(dataset, err,
								 "%s at characters [%d,%d) is not in a sentence of %d", what, lower,
								 upper, dataset->n_chars);
	*chars = (MrenChars){lower, upper};
	start = mren_utf8_offset(sentence.data, sentence.len, (size_t) lower);
	end = start +
		  mren_utf8_offset(sentence.data + start, sentence.len - start, (size_t) (upper - lower));
	if (mren_text_is_blank(sentence.data + start, end - start))
		return fail_blank(dataset, what, *chars, err);
	return MREN_OK;
}

static const char *
kind_name(MrenLiteralKind kind)
{
	switch (kind)
	{
		case MREN_LITERAL_NULL:
			return "null";
		case MREN_LITERAL_FALSE:
		case MREN_LITERAL_TRUE:
			return "a boolean";
		case MREN_LITERAL_NUMBER:
			return "a number";
		case MREN_LITERAL_STRING:
			return "a string";
		case MREN_LITERAL_LIST:
			return "a list";
		case MREN_LITERAL_MAP:
			break;
	}
	return "an object";
}

MrenStatus
mren_dataset_string(const MrenDataset *dataset, const MrenLiteralNode *node, const char *key,
					const char *owner, MrenTextSpan *text, MrenError *err)
{
	*text = (MrenTextSpan){NULL, 0};
	if (node == NULL)
		return MREN_OK;
	if (node->kind != MREN_LITERAL_STRING)
	{
		mren_dataset_fail(dataset, err, "\"%s\"%s%s is %s, not a string", key,
						  owner != NULL ? " of " : "", owner != NULL ? owner : "",
						  kind_name(node->kind));
		if (node->kind == MREN_LITERAL_NULL)
			mren_error_hint(err, "Leave the key out if it has no value.");
		return MREN_EFORMAT;
	}
	*text = (MrenTextSpan){node->text, node->len};
	return MREN_OK;
}

MrenStatus
mren_dataset_id(const MrenDataset *dataset, const MrenLiteralNode *row, const char *key,
				MrenTextSpan *text, MrenError *err)
{
	const MrenLiteralNode *node = mren_literal_get(&dataset->literal, row, key);

	if (node == NULL || node->kind != MREN_LITERAL_NUMBER)
		return mren_dataset_string(dataset, node, key, NULL, text, err);
	*text = (MrenTextSpan){node->text, node->len};
	return MREN_OK;
}

MrenStatus
mren_dataset_relation(const MrenDataset *dataset, const MrenLiteralNode *node, const char *key,
					  const char *owner, MrenTextSpan *text, MrenError *err)
{
	MREN_TRY(mren_dataset_string(dataset, node, key, owner, text, err));
	if (text->data != NULL && mren_text_is_blank(text->data, text->len))
		return mren_dataset_fail(dataset, err, "\"%s\"%s%s is blank", key,
								 owner != NULL ? " of " : "", owner != NULL ? owner : "");
	return MREN_OK;
}

bool
mren_dataset_int(const MrenLiteralNode *node, int32_t *value)
{
	size_t at = 0;

	if (node == NULL || node->kind != MREN_LITERAL_NUMBER)
		return false;
	at = node->text[0] == '-';
	if (node->len == at || node->len - at > 9)
		return false;
	*value = 0;
	for (size_t i = at; i < node->len; i++)
	{
		if (node->text[i] < '0' || node->text[i] > '9')
			return false;
		*value = *value * 10 + (node->text[i] - '0');
	}
	if (at == 1)
		*value = -*value;
	return true;
}

MrenTextSpan
mren_dataset_sentence(const MrenDataset *dataset)
{
	return (MrenTextSpan){dataset->sentence != NULL ? dataset->sentence : "", dataset->n_sentence};
}

void
mren_dataset_fill_sentence(const MrenDataset *dataset, MrenChars head, MrenChars tail,
						   MrenDatasetRow *row)
{
	row->sentence = mren_dataset_sentence(dataset);
	row->head_lower = head.lower;
	row->head_upper = head.upper;
	row->tail_lower = tail.lower;
	row->tail_upper = tail.upper;
}

int
mren_dataset_mark_at(const char *const names[MREN_DATASET_MARKS], const char *text, size_t len)
{
	for (int i = 0; i < MREN_DATASET_MARKS; i++)
	{
		size_t n = strlen(names[i]);

		if (len >= n && memcmp(text, names[i], n) == 0)
			return i;
	}
	return MREN_DATASET_MARKS;
}

MrenStatus
mren_dataset_fill_marked(const MrenDataset *dataset, const char *const names[MREN_DATASET_MARKS],
						 const int32_t at[MREN_DATASET_MARKS], const char *where,
						 MrenDatasetRow *row, MrenError *err)
{
	MrenChars mentions[2];

	for (int i = 0; i < MREN_DATASET_MARKS; i++)
	{
		if (at[i] < 0)
			return mren_dataset_fail(dataset, err, "%s lacks the mark \"%s\"", where, names[i]);
	}
	for (int i = 0; i < MREN_DATASET_MARKS; i += 2)
	{
		if (at[i] >= at[i + 1])
			return mren_dataset_fail(dataset, err, "nothing stands between \"%s\" and \"%s\"",
									 names[i], names[i + 1]);
		MREN_TRY(mren_dataset_char_range(dataset, i == 0 ? "head" : "tail", at[i], at[i + 1],
										 &mentions[i / 2], err));
	}
	mren_dataset_fill_sentence(dataset, mentions[0], mentions[1], row);
	return MREN_OK;
}
