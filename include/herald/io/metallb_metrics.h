// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_METALLB_METRICS_H
#define HERALD_IO_METALLB_METRICS_H

#include "herald/io/metrics.h"

/*
 * The names that dashboards made for MetalLB ask for, for what means the same with us (C32;
 * docs/metrics.md). Some of them break Prometheus' conventions, so that they are given
 * only where they are wanted.
 */
void metallb_metrics_add(struct metrics *metrics);

#endif
