/*
 * load_input.c
 *	  Bytes to be loaded, from where the user has them.
 */
#include "pg/support/load_input.h"

#include <sys/stat.h>

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "pg/support/compat.h"

/* A large object is read in pieces of this size at most. */
#define OBJECT_PIECE (1024 * 1024)

struct MrenInputSource
{
	FILE *file;
	const char *path;
	const bytea *contents;
	size_t offset;
	Oid object; /* InvalidOid: none */
};

MrenInputSource *
mren_input_file(const char *path)
{
	MrenInputSource *input = palloc0(sizeof(MrenInputSource));
	struct stat status;

	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to read files of the server"),
						errdetail("Only members of the role pg_read_server_files may."),
						errhint("Pass the contents as bytea or, for a client's file, as a large "
								"object (\\lo_import).")));
	input->path = path;
	input->file = AllocateFile(path, PG_BINARY_R);
	if (input->file == NULL)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not open file \"%s\" for reading: %m", path),
						errhint("The path is one of the server's machine, not the client's.")));
	if (fstat(fileno(input->file), &status) == 0 && S_ISDIR(status.st_mode))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a directory", path)));
	return input;
}

MrenInputSource *
mren_input_bytea(const bytea *contents)
{
	MrenInputSource *input = palloc0(sizeof(MrenInputSource));

	input->contents = contents;
	return input;
}

/*
 * Through the SQL function, which also sees to it that the relations of large
 * objects are closed at the end of the transaction.
 */
static size_t
read_object(MrenInputSource *input, void *buffer, size_t size)
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

MrenInputSource *
mren_input_large_object(Oid oid)
{
	MrenInputSource *input = palloc0(sizeof(MrenInputSource));

	input->object = oid;
	/* Says at once if it does not exist or may not be read. */
	read_object(input, NULL, 0);
	return input;
}

size_t
mren_input_read(MrenInputSource *input, void *buffer, size_t size)
{
	size_t n;

	CHECK_FOR_INTERRUPTS();
	if (input->file != NULL)
	{
		n = fread(buffer, 1, size, input->file);
		if (n < size && ferror(input->file))
			ereport(ERROR, (errcode_for_file_access(),
							errmsg("could not read file \"%s\": %m", input->path)));
		return n;
	}
	if (OidIsValid(input->object))
		return read_object(input, buffer, size);
	n = Min(size, VARSIZE_ANY_EXHDR(input->contents) - input->offset);
	memcpy(buffer, VARDATA_ANY(input->contents) + input->offset, n);
	input->offset += n;
	return n;
}

void
mren_input_close(MrenInputSource *input)
{
	if (input->file != NULL)
		FreeFile(input->file);
	pfree(input);
}

uint8 *
mren_input_all(MrenInputSource *input, size_t limit, const char *setting, size_t *len)
{
	size_t capacity = 1024 * 1024;
	uint8 *bytes = palloc(capacity);
	size_t n;

	*len = 0;
	while ((n = mren_input_read(input, bytes + *len, capacity - *len)) > 0)
	{
		*len += n;
		if (*len > limit)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("the contents are larger than %zu bytes", limit),
							errhint("The setting %s bounds it.", setting)));
		if (*len == capacity)
		{
			capacity *= 2;
			bytes = repalloc_huge(bytes, capacity);
		}
	}
	return bytes;
}
