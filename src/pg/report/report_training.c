/*
 * report_training.c
 *	  What a version was trained on, how its loss fell, and the runs of its model.
 *
 * Read from the views mren.models and mren.runs as the current user, so a page
 * shows no more than these do.
 */
#include "pg/report/report_internal.h"

#include <math.h>

#include "utils/builtins.h"

#include "pg/report/chart.h"

/* Points of a learning curve; of a longer log the last ones are left out. */
#define MAX_POINTS 5000

/* The phase in which the network is trained again, on the validation rows as well. */
#define REFIT 2

/*
 * The learning curve
 */

static const char log_sql[] =
	"SELECT e.value OPERATOR(pg_catalog.->>) 'phase', e.value OPERATOR(pg_catalog.->>) 'member',"
	" e.value OPERATOR(pg_catalog.->>) 'epoch', e.value OPERATOR(pg_catalog.->>) 'loss',"
	" e.value OPERATOR(pg_catalog.->>) 'validation_loss',"
	" e.value OPERATOR(pg_catalog.->>) 'validation_f1'"
	" FROM (SELECT r.log FROM mren.runs r WHERE r.model OPERATOR(pg_catalog.=) $1"
	"  AND r.version OPERATOR(pg_catalog.=) $2 AND r.log IS NOT NULL"
	"  ORDER BY r.run DESC LIMIT 1) l,"
	" LATERAL pg_catalog.jsonb_array_elements(l.log) WITH ORDINALITY AS e (value, n)"
	/* Members and refits can be trained at the same time. */
	" ORDER BY (e.value OPERATOR(pg_catalog.->>) 'phase')::pg_catalog.int4,"
	" (e.value OPERATOR(pg_catalog.->>) 'member')::pg_catalog.int4, e.n";

typedef struct Curve
{
	int n;
	int last_phase;
	int last_member;
	int n_members; /* 0: they are not counted */
	double greatest_epoch;
	bool validated;
	bool refitted;
	double epoch[MAX_POINTS];
	double loss[MAX_POINTS];
	double refit_loss[MAX_POINTS];
	double validation_loss[MAX_POINTS];
	double validation_f1[MAX_POINTS];
} Curve;

static double
number(const char *text)
{
	return text != NULL ? strtod(text, NULL) : NAN;
}

static void
add_point(Curve *curve, double epoch, double loss, double validation_loss, double f1)
{
	if (curve->n == MAX_POINTS)
		return;
	curve->epoch[curve->n] = epoch;
	curve->loss[curve->n] = curve->last_phase == REFIT ? NAN : loss;
	curve->refit_loss[curve->n] = curve->last_phase == REFIT ? loss : NAN;
	curve->validation_loss[curve->n] = validation_loss;
	curve->validation_f1[curve->n] = f1;
	curve->n++;
}

/* Another phase, or another member of an ensemble, begins another line. */
static void
take_epoch(void *state, TupleTableSlot *slot)
{
	Curve *curve = state;
	int phase = (int) number(mren_query_string(slot, 1));
	const char *member_text = mren_query_string(slot, 2);
	int member = member_text != NULL ? (int) number(member_text) : 0;
	double epoch = number(mren_query_string(slot, 3));
	double f1 = number(mren_query_string(slot, 6));

	if (curve->n > 0 && (phase != curve->last_phase || member != curve->last_member))
		add_point(curve, epoch, NAN, NAN, NAN);
	curve->last_phase = phase;
	curve->last_member = member;
	curve->n_members = Max(curve->n_members, member);
	curve->greatest_epoch = Max(curve->greatest_epoch, epoch);
	curve->refitted = curve->refitted || phase == REFIT;
	curve->validated = curve->validated || !isnan(f1);
	add_point(curve, epoch, number(mren_query_string(slot, 4)), number(mren_query_string(slot, 5)),
			  f1);
}

