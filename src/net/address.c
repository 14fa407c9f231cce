#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

int address_parse(struct sockaddr_storage *ret, const char *ip, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	*ret = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
		memcpy(ret, &v4, sizeof v4);
	else if (inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1)
		memcpy(ret, &v6, sizeof v6);
	else
		return -EINVAL;
	return 0;
}

uint16_t address_port(const struct sockaddr *a)
{
	return ntohs(a->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
					      : ((const struct sockaddr_in *)a)->sin_port);
}

void address_set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)a)->sin_port = htons(port);
}

socklen_t address_size(const struct sockaddr *a)
{
	return a->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

bool address_same_ip(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;
	return a->sa_family == AF_INET6 && !memcmp(&a6->sin6_addr, &b6->sin6_addr, 16);
}

bool address_equal(const struct sockaddr *a, const struct sockaddr *b)
{
	return address_same_ip(a, b) && address_port(a) == address_port(b);
}

bool address_is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

const char *address_ip_text(char out[ADDRESS_TEXT_SIZE], const struct sockaddr *a)
{
	const void *ip = &((const struct sockaddr_in *)a)->sin_addr;
	if (a->sa_family == AF_INET6)
		ip = &((const struct sockaddr_in6 *)a)->sin6_addr;
	if (!inet_ntop(a->sa_family, ip, out, ADDRESS_TEXT_SIZE))
		out[0] = 0;
	return out;
}

const char *address_text(char out[ADDRESS_TEXT_SIZE], const struct sockaddr *a)
{
	char ip[ADDRESS_TEXT_SIZE];
	address_ip_text(ip, a);
	const char *form = a->sa_family == AF_INET6 ? "[%.46s]:%u" : "%.46s:%u";
	snprintf(out, ADDRESS_TEXT_SIZE, form, ip, address_port(a));
	return out;
}
