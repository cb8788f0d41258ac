/*
 * shared_files.c
 *	  Finding, mapping, making and removing files of weights.
 *
 * The directory base/pgsql_tmp/pgsql_tmp_mren has a file for each content, named by its kind and a
 * hash.  Files are never changed, only renamed into place and removed, so a mapped one stays
 * what it is.  They are read-only even to the server's account, since truncating a mapped file
 * would be the end of who has mapped it.  Whoever makes a file, or room for it, holds a lock on the
 * directory; a backend that does not get it at once goes on without a file.  A file that is damaged
 * or dropped is removed without the lock: whoever wants it makes it again.  What a killed backend
 * left half written has another name, and the next one that holds the lock removes it.
 */
#include "pg/support/shared_files.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "access/xact.h"
#include "common/file_perm.h"
#include "common/file_utils.h" /* of names of temporary files, from 17 on */
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "base/dispatch.h"
#include "base/hash.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"

#define TEMPORARY "base/" PG_TEMP_FILES_DIR
#define DIRECTORY TEMPORARY "/" PG_TEMP_FILE_PREFIX "_mren"
#define UNFINISHED ".new"
#define MAX_NAME 64
#define MAX_PATH_LENGTH (sizeof(DIRECTORY) + MAX_NAME + sizeof(UNFINISHED))

/* Below this, a mapping saves nothing. */
#define LEAST_BYTES 16384

/* A use is noted in the file's time if the last one was that many seconds ago. */
#define USED_SECONDS 60

typedef struct SharedKey
{
	uint8 hash[MREN_WEIGHTS_KEY];
	char name[MAX_NAME];
} SharedKey;

/* One attempt to open content: what it takes goes with its context. */
typedef struct Attempt
{
	MrenWeights weights;
	MrenEnv env;
	void *bytes; /* mapped; NULL: none */
	size_t len;
	MemoryContext context;
} Attempt;

/* After the first failure this backend makes no more files. */
static bool given_up;

/*
 * What the numbers in a file depend on beside the content: this very library and the processor's
 * kernels.
 */
static struct
{
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
	unsigned kernels;
} maker;

void
mren_shared_begin(void)
{
	struct stat status;
	Dl_info library;

	/* Padding is part of the key. */
	memset(&maker, 0, sizeof(maker));
	if (dladdr((void *) mren_shared_begin, &library) != 0 && stat(library.dli_fname, &status) == 0)
	{
		maker.device = status.st_dev;
		maker.inode = status.st_ino;
		maker.size = status.st_size;
		maker.changed = status.st_mtim;
	}
	maker.kernels = mren_cpu_features();
}

/*
 * A hash of all of it, then most of the content's own, which alone tells contents apart.  (SHA-256
 * would take a fresh backend a quarter of a millisecond the first time.)
 */
static void
make_key(MrenSharedKind kind, const uint8 *content, SharedKey *key)
{
	static const char *const names[] = {"model", "image", "audio", "text", "tokenizer", "words"};
	uint64 seed = mren_hash64(content, MREN_SHA256_LENGTH, kind);
	int len;

	seed = mren_hash64(MREN_VERSION, sizeof(MREN_VERSION), seed);
	seed = mren_hash64(&maker, sizeof(maker), seed);
	memcpy(key->hash, &seed, sizeof(seed));
	memcpy(key->hash + sizeof(seed), content, sizeof(key->hash) - sizeof(seed));
	len = snprintf(key->name, sizeof(key->name), "%s-", names[kind]);
	for (int i = 0; i < 16; i++)
		len += snprintf(key->name + len, sizeof(key->name) - len, "%02x", key->hash[i]);
}

static void
make_path(const char *name, const char *suffix, char *path)
{
	snprintf(path, MAX_PATH_LENGTH, "%s/%.*s%s", DIRECTORY, MAX_NAME, name, suffix);
}

/* ---- mapping ---- */

static void
close_attempt(void *arg)
{
	Attempt *attempt = arg;

	if (attempt->bytes != NULL)
		munmap(attempt->bytes, attempt->len);
	attempt->bytes = NULL;
}

