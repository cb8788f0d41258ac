/*
 * tag_gold.c
 *	  A labelled sentence as SQL gives it.
 */
#include "pg/tagger/tag_gold.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "data/example.h"
#include "pg/support/args.h"
#include "pg/support/nearest_name.h"
#include "text/mention_tags.h"
#include "text/tokens.h"

/* Arrays may have millions of elements. */
static inline void
check_for_interrupts(int i)
{
	if (i % 4096 == 0)
		CHECK_FOR_INTERRUPTS();
}

/* The elements of an array column, none of them NULL. */
static Datum *
elements(Datum value, const char *name, Oid type, int *n)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	Datum *datums;
	bool *nulls;
	int16 len;
	bool byval;
	char align;

	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(array, type, len, byval, align, &datums, &nulls, n);
	for (int i = 0; i < *n; i++)
	{
		check_for_interrupts(i);
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("element %d of \"%s\" is null", i + 1, name)));
	}
	return datums;
}

static MrenTextSpan
utf8_of(Datum value)
{
	text *t = DatumGetTextPP(value);

	return mren_datum_utf8(PointerGetDatum(t));
}

static void
check_lengths(const char *a, int n_a, const char *b, int n_b)
{
	if (n_a != n_b)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg_plural("\"%s\" has %d element, but \"%s\" has %d",
							   "\"%s\" has %d elements, but \"%s\" has %d", n_a, a, n_a, b, n_b),
				 errhint("Both arrays must be of the same length.")));
}

/*
 * Tokens and tags
 */

/* Joins the tokens by spaces; starts and ends (n) get the place of each. */
static MrenTextSpan
join_tokens(const Datum *tokens, int n, uint32_t *starts, uint32_t *ends)
{
	StringInfoData out;
	MrenError err;

	initStringInfo(&out);
	for (int i = 0; i < n; i++)
	{
		MrenTextSpan token = utf8_of(tokens[i]);

		check_for_interrupts(i);
		if (token.len == 0)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg("element %d of \"tokens\" is empty", i + 1)));
		if (i > 0)
			appendStringInfoChar(&out, ' ');
		starts[i] = out.len;
		appendBinaryStringInfo(&out, token.data, token.len);
		ends[i] = out.len;
		MREN_PG_CALL(err, mren_text_check_length(out.len, &err));
	}
	return (MrenTextSpan){out.data, out.len};
}

void
mren_gold_tags(Datum tokens, Datum tags, MrenGold *gold)
{
	int n;
	int n_tags;
	Datum *token = elements(tokens, "tokens", TEXTOID, &n);
	Datum *tag = elements(tags, "tags", TEXTOID, &n_tags);
	uint32_t *starts = palloc((n + 1) * sizeof(uint32_t));
	uint32_t *ends = palloc((n + 1) * sizeof(uint32_t));
	MrenTextSpan *texts = palloc((n_tags + 1) * sizeof(MrenTextSpan));
	MrenTokenMention *found = palloc((n_tags + 1) * sizeof(MrenTokenMention));
	size_t n_found;
	MrenError err;

	check_lengths("tokens", n, "tags", n_tags);
	gold->sentence = join_tokens(token, n, starts, ends);
	for (int i = 0; i < n_tags; i++)
	{
		check_for_interrupts(i);
		texts[i] = utf8_of(tag[i]);
	}
	MREN_PG_CALL(err, mren_mention_tags_read(texts, n_tags, found, &n_found, &err));
	gold->mentions = palloc((n_found + 1) * sizeof(MrenGoldMention));
	gold->n = (int) n_found;
	for (size_t i = 0; i < n_found; i++)
		gold->mentions[i] = (MrenGoldMention){.start = starts[found[i].first],
											  .end = ends[found[i].end - 1],
											  .token = (int) found[i].first + 1,
											  .type = found[i].type};
}

/*
 * A sentence and ranges
 */

static char *
range_text(Datum value)
{
	Oid function;
	bool is_varlena;

	getTypeOutputInfo(INT4RANGEOID, &function, &is_varlena);
	return OidOutputFunctionCall(function, value);
}

