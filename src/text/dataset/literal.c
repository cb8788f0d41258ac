/*
 * literal.c
 *	  A parser for JSON and Python literals with a stack of its own.
 */
#include "text/dataset/literal.h"

#include <string.h>

#include "base/utf8.h"

/* Texts whose node and character numbers fit 32 bits. */
#define MAX_LITERAL ((size_t) 1 << 30)

typedef struct Parser
{
	const MrenEnv *env;
	bool python;
	const char *text;
	const char *at;
	const char *stop;
	char *free_string; /* where the next unescaped string goes */
	MrenLiteral *out;
	uint32_t open[MREN_LITERAL_DEPTH]; /* the containers around `at` */
	size_t depth;
	MrenError *err;
} Parser;

static MrenStatus
fail_at(Parser *parser, const char *where, const char *what)
{
	size_t number = mren_utf8_length(parser->text, (size_t) (where - parser->text)) + 1;

	mren_fail(parser->err, MREN_EFORMAT, "invalid %s at character %zu: %s",
			  parser->python ? "Python literal" : "JSON", number, what);
	if (where < parser->stop)
		mren_error_detail(parser->err, "It goes on with \"%s\".",
						  mren_utf8_excerpt(where, (size_t) (parser->stop - where)).text);
	return MREN_EFORMAT;
}

static void
skip_space(Parser *parser)
{
	while (parser->at < parser->stop && (*parser->at == ' ' || *parser->at == '\t' ||
										 *parser->at == '\n' || *parser->at == '\r'))
		parser->at++;
}

static MrenStatus
add_node(Parser *parser, MrenLiteralKind kind, const char *text, size_t len)
{
	MrenLiteral *out = parser->out;

	if (out->n_nodes % 4096 == 4095)
		MREN_TRY(mren_check_interrupts(parser->env, parser->err));
	MREN_TRY(mren_grow(parser->env, &out->nodes, &out->capacity, out->n_nodes, out->n_nodes + 1,
					   sizeof(*out->nodes), parser->err));
	out->nodes[out->n_nodes] = (MrenLiteralNode){kind, 0, (uint32_t) out->n_nodes + 1, text, len};
	out->n_nodes++;
	return MREN_OK;
}

/* ---- strings ---- */

