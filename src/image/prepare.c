/*
 * prepare.c
 *	  Resampled rows, normalized and laid out for a network.
 */
#include "image/prepare.h"

#include <math.h>

#include "image/resize.h"

static MrenStatus
check_prep(const MrenImagePrep *prep, MrenError *err)
{
	for (int c = 0; c < MREN_RGB; c++)
	{
		if (!isfinite(prep->mean[c]))
			return mren_fail(err, MREN_EPARAM, "mean of image channel %d must be finite, not %g", c,
							 (double) prep->mean[c]);
		if (!isfinite(prep->std[c]) || prep->std[c] <= 0)
			return mren_fail(err, MREN_EPARAM,
							 "standard deviation of image channel %d must be positive, not %g", c,
							 (double) prep->std[c]);
	}
	if (prep->layout != MREN_LAYOUT_NCHW && prep->layout != MREN_LAYOUT_NHWC)
		return mren_fail(err, MREN_EPARAM, "unknown image layout %d", (int) prep->layout);
	return MREN_OK;
}

/*
 * One row of one channel: values `stride` floats apart.  (sum / denominator -
 * mean) / std as one product and one difference.
 */
static void
normalize(const double *sums, size_t n, double scale, double shift, float *out, size_t stride)
{
	for (size_t i = 0; i < n; i++)
		out[i * stride] = (float) (sums[i * MREN_RGB] * scale - shift);
}

static void
write_row(const MrenImagePrep *prep, double denominator, const double *sums, uint32_t y, float *out)
{
	size_t width = prep->width;
	size_t plane = width * prep->height;

	for (int c = 0; c < MREN_RGB; c++)
	{
		double std = (double) prep->std[c];
		const double *from = sums + (prep->bgr ? MREN_RGB - 1 - c : c);
		double scale = 1 / (denominator * std);
		double shift = (double) prep->mean[c] / std;

		if (prep->layout == MREN_LAYOUT_NCHW)
			normalize(from, width, scale, shift, out + (size_t) c * plane + y * width, 1);
		else
			normalize(from, width, scale, shift, out + y * width * MREN_RGB + c, MREN_RGB);
	}
}

MrenStatus
mren_image_prepare(const MrenEnv *env, const MrenBitmap *in, const MrenImagePrep *prep, float *out,
				   MrenError *err)
{
	MrenResampler *resampler;
	double *sums = NULL;
	MrenStatus status;

	MREN_TRY(check_prep(prep, err));
	MREN_TRY(mren_resampler_create(env, in, prep->width, prep->height, &resampler, err));
	status = mren_allocate(env, (size_t) prep->width * MREN_RGB, sizeof(*sums), &sums, err);
	for (uint32_t y = 0; y < prep->height && status == MREN_OK; y++)
	{
		status = mren_resampler_row(env, resampler, y, sums, err);
		if (status == MREN_OK)
			write_row(prep, mren_resampler_denominator(resampler), sums, y, out);
	}
	mren_release(env, sums);
	mren_resampler_free(env, resampler);
	return status;
}
