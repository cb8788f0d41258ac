/*
 * load_input.c
 *	  Bytes to be loaded, from a file, a bytea or a large object.
 */
#include "pg/support/load_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "pg/support/args.h"
#include "pg/support/compat.h"

/* Maximum size of the pieces that a large object is read in. */
#define OBJECT_PIECE (1024 * 1024)
/* Maximum size of a read from a file, between which there are checks for interrupts. */
#define FILE_PIECE ((size_t) 8 * 1024 * 1024)

struct MrenLoadInput
{
	int file; /* descriptor; only with path */
	const char *path;
	const bytea *contents;
	size_t offset;
	Oid object; /* InvalidOid: none */
};

/*
 * Only a regular file has an end that is reached without waiting for others.  The
 * descriptor is asked, since what the path names may be replaced meanwhile, and
 * opening does not wait for the writer of a FIFO.
 */
static int
open_regular(const char *path)
{
	int file = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | PG_BINARY);
	struct stat status;

	if (file < 0)
	{
		bool denied = errno == EACCES;

		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\" for reading: %m", path),
				 denied ? errhint("The server's user must be able to read it, which home "
								  "directories usually do not allow.")
						: errhint("The path is that of a file on the server, not on the client.")));
	}
	if (fstat(file, &status) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat file \"%s\": %m", path)));
	if (S_ISDIR(status.st_mode))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a directory", path)));
	if (!S_ISREG(status.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a regular file", path),
				 errdetail("It may be a FIFO or a device, whose end may never be reached.")));
	return file;
}

static void
require_server_files(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to read files of the server"),
				 errdetail(
					 "Only members of the role pg_read_server_files may read files of the server."),
				 errhint("Pass the contents as bytea or, for a file of the client, as a "
						 "large object (\\lo_import).")));
}

bool
mren_load_is_directory(const char *path)
{
	struct stat status;

	require_server_files();
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

MrenLoadInput *
mren_load_input_file(const char *path)
{
	MrenLoadInput *input = palloc0(sizeof(MrenLoadInput));

	require_server_files();
	input->path = path;
	input->file = open_regular(path);
	return input;
}

static MrenLoadInput *
open_bytea(const bytea *contents)
{
	MrenLoadInput *input = palloc0(sizeof(MrenLoadInput));

	input->contents = contents;
	return input;
}

/*
 * Through the SQL function, which also sees to it that the relations of large
 * objects are closed at the end of the transaction.
 */
static size_t
read_object(MrenLoadInput *input, void *buffer, size_t size)
{
	bytea *piece = DatumGetByteaPP(DirectFunctionCall3(
		be_lo_get_fragment, ObjectIdGetDatum(input->object), Int64GetDatum((int64) input->offset),
		Int32GetDatum((int32) Min(size, OBJECT_PIECE))));
	size_t n = VARSIZE_ANY_EXHDR(piece);

	if (n > 0)
		memcpy(buffer, VARDATA_ANY(piece), n);
	input->offset += n;
	pfree(piece);
	return n;
}

static MrenLoadInput *
open_large_object(Oid oid)
{
	MrenLoadInput *input = palloc0(sizeof(MrenLoadInput));

	input->object = oid;
	/* Raises the error for one that does not exist or may not be read. */
	read_object(input, NULL, 0);
	return input;
}

MrenLoadInput *
mren_load_input_arg(FunctionCallInfo fcinfo, int arg, MrenLoadKind kind)
{
	switch (kind)
	{
		case MREN_LOAD_PATH:
			return mren_load_input_file(mren_arg_text(fcinfo, arg, "path"));
		case MREN_LOAD_CONTENTS:
			mren_arg_required(fcinfo, arg, "contents");
			return open_bytea(PG_GETARG_BYTEA_PP(arg));
		case MREN_LOAD_LARGE_OBJECT:
			mren_arg_required(fcinfo, arg, "large_object");
			return open_large_object(PG_GETARG_OID(arg));
	}
	pg_unreachable();
}

size_t
mren_load_input_read(MrenLoadInput *input, void *buffer, size_t size)
{
	size_t n;

	CHECK_FOR_INTERRUPTS();
	if (input->path != NULL)
	{
		ssize_t n_read = read(input->file, buffer, Min(size, FILE_PIECE));

		if (n_read < 0)
			ereport(ERROR, (errcode_for_file_access(),
							errmsg("could not read file \"%s\": %m", input->path)));
		return (size_t) n_read;
	}
	if (OidIsValid(input->object))
		return read_object(input, buffer, size);
	n = Min(size, VARSIZE_ANY_EXHDR(input->contents) - input->offset);
	memcpy(buffer, VARDATA_ANY(input->contents) + input->offset, n);
	input->offset += n;
	return n;
}

void
mren_load_input_close(MrenLoadInput *input)
{
	if (input->path != NULL)
		CloseTransientFile(input->file);
	pfree(input);
}

uint8 *
mren_load_input_all(MrenLoadInput *input, size_t limit, const char *setting, size_t *len)
{
	size_t capacity = 1024 * 1024;
	uint8 *bytes = palloc(capacity);
	size_t n;

	*len = 0;
	while ((n = mren_load_input_read(input, bytes + *len, capacity - *len)) > 0)
	{
		*len += n;
		if (*len > limit)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("contents exceed the maximum size of %zu bytes", limit),
							errhint("The maximum size is set by %s.", setting)));
		if (*len == capacity)
		{
			capacity *= 2;
			bytes = repalloc_huge(bytes, capacity);
		}
	}
	return bytes;
}