static void
draw_loss(StringInfo page, const Curve *curve)
{
	MrenSeries series[] = {
		{"training", "a", curve->epoch, curve->loss, curve->n, false},
		{"validation", "b", curve->epoch, curve->validation_loss, curve->n, false},
		{"training again, on all rows", "c", curve->epoch, curve->refit_loss, curve->n, false}};
	MrenChart chart = {.title = "Loss by epoch",
					   .x_label = "epoch",
					   .y_label = "loss",
					   .x_min = 1,
					   .x_max = Max(curve->greatest_epoch, 2),
					   .y_min = 0,
					   .y_max = NAN,
					   .whole_x = true,
					   .series = series,
					   .n_series = curve->refitted	  ? 3
								   : curve->validated ? 2
													  : 1};

	mren_section_begin(page, "learning", "Learning curve",
					   "Mean loss of each epoch. Where the validation loss rises while the "
					   "training loss falls, the network learns its rows by heart.");
	mren_chart(page, &chart);
	if (curve->n_members > 1)
		appendStringInfo(page,
						 "<p>The version has %d members, which were trained one after the other; "
						 "each has lines of its own.</p>\n",
						 curve->n_members);
	mren_section_end(page);
}

static void
draw_f1(StringInfo page, const Curve *curve)
{
	MrenSeries series = {NULL, "b", curve->epoch, curve->validation_f1, curve->n, false};
	MrenChart chart = {.title = "F1 on validation rows by epoch",
					   .x_label = "epoch",
					   .y_label = "micro F1",
					   .x_min = 1,
					   .x_max = Max(curve->greatest_epoch, 2),
					   .y_min = NAN,
					   .y_max = NAN,
					   .whole_x = true,
					   .series = &series,
					   .n_series = 1};

	mren_section_begin(page, "validation", "F1 on validation rows",
					   "On rows that were set aside during the training, without the negative "
					   "relation. The version has the weights of the best epoch or, if it was "
					   "trained again on all rows, was trained for as many epochs.");
	mren_chart(page, &chart);
	mren_section_end(page);
}

void
mren_report_learning(MrenReport *report)
{
	Curve *curve = palloc0(sizeof(Curve));

	mren_report_read(report, log_sql, take_epoch, curve);
	if (curve->n == 0)
	{
		mren_section_begin(report->page, "learning", "Learning curve",
						   "There is no run of this version in mren.runs that you may see: it was "
						   "imported or saved from an aggregate, or somebody else trained it.");
		mren_section_end(report->page);
		return;
	}
	appendStringInfoString(report->page, "<div class=\"pair\">\n");
	draw_loss(report->page, curve);
	if (curve->validated)
		draw_f1(report->page, curve);
	appendStringInfoString(report->page, "</div>\n");
	pfree(curve);
}

/*
 * What it was trained on
 */

static const char version_sql[] =
	"SELECT m.training_rows::pg_catalog.text, pg_catalog.to_char(m.created_at,"
	" 'YYYY-MM-DD HH24:MI'),"
	" m.created_by::pg_catalog.text, m.owner::pg_catalog.text,"
	" pg_catalog.round(m.seconds::pg_catalog.numeric, 1)::pg_catalog.text,"
	" m.deployed::pg_catalog.text,"
	" (SELECT e.name FROM mren.embeddings e WHERE e.sha256 OPERATOR(pg_catalog.=) "
	"m.embeddings_sha256 ORDER BY e.name COLLATE pg_catalog.\"C\" LIMIT 1),"
	" pg_catalog.array_to_string(m.relations, ', '), m.query, m.options::pg_catalog.text,"
	" m.sha256"
	" FROM mren.models m WHERE m.model OPERATOR(pg_catalog.=) $1"
	" AND m.version OPERATOR(pg_catalog.=) $2";

enum
{
	ROWS = 1,
	CREATED_AT,
	CREATED_BY,
	OWNER,
	SECONDS,
	DEPLOYED,
	EMBEDDINGS,
	RELATIONS,
	QUERY,
	OPTIONS,
	SHA256
};

static void
put_item(StringInfo page, const char *name, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(page, "<dt>%s</dt><dd>", name);
	mren_html_text(page, value);
	appendStringInfoString(page, "</dd>\n");
}

/* NULL without images, and where it is not loaded. */
static const char *
encoder_name(const MrenReport *report)
{
	MrenImageEncoderRow row;
	char *name;

	if (report->predictor.info.image_dim == 0 ||
		!mren_catalog_image_encoder_by_hash(report->predictor.encoder_hash, &row, &name))
		return NULL;
	return name;
}