/* n hexadecimal digits at *at, which moves past them; false if they are not. */
static bool
read_hex(const char **at, const char *stop, int n, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < n; i++, (*at)++)
	{
		char c = *at < stop ? **at : '\0';

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (uint32_t) (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*value = *value << 4 | (uint32_t) ((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* The second half of a pair of \u escapes; false when it is missing. */
static bool
read_low_surrogate(const char **at, const char *stop, uint32_t *code)
{
	uint32_t low;

	if (stop - *at < 2 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return false;
	*at += 2;
	if (!read_hex(at, stop, 4, &low) || low < 0xDC00 || low > 0xDFFF)
		return false;
	*code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
	return true;
}

/* Escapes that stand for one character each, in pairs: escape, character. */
static const char json_escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
static const char python_escapes[] = "\"\"''\\\\a\ab\bf\fn\nr\rt\tv\v";

static bool
read_simple_escape(const char *escapes, char c, uint32_t *code)
{
	for (size_t i = 0; escapes[i] != '\0'; i += 2)
	{
		if (escapes[i] == c)
		{
			*code = (unsigned char) escapes[i + 1];
			return true;
		}
	}
	return false;
}

static bool
read_octal(const char **at, const char *stop, uint32_t *code)
{
	int n = 0;

	*code = 0;
	for (; n < 3 && *at < stop && **at >= '0' && **at <= '7'; n++, (*at)++)
		*code = *code << 3 | (uint32_t) (**at - '0');
	return n > 0;
}

/*
 * The character that the escape at parser->at (after its backslash) means.
 * False if it means none.
 */
static bool
read_escape(Parser *parser, uint32_t *code)
{
	const char **at = &parser->at;
	char c = **at;

	if (read_simple_escape(parser->python ? python_escapes : json_escapes, c, code))
	{
		(*at)++;
		return true;
	}
	if (c == 'u')
	{
		(*at)++;
		if (!read_hex(at, parser->stop, 4, code))
			return false;
		if (*code >= 0xD800 && *code < 0xDC00)
			return read_low_surrogate(at, parser->stop, code);
		return *code < 0xD800 || *code > 0xDFFF;
	}
	if (!parser->python)
		return false;
	if (c == 'x' || c == 'U')
	{
		(*at)++;
		return read_hex(at, parser->stop, c == 'x' ? 2 : 8, code) && *code <= 0x10FFFF &&
			   (*code < 0xD800 || *code > 0xDFFF);
	}
	return read_octal(at, parser->stop, code);
}

/* One character of a string, escaped or not. */
static MrenStatus
copy_character(Parser *parser, char **to)
{
	const char *start = parser->at;
	uint32_t code;
	size_t n;

	if (*start == '\\')
	{
		parser->at++;
		if (parser->at == parser->stop)
			return fail_at(parser, parser->at, "string does not end");
		if (!read_escape(parser, &code))
			return fail_at(parser, start, "unknown escape");
		if (code == 0)
			return fail_at(parser, start, "zero character");
	}
	else
	{
		n = mren_utf8_decode(start, (size_t) (parser->stop - start), &code);
		if (n == 0)
			return fail_at(parser, start, "invalid UTF-8");
		if (code < 0x20 && (code == 0 || code == '\n' || !parser->python))
			return fail_at(parser, start, "control character in a string");
		parser->at += n;
	}
	/* Never longer than what it was made from. */
	*to += mren_utf8_encode(code, *to);
	return MREN_OK;
}

static MrenStatus
parse_string(Parser *parser)
{
	char quote;
	char *to = parser->free_string;
	unsigned steps = 0;

	if (*parser->at == 'u')
		parser->at++;
	quote = *parser->at++;
	while (parser->at < parser->stop && *parser->at != quote)
	{
		if (++steps % 65536 == 0)
			MREN_TRY(mren_check_interrupts(parser->env, parser->err));
		MREN_TRY(copy_character(parser, &to));
	}
	if (parser->at == parser->stop)
		return fail_at(parser, parser->at, "string does not end");
	parser->at++;
	MREN_TRY(add_node(parser, MREN_LITERAL_STRING, parser->free_string,
					  (size_t) (to - parser->free_string)));
	parser->free_string = to;
	return MREN_OK;
}

static bool
begins_string(const Parser *parser)
{
	const char *at = parser->at;

	if (at == parser->stop)
		return false;
	if (!parser->python)
		return *at == '"';
	/* Python 2 printed u'...'. */
	if (*at == 'u' && parser->stop - at > 1)
		at++;
	return *at == '"' || *at == '\'';
}

/* ---- numbers and names ---- */

static size_t
count_digits(const char *at, const char *stop)
{
	size_t n = 0;

	while (at + n < stop && at[n] >= '0' && at[n] <= '9')
		n++;
	return n;
}

static MrenStatus
parse_number(Parser *parser)
{
	const char *start = parser->at;
	const char *stop = parser->stop;
	const char *at = start + (*start == '-');
	size_t n = count_digits(at, stop);

	if (n == 0 || (n > 1 && *at == '0'))
		return fail_at(parser, start, "expected a number");
	at += n;
	if (at < stop && *at == '.')
	{
		n = count_digits(at + 1, stop);
		if (n == 0)
			return fail_at(parser, start, "expected a number");
		at += 1 + n;
	}
	if (at < stop && (*at | 0x20) == 'e')
	{
		at++;
		if (at < stop && (*at == '+' || *at == '-'))
			at++;
		n = count_digits(at, stop);
		if (n == 0)
			return fail_at(parser, start, "expected a number");
		at += n;
	}
	parser->at = at;
	return add_node(parser, MREN_LITERAL_NUMBER, start, (size_t) (at - start));
}

static MrenStatus
parse_name(Parser *parser)
{
	static const struct
	{
		const char *json;
		const char *python;
		MrenLiteralKind kind;
	} names[] = {{"null", "None", MREN_LITERAL_NULL},
				 {"false", "False", MREN_LITERAL_FALSE},
				 {"true", "True", MREN_LITERAL_TRUE}};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
	{
		const char *name = parser->python ? names[i].python : names[i].json;
		size_t n = strlen(name);

		if ((size_t) (parser->stop - parser->at) >= n && memcmp(parser->at, name, n) == 0)
		{
			const char *start = parser->at;

			parser->at += n;
			return add_node(parser, names[i].kind, start, n);
		}
	}
	return fail_at(parser, parser->at, "expected a value");
}

/* ---- containers ---- */

static MrenLiteralNode *
innermost(const Parser *parser)
{
	return &parser->out->nodes[parser->open[parser->depth - 1]];
}

static MrenStatus
open_container(Parser *parser, MrenLiteralKind kind)
{
	if (parser->depth == MREN_LITERAL_DEPTH)
		return mren_fail(parser->err, MREN_ELIMIT, "%s is nested deeper than %d levels",
						 parser->python ? "Python literal" : "JSON", MREN_LITERAL_DEPTH);
	parser->open[parser->depth++] = (uint32_t) parser->out->n_nodes;
	return add_node(parser, kind, parser->at++, 1);
}

static bool
closes(const Parser *parser)
{
	const MrenLiteralNode *container = innermost(parser);
	char opened = *container->text;

	return parser->at < parser->stop && *parser->at == (opened == '{'	? '}'
														: opened == '[' ? ']'
																		: ')');
}

static void
close_container(Parser *parser)
{
	innermost(parser)->next = (uint32_t) parser->out->n_nodes;
	parser->depth--;
	parser->at++;
}

/* A value, or the beginning of one; *whole is false for the latter. */
static MrenStatus
parse_value(Parser *parser, bool *whole)
{
	char c = parser->at < parser->stop ? *parser->at : '\0';

	*whole = true;
	if (begins_string(parser))
		return parse_string(parser);
	if (c == '-' || (c >= '0' && c <= '9'))
		return parse_number(parser);
	if (c != '{' && c != '[' && !(c == '(' && parser->python))
		return parse_name(parser);
	*whole = false;
	return open_container(parser, c == '{' ? MREN_LITERAL_MAP : MREN_LITERAL_LIST);
}

static MrenStatus
parse_key(Parser *parser)
{
	if (!begins_string(parser))
		return fail_at(parser, parser->at, "expected a key in quotes");
	MREN_TRY(parse_string(parser));
	skip_space(parser);
	if (parser->at == parser->stop || *parser->at != ':')
		return fail_at(parser, parser->at, "expected \":\" after a key");
	parser->at++;
	skip_space(parser);
	return MREN_OK;
}

/* The next element of the innermost container, or the container's end. */
static MrenStatus
parse_element(Parser *parser)
{
	MrenLiteralNode *container = innermost(parser);
	bool first = container->n == 0;
	bool whole;

	skip_space(parser);
	if (closes(parser))
	{
		close_container(parser);
		return MREN_OK;
	}
	if (!first)
	{
		if (parser->at == parser->stop || *parser->at != ',')
			return fail_at(parser, parser->at, "expected \",\" or a closing bracket");
		parser->at++;
		skip_space(parser);
		/* Python allows a comma before the end. */
		if (parser->python && closes(parser))
		{
			close_container(parser);
			return MREN_OK;
		}
	}
	container->n++;
	if (container->kind == MREN_LITERAL_MAP)
		MREN_TRY(parse_key(parser));
	return parse_value(parser, &whole);
}

MrenStatus
mren_literal_parse(const MrenEnv *env, MrenSyntax syntax, const char *text, size_t len,
				   MrenLiteral *out, MrenError *err)
{
	Parser parser = {env, syntax == MREN_SYNTAX_PYTHON, text, text, text + len, NULL, out, {0}, 0,
					 err};
	bool whole;

	if (len > MAX_LITERAL)
		return mren_fail(err, MREN_ELIMIT, "text of %zu bytes is too long", len);
	mren_release(env, out->strings);
	out->strings = NULL;
	out->n_nodes = 0;
	MREN_TRY(mren_allocate(env, len, 1, &out->strings, err));
	parser.free_string = out->strings;
	skip_space(&parser);
	MREN_TRY(parse_value(&parser, &whole));
	while (parser.depth > 0)
		MREN_TRY(parse_element(&parser));
	skip_space(&parser);
	if (parser.at < parser.stop)
		return fail_at(&parser, parser.at, "expected the end of the text");
	return MREN_OK;
}

const MrenLiteralNode *
mren_literal_get(const MrenLiteral *literal, const MrenLiteralNode *map, const char *key)
{
	const MrenLiteralNode *found = NULL;
	size_t len = strlen(key);
	size_t at = (size_t) (map - literal->nodes) + 1;

	if (map->kind != MREN_LITERAL_MAP)
		return NULL;
	/* The last of equal keys counts, as in Python and in jsonb. */
	for (uint32_t i = 0; i < map->n; i++)
	{
		const MrenLiteralNode *name = &literal->nodes[at];

		if (name->len == len && memcmp(name->text, key, len) == 0)
			found = &literal->nodes[at + 1];
		at = literal->nodes[at + 1].next;
	}
	return found;
}

void
mren_literal_free(const MrenEnv *env, MrenLiteral *literal)
{
	mren_release(env, literal->nodes);
	mren_release(env, literal->strings);
	*literal = (MrenLiteral){0};
}