static Attempt *
begin_attempt(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "mren opened", ALLOCSET_DEFAULT_SIZES);
	Attempt *attempt = MemoryContextAllocZero(context, sizeof(Attempt));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	MrenEnv env = mren_pg_env(context);

	attempt->context = context;
	mren_weights_record(&attempt->weights, &env);
	attempt->env = mren_weights_env(&attempt->weights);
	callback->func = close_attempt;
	callback->arg = attempt;
	MemoryContextRegisterResetCallback(context, callback);
	return attempt;
}

/* So that the files used last are kept. */
static void
note_use(const char *path, const struct stat *status)
{
	if (time(NULL) - status->st_mtime >= USED_SECONDS)
		(void) utimes(path, NULL);
}

/* The file's bytes, if it is there and may be one. */
static bool
map_file(const char *path, Attempt *attempt)
{
	struct stat status;
	/* What is no file of ours, such as a FIFO without a writer, must not hold it up. */
	int fd = BasicOpenFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);

	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
	{
		attempt->len = status.st_size;
		attempt->bytes = mmap(NULL, attempt->len, PROT_READ, MAP_SHARED, fd, 0);
		if (attempt->bytes == MAP_FAILED)
			attempt->bytes = NULL;
		else
			note_use(path, &status);
	}
	close(fd);
	return attempt->bytes != NULL;
}

static MrenStatus
open_mapped(const SharedKey *key, Attempt *attempt, MrenSharedOpen open, void *state, void **opened,
			MrenError *err)
{
	MrenEnv env = attempt->weights.env;

	MREN_TRY(
		mren_weights_attach(&attempt->weights, &env, attempt->bytes, attempt->len, key->hash, err));
	return open(state, &attempt->env, opened, err);
}

/* What is opened with the file; NULL if there is none, or it cannot be used and was removed. */
static void *
open_file(const SharedKey *key, MemoryContext context, MrenSharedOpen open, void *state)
{
	char path[MAX_PATH_LENGTH];
	Attempt *attempt = begin_attempt(context);
	MrenStatus status = MREN_EFORMAT;
	MrenError err;
	void *opened = NULL;

	make_path(key->name, "", path);
	if (map_file(path, attempt))
	{
		status = open_mapped(key, attempt, open, state, &opened, &err);
		if (status == MREN_ECANCELED || status == MREN_ENOMEM)
			mren_pg_raise(&err);
		if (status != MREN_OK)
		{
			ereport(LOG, (errmsg("removing shared file \"%s\", which cannot be used", path),
						  errdetail_internal("%s", err.message)));
			(void) unlink(path);
		}
	}
	if (status == MREN_OK)
		return opened;
	MemoryContextDelete(attempt->context);
	return NULL;
}

/* ---- the directory ---- */

/* A descriptor of the directory, locked; -1 if somebody else has the lock, or it cannot be. */
static int
lock_directory(void)
{
	int saved;
	int fd;

	if ((MakePGDirectory(TEMPORARY) < 0 && errno != EEXIST) ||
		(MakePGDirectory(DIRECTORY) < 0 && errno != EEXIST))
		return -1;
	fd = OpenTransientFile(DIRECTORY, O_RDONLY | PG_BINARY);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	saved = errno;
	CloseTransientFile(fd);
	errno = saved;
	return -1;
}

typedef struct FileUse
{
	char name[MAX_NAME];
	uint64 bytes;
	time_t used;
} FileUse;

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name);

	return n >= strlen(suffix) && strcmp(name + n - strlen(suffix), suffix) == 0;
}

