/* net/address.h - sockaddr helpers: parse, print, compare. Thread: any. */
#pragma once

#include "base/base.h"

#include <sys/socket.h>

enum { ADDRESS_TEXT_SIZE = 64 };

/* A literal IPv4 or IPv6 address (no names). Returns 0 or -EINVAL. */
MUST_USE int address_parse(struct sockaddr_storage *ret, const char *ip, uint16_t port);
uint16_t address_port(const struct sockaddr *a);
void address_set_port(struct sockaddr_storage *a, uint16_t port);
socklen_t address_size(const struct sockaddr *a);
bool address_equal(const struct sockaddr *a, const struct sockaddr *b);    /* with port */
bool address_same_ip(const struct sockaddr *a, const struct sockaddr *b);  /* without */
bool address_is_loopback(const struct sockaddr *a);
bool address_is_any(const struct sockaddr *a); /* 0.0.0.0, :: */
/* `net` is "10.0.0.0/8", "2001:db8::/32" or a lone address; false when it is neither. */
bool address_in_net(const struct sockaddr *a, const char *net);
/* "192.0.2.1" / "2001:db8::1" and "192.0.2.1:5060" / "[2001:db8::1]:5060". Returns `out`. */
const char *address_ip_text(char out[ADDRESS_TEXT_SIZE], const struct sockaddr *a);
const char *address_text(char out[ADDRESS_TEXT_SIZE], const struct sockaddr *a);
