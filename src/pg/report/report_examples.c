/*
 * report_examples.c
 *	  Rows of a report: the surest mistakes with the words that spoke for them,
 *	  and photographs with their heat maps.
 */
#include "pg/report/report_internal.h"

#include <math.h>

#include "miscadmin.h"

#include "base/utf8.h"
#include "pg/predict/explain_row.h"

/* Of a long sentence, this many bytes are shown around the mentions. */
#define BEFORE 400
#define SHOWN 1600

/* Contributions below this are not coloured. */
#define LEAST_CONTRIBUTION 0.02

/*
 * A sentence with its mentions and words
 */

typedef struct Explanation
{
	const MrenExplained *parts;
	int n;
	double greatest; /* magnitude of a contribution, at least LEAST_CONTRIBUTION */
} Explanation;

static void
explain_row(MrenReport *report, const MrenReportRow *row, Explanation *explanation)
{
	MrenExplained *parts;

	explanation->n = mren_explain_row(&report->predictor, row->pair, &parts);
	explanation->parts = parts;
	explanation->greatest = LEAST_CONTRIBUTION;
	for (int i = 0; i < explanation->n; i++)
		explanation->greatest = Max(explanation->greatest, fabs(parts[i].contribution));
}

static const MrenExplained *
part_of(const Explanation *explanation, const char *modality)
{
	for (int i = 0; i < explanation->n; i++)
	{
		if (strcmp(explanation->parts[i].modality, modality) == 0)
			return &explanation->parts[i];
	}
	return NULL;
}

static bool
inside(const MrenExplained *mention, uint32 at)
{
	return mention != NULL && at >= mention->place.start && at < mention->place.end;
}

/* The number of the word at this byte; -1 if there is none. */
static int
word_at(const Explanation *explanation, uint32 at, int from)
{
	for (int i = from; i < explanation->n; i++)
	{
		if (strcmp(explanation->parts[i].modality, "word") != 0 ||
			explanation->parts[i].place.start > at)
			break;
		if (at < explanation->parts[i].place.end)
			return i;
	}
	return -1;
}

/* How a byte is shown: equal neighbours make a span. */
typedef struct Look
{
	bool head;
	bool tail;
	int word;
} Look;

static Look
look_at(const Explanation *explanation, const MrenExplained *head, const MrenExplained *tail,
		uint32 at, int from)
{
	Look look = {inside(head, at), inside(tail, at), -1};

	if (!look.head && !look.tail)
		look.word = word_at(explanation, at, from);
	return look;
}

static void
span_begin(StringInfo page, const Explanation *explanation, Look look, const MrenExplained *part)
{
	double depth = part->contribution / explanation->greatest;
	bool colored = fabs(part->contribution) >= LEAST_CONTRIBUTION;

	appendStringInfo(page, "<span class=\"%s%s%s\" title=\"%+.3f\"", look.head ? "h " : "",
					 look.tail ? "t " : "", colored ? "w" : "", part->contribution);
	if (colored)
		appendStringInfo(page, " style=\"background:rgba(var(--%s-rgb),%.2f)\"",
						 depth > 0 ? "for" : "against", 0.1 + 0.5 * fabs(depth));
	appendStringInfoChar(page, '>');
}

static void
put_span(StringInfo page, const Explanation *explanation, Look look, const MrenExplained *part,
		 MrenTextSpan text)
{
	if (part == NULL)
	{
		mren_html_utf8(page, text);
		return;
	}
	span_begin(page, explanation, look, part);
	mren_html_utf8(page, text);
	appendStringInfoString(page, "</span>");
	if (look.head || look.tail)
		appendStringInfo(page, "<sub>%s</sub>",
						 look.head && look.tail ? "head, tail"
						 : look.head			? "head"
												: "tail");
}

/* The bytes of the sentence that are shown. */
static void
window(MrenTextSpan sentence, const MrenExplained *head, const MrenExplained *tail, uint32 *from,
	   uint32 *to)
{
	uint32 first = Min(head != NULL ? head->place.start : 0, tail != NULL ? tail->place.start : 0);

	*from = sentence.len > SHOWN && first > BEFORE ? first - BEFORE : 0;
	*to = (uint32) Min((size_t) *from + SHOWN, sentence.len);
	while (*from > 0 && mren_utf8_continues(sentence.data[*from]))
		(*from)--;
	while (*to < sentence.len && mren_utf8_continues(sentence.data[*to]))
		(*to)--;
}

static void
put_sentence(StringInfo page, const MrenReportRow *row, const Explanation *explanation)
{
	MrenTextSpan sentence = row->pair->sentence;
	const MrenExplained *head = part_of(explanation, "head");
	const MrenExplained *tail = part_of(explanation, "tail");
	uint32 at;
	uint32 to;
	int word = 0;

	window(sentence, head, tail, &at, &to);
	appendStringInfo(page, "<p class=\"s\">%s", at > 0 ? "&#x2026;" : "");
	while (at < to)
	{
		Look look;
		uint32 end;
		const MrenExplained *part;

		while (word < explanation->n && strcmp(explanation->parts[word].modality, "word") == 0 &&
			   explanation->parts[word].place.end <= at)
			word++;
		look = look_at(explanation, head, tail, at, word);
		end = at + 1;
		while (end < to)
		{
			Look next = look_at(explanation, head, tail, end, word);

			if (next.head != look.head || next.tail != look.tail || next.word != look.word)
				break;
			end++;
		}
		part = look.head		? head
			   : look.tail		? tail
			   : look.word >= 0 ? &explanation->parts[look.word]
								: NULL;
		put_span(page, explanation, look, part, (MrenTextSpan){sentence.data + at, end - at});
		at = end;
	}
	appendStringInfo(page, "%s</p>\n", to < sentence.len ? "&#x2026;" : "");
}

