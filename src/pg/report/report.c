/*
 * report.c
 *	  mren.report: a page about a version of a model.
 */
#include "pg/report/report_internal.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "pg/support/args.h"

PG_FUNCTION_INFO_V1(mren_report);

static void
open_version(MrenReport *report, int32 version)
{
	MrenPredictor *predictor = &report->predictor;

	mren_predictor_open(predictor, report->model, strlen(report->model), version);
	report->relations = palloc(predictor->info.n_relations * sizeof(char *));
	for (size_t i = 0; i < predictor->info.n_relations; i++)
		report->relations[i] = text_to_cstring(mren_predictor_relation(predictor, (int) i));
	if (predictor->info.negative >= 0)
		report->negative = report->relations[predictor->info.negative];
}

static void
put_header(MrenReport *report)
{
	static const char *const of_rows[] = {"relations", "Metrics",	  "matrix",	  "Confusion",
										  "curve",	   "Calibration", "mistakes", "Mistakes"};
	StringInfo page = report->page;

	appendStringInfo(page, "<p>version %d, %zu relations, trained on ", report->predictor.version,
					 report->predictor.info.n_relations);
	mren_html_count(page, report->predictor.info.n_training_rows);
	appendStringInfoString(page, " rows</p>\n<nav>");
	for (size_t i = 0; i < lengthof(of_rows) && report->query != NULL; i += 2)
		appendStringInfo(page, "<a href=\"#%s\">%s</a>",
						 i == 4 && report->facts.n == 0 ? "calibration" : of_rows[i],
						 of_rows[i + 1]);
	if (report->right_photographs.n + report->wrong_photographs.n > 0)
		appendStringInfoString(page, "<a href=\"#photographs\">Photographs</a>");
	appendStringInfoString(page, "<a href=\"#learning\">Learning curve</a><a href=\"#training\">"
								 "Training</a></nav>\n</header>\n");
}

/* mren.report(model, query, version) → text */
Datum
mren_report(PG_FUNCTION_ARGS)
{
	MrenReport report = {.model = mren_arg_text(fcinfo, 0, "model")};
	StringInfoData page;

	if (!PG_ARGISNULL(1))
		report.query = mren_arg_query(fcinfo, 1, "query");
	initStringInfo(&page);
	report.page = &page;
	open_version(&report, mren_arg_version(fcinfo, 2));
	if (report.query != NULL)
		mren_report_read_rows(&report);
	mren_page_begin(&page, "mren model", report.model);
	put_header(&report);
	if (report.query != NULL)
	{
		mren_report_tiles(&report);
		mren_report_relations(&report);
		mren_report_matrix(&report);
		mren_report_curves(&report);
		mren_report_mistakes(&report);
		mren_report_photographs(&report);
	}
	mren_report_learning(&report);
	mren_report_training(&report);
	mren_page_end(&page);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.data, page.len));
}
