/*
 * mention_tags.c
 *	  Mentions from the tags of a sentence's tokens.
 *
 * Whether a sentence is IOB1 depends on all its tags, so they are read twice.
 */
#include "text/mention_tags.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

typedef enum Letter
{
	TAG_O,
	TAG_B,
	TAG_I,
	TAG_LAST,
	TAG_UNIT,
} Letter;

typedef struct Tag
{
	Letter letter;
	MrenTextSpan type;
} Tag;

static bool
parse_tag(MrenTextSpan text, Tag *tag)
{
	static const char letters[] = "BILEUS";
	static const Letter meanings[] = {TAG_B, TAG_I, TAG_LAST, TAG_LAST, TAG_UNIT, TAG_UNIT};
	const char *found;

	*tag = (Tag){TAG_O, {NULL, 0}};
	if (text.len == 1 && text.data[0] == 'O')
		return true;
	if (text.len < 3 || text.data[1] != '-' || text.data[0] == '\0')
		return false;
	found = strchr(letters, text.data[0]);
	if (found == NULL)
		return false;
	*tag = (Tag){meanings[found - letters], {text.data + 2, text.len - 2}};
	return true;
}

static MrenStatus
fail_invalid(MrenTextSpan text, size_t number, MrenError *err)
{
	mren_fail(err, MREN_EDATA, "invalid tag \"%s\" of token %zu",
			  text.len > 0 ? mren_utf8_excerpt(text.data, text.len).text : "", number);
	mren_error_hint(err, "A tag is \"O\", or one of B, I, L, E, U, S, a hyphen and a type: "
						 "\"B-Person\".");
	return MREN_EDATA;
}

static MrenStatus
fail_stray(MrenTextSpan text, size_t number, MrenError *err)
{
	mren_fail(err, MREN_EDATA, "tag \"%s\" of token %zu continues no mention",
			  mren_utf8_excerpt(text.data, text.len).text, number);
	mren_error_hint(err, "A mention begins with B- (or U- or S- if it is one token long), and all "
						 "its tags have one type. In IOB1 it begins with I-, and B- is used only "
						 "directly after a mention of the same type; convert a file that mixes "
						 "the two to BIO, by writing B- at the beginning of every mention.");
	return MREN_EDATA;
}

/*
 * Whether a tag of this type directly after `before` is beside an unfinished mention of its type.
 */
static bool
touches(const Tag *before, const Tag *tag)
{
	return (before->letter == TAG_B || before->letter == TAG_I) &&
		   mren_text_span_equal(before->type, tag->type);
}

/* Whether the tags can be IOB1: only B, I and O, and every B touches a mention of its type. */
static MrenStatus
check_tags(const MrenTextSpan *tags, size_t n, bool *iob1, MrenError *err)
{
	Tag before = {TAG_O, {NULL, 0}};

	*iob1 = true;
	for (size_t i = 0; i < n; i++)
	{
		Tag tag;

		if (!parse_tag(tags[i], &tag))
			return fail_invalid(tags[i], i + 1, err);
		if (tag.letter == TAG_LAST || tag.letter == TAG_UNIT ||
			(tag.letter == TAG_B && !touches(&before, &tag)))
			*iob1 = false;
		before = tag;
	}
	return MREN_OK;
}

MrenStatus
mren_mention_tags_read(const MrenTextSpan *tags, size_t n, MrenTokenMention *mentions,
					   size_t *n_mentions, MrenError *err)
{
	Tag before = {TAG_O, {NULL, 0}};
	bool iob1;

	*n_mentions = 0;
	MREN_TRY(check_tags(tags, n, &iob1, err));
	for (size_t i = 0; i < n; i++)
	{
		bool continues;
		Tag tag;

		parse_tag(tags[i], &tag);
		continues = (tag.letter == TAG_I || tag.letter == TAG_LAST) && touches(&before, &tag);
		if (continues)
			mentions[*n_mentions - 1].end = (uint32_t) i + 1;
		else if (tag.letter == TAG_LAST || (tag.letter == TAG_I && !iob1))
			return fail_stray(tags[i], i + 1, err);
		else if (tag.letter != TAG_O)
			mentions[(*n_mentions)++] =
				(MrenTokenMention){(uint32_t) i, (uint32_t) i + 1, tag.type};
		before = tag;
	}
	return MREN_OK;
}
