/*
 * encoders.h
 *	  The sizes of encoders that the benchmarks are named by.
 */
#ifndef BENCH_ENCODERS_H
#define BENCH_ENCODERS_H

#include "transformer/config.h"

/* all-MiniLM-L6-v2, and BERT-base. */
static const MrenTransformerConfig bench_minilm = {.architecture = MREN_TRANSFORMER_BERT,
												   .layers = 6,
												   .width = 384,
												   .heads = 12,
												   .intermediate = 1536,
												   .embedding_width = 384,
												   .vocabulary = 30522,
												   .positions = 512,
												   .token_types = 2,
												   .eps = 1e-12f,
												   .hidden_dropout = 0.1f,
												   .attention_dropout = 0.1f,
												   .absolute_positions = true};
static const MrenTransformerConfig bench_base = {.architecture = MREN_TRANSFORMER_BERT,
												 .layers = 12,
												 .width = 768,
												 .heads = 12,
												 .intermediate = 3072,
												 .embedding_width = 768,
												 .vocabulary = 30522,
												 .positions = 512,
												 .token_types = 2,
												 .eps = 1e-12f,
												 .hidden_dropout = 0.1f,
												 .attention_dropout = 0.1f,
												 .absolute_positions = true};

#endif