/* What else spoke for the answer: types of the mentions, and the image. */
static void
put_other_parts(StringInfo page, const Explanation *explanation)
{
	for (int i = 0; i < explanation->n; i++)
	{
		const MrenExplained *part = &explanation->parts[i];
		const char *name = NULL;

		if (strcmp(part->modality, "head_type") == 0)
			name = "type of the head";
		else if (strcmp(part->modality, "tail_type") == 0)
			name = "type of the tail";
		else if (strcmp(part->modality, "image") == 0)
			name = "image";
		if (name == NULL || fabs(part->contribution) < LEAST_CONTRIBUTION)
			continue;
		appendStringInfo(page, " &#xB7; %s %+.2f", name, part->contribution);
	}
}

static void
put_verdict(StringInfo page, const MrenReportRow *row, const Explanation *explanation)
{
	bool right = strcmp(row->actual, row->predicted) == 0;

	appendStringInfo(page, "<p class=\"verdict\"><span class=\"%s\">%s</span>predicted <b>",
					 right ? "right" : "wrong", right ? "right" : "wrong");
	mren_html_text(page, row->predicted);
	appendStringInfo(page, "</b> (%.2f)", row->confidence);
	if (!right)
	{
		appendStringInfoString(page, ", labelled <b>");
		mren_html_text(page, row->actual);
		appendStringInfoString(page, "</b>");
	}
	put_other_parts(page, explanation);
	if (row->id != NULL)
	{
		appendStringInfoString(page, " &#xB7; id ");
		mren_html_brief(page, row->id, 60);
	}
	appendStringInfoString(page, "</p>\n");
}

static void
put_legend(StringInfo page)
{
	appendStringInfoString(
		page,
		"<ul class=\"legend\"><li><i style=\"background:rgba(var(--for-rgb),.5)\"></i>spoke "
		"for the answer</li><li><i style=\"background:rgba(var(--against-rgb),.5)\"></i>spoke "
		"against it</li></ul>\n");
}

void
mren_report_mistakes(MrenReport *report)
{
	StringInfo page = report->page;

	if (report->query == NULL)
		return;
	mren_section_begin(
		page, "mistakes", "Surest mistakes",
		report->mistakes.n > 0
			? "The wrong answers of highest confidence: where to look for wrong labels, and for "
			  "what the training rows lack. The deeper a word&#x2019;s colour, the more the "
			  "answer&#x2019;s probability changes without it."
			: "Every answer was right.");
	if (report->mistakes.n > 0)
		put_legend(page);
	for (int i = 0; i < report->mistakes.n; i++)
	{
		const MrenReportRow *row = &report->mistakes.rows[i];
		Explanation explanation;

		CHECK_FOR_INTERRUPTS();
		explain_row(report, row, &explanation);
		appendStringInfoString(page, "<div class=\"row\">\n");
		put_sentence(page, row, &explanation);
		put_verdict(page, row, &explanation);
		appendStringInfoString(page, "</div>\n");
	}
	mren_section_end(page);
}

/*
 * Photographs
 */

static void
put_photograph(MrenReport *report, const MrenReportRow *row)
{
	StringInfo page = report->page;
	Explanation explanation;
	bytea *plain;
	bytea *map;

	CHECK_FOR_INTERRUPTS();
	explain_row(report, row, &explanation);
	map = mren_explain_picture(&report->predictor, row->pair, MREN_REPORT_PIXELS, &plain);
	appendStringInfoString(page,
						   "<div class=\"photo\">\n<div class=\"two\"><img alt=\"photograph\" "
						   "src=\"");
	mren_html_png(page, plain);
	appendStringInfoString(page, "\"/><img alt=\"heat map\" src=\"");
	mren_html_png(page, map);
	appendStringInfoString(page, "\"/></div>\n");
	put_sentence(page, row, &explanation);
	put_verdict(page, row, &explanation);
	appendStringInfoString(page, "</div>\n");
}

void
mren_report_photographs(MrenReport *report)
{
	StringInfo page = report->page;

	if (report->query == NULL || report->right_photographs.n + report->wrong_photographs.n == 0)
		return;
	mren_section_begin(
		page, "photographs", "Photographs",
		"The surest answers for rows with a photograph, beside a map of what counted "
		"in it: red where covering the place lowers the probability of the answer, "
		"blue where it raises it. A map without colour means that the answer does "
		"not depend on the photograph.");
	put_legend(page);
	appendStringInfoString(page, "<div class=\"photos\">\n");
	for (int i = 0; i < report->right_photographs.n; i++)
		put_photograph(report, &report->right_photographs.rows[i]);
	for (int i = 0; i < report->wrong_photographs.n; i++)
		put_photograph(report, &report->wrong_photographs.rows[i]);
	appendStringInfoString(page, "</div>\n");
	mren_section_end(page);
}
