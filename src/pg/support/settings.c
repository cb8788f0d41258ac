/*
 * settings.c
 *	  Defines the extension's settings.
 *
 * All of them bound what one session may take from the server, so only a
 * superuser, or who was granted SET on one (PostgreSQL 15), may change them.
 */
#include "pg/support/settings.h"

#include <limits.h>

#include "utils/guc.h"

int mren_max_image_width = 16384;
int mren_max_image_height = 16384;
int mren_max_image_memory = 256 * 1024;
int mren_max_encoder_memory = 1024 * 1024;
int mren_word_cache = 64 * 1024;
int mren_model_cache = 128 * 1024;
int mren_encoder_cache = 256 * 1024;
int mren_image_cache = 8 * 1024;
int mren_lexicon_cache = 256 * 1024;
int mren_aggregate_memory = 512 * 1024;
int mren_train_memory = 1024 * 1024;

typedef struct Setting
{
	const char *name;
	const char *what;
	int *value;
	int min;
	int flags;
} Setting;

void
mren_settings_define(void)
{
	static const Setting settings[] = {
		{"mren.max_image_width", "Largest width of an image, in pixels.", &mren_max_image_width, 1,
		 0},
		{"mren.max_image_height", "Largest height of an image, in pixels.", &mren_max_image_height,
		 1, 0},
		{"mren.max_image_memory", "Largest size of a decoded image (three bytes a pixel).",
		 &mren_max_image_memory, 64, GUC_UNIT_KB},
		{"mren.max_encoder_memory", "Most memory that loading one image encoder may take.",
		 &mren_max_encoder_memory, 64, GUC_UNIT_KB},
		{"mren.word_cache", "Memory for used word vectors, for each set of embeddings in use.",
		 &mren_word_cache, 64, GUC_UNIT_KB},
		{"mren.model_cache", "Memory for loaded models.", &mren_model_cache, 64, GUC_UNIT_KB},
		{"mren.encoder_cache", "Memory for loaded image encoders.", &mren_encoder_cache, 64,
		 GUC_UNIT_KB},
		{"mren.image_cache", "Memory for feature vectors of images seen lately.", &mren_image_cache,
		 0, GUC_UNIT_KB},
		{"mren.lexicon_cache", "Memory for loaded lexicons; a larger one is refused.",
		 &mren_lexicon_cache, 64, GUC_UNIT_KB},
		{"mren.aggregate_memory", "Most memory that one state of mren.train_agg may hold.",
		 &mren_aggregate_memory, 64, GUC_UNIT_KB},
		{"mren.train_memory",
		 "Memory of mren.train for word vectors and for rows kept between epochs.",
		 &mren_train_memory, 64, GUC_UNIT_KB},
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
		DefineCustomIntVariable(settings[i].name, settings[i].what, NULL, settings[i].value,
								*settings[i].value, settings[i].min,
								(settings[i].flags & GUC_UNIT_KB) ? MAX_KILOBYTES : 1000000,
								PGC_SUSET, settings[i].flags, NULL, NULL, NULL);
#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("mren");
#else
	EmitWarningsOnPlaceholders("mren");
#endif
}
