#include "net/local_addresses.h"

#include "test/check.h"

static const char *const eth[] = {"eth0"}, *const docker[] = {"docker0", "eth1"};
static const char *const ten[] = {"10.0.0.0/8", "2001:db8::/32"}, *const ten_one[] = {"10.1.0.0/16"};

static void what_is_wanted_is_taken(void)
{
	static const struct local_filter all = {0}, loopback = {.loopback = true},
		named = {.interfaces = {eth, 1}}, not_named = {.interfaces_not = {docker, 2}},
		nets = {.nets = {ten, 2}, .nets_not = {ten_one, 1}},
		both = {.interfaces = {eth, 1}, .nets = {ten, 2}};
	static const struct {
		const struct local_filter *f;
		const char *interface, *ip;
		bool taken;
	} cases[] = {
		{&all, "eth0", "192.0.2.1", true},
		{&all, "eth0", "2001:db8::1", true},
		{&all, "eth0", "fe80::1", false},
		{&all, "lo", "127.0.0.1", false},
		{&all, "lo", "::1", false},
		{&loopback, "lo", "::1", true},
		{&loopback, "eth0", "192.0.2.1", true},
		{&named, "eth0", "192.0.2.1", true},
		{&named, "eth1", "192.0.2.1", false},
		{&not_named, "eth0", "192.0.2.1", true},
		{&not_named, "docker0", "192.0.2.1", false},
		{&nets, "eth0", "10.2.3.4", true},
		{&nets, "eth0", "10.1.3.4", false},
		{&nets, "eth0", "192.0.2.1", false},
		{&nets, "eth0", "2001:db8::1", true},
		{&both, "eth0", "10.2.3.4", true},
		{&both, "eth1", "10.2.3.4", false},
		{&both, "eth0", "192.0.2.1", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sockaddr_storage a;
		CHECK_EQ(address_parse(&a, cases[i].ip, 0), 0);
		CHECK_EQ(local_filter_takes(cases[i].f, cases[i].interface, (struct sockaddr *)&a),
			cases[i].taken);
	}
}

static void this_machine_has_its_loopback(void)
{
	static const char *const net[] = {"127.0.0.0/8"};
	struct sockaddr_storage found[4];
	const struct local_filter f = {.loopback = true, .nets = {net, 1}};
	char ip[ADDRESS_TEXT_SIZE];

	CHECK_EQ(local_addresses(found, 4, &f), 1);
	CHECK_STR(address_ip_text(ip, (struct sockaddr *)&found[0]), "127.0.0.1");
	CHECK_EQ(local_addresses(found, 0, &f), 0);
}

int main(void)
{
	what_is_wanted_is_taken();
	this_machine_has_its_loopback();
	return 0;
}
