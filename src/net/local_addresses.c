#include "net/local_addresses.h"

#include <netinet/in.h>
#include <uv.h>

static bool has_name(const struct local_names *list, const char *name)
{
	for (size_t i = 0; i < list->count; ++i)
		if (!strcmp(list->items[i], name))
			return true;
	return false;
}

static bool has_net(const struct local_names *list, const struct sockaddr *a)
{
	for (size_t i = 0; i < list->count; ++i)
		if (address_in_net(a, list->items[i]))
			return true;
	return false;
}

bool local_filter_takes(const struct local_filter *f, const char *interface, const struct sockaddr *a)
{
	if (a->sa_family != AF_INET && a->sa_family != AF_INET6)
		return false;
	if (a->sa_family == AF_INET6 &&
		IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)a)->sin6_addr))
		return false;
	if (address_is_loopback(a) && !f->loopback)
		return false;
	if ((f->interfaces.count && !has_name(&f->interfaces, interface)) ||
		has_name(&f->interfaces_not, interface))
		return false;
	return (!f->nets.count || has_net(&f->nets, a)) && !has_net(&f->nets_not, a);
}

/* How many are in `out` afterwards. */
static size_t add(struct sockaddr_storage *out, size_t count, size_t max, const struct sockaddr *a)
{
	for (size_t i = 0; i < count; ++i)
		if (address_same_ip((struct sockaddr *)&out[i], a))
			return count;
	if (count == max)
		return count;
	out[count] = (struct sockaddr_storage){0};
	memcpy(&out[count], a, address_size(a));
	address_set_port(&out[count], 0);
	return count + 1;
}

int local_addresses(struct sockaddr_storage *out, size_t max, const struct local_filter *f)
{
	static const int families[] = {AF_INET, AF_INET6};
	uv_interface_address_t *list;
	size_t found = 0;
	int count;

	int r = uv_interface_addresses(&list, &count);
	if (r < 0)
		return r;
	for (size_t n = 0; n < COUNT_OF(families); ++n)
		for (int i = 0; i < count; ++i) {
			const struct sockaddr *a = (struct sockaddr *)&list[i].address;
			if (a->sa_family == families[n] && local_filter_takes(f, list[i].name, a))
				found = add(out, found, max, a);
		}
	uv_free_interface_addresses(list, count);
	return (int)found;
}
