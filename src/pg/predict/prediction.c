/*
 * prediction.c
 *	  Reading the answers for the rows of a query.
 */
#include "pg/predict/prediction.h"

const char *
mren_prediction_actual(const MrenPrediction *prediction, uint64 n)
{
	if (prediction->actual == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("column \"relation\" is null in row %llu of the query",
							   (unsigned long long) n),
						errhint("Leave out rows whose relation is not known: "
								"WHERE relation IS NOT NULL.")));
	return prediction->actual;
}

void
mren_warn_of_unknown(const char *model, const MrenPredictedBy *by, uint64 n)
{
	if (by->n_unknown == 0)
		return;
	ereport(WARNING, (errmsg_plural("%llu of %llu rows has a relation that version %d of model "
									"\"%s\" does not know: \"%s\"",
									"%llu of %llu rows have a relation that version %d of model "
									"\"%s\" does not know, such as \"%s\"",
									by->n_unknown, (unsigned long long) by->n_unknown,
									(unsigned long long) n, by->version, model, by->unknown),
					  errhint("Such rows count as wrong. Relations are compared as they are "
							  "written, with case and blanks.")));
}

void
mren_warn_of_seen(const char *model, const MrenPredictedBy *by, uint64 n_seen, uint64 n)
{
	if (n_seen == 0)
		return;
	ereport(WARNING,
			(errmsg("version %d of model \"%s\" was trained on %llu of these %llu rows (%.1f %%)",
					by->version, model, (unsigned long long) n_seen, (unsigned long long) n,
					100.0 * (double) n_seen / (double) n),
			 errhint("Only rows that were held out of training show how well the model does on "
					 "new rows.")));
}

size_t
mren_prediction_relations(const MrenPrediction *prediction, int32 *predicted)
{
	if (!prediction->answered)
		return 0;
	return mren_net_predicted(prediction->info, prediction->probabilities, predicted);
}

size_t
mren_prediction_rival_relations(const MrenPrediction *prediction, int32 *predicted)
{
	if (!prediction->answered)
		return 0;
	return mren_net_predicted(prediction->rival_info, prediction->rival_probabilities, predicted);
}

double
mren_prediction_margin(const MrenPrediction *prediction)
{
	float4 best = 0;
	float4 second = 0;

	for (int i = 0; i < prediction->n_probabilities; i++)
	{
		float4 p = prediction->probabilities[i];

		second = p > best ? best : Max(second, p);
		best = Max(best, p);
	}
	return (double) best - (double) second;
}
