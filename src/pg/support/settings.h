/*
 * settings.h
 *	  The extension's settings (GUCs).  README lists them with their meaning.
 */
#ifndef MREN_PG_SUPPORT_SETTINGS_H
#define MREN_PG_SUPPORT_SETTINGS_H

#include "postgres.h"

/* Limits on one image. */
extern int mren_on_error; /* an MrenOnError */
extern int mren_max_image_width;
extern int mren_max_image_height;
extern int mren_max_image_memory; /* kB, decoded */
extern int mren_keep_runs;		  /* days; 0: for ever */
extern int mren_max_image_work;	  /* ms, estimated; 0: no limit */

/* Limits on one recording. */
extern int mren_max_audio_seconds;
extern int mren_max_audio_channels;
extern int mren_max_audio_rate; /* Hz */

/* Limit on the memory for one encoder: its files and all that loading it takes. */
extern int mren_max_encoder_memory; /* kB */

/* Memory of a backend for what it keeps between calls. */
extern int mren_word_cache;			 /* kB, a set of embeddings */
extern int mren_model_cache;		 /* kB */
extern int mren_encoder_cache;		 /* kB */
extern int mren_text_encoder_cache;	 /* kB */
extern int mren_image_cache;		 /* kB of feature vectors */
extern int mren_audio_encoder_cache; /* kB */
extern int mren_audio_cache;		 /* kB of feature vectors */
extern int mren_lexicon_cache;		 /* kB */

/* Of all files that backends share; 0: none are used. */
extern int mren_shared_files; /* kB */

/* Memory for training. */
extern int mren_aggregate_memory; /* kB, a state of mren.train_agg */
extern int mren_train_memory;	  /* kB, word vectors and cached rows of CALL mren.train */

/* Whether a refresh may delete all documents of a graph. */
extern bool mren_allow_empty_source;

/* Whether mren.load_embeddings leaves out what it cannot read of a file. */
extern bool mren_skip_bad_words;

/*
 * Most pairs of mentions that begin in one sentence, and of one document; far more than an
 * ordinary text has, so that a list of names costs what a page costs.
 */
#define MREN_MAX_PAIRS_SENTENCE 500
#define MREN_MAX_PAIRS_DOCUMENT 100000
#define MREN_MAX_PAIRS 10000000
extern int mren_max_pairs_sentence;
extern int mren_max_pairs_document;
extern int mren_document_timeout; /* ms; 0: no limit */
#define MREN_MAX_REFRESH_WORKERS 64
extern int mren_refresh_workers; /* -1: as max_parallel_maintenance_workers says */

/* Language of the documents whose sentences are found: an ISO 639 code; "": any. */
#define MREN_LANGUAGE_SIZE 4 /* bytes, with the terminating zero */
extern char *mren_language;

/* Whether a text can be the code of a language: two or three lower-case letters, or none. */
extern bool mren_language_valid(const char *language);

extern void mren_settings_define(void);

#endif
