/*
 * page.h
 *	  A self-contained HTML page: its frame, its style, and text that is escaped.
 *
 * The output is ASCII whatever the database's encoding: other characters are
 * written as numeric references.
 */
#ifndef MREN_PG_REPORT_PAGE_H
#define MREN_PG_REPORT_PAGE_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/text_span.h"

/*
 * mren_html_text, mren_html_utf8
 *	  Appends text of the database, or UTF-8, such that it is nothing but text, in
 *	  an element or in an attribute's quotes.  Control characters become U+FFFD, line
 *	  breaks and tabs blanks.
 */
extern void mren_html_text(StringInfo page, const char *text);
extern void mren_html_utf8(StringInfo page, MrenTextSpan text);

/* The same, cut after max characters (at least 1), with an ellipsis then. */
extern void mren_html_brief(StringInfo page, const char *text, int max);

/* A number with thousands separated, as in 12,345. */
extern void mren_html_count(StringInfo page, uint64 n);

/* An image as a data URI in the attribute's quotes. */
extern void mren_html_png(StringInfo page, const bytea *png);

/* From the beginning of the page to its heading; kind is what stands over the name. */
extern void mren_page_begin(StringInfo page, const char *kind, const char *name);
extern void mren_page_end(StringInfo page);

/* The parts of a page's style for its colours, light and dark, and for a drawn graph. */
extern const char mren_page_colors[];
extern const char mren_page_drawing[];

/* A section with its heading and a paragraph about it (HTML of ours; NULL: none). */
extern void mren_section_begin(StringInfo page, const char *id, const char *title,
							   const char *lead);
extern void mren_section_end(StringInfo page);

/* The row of large figures; between begin and end, one tile for each. */
extern void mren_tiles_begin(StringInfo page);
extern void mren_tile(StringInfo page, const char *label, const char *value, const char *note);
extern void mren_tiles_end(StringInfo page);

#endif