/* The whole files; those that a killed backend left are removed. */
static FileUse *
list_files(int *n, uint64 *bytes)
{
	int capacity = 16;
	FileUse *files = palloc(capacity * sizeof(FileUse));
	DIR *dir = AllocateDir(DIRECTORY);
	struct dirent *entry;

	*n = 0;
	*bytes = 0;
	while (dir != NULL && (entry = ReadDirExtended(dir, DIRECTORY, LOG)) != NULL)
	{
		char path[MAX_PATH_LENGTH];
		struct stat status;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= MAX_NAME)
			continue;
		make_path(entry->d_name, "", path);
		if (ends_with(entry->d_name, UNFINISHED))
			(void) unlink(path);
		if (stat(path, &status) != 0)
			continue;
		if (*n == capacity)
			files = repalloc(files, (capacity *= 2) * sizeof(FileUse));
		strlcpy(files[*n].name, entry->d_name, MAX_NAME);
		files[*n].bytes = status.st_size;
		files[*n].used = status.st_mtime;
		*bytes += files[(*n)++].bytes;
	}
	if (dir != NULL)
		FreeDir(dir);
	return files;
}

static int
compare_use(const void *a, const void *b)
{
	const FileUse *x = a;
	const FileUse *y = b;

	return x->used < y->used ? -1 : x->used > y->used;
}

/* Removes the least recently used files until `wanted` bytes more fit; false if they never do. */
static bool
make_room(uint64 wanted)
{
	uint64 limit = (uint64) mren_shared_files * 1024;
	uint64 bytes;
	int n;
	FileUse *files = list_files(&n, &bytes);

	qsort(files, n, sizeof(FileUse), compare_use);
	for (int i = 0; i < n && wanted <= limit && bytes + wanted > limit; i++)
	{
		char path[MAX_PATH_LENGTH];

		make_path(files[i].name, "", path);
		if (unlink(path) == 0)
			bytes -= files[i].bytes;
	}
	pfree(files);
	return bytes + wanted <= limit;
}

/* ---- making a file ---- */

static bool
write_bytes(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0)
	{
		/* Pieces, so that a large file can be cancelled. */
		ssize_t n = write(fd, at, Min(len, (size_t) 8 << 20));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			errno = n == 0 ? ENOSPC : errno;
			return false;
		}
		at += n;
		len -= n;
		if (InterruptPending && (QueryCancelPending || ProcDiePending))
		{
			errno = EINTR;
			return false;
		}
	}
	return true;
}

static bool
write_blocks(int fd, const MrenWeights *weights, const MrenBuffer *header)
{
	static const char zeros[MREN_ALIGNMENT];
	size_t at = header->len;

	if (!write_bytes(fd, header->data, header->len))
		return false;
	for (size_t i = 0; i < weights->n; i++)
	{
		const MrenWeightsBlock *block = &weights->blocks[i];
		size_t gap = mren_weights_align(at) - at;

		if (!write_bytes(fd, zeros, gap) || !write_bytes(fd, block->data, block->len))
			return false;
		at += gap + block->len;
	}
	return true;
}

/* Writes the file under its unfinished name and renames it; false with errno. */
static bool
write_file(const SharedKey *key, const MrenWeights *weights, const MrenBuffer *header)
{
	char path[MAX_PATH_LENGTH];
	char unfinished[MAX_PATH_LENGTH];
	bool done;
	int saved;
	int fd;

	make_path(key->name, "", path);
	make_path(key->name, UNFINISHED, unfinished);
	fd = OpenTransientFilePerm(unfinished, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY, S_IRUSR);
	if (fd < 0)
		return false;
	done = write_blocks(fd, weights, header);
	saved = errno;
	if (CloseTransientFile(fd) != 0 && done)
	{
		saved = errno;
		done = false;
	}
	if (done && rename(unfinished, path) != 0)
	{
		saved = errno;
		done = false;
	}
	if (!done)
		(void) unlink(unfinished);
	errno = saved;
	return done;
}

/* Once in a backend. */
static void
give_up(void)
{
	given_up = true;
	ereport(LOG, (errcode_for_file_access(),
				  errmsg("could not write shared files to directory \"%s\": %m", DIRECTORY),
				  errhint("Models and encoders are read into the memory of each backend.")));
}

