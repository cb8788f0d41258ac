/*
 * features_boxes.c
 *	  From a pair of boxes to bins.
 *
 * Measures and limits were chosen on training pairs of the Visual Relationship
 * Detection set (Lu et al. 2016); the measures are the usual ones of its literature.
 */
#include "text/features/features_boxes.h"

#include <stddef.h>

/* Bins of one measure: a value belongs to bin i if it is not below the first i limits. */
#define BIN(value, ...)                                                                            \
	bin(value, (const float[]){__VA_ARGS__}, sizeof((const float[]){__VA_ARGS__}) / sizeof(float))

static uint32_t
bin(float value, const float *limits, size_t n)
{
	uint32_t i = 0;

	while (i < n && value >= limits[i])
		i++;
	return i;
}

/* What is measured of a pair, the tail against the head; y goes down. */
typedef struct Measures
{
	float right;  /* distance of the centres over the mean width; above 0: tail is further right */
	float across; /* the same without its sign */
	float down;	  /* distance of the centres over the mean height; above 0: tail is lower */
	float shared[2]; /* what they share of the narrower and of the less tall box */
	float of_union;	 /* areas: intersection over union, over the head, over the tail */
	float of_head;
	float of_tail;
	float larger;	  /* the head's area over the tail's */
	float top_bottom; /* the tail's top below the head's bottom, in heights of the head */
	float bottoms;	  /* the tail's bottom below the head's bottom, likewise */
} Measures;

static float
absolute(float x)
{
	return x < 0 ? -x : x;
}

static float
overlap(const float *a, const float *b, int d)
{
	float low = a[d] > b[d] ? a[d] : b[d];
	float high = a[d + 2] < b[d + 2] ? a[d + 2] : b[d + 2];

	return high > low ? high - low : 0;
}

static void
measure(const float *a, const float *b, Measures *m)
{
	float size_a[2] = {a[2] - a[0], a[3] - a[1]};
	float size_b[2] = {b[2] - b[0], b[3] - b[1]};
	float common[2] = {overlap(a, b, 0), overlap(a, b, 1)};
	float both = common[0] * common[1];
	float area_a = size_a[0] * size_a[1];
	float area_b = size_b[0] * size_b[1];

	m->right = (b[0] + b[2] - a[0] - a[2]) / (size_a[0] + size_b[0]);
	m->across = absolute(m->right);
	m->down = (b[1] + b[3] - a[1] - a[3]) / (size_a[1] + size_b[1]);
	for (int d = 0; d < 2; d++)
		m->shared[d] = common[d] / (size_a[d] < size_b[d] ? size_a[d] : size_b[d]);
	m->of_union = both / (area_a + area_b - both);
	m->of_head = both / area_a;
	m->of_tail = both / area_b;
	m->larger = area_a / area_b;
	m->top_bottom = (b[1] - a[3]) / size_a[1];
	m->bottoms = (b[3] - a[3]) / size_a[1];
}

void
mren_feature_box_bins(const float *head, const float *tail, uint32_t bins[MREN_BOX_BINS])
{
	Measures m;

	measure(head, tail, &m);
	bins[0] = BIN(m.down, -0.8f, -0.4f, -0.15f, 0.15f, 0.4f, 0.8f);
	bins[1] = BIN(m.across, 0.15f, 0.4f, 0.8f, 1.2f);
	bins[2] = BIN(m.of_union, 0.001f, 0.05f, 0.15f, 0.3f, 0.5f);
	bins[3] = BIN(m.of_head, 0.001f, 0.25f, 0.6f, 0.9f);
	bins[4] = BIN(m.of_tail, 0.001f, 0.25f, 0.6f, 0.9f);
	bins[5] = BIN(m.larger, 0.05f, 0.22f, 0.6f, 1.65f, 4.5f, 20.0f);
	bins[6] = BIN(m.shared[0], 0.001f, 0.5f, 0.9f);
	bins[7] = BIN(m.shared[1], 0.001f, 0.5f, 0.9f);
	bins[8] = BIN(m.top_bottom, -0.9f, -0.5f, -0.2f, -0.05f, 0.1f);
	bins[9] = BIN(m.bottoms, -0.3f, -0.1f, 0.1f, 0.3f);
	bins[10] = bins[0] * 8 + bins[1];
	bins[11] = bins[3] * 8 + bins[4];
	bins[12] = bins[0] * 8 + bins[2];
	bins[13] = bins[6] * 8 + bins[8];
	bins[14] = BIN(m.right, -0.8f, -0.15f, 0.15f, 0.8f);
}
