/*
 * sql_builder.c
 *	  SQL statements composed of templates and typed arguments.
 */
#include "pg/support/sql_builder.h"

#include "utils/builtins.h"

/* A longer identifier would be cut, and could then mean another object. */
static const char *
quoted_name(const char *name)
{
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG),
						errmsg("name \"%s\" is longer than %d bytes", name, NAMEDATALEN - 1)));
	return quote_identifier(name);
}

static void
add_arg(StringInfo sql, const MrenSqlArg *arg)
{
	switch (arg->kind)
	{
		case MREN_SQL_NAME:
			appendStringInfoString(sql, quoted_name(arg->text));
			break;
		case MREN_SQL_RELATION:
			appendStringInfoString(sql, quoted_name(arg->text));
			appendStringInfoChar(sql, '.');
			appendStringInfoString(sql, quoted_name(arg->relation));
			break;
		case MREN_SQL_LITERAL:
			appendStringInfoString(sql, quote_literal_cstr(arg->text));
			break;
		case MREN_SQL_QUERY:
			/* The query may end with a comment that only a line break ends. */
			appendStringInfo(sql, "(%s\n)", arg->text);
			break;
		case MREN_SQL_FRAGMENT:
			appendStringInfoString(sql, arg->text);
			break;
	}
}

static int
find_arg(const char *name, size_t len, int n, const MrenSqlArg *args)
{
	for (int i = 0; i < n; i++)
	{
		if (strlen(args[i].placeholder) == len && memcmp(args[i].placeholder, name, len) == 0)
			return i;
	}
	elog(ERROR, "no argument for placeholder \"%.*s\" of an SQL template", (int) len, name);
	return -1;
}

void
mren_sql_add(StringInfo sql, const char *template, int n, const MrenSqlArg *args)
{
	uint32 used = 0;
	const char *at;

	Assert(n < 32);
	for (; (at = strstr(template, "${")) != NULL; template = strchr(at, '}') + 1)
	{
		const char *name = at + 2;
		int i = find_arg(name, strcspn(name, "}"), n, args);

		appendBinaryStringInfo(sql, template, (int) (at - template));
		add_arg(sql, &args[i]);
		used |= 1u << i;
	}
	appendStringInfoString(sql, template);
	for (int i = 0; i < n; i++)
	{
		if ((used & (1u << i)) == 0)
			elog(ERROR, "SQL template has no placeholder \"%s\"", args[i].placeholder);
	}
}

char *
mren_sql_build(const char *template, int n, const MrenSqlArg *args)
{
	StringInfoData sql;

	initStringInfo(&sql);
	mren_sql_add(&sql, template, n, args);
	return sql.data;
}
