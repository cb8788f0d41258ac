/*
 * retrain_announce.c
 *	  Telling the verdict of a retraining to those who are not its session.
 */
#include "pg/train/retrain_announce.h"

#include "commands/async.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/json.h"

/* In a payload, which has less than 8000 bytes, a byte may become six. */
#define MAX_TEXT_BYTES 600

static void
append_text(StringInfo json, const char *key, const char *text)
{
	int len = (int) strlen(text);
	char *clipped = pnstrdup(text, pg_mbcliplen(text, len, MAX_TEXT_BYTES));

	appendStringInfo(json, "%s\"%s\": ", json->len > 1 ? ", " : "", key);
	escape_json(json, clipped);
	pfree(clipped);
}

char *
mren_retrain_payload(const char *model, int32 version, const char *verdict, const char *reason)
{
	bool alarming = strcmp(verdict, "held") == 0 || strcmp(verdict, "failed") == 0;
	StringInfoData json;

	ereport(alarming ? WARNING : LOG,
			(errmsg("retraining of model \"%s\": %s: %s", model, verdict, reason)));
	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_text(&json, "model", model);
	if (version > 0)
		appendStringInfo(&json, ", \"version\": %d", version);
	else
		appendStringInfoString(&json, ", \"version\": null");
	append_text(&json, "verdict", verdict);
	append_text(&json, "reason", reason);
	appendStringInfoChar(&json, '}');
	return json.data;
}

void
mren_retrain_announce(const char *model, int32 version, const char *verdict, const char *reason)
{
	Async_Notify("mren", mren_retrain_payload(model, version, verdict, reason));
}
