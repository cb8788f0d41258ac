/*
 * settings.c
 *	  Defines the extension's settings.
 *
 * The numbers limit what one session may take from the server, so only superusers
 * may change them, and since PostgreSQL 15 roles that were granted SET on one.
 * Everybody may change the others, which are about what the caller does.
 */
#include "pg/support/settings.h"

#include <limits.h>

#include "utils/guc.h"

#include "pg/support/row_errors.h"

int mren_max_image_width = 16384;
int mren_max_image_height = 16384;
int mren_max_image_memory = 256 * 1024;
int mren_keep_runs = 0;
int mren_max_image_work = 1000;
int mren_max_audio_seconds = 600;
int mren_max_audio_channels = 32;
int mren_max_audio_rate = 192000;
int mren_max_encoder_memory = 1024 * 1024;
int mren_word_cache = 64 * 1024;
int mren_model_cache = 256 * 1024;
int mren_encoder_cache = 256 * 1024;
int mren_text_encoder_cache = 512 * 1024;
int mren_image_cache = 8 * 1024;
int mren_audio_encoder_cache = 128 * 1024;
int mren_audio_cache = 8 * 1024;
int mren_lexicon_cache = 256 * 1024;
int mren_shared_files = 2 * 1024 * 1024;
int mren_aggregate_memory = 512 * 1024;
int mren_train_memory = 1024 * 1024;
bool mren_allow_empty_source = false;
char *mren_language = "";
int mren_on_error = MREN_ON_ERROR_FAIL;
bool mren_skip_bad_words = false;
int mren_max_pairs_sentence = MREN_MAX_PAIRS_SENTENCE;
int mren_max_pairs_document = MREN_MAX_PAIRS_DOCUMENT;
int mren_document_timeout = 0;
int mren_refresh_workers = -1;

#define MAX_NUMBER 1000000 /* of settings that are not sizes */

typedef struct Setting
{
	const char *name;
	const char *what;
	int *value;
	int min;
	int flags;
} Setting;

bool
mren_language_valid(const char *language)
{
	size_t n = strspn(language, "abcdefghijklmnopqrstuvwxyz");

	return language[n] == '\0' && (n == 0 || n == 2 || n == 3);
}

static bool
check_language(char **value, void **extra, GucSource source)
{
	if (mren_language_valid(*value))
		return true;
	GUC_check_errhint("A language is an ISO 639 code in lower case, such as \"de\".");
	return false;
}

