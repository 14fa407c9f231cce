#include "net/udp.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

enum {
	DATAGRAM_MAX = 65536,
	RECEIVE_BUFFER = 2 << 20, /* a burst of calls while the loop is busy; may be capped */
	REPORTS_PER_WAKE = 64,
};

struct udp {
	uv_udp_t uv; /* first: libuv hands it back */
	const struct udp_events *events; /* NULL: closed */
	void *owner;
};

/* ---- what ICMP says about datagrams that we sent: ip(7), IP_RECVERR ---- */

static bool is_unreachable(const struct sock_extended_err *e)
{
	bool icmp = e->ee_origin == SO_EE_ORIGIN_ICMP || e->ee_origin == SO_EE_ORIGIN_ICMP6;
	return icmp && (e->ee_errno == ECONNREFUSED || e->ee_errno == EHOSTUNREACH ||
			       e->ee_errno == ENETUNREACH);
}

static const struct sock_extended_err *report_in(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
		bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
		if (v4 || v6)
			return (const struct sock_extended_err *)CMSG_DATA(c);
	}
	return NULL;
}

/* Takes one report from the socket's error queue. Returns false when there is none. */
static bool take_report(struct udp *u, int fd)
{
	struct sockaddr_storage to = {0};
	char control[512];
	struct msghdr m = {
		.msg_name = &to, /* where the datagram was meant to go */
		.msg_namelen = sizeof to,
		.msg_control = control,
		.msg_controllen = sizeof control,
	};
	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	const struct sock_extended_err *e = report_in(&m);
	if (e && is_unreachable(e) && u->events && u->events->refused)
		u->events->refused(u->owner, (struct sockaddr *)&to);
	return true;
}

static void take_reports(struct udp *u)
{
	uv_os_fd_t fd;
	for (int i = 0; i < REPORTS_PER_WAKE && u->events; ++i)
		if (uv_fileno((uv_handle_t *)&u->uv, &fd) < 0 || !take_report(u, fd))
			return;
}

/* ---- datagrams ---- */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	static _Thread_local char bytes[DATAGRAM_MAX]; /* consumed before the callback returns */
	*buf = uv_buf_init(bytes, sizeof bytes);
}

static void on_datagram(
	uv_udp_t *uv, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct udp *u = (struct udp *)uv;
	if (n > 0 && from && !(flags & UV_UDP_PARTIAL) && u->events)
		u->events->datagram(u->owner, from, span_of(buf->base, (size_t)n));
	else if (!from)
		take_reports(u); /* nothing left to read, or an error that has a report */
}

static void on_closed(uv_handle_t *h)
{
	mem_free(h);
}

static void ask_for_reports(struct udp *u, int family)
{
	uv_os_fd_t fd;
	const int on = 1;
	if (uv_fileno((uv_handle_t *)&u->uv, &fd) < 0)
		return;
	/* Without it an unconnected socket never hears of ICMP: worse, but it works. */
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
}

static int start(struct udp *u, const struct sockaddr *bind)
{
	int size = RECEIVE_BUFFER;
	int r = uv_udp_bind(&u->uv, bind, bind->sa_family == AF_INET6 ? UV_UDP_IPV6ONLY : 0);
	if (r < 0)
		return r;
	ask_for_reports(u, bind->sa_family);
	uv_recv_buffer_size((uv_handle_t *)&u->uv, &size);
	return uv_udp_recv_start(&u->uv, on_alloc, on_datagram);
}

int udp_open(struct udp **ret, struct loop *l, const struct sockaddr *bind,
	const struct udp_events *events, void *owner)
{
	struct udp *u = mem_zalloc(sizeof *u);
	if (!u)
		return err_new(-ENOMEM);
	u->events = events;
	u->owner = owner;
	uv_udp_init(&l->uv, &u->uv);
	int r = start(u, bind);
	if (r < 0) {
		udp_close(u);
		return r;
	}
	*ret = u;
	return 0;
}

int udp_send(struct udp *u, const struct sockaddr *to, struct span bytes)
{
	uv_buf_t buf = uv_buf_init((char *)bytes.data, (unsigned)bytes.size);
	int n = uv_udp_try_send(&u->uv, &buf, 1, to);
	/* The kernel reports what became of an earlier datagram, perhaps to somebody else, instead
	 * of sending this one: its error queue says to whom, later. */
	for (int i = 0; i < 3 && (n == UV_ECONNREFUSED || n == UV_EHOSTUNREACH); ++i)
		n = uv_udp_try_send(&u->uv, &buf, 1, to);
	if (n == UV_EAGAIN || n == UV_ENOBUFS)
		return 0;
	return n < 0 ? n : 0;
}

void udp_local(const struct udp *u, struct sockaddr_storage *ret)
{
	int size = sizeof *ret;
	*ret = (struct sockaddr_storage){0};
	uv_udp_getsockname(&u->uv, (struct sockaddr *)ret, &size);
}

void udp_close(struct udp *u)
{
	if (!u || !u->events)
		return;
	u->events = NULL;
	uv_close((uv_handle_t *)&u->uv, on_closed);
}
