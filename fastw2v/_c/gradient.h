/* What a score costs and how it has to change. */
#ifndef W2V_GRADIENT_H
#define W2V_GRADIENT_H

#include "block.h"

/* scores -> g of one vector, in place; its loss is added if asked. */
INLINE vf gradient(const scratch *s, int64_t at, int64_t weights_at, float lr, const int with_loss,
                   vf *loss)
{
    vf score = load(s->scores + at);
    vf want = load(s->want + weights_at), weight = load(s->weight + weights_at);
    if (with_loss) {
        vf up = softplus(score); /* softplus(-s) = softplus(s) - s */
        *loss += want * (up - score) + (weight - want) * up;
    }
    vf g = lr * (want - weight * sigmoid(score));
    store(s->scores + at, g);
    return g;
}

#endif