/* The range of characters, which must be within a sentence of n_chars. */
static void
read_range(Datum value, size_t n_chars, MrenGoldMention *mention)
{
	int32 lower;
	int32 upper;

	if (!mren_int4range_bounds(value, &lower, &upper) || lower < 0 || (size_t) upper > n_chars)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mention %s is not within the sentence", range_text(value)),
						errdetail("The sentence has %zu characters.", n_chars),
						errhint("Give the range of the characters of the mention, 0-based and half "
								"open, such as int4range(3, 5).")));
	mention->lower = lower;
	mention->upper = upper;
}

/* Sorting millions takes seconds. */
static int
by_lower(const void *a, const void *b)
{
	const MrenGoldMention *x = a;
	const MrenGoldMention *y = b;

	CHECK_FOR_INTERRUPTS();
	return x->lower < y->lower ? -1 : x->lower > y->lower;
}

/* A place in a sentence, as a byte and as a character. */
typedef struct Place
{
	size_t byte;
	size_t chars;
} Place;

/*
 * The range as one of bytes, without white space at its ends.  *place is at or
 * before its beginning and is moved there, so that all mentions of a sentence
 * are read in one pass.
 */
static void
find_bytes(MrenTextSpan sentence, Place *place, MrenGoldMention *mention)
{
	const char *text = sentence.data;

	place->byte += mren_utf8_offset(text + place->byte, sentence.len - place->byte,
									mention->lower - place->chars);
	place->chars = mention->lower;
	mention->start = place->byte;
	mention->end = place->byte + mren_utf8_offset(text + place->byte, sentence.len - place->byte,
												  mention->upper - mention->lower);
	while (mention->start < mention->end && isspace((unsigned char) text[mention->start]))
		mention->start++;
	while (mention->end > mention->start && isspace((unsigned char) text[mention->end - 1]))
		mention->end--;
	if (mention->start == mention->end)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mention %s contains only white space",
							   range_text(mren_int4range(mention->lower, mention->upper)))));
}

static void
check_overlap(const MrenGold *gold, const MrenGoldMention *before, const MrenGoldMention *mention)
{
	const char *text = gold->sentence.data;

	if (mention->start < before->end)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mention \"%.*s\" overlaps mention \"%.*s\"",
							   (int) (mention->end - mention->start), text + mention->start,
							   (int) (before->end - before->start), text + before->start),
						errhint("Mentions of a tagger do not overlap; keep one of the two.")));
}

/* Mentions that do not overlap are no more than the characters. */
static void
check_number(int n, size_t n_chars)
{
	if ((size_t) n > n_chars)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg_plural("\"mentions\" has %d elements, but the sentence has only %zu "
									  "character",
									  "\"mentions\" has %d elements, but the sentence has only %zu "
									  "characters",
									  n_chars, n, n_chars),
						errhint("Mentions of a tagger do not overlap.")));
}

void
mren_gold_mentions(Datum sentence, Datum mentions, Datum types, MrenGold *gold)
{
	int n;
	int n_types;
	Datum *range = elements(mentions, "mentions", INT4RANGEOID, &n);
	Datum *type = elements(types, "types", TEXTOID, &n_types);
	MrenTextSpan text = utf8_of(sentence);
	size_t n_chars;
	Place place = {0, 0};
	MrenError err;

	check_lengths("mentions", n, "types", n_types);
	MREN_PG_CALL(err, mren_text_check_length(text.len, &err));
	n_chars = mren_utf8_length(text.data, text.len);
	check_number(n, n_chars);
	*gold = (MrenGold){
		.sentence = text, .mentions = palloc0((n + 1) * sizeof(MrenGoldMention)), .n = n};
	for (int i = 0; i < n; i++)
	{
		check_for_interrupts(i);
		read_range(range[i], n_chars, &gold->mentions[i]);
		gold->mentions[i].type = utf8_of(type[i]);
	}
	qsort(gold->mentions, n, sizeof(MrenGoldMention), by_lower);
	for (int i = 0; i < n; i++)
	{
		check_for_interrupts(i);
		find_bytes(text, &place, &gold->mentions[i]);
		if (i > 0)
			check_overlap(gold, &gold->mentions[i - 1], &gold->mentions[i]);
	}
}

