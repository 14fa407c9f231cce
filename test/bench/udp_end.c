#include "test/bench/udp_end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

enum { SOCKET_BYTES = 1 << 18 };

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int udp_end_open(int *fd, uint16_t *port)
{
	struct sockaddr_in at = loopback(0);
	socklen_t length = sizeof at;
	int size = SOCKET_BYTES;

	*fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	(void)setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (bind(*fd, (struct sockaddr *)&at, length) < 0 ||
		getsockname(*fd, (struct sockaddr *)&at, &length) < 0)
		return -errno;
	*port = ntohs(at.sin_port);
	return 0;
}

int udp_end_connect(int fd, uint16_t port)
{
	struct sockaddr_in to = loopback(port);
	return connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ? -errno : 0;
}

void udp_end_send(int fd, struct span datagram)
{
	if (datagram.size && send(fd, datagram.data, datagram.size, 0) < 0 && errno != ECONNREFUSED &&
		errno != EAGAIN)
		perror("bench: send");
}
