/*
 * status.c
 *	  Filling the caller's error record.
 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/*
 * A message cut at the end of its buffer must stay valid UTF-8, or the server
 * would refuse to send it.
 */
static void
clip_utf8(char *text, size_t size)
{
	size_t len = strlen(text);
	size_t start = len;
	uint32_t code;

	if (len + 1 < size)
		return;
	while (start > 0 && mren_utf8_continues(text[start - 1]))
		start--;
	if (start > 0 && mren_utf8_decode(text + start - 1, len - (start - 1), &code) == 0)
		text[start - 1] = '\0';
}

static void
format_into(char *text, size_t size, const char *fmt, va_list args)
{
	vsnprintf(text, size, fmt, args);
	clip_utf8(text, size);
}

MrenStatus
mren_fail(MrenError *err, MrenStatus status, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return status;
	err->status = status;
	err->detail[0] = '\0';
	err->hint[0] = '\0';
	va_start(args, fmt);
	format_into(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	return status;
}

void
mren_error_detail(MrenError *err, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return;
	va_start(args, fmt);
	format_into(err->detail, sizeof(err->detail), fmt, args);
	va_end(args);
}

void
mren_error_hint(MrenError *err, const char *fmt, ...)
{
	va_list args;

	if (err == NULL)
		return;
	va_start(args, fmt);
	format_into(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
}

MrenStatus
mren_fail_nomem(MrenError *err)
{
	return mren_fail(err, MREN_ENOMEM, "out of memory");
}

MrenStatus
mren_fail_canceled(MrenError *err)
{
	return mren_fail(err, MREN_ECANCELED, "interrupted");
}
