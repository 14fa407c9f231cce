#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

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

bool address_is_any(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return !((const struct sockaddr_in *)a)->sin_addr.s_addr;
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static const uint8_t *ip_bytes(const struct sockaddr *a, unsigned *bits)
{
	*bits = a->sa_family == AF_INET6 ? 128 : 32;
	return a->sa_family == AF_INET6
		? (const uint8_t *)&((const struct sockaddr_in6 *)a)->sin6_addr
		: (const uint8_t *)&((const struct sockaddr_in *)a)->sin_addr;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(a, b, whole))
		return false;
	return !rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool address_in_net(const struct sockaddr *a, const char *net)
{
	struct sockaddr_storage base;
	char ip[ADDRESS_TEXT_SIZE];
	const char *slash = strchr(net, '/');
	unsigned bits;
	size_t size = slash ? (size_t)(slash - net) : strlen(net);

	snprintf(ip, sizeof ip, "%.*s", (int)size, net);
	if (size >= sizeof ip || address_parse(&base, ip, 0) < 0 || base.ss_family != a->sa_family)
		return false;
	const uint8_t *bytes = ip_bytes(a, &bits);
	if (slash) {
		unsigned long wanted = strtoul(slash + 1, NULL, 10);
		if (wanted > bits)
			return false;
		bits = (unsigned)wanted;
	}
	unsigned ignored;
	return same_bits(bytes, ip_bytes((struct sockaddr *)&base, &ignored), bits);
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