static void
put_version(void *state, TupleTableSlot *slot)
{
	MrenReport *report = state;
	StringInfo page = report->page;
	const char *query = mren_query_string(slot, QUERY);
	const char *deployed = mren_query_string(slot, DEPLOYED);

	appendStringInfoString(page, "<dl>\n");
	put_item(page, "Training rows", mren_query_string(slot, ROWS));
	put_item(page, "Trained at", mren_query_string(slot, CREATED_AT));
	put_item(page, "Trained by", mren_query_string(slot, CREATED_BY));
	put_item(page, "Seconds", mren_query_string(slot, SECONDS));
	put_item(page, "Owner", mren_query_string(slot, OWNER));
	put_item(page, "Deployed", strcmp(deployed, "true") == 0 ? "yes" : "no");
	put_item(page, "Word vectors", mren_query_string(slot, EMBEDDINGS));
	put_item(page, "Image encoder", encoder_name(report));
	put_item(page, "Relations", mren_query_string(slot, RELATIONS));
	put_item(page, "Negative relation", report->negative);
	put_item(page, "SHA-256", mren_query_string(slot, SHA256));
	appendStringInfoString(page, "</dl>\n<h3>Options</h3>\n<pre>");
	mren_html_text(page, mren_query_string(slot, OPTIONS));
	appendStringInfoString(page, "</pre>\n");
	if (query != NULL)
	{
		appendStringInfoString(page, "<h3>Query of the training rows</h3>\n<pre>");
		mren_html_text(page, query);
		appendStringInfoString(page, "</pre>\n");
	}
	if (report->query != NULL)
	{
		appendStringInfoString(page, "<h3>Query of the rows of this page</h3>\n<pre>");
		mren_html_text(page, report->query);
		appendStringInfoString(page, "</pre>\n");
	}
}

/*
 * Earlier runs
 */

static const char runs_sql[] =
	"SELECT pg_catalog.to_char(r.started_at, 'YYYY-MM-DD HH24:MI'), r.call,"
	" r.version::pg_catalog.text, r.status, r.rows::pg_catalog.text, r.verdict,"
	" COALESCE(r.reason, r.message)"
	" FROM mren.runs r WHERE r.model OPERATOR(pg_catalog.=) $1"
	" AND $2 OPERATOR(pg_catalog.=) $2 ORDER BY r.run DESC LIMIT 10";

StaticAssertDecl(MREN_REPORT_RUNS == 10, "runs_sql has this number");

typedef struct Runs
{
	StringInfo page;
	int n;
} Runs;

static void
put_cell(StringInfo page, const char *style, const char *value)
{
	appendStringInfo(page, "<td class=\"%s\">", style);
	mren_html_text(page, value != NULL ? value : "");
	appendStringInfoString(page, "</td>");
}

static void
put_run(void *state, TupleTableSlot *slot)
{
	Runs *runs = state;
	const char *verdict = mren_query_string(slot, 6);

	if (runs->n++ == 0)
		appendStringInfoString(runs->page,
							   "<h3>Latest runs</h3>\n<div class=\"scroll\"><table "
							   "class=\"wide runs\"><thead><tr><th>Started</th><th>Call</th><th "
							   "class=\"n\">Version</th><th class=\"n\">Rows</th><th>Outcome</th>"
							   "<th>Reason</th></tr></thead>\n<tbody>\n");
	appendStringInfoString(runs->page, "<tr>");
	put_cell(runs->page, "", mren_query_string(slot, 1));
	put_cell(runs->page, "", mren_query_string(slot, 2));
	put_cell(runs->page, "n", mren_query_string(slot, 3));
	put_cell(runs->page, "n", mren_query_string(slot, 5));
	put_cell(runs->page, "", verdict != NULL ? verdict : mren_query_string(slot, 4));
	put_cell(runs->page, "", mren_query_string(slot, 7));
	appendStringInfoString(runs->page, "</tr>\n");
}

void
mren_report_training(MrenReport *report)
{
	Runs runs = {report->page};

	mren_section_begin(report->page, "training", "What it was trained on", NULL);
	mren_report_read(report, version_sql, put_version, report);
	mren_report_read(report, runs_sql, put_run, &runs);
	if (runs.n > 0)
		appendStringInfoString(report->page, "</tbody></table></div>\n");
	mren_section_end(report->page);
}
