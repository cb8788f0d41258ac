/*
 * loss.h
 *	  Losses over a softmax, with the gradient of the logits.
 */
#ifndef MREN_NET_LOSS_H
#define MREN_NET_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "net/options.h"

/*
 * mren_loss
 *	  The weighted sum of the rows' losses: weights[i] * l(i), where l is
 *	  -log p(label) in nats, or the Brier score, the sum over j of
 *	  (p(j) - [j = label])^2.  logits (n,k); labels (n) in 0..k-1; weights (n).
 *	  dlogits (n,k) gets scale times the gradient of that sum.
 *	  Not finite if a logit is not.  Max-shifted softmax: Goodfellow et al., Deep
 *	  Learning, 2016, section 4.1; Brier 1950.
 */
extern double mren_loss(MrenLoss loss, const float *logits, const int32_t *labels,
						const float *weights, size_t n, size_t k, float scale, float *dlogits);

#endif