/* Writes what has been recorded, under the lock. */
static bool
write_recorded(const SharedKey *key, Attempt *attempt)
{
	size_t bytes = mren_weights_file_size(&attempt->weights);
	MrenBuffer header;
	MrenError err;

	if (!mren_shared_room(bytes) || !make_room(bytes))
		return false;
	MREN_PG_CALL(err, mren_weights_header(&attempt->weights, key->hash, &header, &err));
	if (write_file(key, &attempt->weights, &header))
		return true;
	if (errno != EINTR)
		give_up();
	CHECK_FOR_INTERRUPTS();
	return false;
}

/* A locked directory, or -1. */
static int
begin_writing(void)
{
	int fd = given_up ? -1 : lock_directory();

	if (fd < 0 && !given_up && errno != EWOULDBLOCK)
		give_up();
	return fd;
}

void *
mren_shared_find(MrenSharedKind kind, const uint8 *content, MemoryContext context,
				 MrenSharedOpen open, void *state)
{
	SharedKey key;

	if (mren_shared_files == 0)
		return NULL;
	make_key(kind, content, &key);
	return open_file(&key, context, open, state);
}

void *
mren_shared_open(MrenSharedKind kind, const uint8 *content, MemoryContext context,
				 MrenSharedOpen open, void *state)
{
	void *opened = mren_shared_find(kind, content, context, open, state);
	bool makes = mren_shared_files > 0 && !given_up;
	void *mapped = NULL;
	Attempt *attempt;
	SharedKey key;
	MrenError err;
	int fd;

	if (opened != NULL)
		return opened;
	attempt = begin_attempt(context);
	/* What is recorded for a file may take memory of its own. */
	if (!makes)
		attempt->env.weights = NULL;
	MREN_PG_CALL(err, open(state, &attempt->env, &opened, &err));
	if (!makes || (fd = begin_writing()) < 0)
		return opened;
	make_key(kind, content, &key);
	/* Another backend may have made it meanwhile. */
	mapped = open_file(&key, context, open, state);
	if (mapped == NULL && write_recorded(&key, attempt))
		mapped = open_file(&key, context, open, state);
	CloseTransientFile(fd);
	if (mapped == NULL)
		return opened;
	MemoryContextDelete(attempt->context);
	return mapped;
}

/* The lock comes first, so that no two backends work on what only one can use. */
void *
mren_shared_make(MrenSharedKind kind, const uint8 *content, MemoryContext context,
				 MrenSharedOpen open, void *state)
{
	void *opened = mren_shared_find(kind, content, context, open, state);
	Attempt *attempt;
	SharedKey key;
	MrenError err;
	int fd;

	if (opened != NULL || mren_shared_files == 0 || (fd = begin_writing()) < 0)
		return opened;
	make_key(kind, content, &key);
	opened = open_file(&key, context, open, state);
	if (opened == NULL)
	{
		/* Of no use later, whatever happens; the caller's context may live long. */
		attempt = begin_attempt(CurrentMemoryContext);
		MREN_PG_CALL(err, open(state, &attempt->env, &opened, &err));
		opened = NULL;
		if (write_recorded(&key, attempt))
			opened = open_file(&key, context, open, state);
		MemoryContextDelete(attempt->context);
	}
	CloseTransientFile(fd);
	return opened;
}

bool
mren_shared_room(uint64 bytes)
{
	return !given_up && bytes >= LEAST_BYTES && bytes / 1024 < (uint64) mren_shared_files;
}

/* ---- removing what is dropped ---- */

typedef struct Dropped
{
	struct Dropped *next;
	SharedKey key;
} Dropped;

static Dropped *dropped; /* in TopTransactionContext */

static void
on_xact_end(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	for (; dropped != NULL && event == XACT_EVENT_COMMIT; dropped = dropped->next)
	{
		char path[MAX_PATH_LENGTH];

		make_path(dropped->key.name, "", path);
		(void) unlink(path);
	}
	dropped = NULL;
}

void
mren_shared_drop(MrenSharedKind kind, const uint8 *content)
{
	static bool registered;
	Dropped *entry = MemoryContextAlloc(TopTransactionContext, sizeof(Dropped));

	if (!registered)
		RegisterXactCallback(on_xact_end, NULL);
	registered = true;
	make_key(kind, content, &entry->key);
	entry->next = dropped;
	dropped = entry;
}
