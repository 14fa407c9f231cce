#include "net/address.h"

#include "test/check.h"

static void literals_are_parsed_and_printed(void)
{
	static const struct {
		const char *ip;
		uint16_t port;
		const char *ip_text, *text; /* NULL: no literal */
		bool loopback;
	} cases[] = {
		{"192.0.2.1", 5060, "192.0.2.1", "192.0.2.1:5060", false},
		{"127.9.9.9", 0, "127.9.9.9", "127.9.9.9:0", true},
		{"2001:DB8::1", 65535, "2001:db8::1", "[2001:db8::1]:65535", false},
		{"::1", 80, "::1", "[::1]:80", true},
		{"::ffff:192.0.2.1", 1, "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:1", false},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", false},
		{"[::1]", 80, NULL, NULL, false},
		{"192.0.2", 80, NULL, NULL, false},
		{"192.0.2.256", 80, NULL, NULL, false},
		{"localhost", 80, NULL, NULL, false},
		{"", 80, NULL, NULL, false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sockaddr_storage a;
		const struct sockaddr *sa = (struct sockaddr *)&a;
		char text[ADDRESS_TEXT_SIZE];
		int r = address_parse(&a, cases[i].ip, cases[i].port);
		CHECK_EQ(r == 0, cases[i].text != NULL);
		if (r < 0)
			continue;
		CHECK_STR(address_ip_text(text, sa), cases[i].ip_text);
		CHECK_STR(address_text(text, sa), cases[i].text);
		CHECK_EQ(address_port(sa), cases[i].port);
		CHECK_EQ(address_is_loopback(sa), cases[i].loopback);
	}
}

static void addresses_are_compared(void)
{
	struct sockaddr_storage a, b;
	CHECK_EQ(address_parse(&a, "192.0.2.1", 1), 0);
	CHECK_EQ(address_parse(&b, "192.0.2.1", 2), 0);
	CHECK(address_same_ip((struct sockaddr *)&a, (struct sockaddr *)&b));
	CHECK(!address_equal((struct sockaddr *)&a, (struct sockaddr *)&b));
	address_set_port(&b, 1);
	CHECK(address_equal((struct sockaddr *)&a, (struct sockaddr *)&b));
	CHECK_EQ(address_parse(&b, "2001:db8::1", 1), 0);
	CHECK(!address_same_ip((struct sockaddr *)&a, (struct sockaddr *)&b));
	CHECK_EQ(address_parse(&a, "2001:db8::2", 1), 0);
	CHECK(!address_same_ip((struct sockaddr *)&a, (struct sockaddr *)&b));
	address_set_port(&a, 7);
	CHECK_EQ(address_port((struct sockaddr *)&a), 7);
}

static void an_address_is_in_a_net(void)
{
	static const struct {
		const char *ip, *net;
		bool in;
	} cases[] = {
		{"10.1.2.3", "10.0.0.0/8", true},
		{"11.1.2.3", "10.0.0.0/8", false},
		{"10.1.2.3", "10.1.2.3", true},
		{"10.1.2.4", "10.1.2.3", false},
		{"10.1.2.4", "10.1.2.3/31", false},
		{"10.1.2.3", "10.1.2.2/31", true},
		{"10.1.2.3", "0.0.0.0/0", true},
		{"10.1.2.3", "10.1.2.3/33", false},
		{"10.1.2.3", "::/0", false},
		{"2001:db8:1::1", "2001:db8::/32", true},
		{"2001:db9::1", "2001:db8::/32", false},
		{"2001:db8::1", "2001:db8::1/128", true},
		{"2001:db8::1", "no net", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct sockaddr_storage a;
		CHECK_EQ(address_parse(&a, cases[i].ip, 9), 0);
		CHECK_EQ(address_in_net((struct sockaddr *)&a, cases[i].net), cases[i].in);
	}
}

int main(void)
{
	literals_are_parsed_and_printed();
	addresses_are_compared();
	an_address_is_in_a_net();
	return 0;
}
