/* The loss and the gradient of scores. */
#ifndef W2V_GRADIENT_H
#define W2V_GRADIENT_H

#include "step/block.h"

/* scores -> g of one vector, in place. Adds its loss if with_loss. */
INLINE vf gradient(const block *b, int64_t at, int64_t weights_at, const int with_loss,
                   vf *loss)
{
    vf score = load(b->scores + at);
    vf want = load(b->want + weights_at), weight = load(b->weight + weights_at);
    if (with_loss) {
        vf up = softplus(score); /* softplus(-s) = softplus(s) - s */
        *loss += want * (up - score) + (weight - want) * up;
    }
    vf g = b->lr * (want - weight * sigmoid(score));
    store(b->scores + at, g);
    return g;
}

#endif
