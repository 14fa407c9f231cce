/* test/bench/udp_end.h - the load's UDP sockets: on 127.0.0.1, connected, never waiting. */
#pragma once

#include "base/base.h"

/* Both return 0 or -errno. */
MUST_USE int udp_end_open(int *fd, uint16_t *port);
MUST_USE int udp_end_connect(int fd, uint16_t port);
/* What the kernel refuses shows as a packet that never came. */
void udp_end_send(int fd, struct span datagram);
