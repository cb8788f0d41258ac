/*
 * hex.c
 *	  Input and output of types whose values are bytes.
 */
#include "pg/support/hex.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/support/compat.h"

/* Characters or bytes between two checks for interrupts; even. */
#define PIECE ((size_t) 1024 * 1024)

bytea *
mren_hex_in(const char *input, const char *type)
{
	size_t len = strlen(input);
	size_t n = 0;
	bytea *result;

	if (len < 2 || input[0] != '\\' || input[1] != 'x')
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid input syntax for type %s: \"%.*s\"", type,
							   pg_mbcliplen(input, len, 40), input),
						errhint("A value is written as \\x followed by hexadecimal digits.")));
	result = palloc(VARHDRSZ + (len - 2) / 2);
	for (size_t at = 2; at < len; at += PIECE)
	{
		CHECK_FOR_INTERRUPTS();
		n += hex_decode(input + at, Min(len - at, PIECE), VARDATA(result) + n);
	}
	SET_VARSIZE(result, VARHDRSZ + n);
	return result;
}

char *
mren_hex_out(const bytea *value, const char *type)
{
	size_t len = VARSIZE_ANY_EXHDR(value);
	char *result;

	if (len > (MaxAllocSize - 3) / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value of type %s with %zu bytes is too large for text output", type, len),
				 errhint("Fetch it in binary format.")));
	result = palloc(2 * len + 3);
	strcpy(result, "\\x");
	for (size_t at = 0; at < len; at += PIECE)
	{
		CHECK_FOR_INTERRUPTS();
		hex_encode(VARDATA_ANY(value) + at, Min(len - at, PIECE), result + 2 + 2 * at);
	}
	result[2 * len + 2] = '\0';
	return result;
}

bytea *
mren_hex_recv(StringInfo message)
{
	int len = message->len - message->cursor;
	bytea *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	pq_copymsgbytes(message, VARDATA(result), len);
	return result;
}
