/*
 * archive.c
 *	  The files of a pretrained encoder in a zip or tar archive.
 *
 * The archive is gone through twice: once for the folder that holds an encoder, and once
 * for its files, so that no other file takes memory.  Names in the archive are only
 * compared, never opened.  libarchive allocates with malloc, and each reader is freed on
 * every path out.  This is the only file that includes its headers.
 */
#include "transformer/file/encoder_files.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/library.h"
#include "base/utf8.h"

/* What is called of libarchive. */
#define FUNCTIONS(F)                                                                               \
	F(archive_entry_filetype)                                                                      \
	F(archive_entry_hardlink)                                                                      \
	F(archive_entry_pathname)                                                                      \
	F(archive_entry_pathname_utf8)                                                                 \
	F(archive_entry_size)                                                                          \
	F(archive_entry_size_is_set)                                                                   \
	F(archive_errno)                                                                               \
	F(archive_error_string)                                                                        \
	F(archive_filter_code)                                                                         \
	F(archive_read_data)                                                                           \
	F(archive_read_data_block)                                                                     \
	F(archive_read_free)                                                                           \
	F(archive_read_new)                                                                            \
	F(archive_read_next_header)                                                                    \
	F(archive_read_open_memory)                                                                    \
	F(archive_read_support_filter_gzip)                                                            \
	F(archive_read_support_format_tar)                                                             \
	F(archive_read_support_format_zip)

MREN_LIBRARY(FUNCTIONS);

#define MAX_PATH 1024
/* Folders that hold a config.json or weights. */
#define MAX_FOLDERS 64
#define PIECE ((size_t) 1 << 20)

/* A folder of the archive that holds one of the two files every encoder has. */
typedef struct Folder
{
	char path[MAX_PATH];
	bool config;
	bool weights;
} Folder;

typedef struct Folders
{
	Folder items[MAX_FOLDERS];
	int n;
	bool links; /* one of the two files is a link, whose data is not in the archive */
} Folders;

typedef struct Unpacking
{
	const MrenEnv *env;
	const char *folder; /* whose files are read */
	size_t left;		/* bytes that they may still have */
	size_t limit;
	MrenTransformerFiles *files;
	uint8_t *piece;
	MrenError *err;
} Unpacking;

static MrenStatus
fail_archive(struct archive *archive, MrenError *err)
{
	const char *text = library.archive_error_string(archive);

	if (library.archive_errno(archive) == ENOMEM)
		return mren_fail_nomem(err);
	mren_fail(err, MREN_EFORMAT, "could not read the archive");
	if (text != NULL)
		mren_error_detail(err, "%s.", mren_utf8_excerpt(text, strlen(text)).text);
	mren_error_hint(err, "The archive must be a zip, tar or tar.gz file that holds config.json, "
						 "model.safetensors, and tokenizer.json or vocab.txt.");
	return MREN_EFORMAT;
}

static MrenStatus
open_archive(const uint8_t *bytes, size_t len, struct archive **out, MrenError *err)
{
	struct archive *archive;
	MrenStatus status;

	*out = NULL;
	MREN_TRY(MREN_LIBRARY_LOAD("libarchive.so.13", err));
	archive = library.archive_read_new();
	if (archive == NULL)
		return mren_fail_nomem(err);
	library.archive_read_support_filter_gzip(archive);
	library.archive_read_support_format_zip(archive);
	library.archive_read_support_format_tar(archive);
	if (library.archive_read_open_memory(archive, bytes, len) == ARCHIVE_OK)
	{
		*out = archive;
		return MREN_OK;
	}
	status = fail_archive(archive, err);
	library.archive_read_free(archive);
	return status;
}

/*
 * The next entry with a path that can be read; *base is its name in *path.  Both
 * are NULL at the end.
 */
static MrenStatus
next_entry(const MrenEnv *env, struct archive *archive, struct archive_entry **entry, char *path,
		   const char **base, MrenError *err)
{
	for (;;)
	{
		const char *name;
		int result;

		MREN_TRY(mren_check_interrupts(env, err));
		result = library.archive_read_next_header(archive, entry);
		*base = NULL;
		if (result == ARCHIVE_EOF)
			return MREN_OK;
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
			return fail_archive(archive, err);
		name = library.archive_entry_pathname(*entry);
		if (name == NULL)
			name = library.archive_entry_pathname_utf8(*entry);
		if (name == NULL)
			continue;
		while (name[0] == '.' && name[1] == '/')
			name += 2;
		if (strlen(name) >= MAX_PATH)
			continue;
		strcpy(path, name);
		*base = strrchr(path, '/');
		*base = *base == NULL ? path : *base + 1;
		return MREN_OK;
	}
}

