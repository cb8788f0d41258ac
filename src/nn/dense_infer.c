/*
 * dense_infer.c
 *	  The dense layer of prediction, in which a row does not depend on other rows of its batch.
 *
 * The rows are divided into tiles of about the same height, and all of them go through some
 * panels of weights before the next panels, so that weights come from memory once for a call.
 * Each tile fetches its share of the next panels: with few rows, memory is the limit, and would
 * otherwise be idle during all tiles but the first.
 */
#include "nn/kernels.h"

#include <string.h>

size_t
mren_dense_packed_size(size_t k, size_t m)
{
	return k * ((m + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL);
}

void
mren_dense_pack(float *packed, const float *w, size_t k, size_t m)
{
	for (size_t j = 0; j < m; j += MREN_PANEL)
	{
		size_t width = m - j < MREN_PANEL ? m - j : MREN_PANEL;

		for (size_t i = 0; i < k; i++)
		{
			memcpy(packed, w + i * m + j, width * sizeof(float));
			memset(packed + width, 0, (MREN_PANEL - width) * sizeof(float));
			packed += MREN_PANEL;
		}
	}
}

void
mren_dense_pack_transposed(float *packed, const float *w, size_t k, size_t m)
{
	for (size_t j = 0; j < m; j += MREN_PANEL)
	{
		for (size_t i = 0; i < k; i++)
		{
			for (size_t l = 0; l < MREN_PANEL; l++)
				packed[l] = j + l < m ? w[(j + l) * k + i] : 0;
			packed += MREN_PANEL;
		}
	}
}

/* The most panels of a tile of so many rows. */
static size_t
most_panels(const MrenSimd *simd, size_t rows)
{
	size_t panels = MREN_TILE_PANELS;

	while (simd->tiles[rows][panels] == NULL)
		panels--;
	return panels;
}

/* All rows, the tiles of `rows` or rows - 1 each, through the panels that begin at column j. */
static void
run_panels(const MrenSimd *simd, MrenDenseTile *tile, size_t n, size_t panels)
{
	size_t n_tiles = (n + simd->rows - 1) / simd->rows;
	size_t bytes = panels * MREN_PANEL * tile->k * sizeof(float);

	tile->ahead = (const char *) tile->packed + bytes;
	/* A single tile reads in order, which the processor foresees by itself. */
	tile->ahead_step = n_tiles == 1 ? 0 : panels * MREN_PANEL * sizeof(float) / n_tiles;
	for (size_t t = 0; t < n_tiles; t++)
	{
		size_t rows = n / n_tiles + (t < n % n_tiles);

		simd->tiles[rows][panels](tile);
		tile->in += rows * tile->ldi;
		tile->out += rows * tile->ldo;
		tile->ahead += bytes / n_tiles;
	}
}

void
mren_dense_run(const MrenSimd *simd, const MrenPackedDense *layer, const float *in, size_t ldi,
			   size_t n, float *out, size_t ldo)
{
	size_t n_tiles = (n + simd->rows - 1) / simd->rows;
	size_t n_panels = (layer->out + MREN_PANEL - 1) / MREN_PANEL;
	size_t panels;

	if (n == 0)
		return;
	panels = most_panels(simd, (n + n_tiles - 1) / n_tiles);
	for (size_t p = 0; p < n_panels; p += panels)
	{
		size_t j = p * MREN_PANEL;
		MrenDenseTile tile = {.in = in,
							  .ldi = ldi,
							  .k = layer->in,
							  .packed = layer->packed + j * layer->in,
							  .bias = layer->bias + j,
							  .out = out + j,
							  .ldo = ldo};

		while (p + panels > n_panels)
			panels /= 2;
		tile.width = layer->out - j < panels * MREN_PANEL ? layer->out - j : panels * MREN_PANEL;
		run_panels(simd, &tile, n, panels);
	}
	for (size_t r = 0; r < n && layer->activation != MREN_DENSE_LINEAR; r++)
		simd->activate(out + r * ldo, layer->out, layer->activation);
}

void
mren_dense_infer(const MrenPackedDense *layer, const float *in, size_t ldi, size_t n, float *out,
				 size_t ldo)
{
	mren_dense_run(mren_simd_find(MREN_CPU_BEST), layer, in, ldi, n, out, ldo);
}

void
mren_dense_reference(float *out, const float *in, const float *w, const float *bias, size_t n,
					 size_t k, size_t m)
{
	for (size_t r = 0; r < n; r++)
	{
		for (size_t j = 0; j < m; j++)
		{
			float sum = bias[j];

			for (size_t i = 0; i < k; i++)
				sum += in[r * k + i] * w[i * m + j];
			out[r * m + j] = sum;
		}
	}
}
