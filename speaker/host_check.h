// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_HOST_CHECK_H
#define HERALD_SPEAKER_HOST_CHECK_H

#include "herald/base/log.h"

/* Warns, once and with the way to mend it, of settings of this host by which its kernel
   would answer ARP for addresses that are not its own (L10). */
void host_check(struct log *log);

#endif