/* Links, directories and devices have no data. */
static bool
is_file(struct archive_entry *entry)
{
	return library.archive_entry_filetype(entry) == AE_IFREG &&
		   library.archive_entry_hardlink(entry) == NULL;
}

static bool
is_link(struct archive_entry *entry)
{
	return library.archive_entry_filetype(entry) == AE_IFLNK ||
		   library.archive_entry_hardlink(entry) != NULL;
}

/*
 * Passes over the data of an entry.  What is compressed as a whole must be decompressed
 * to be passed over, which can take long.
 */
static MrenStatus
skip_data(const MrenEnv *env, struct archive *archive, MrenError *err)
{
	const void *block;
	size_t size;
	la_int64_t offset;
	int result = ARCHIVE_OK;

	if (library.archive_filter_code(archive, 0) == ARCHIVE_FILTER_NONE)
		return MREN_OK; /* the next header's call does it */
	while (result == ARCHIVE_OK || result == ARCHIVE_WARN)
	{
		MREN_TRY(mren_check_interrupts(env, err));
		result = library.archive_read_data_block(archive, &block, &size, &offset);
	}
	return result == ARCHIVE_EOF ? MREN_OK : fail_archive(archive, err);
}

static Folder *
folder_of(Folders *folders, const char *path, const char *base)
{
	size_t len = (size_t) (base - path);
	Folder *folder;

	for (int i = 0; i < folders->n; i++)
	{
		folder = &folders->items[i];
		if (strlen(folder->path) == len && memcmp(folder->path, path, len) == 0)
			return folder;
	}
	if (folders->n == MAX_FOLDERS)
		return NULL;
	folder = &folders->items[folders->n++];
	memset(folder, 0, sizeof(Folder));
	memcpy(folder->path, path, len);
	return folder;
}

static MrenStatus
list_folders(const MrenEnv *env, struct archive *archive, Folders *folders, MrenError *err)
{
	struct archive_entry *entry;
	char path[MAX_PATH];
	const char *base;

	for (;;)
	{
		bool config;
		bool weights;
		Folder *folder;

		MREN_TRY(next_entry(env, archive, &entry, path, &base, err));
		if (base == NULL)
			return MREN_OK;
		config = strcmp(base, "config.json") == 0;
		weights = strcmp(base, "model.safetensors") == 0 ||
				  strcmp(base, "model.safetensors.index.json") == 0;
		folders->links |= (config || weights) && is_link(entry);
		if ((config || weights) && is_file(entry))
		{
			folder = folder_of(folders, path, base);
			if (folder == NULL)
				return mren_fail(err, MREN_EDATA,
								 "the archive has more than %d folders with encoders", MAX_FOLDERS);
			folder->config |= config;
			folder->weights |= weights;
		}
		MREN_TRY(skip_data(env, archive, err));
	}
}

/* The one folder that holds an encoder. */
static MrenStatus
choose_folder(const Folders *folders, const Folder **chosen, MrenError *err)
{
	*chosen = NULL;
	for (int i = 0; i < folders->n; i++)
	{
		const Folder *folder = &folders->items[i];

		if (!folder->config || !folder->weights)
			continue;
		if (*chosen != NULL)
		{
			mren_fail(err, MREN_EDATA, "the archive holds more than one encoder");
			mren_error_detail(err, "There is one in \"%s\" and one in \"%s\".",
							  mren_utf8_excerpt((*chosen)->path, strlen((*chosen)->path)).text,
							  mren_utf8_excerpt(folder->path, strlen(folder->path)).text);
			return MREN_EDATA;
		}
		*chosen = folder;
	}
	if (*chosen != NULL)
		return MREN_OK;
	mren_fail(err, MREN_EDATA,
			  "no folder of the archive holds both config.json and model.safetensors");
	mren_error_hint(err,
					folders->links
						? "The archive has links instead of these files. Pack what they point "
						  "to, as tar does with --dereference."
						: "Weights in other formats, such as pytorch_model.bin, cannot be read.");
	return MREN_EDATA;
}