/* What reading one document may take; a graph has options of the same names. */
static void
define_pair_settings(void)
{
	DefineCustomIntVariable("mren.max_pairs_sentence",
							"Sets the maximum number of pairs of mentions that begin in one "
							"sentence of a document.",
							"The nearest pairs are kept.", &mren_max_pairs_sentence,
							MREN_MAX_PAIRS_SENTENCE, 1, MREN_MAX_PAIRS, PGC_USERSET, 0, NULL, NULL,
							NULL);
	DefineCustomIntVariable(
		"mren.max_pairs_document", "Sets the maximum number of pairs of mentions of one document.",
		"The nearest pairs are kept.", &mren_max_pairs_document, MREN_MAX_PAIRS_DOCUMENT, 1,
		MREN_MAX_PAIRS, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("mren.document_timeout",
							"Sets the maximum processor time that extracting relations from one "
							"document may take.",
							"Zero means no limit.", &mren_document_timeout, 0, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("mren.refresh_workers",
							"Sets the maximum number of workers that read documents for the "
							"refresh of a graph.",
							"With -1, max_parallel_maintenance_workers read where there are many "
							"documents.",
							&mren_refresh_workers, -1, -1, MREN_MAX_REFRESH_WORKERS, PGC_USERSET, 0,
							NULL, NULL, NULL);
}

/* The numbers. */
static const Setting settings[] = {
	{"mren.max_image_width", "Sets the maximum width of an image, in pixels.",
	 &mren_max_image_width, 1, 0},
	{"mren.max_image_height", "Sets the maximum height of an image, in pixels.",
	 &mren_max_image_height, 1, 0},
	{"mren.max_image_memory", "Sets the maximum memory that decoding one image may take.",
	 &mren_max_image_memory, 64, GUC_UNIT_KB},
	{"mren.max_image_work",
	 "Sets the maximum work of decoding one image, an estimate that is the same on every "
	 "machine.",
	 &mren_max_image_work, 0, GUC_UNIT_MS},
	{"mren.max_audio_seconds", "Sets the maximum length of a recording.", &mren_max_audio_seconds,
	 1, GUC_UNIT_S},
	{"mren.max_audio_channels", "Sets the maximum number of channels of a recording.",
	 &mren_max_audio_channels, 1, 0},
	{"mren.max_audio_rate", "Sets the maximum sample rate of a recording, in Hz.",
	 &mren_max_audio_rate, 1, 0},
	{"mren.keep_runs", "Sets the number of days for which finished runs are kept.", &mren_keep_runs,
	 0, 0},
	{"mren.max_encoder_memory",
	 "Sets the maximum memory that loading one image, text or audio encoder may take.",
	 &mren_max_encoder_memory, 64, GUC_UNIT_KB},
	{"mren.word_cache",
	 "Sets the memory for cached word vectors, for each set of embeddings in use.",
	 &mren_word_cache, 64, GUC_UNIT_KB},
	{"mren.model_cache", "Sets the memory for cached models.", &mren_model_cache, 64, GUC_UNIT_KB},
	{"mren.encoder_cache", "Sets the memory for cached image encoders.", &mren_encoder_cache, 64,
	 GUC_UNIT_KB},
	{"mren.text_encoder_cache", "Sets the memory for cached text encoders.",
	 &mren_text_encoder_cache, 64, GUC_UNIT_KB},
	{"mren.image_cache", "Sets the memory for cached feature vectors of images.", &mren_image_cache,
	 0, GUC_UNIT_KB},
	{"mren.audio_encoder_cache", "Sets the memory for cached audio encoders.",
	 &mren_audio_encoder_cache, 64, GUC_UNIT_KB},
	{"mren.audio_cache", "Sets the memory for cached feature vectors of recordings.",
	 &mren_audio_cache, 0, GUC_UNIT_KB},
	{"mren.lexicon_cache",
	 "Sets the memory for cached lexicons, which is also the maximum size of one lexicon.",
	 &mren_lexicon_cache, 64, GUC_UNIT_KB},
	{"mren.shared_files",
	 "Sets the maximum size of all files by which the server's backends share models, encoders "
	 "and word vectors.",
	 &mren_shared_files, 0, GUC_UNIT_KB},
	{"mren.aggregate_memory", "Sets the maximum memory that one state of mren.train_agg may take.",
	 &mren_aggregate_memory, 64, GUC_UNIT_KB},
	{"mren.train_memory",
	 "Sets the memory of mren.train for word vectors, for rows kept between epochs, and for the "
	 "fine-tuning of a text encoder.",
	 &mren_train_memory, 64, GUC_UNIT_KB},
};

static const struct config_enum_entry on_error[] = {
	{"fail", MREN_ON_ERROR_FAIL, false},
	{"skip", MREN_ON_ERROR_SKIP, false},
	{NULL, 0, false},
};

void
mren_settings_define(void)
{
	for (int i = 0; i < (int) lengthof(settings); i++)
		DefineCustomIntVariable(settings[i].name, settings[i].what, NULL, settings[i].value,
								*settings[i].value, settings[i].min,
								(settings[i].flags & GUC_UNIT_KB) ? MAX_KILOBYTES : MAX_NUMBER,
								PGC_SUSET, settings[i].flags, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"mren.allow_empty_source",
		"Lets a refresh delete all documents of a graph whose source is empty.", NULL,
		&mren_allow_empty_source, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("mren.on_error",
							 "Sets what mren.predict_rows does with a row that cannot be used.",
							 "With \"skip\", such a row gets no answer.", &mren_on_error,
							 MREN_ON_ERROR_FAIL, on_error, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"mren.skip_bad_words", "Skips malformed words when word vectors are loaded.", NULL,
		&mren_skip_bad_words, mren_skip_bad_words, PGC_USERSET, 0, NULL, NULL, NULL);
	define_pair_settings();
	DefineCustomStringVariable(
		"mren.language", "Sets the language by whose rules documents are divided into sentences.",
		"A code of ISO 639, such as \"de\". An empty value means any language.", &mren_language, "",
		PGC_USERSET, 0, check_language, NULL, NULL);
#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("mren");
#else
	EmitWarningsOnPlaceholders("mren");
#endif
}
