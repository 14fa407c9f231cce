#include "media/rtp_ports.h"

#include "base/err.h"
#include "net/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <unistd.h>

enum { TOS_EXPEDITED = 0xb8 /* DSCP EF: voice */ };

/* A descriptor or -errno; a taken port is ordinary and is not logged. */
static int open_bound(const char *ip, uint16_t port)
{
	struct sockaddr_storage at;
	int tos = TOS_EXPEDITED;

	int r = address_parse(&at, ip, port);
	if (r < 0)
		return r;
	int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_new(-errno);
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
	if (at.ss_family == AF_INET6) {
		/* Each family has its own sockets: no address comes mapped, and both may use one port. */
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
	}
	const struct sockaddr *a = (const struct sockaddr *)&at;
	if (bind(fd, a, address_size(a)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int open_pair(const char *ip, uint16_t port, int *rtp_fd, int *rtcp_fd)
{
	int rtp = open_bound(ip, port);
	if (rtp < 0)
		return rtp;
	int rtcp = open_bound(ip, (uint16_t)(port + 1));
	if (rtcp < 0) {
		close(rtp);
		return rtcp;
	}
	*rtp_fd = rtp;
	*rtcp_fd = rtcp;
	return 0;
}

int rtp_ports_open(struct rtp_ports *p, int *rtp_fd, int *rtcp_fd, uint16_t *rtp_port)
{
	unsigned first = (p->min + 1u) & ~1u;
	unsigned last = p->max > 0 ? (p->max - 1u) & ~1u : 0; /* its RTCP port must fit too */

	for (unsigned tries = 0; first <= last && tries <= (last - first) / 2; ++tries) {
		unsigned port = p->next >= first && p->next <= last ? p->next : first;
		p->next = (uint16_t)(port + 2);
		int r = open_pair(p->ip, (uint16_t)port, rtp_fd, rtcp_fd);
		if (r == 0) {
			*rtp_port = (uint16_t)port;
			return 0;
		}
		if (r != -EADDRINUSE)
			return err_new(r);
	}
	return err_new(-EADDRINUSE);
}
