/*
 * mentions.h
 *	  The mentions and sentences of a document, which entities, candidates and
 *	  extract start from.
 *
 * Lexicons are matched against the whole document; a tagger reads it sentence by
 * sentence.  Mentions are in the order of the text and do not overlap; no sentence
 * ends inside one.
 */
#ifndef MREN_PG_EXTRACT_MENTIONS_H
#define MREN_PG_EXTRACT_MENTIONS_H

#include "postgres.h"

#include "fmgr.h"

#include "pg/resource/lexicons.h"
#include "pg/support/pg_env.h"
#include "pg/tagger/tagger_model.h"
#include "text/tokens.h"

typedef struct MrenDocMention
{
	MrenToken place;		/* in the document */
	uint32 sentence;		/* number */
	const char *type;		/* in the database's encoding */
	MrenTextSpan type_utf8; /* the same in UTF-8 */
	double confidence;
	int source;		   /* of the finder: a lexicon's number, then the tagger */
	MrenTextSpan name; /* in the form in which names are compared */
	int full;		   /* after mren_document_short_forms: the mention with the fullest form */
} MrenDocMention;

typedef struct MrenDocument
{
	MrenTextSpan text;
	MrenDocMention *mentions;
	int n_mentions;
	MrenTokens sentences;
	double began; /* to be read; processor seconds */
} MrenDocument;

/* What finds mentions. */
typedef struct MrenFinder
{
	int n_lexicons;
	const MrenLexicon **lexicons;
	char **names; /* of the lexicons */
	const char *tagger_name;
	MrenMentionTagger *tagger; /* NULL: none */
} MrenFinder;

/* The numbers of the SQL arguments that name them. */
typedef struct MrenFinderArgs
{
	int lexicons;
	int tagger;
	int tagger_version;
} MrenFinderArgs;

/*
 * mren_finder_open
 *	  22023 with a hint if there is neither a lexicon nor a tagger.  Valid until
 *	  the current memory context is reset.
 */
extern void mren_finder_open(MrenFinder *finder, FunctionCallInfo fcinfo,
							 const MrenFinderArgs *args);

/* The types of mentions that the finder can give, in the database's encoding; palloc'd. */
extern const char **mren_finder_types(const MrenFinder *finder, int *n);

/* Reads a document; everything is palloc'd. */
extern void mren_document_read(const MrenFinder *finder, MrenTextSpan text, MrenDocument *document);

/* Finds which mentions are short forms of others (text/names/short_forms.h). */
extern void mren_document_short_forms(MrenDocument *document);

/* 54000 once the document has taken more processor time than mren.document_timeout. */
extern void mren_document_check_time(const MrenDocument *document);

/* Bytes start .. end-1 of a document as text of the database. */
extern text *mren_document_text(const MrenDocument *document, uint32 start, uint32 end);

#endif