/* The data of an entry into a new file.  Its size need not be known, or be the truth. */
static MrenStatus
unpack_file(Unpacking *unpacking, struct archive *archive, struct archive_entry *entry,
			const char *name)
{
	const MrenEnv *env = unpacking->env;
	MrenTransformerFile *file;
	size_t capacity = 0;

	if (library.archive_entry_size_is_set(entry) && library.archive_entry_size(entry) > 0 &&
		(uint64_t) library.archive_entry_size(entry) <= unpacking->left)
		capacity = (size_t) library.archive_entry_size(entry);
	MREN_TRY(
		mren_transformer_files_add(env, unpacking->files, name, capacity, &file, unpacking->err));
	file->len = 0;
	for (;;)
	{
		la_ssize_t n = library.archive_read_data(archive, unpacking->piece, PIECE);

		MREN_TRY(mren_check_interrupts(env, unpacking->err));
		if (n == 0)
			return MREN_OK;
		if (n == ARCHIVE_WARN)
			continue;
		if (n < 0)
			return fail_archive(archive, unpacking->err);
		if ((size_t) n > unpacking->left)
			return mren_fail(unpacking->err, MREN_ELIMIT,
							 "the files of the encoder exceed the maximum size of %zu bytes",
							 unpacking->limit);
		MREN_TRY(mren_grow(env, &file->bytes, &capacity, file->len, file->len + (size_t) n, 1,
						   unpacking->err));
		memcpy(file->bytes + file->len, unpacking->piece, (size_t) n);
		file->len += (size_t) n;
		unpacking->left -= (size_t) n;
	}
}

static MrenStatus
unpack_folder(Unpacking *unpacking, struct archive *archive)
{
	struct archive_entry *entry;
	char path[MAX_PATH];
	const char *base;
	size_t len = strlen(unpacking->folder);

	for (;;)
	{
		MREN_TRY(next_entry(unpacking->env, archive, &entry, path, &base, unpacking->err));
		if (base == NULL)
			return MREN_OK;
		if ((size_t) (base - path) == len && memcmp(path, unpacking->folder, len) == 0 &&
			is_file(entry) && mren_transformer_file_wanted(base))
			MREN_TRY(unpack_file(unpacking, archive, entry, base));
		else
			MREN_TRY(skip_data(unpacking->env, archive, unpacking->err));
	}
}

static MrenStatus
find_folder(const MrenEnv *env, const uint8_t *bytes, size_t len, Folders *folders,
			const Folder **folder, MrenError *err)
{
	struct archive *archive;
	MrenStatus status;

	folders->n = 0;
	folders->links = false;
	MREN_TRY(open_archive(bytes, len, &archive, err));
	status = list_folders(env, archive, folders, err);
	library.archive_read_free(archive);
	MREN_TRY(status);
	return choose_folder(folders, folder, err);
}

static MrenStatus
unpack(Unpacking *unpacking, const uint8_t *bytes, size_t len)
{
	struct archive *archive;
	MrenStatus status;

	MREN_TRY(open_archive(bytes, len, &archive, unpacking->err));
	status = unpack_folder(unpacking, archive);
	library.archive_read_free(archive);
	return status;
}

MrenStatus
mren_transformer_archive_read(const MrenEnv *env, const uint8_t *bytes, size_t len, size_t limit,
							  MrenTransformerFiles *files, MrenError *err)
{
	Unpacking unpacking = {env, NULL, limit, limit, files, NULL, err};
	Folders *folders;
	const Folder *folder;
	MrenStatus status;

	MREN_TRY(mren_allocate(env, 1, sizeof(Folders), &folders, err));
	status = find_folder(env, bytes, len, folders, &folder, err);
	if (status == MREN_OK)
		status = mren_allocate(env, PIECE, 1, &unpacking.piece, err);
	if (status == MREN_OK)
	{
		unpacking.folder = folder->path;
		status = unpack(&unpacking, bytes, len);
	}
	mren_release(env, unpacking.piece);
	mren_release(env, folders);
	return status;
}
