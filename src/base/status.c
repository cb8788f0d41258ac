/*
 * status.c
 *	  Filling the caller's error record.
 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * A message cut at the end of its buffer must stay valid UTF-8, or the server
 * would refuse to send it.
 */
static void
clip_utf8(char *text, size_t size)
{
	size_t len = strlen(text);
	size_t start = len;

	if (len + 1 < size)
		return;
	while (start > 0 && ((unsigned char) text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start > 0 && (unsigned char) text[start - 1] >= 0xC0)
	{
		unsigned char lead = (unsigned char) text[start - 1];
		size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;

		if (len - (start - 1) < need)
			text[start - 1] = '\0';
	}
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
