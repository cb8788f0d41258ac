/*
 * encoder_files.c
 *	  The files of a pretrained encoder.
 */
#include "transformer/file/encoder_files.h"

#include <string.h>

static const char *const wanted[] = {
	"config.json", "tokenizer.json",	"tokenizer_config.json",
	"vocab.txt",   "model.safetensors", "model.safetensors.index.json",
};

/* model-00001-of-00002.safetensors */
static bool
is_shard(const char *name)
{
	static const char begin[] = "model-";
	static const char end[] = ".safetensors";
	size_t len = strlen(name);
	size_t digits;

	if (len < sizeof(begin) + sizeof(end) || strncmp(name, begin, sizeof(begin) - 1) != 0 ||
		strcmp(name + len - (sizeof(end) - 1), end) != 0)
		return false;
	name += sizeof(begin) - 1;
	digits = strspn(name, "0123456789");
	if (digits == 0 || strncmp(name + digits, "-of-", 4) != 0)
		return false;
	name += digits + 4;
	digits = strspn(name, "0123456789");
	return digits > 0 && strcmp(name + digits, end) == 0;
}

bool
mren_transformer_file_wanted(const char *name)
{
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
	{
		if (strcmp(name, wanted[i]) == 0)
			return true;
	}
	return is_shard(name);
}

MrenStatus
mren_transformer_files_add(const MrenEnv *env, MrenTransformerFiles *files, const char *name,
						   size_t len, MrenTransformerFile **file, MrenError *err)
{
	MrenTransformerFile new_file = {NULL, NULL, len};
	MrenStatus status;

	if (mren_transformer_files_find(files, name) != NULL)
		return mren_fail(err, MREN_EFORMAT, "file \"%s\" occurs twice", name);
	MREN_TRY(mren_grow(env, &files->items, &files->capacity, files->n, files->n + 1,
					   sizeof(MrenTransformerFile), err));
	MREN_TRY(mren_allocate(env, strlen(name) + 1, 1, &new_file.name, err));
	strcpy(new_file.name, name);
	status = mren_allocate(env, len, 1, &new_file.bytes, err);
	if (status != MREN_OK)
	{
		mren_release(env, new_file.name);
		return status;
	}
	files->items[files->n] = new_file;
	*file = &files->items[files->n++];
	return MREN_OK;
}

const MrenTransformerFile *
mren_transformer_files_find(const MrenTransformerFiles *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++)
	{
		if (strcmp(files->items[i].name, name) == 0)
			return &files->items[i];
	}
	return NULL;
}

void
mren_transformer_files_close(const MrenEnv *env, MrenTransformerFiles *files)
{
	for (size_t i = 0; i < files->n; i++)
	{
		mren_release(env, files->items[i].name);
		mren_release(env, files->items[i].bytes);
	}
	mren_release(env, files->items);
	*files = (MrenTransformerFiles){NULL};
}
