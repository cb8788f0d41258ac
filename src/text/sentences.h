/*
 * sentences.h
 *	  The sentences of a document, with exact positions in bytes and characters.
 *
 * Sentences are Unicode's (UAX #29), as ICU segments them for the language of
 * the text, with two refinements: abbreviations and initials do not end one
 * (abbreviation.h), and a line break does not either, but a blank line does.
 * Blanks around a sentence are not part of it; empty ones are dropped.
 *
 * A sentencer is opened once per backend and reused; it is not thread-safe.
 * It holds ICU's memory, which comes from malloc: close it.
 */
#ifndef MREN_TEXT_SENTENCES_H
#define MREN_TEXT_SENTENCES_H

#include "text/tokens.h"

typedef struct MrenSentencer MrenSentencer;

/* MREN_EPARAM for a language that ICU does not know; "", for any language, is known. */
extern MrenStatus mren_sentences_check_language(const char *language, MrenError *err);

/*
 * mren_sentencer_open
 *	  For texts in a language, an ISO 639 code such as "de": with the
 *	  abbreviations that ICU knows in it, besides ours for English, and ordinals
 *	  with a full stop for German.  "" is for texts in any language: ours
 *	  for both.  MREN_EPARAM for a language that ICU does not know;
 *	  MREN_EUNSUPPORTED, with ICU's own words, when ICU cannot be used.
 */
extern MrenStatus mren_sentencer_open(const MrenEnv *env, const char *language,
									  MrenSentencer **sentencer, MrenError *err);
extern void mren_sentencer_close(MrenSentencer *sentencer);

/*
 * mren_sentences
 *	  Replaces sentences' contents; its buffer is allocated from env and reused.
 *
 * text is UTF-8: MREN_EDATA, with the byte's number, when it is not.
 * MREN_ELIMIT beyond MREN_MAX_TEXT bytes.  Linear in len, interruptible.  A
 * sentence of more than 16,384 characters is cut.
 */
extern MrenStatus mren_sentences(MrenSentencer *sentencer, const MrenEnv *env, const char *text,
								 size_t len, MrenTokens *sentences, MrenError *err);

#endif