void
mren_gold_slips(const MrenGold *gold, MrenSpanSlips *slips, int64 number)
{
	mren_slips_row(slips, gold->sentence);
	for (int i = 0; i < gold->n; i++)
		mren_slips_add(slips, gold->mentions[i].lower, gold->mentions[i].upper,
					   (MrenTextSpan){NULL, 0}, NULL, number);
}

uint64
mren_gold_group(const MrenGold *gold, bool has_group, Datum group)
{
	text *value;

	if (!has_group)
		return mren_example_group(gold->sentence.data, gold->sentence.len, NULL);
	value = DatumGetTextPP(group);
	return mren_hash64(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), 1);
}

/*
 * Columns
 */

static bool
has_column(TupleDesc desc, const char *name, Oid want)
{
	AttrNumber attno = mren_query_find(desc, name);
	Oid type;

	if (attno == 0)
		return false;
	type = getBaseType(TupleDescAttr(desc, attno - 1)->atttypid);
	if (want != InvalidOid && !can_coerce_type(1, &type, &want, COERCION_ASSIGNMENT))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the query is of type %s", name, format_type_be(type)),
				 errhint("It must be %s.", format_type_be(want))));
	return true;
}

static void
need_column(TupleDesc desc, const char *name, Oid want)
{
	if (!has_column(desc, name, want))
		mren_query_lacks(desc, name);
}

void
mren_gold_columns(const char *query, MrenGoldColumns *columns)
{
	static const MrenKnownColumn known[] = {
		{"sentence", TEXTOID},	  {"mentions", INT4RANGEARRAYOID}, {"types", TEXTARRAYOID},
		{"tokens", TEXTARRAYOID}, {"tags", TEXTARRAYOID},		   {"weight", FLOAT4OID},
		{"split", TEXTOID},		  {"group", InvalidOid},		   {"id", InvalidOid},
	};
	TupleDesc desc = mren_query_describe(query);
	bool tokens = mren_query_find(desc, "sentence") == 0;

	/* A query has either the columns of sentences or those of tokens. */
	if (tokens)
		mren_notice_ignored_columns(desc, known + 3, lengthof(known) - 3);
	else
		mren_notice_ignored_columns(desc, known, lengthof(known));
	*columns = (MrenGoldColumns){
		.tokens = tokens,
		.weight = has_column(desc, "weight", FLOAT4OID),
		.split = has_column(desc, "split", TEXTOID),
		.group = has_column(desc, "group", InvalidOid),
	};
	if (columns->tokens)
	{
		need_column(desc, "tokens", TEXTARRAYOID);
		need_column(desc, "tags", TEXTARRAYOID);
		return;
	}
	need_column(desc, "sentence", TEXTOID);
	if (mren_query_find(desc, "mentions") == 0 && mren_query_find(desc, "types") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("the query has no column \"mentions\""),
				 errhint("A tagger's rows have the columns sentence, mentions and types, or "
						 "tokens and tags.")));
	need_column(desc, "mentions", INT4RANGEARRAYOID);
	need_column(desc, "types", TEXTARRAYOID);
}

char *
mren_gold_list(const MrenGoldColumns *columns)
{
	return psprintf("%s, %s::pg_catalog.float4, %s::pg_catalog.text, %s::pg_catalog.text",
					columns->tokens
						? "q.tokens::pg_catalog.text[], q.tags::pg_catalog.text[]"
						: "q.sentence::pg_catalog.text, q.mentions::pg_catalog.int4range[],"
						  " q.types::pg_catalog.text[]",
					columns->weight ? "q.weight" : "NULL", columns->split ? "q.split" : "NULL",
					columns->group ? "q.\"group\"" : "NULL");
}
