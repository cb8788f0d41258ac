/*
 * calibration.c
 *	  Fitting the temperature, and measuring calibration.
 */
#include "net/calibration.h"

#include <math.h>

/* -log softmax(logits / t)[label], in double. */
static double
row_loss(const float *logits, int32_t label, size_t k, double beta)
{
	double top = logits[0];
	double sum = 0;

	for (size_t j = 1; j < k; j++)
		top = logits[j] > top ? logits[j] : top;
	for (size_t j = 0; j < k; j++)
		sum += exp(((double) logits[j] - top) * beta);
	return log(sum) - ((double) logits[label] - top) * beta;
}

double
mren_temperature_loss(const float *logits, const int32_t *labels, const float *weights, size_t n,
					  size_t k, double temperature)
{
	double loss = 0;
	double total = 0;

	for (size_t i = 0; i < n; i++)
	{
		double weight = weights != NULL ? weights[i] : 1;

		loss += weight * row_loss(logits + i * k, labels[i], k, 1 / temperature);
		total += weight;
	}
	return total > 0 ? loss / total : 0;
}

/*
 * The loss is convex in 1/T, hence unimodal in log T: golden sections of
 * log T in -log 20 .. log 20 to 1e-4 need 26 of them.
 */
MrenStatus
mren_fit_temperature(const MrenEnv *env, const float *logits, const int32_t *labels,
					 const float *weights, size_t n, size_t k, double *temperature, MrenError *err)
{
	const double golden = 0.6180339887498949;
	double low = -log(20);
	double high = log(20);
	double a = high - golden * (high - low);
	double b = low + golden * (high - low);
	double loss_a = mren_temperature_loss(logits, labels, weights, n, k, exp(a));
	double loss_b = mren_temperature_loss(logits, labels, weights, n, k, exp(b));

	*temperature = 1;
	if (n == 0)
		return MREN_OK;
	while (high - low > 1e-4)
	{
		MREN_TRY(mren_check(env, err));
		if (loss_a <= loss_b)
		{
			high = b;
			b = a;
			loss_b = loss_a;
			a = high - golden * (high - low);
			loss_a = mren_temperature_loss(logits, labels, weights, n, k, exp(a));
		}
		else
		{
			low = a;
			a = b;
			loss_a = loss_b;
			b = low + golden * (high - low);
			loss_b = mren_temperature_loss(logits, labels, weights, n, k, exp(b));
		}
	}
	*temperature = exp((low + high) / 2);
	return MREN_OK;
}

static void
swap_rows(float *confidence, uint8_t *correct, size_t i, size_t j)
{
	float c = confidence[i];
	uint8_t r = correct[i];

	confidence[i] = confidence[j];
	confidence[j] = c;
	correct[i] = correct[j];
	correct[j] = r;
}

/* One step of heap sort, by confidence and then by correctness, so that the
 * result does not depend on the rows' order. */
static void
sift_rows(float *confidence, uint8_t *correct, size_t root, size_t n)
{
	for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1)
	{
		if (child + 1 < n &&
			(confidence[child] < confidence[child + 1] ||
			 (confidence[child] == confidence[child + 1] && correct[child] < correct[child + 1])))
			child++;
		if (confidence[root] > confidence[child] ||
			(confidence[root] == confidence[child] && correct[root] >= correct[child]))
			return;
		swap_rows(confidence, correct, root, child);
		root = child;
	}
}

double
mren_calibration_error(float *confidence, uint8_t *correct, size_t n, size_t n_bins)
{
	double error = 0;

	for (size_t i = n / 2; i > 0; i--)
		sift_rows(confidence, correct, i - 1, n);
	for (size_t end = n; end > 1; end--)
	{
		swap_rows(confidence, correct, 0, end - 1);
		sift_rows(confidence, correct, 0, end - 1);
	}
	for (size_t bin = 0; bin < n_bins; bin++)
	{
		size_t end = (bin + 1) * n / n_bins;
		double gap = 0;

		for (size_t i = bin * n / n_bins; i < end; i++)
			gap += (double) confidence[i] - correct[i];
		error += fabs(gap);
	}
	return n > 0 ? error / (double) n : 0;
}
