#include "trunk/service.h"

#include "trunk/country.h"

/* Whole numbers, as dialled at home or behind a country code: the numbers for help of ITU-T E.161.1
 * and of the larger countries. */
static const char *const emergency[] = {
	"000", "061", "062", "066", "08", "091", "092", "100", "101", "102", "103", "104", "105", "106", "107",
	"108", "110", "111", "112", "113", "114", "115", "117", "118", "119", "120", "122", "123", "125", "128",
	"129", "131", "132", "133", "140", "144", "147", "150", "155", "158", "15", "17", "18", "190", "191",
	"192", "193", "194", "195", "197", "198", "199", "911", "912", "933", "988", "991", "993", "995", "997",
	"998", "999", "10111", "1122", "1669",
};

/* Behind the country code; the longest ranges that belong to such services altogether. From the
 * national numbering plans that ITU-T publishes (Operational Bulletin, E.129). */
static const struct {
	const char *prefix, *why;
} blocked[] = {
	/* International networks and services. */
	{"808", "an international shared-cost number"},
	{"870", "a satellite number (Inmarsat)"},
	{"878", "a universal personal number"},
	{"881", "a satellite number"},
	{"882", "a satellite or international network number"},
	{"883", "an international network number"},
	{"888", "a number of an international service"},
	{"979", "an international premium-rate number"},
	{"991", "a number of an international trial service"},
	/* North America; the exchange 976 is below. */
	{"1600", "a satellite or special-service number"},
	{"1900", "a premium-rate number"},
	{"1976", "a premium-rate number"},
	/* Europe. */
	{"3090", "a premium-rate number"},
	{"31900", "a premium-rate number"},
	{"31906", "a premium-rate number"},
	{"31909", "a premium-rate number"},
	{"3270", "a special-rate number"},
	{"3290", "a premium-rate number"},
	{"33118", "a directory service at premium rates"},
	{"3381", "a special-rate number"},
	{"3382", "a special-rate number"},
	{"3389", "a premium-rate number"},
	{"34118", "a directory service at premium rates"},
	{"34803", "a premium-rate number"},
	{"34806", "a premium-rate number"},
	{"34807", "a premium-rate number"},
	{"34905", "a premium-rate number"},
	{"34907", "a premium-rate number"},
	{"35160", "a premium-rate number"},
	{"351646", "a premium-rate number"},
	{"351648", "a premium-rate number"},
	{"35176", "a mass-calling number at premium rates"},
	{"35290", "a premium-rate number"},
	{"35490", "a premium-rate number"},
	{"3565", "a premium-rate number"},
	{"35790", "a premium-rate number"},
	{"358600", "a premium-rate number"},
	{"358700", "a premium-rate number"},
	{"35990", "a premium-rate number"},
	{"3690", "a premium-rate number"},
	{"3691", "a premium-rate number"},
	{"370900", "a premium-rate number"},
	{"37190", "a premium-rate number"},
	{"372900", "a premium-rate number"},
	{"380900", "a premium-rate number"},
	{"381900", "a premium-rate number"},
	{"38560", "a premium-rate number"},
	{"38690", "a premium-rate number"},
	{"38790", "a premium-rate number"},
	{"39899", "a premium-rate number"},
	{"3989", "a premium-rate number"},
	{"40900", "a premium-rate number"},
	{"40903", "a premium-rate number"},
	{"40906", "a premium-rate number"},
	{"41900", "a premium-rate number"},
	{"41901", "a premium-rate number"},
	{"41906", "a premium-rate number"},
	{"42090", "a premium-rate number"},
	{"420976", "a premium-rate number"},
	{"421900", "a premium-rate number"},
	{"43118", "a directory service at premium rates"},
	{"43900", "a premium-rate number"},
	{"43901", "a premium-rate number"},
	{"43930", "a premium-rate number"},
	{"43931", "a premium-rate number"},
	{"43939", "a premium-rate number"},
	{"4470", "a personal number at premium rates"},
	{"44871", "a special-rate number"},
	{"44872", "a special-rate number"},
	{"44873", "a special-rate number"},
	{"449", "a premium-rate number"},
	{"4590", "a premium-rate number"},
	{"46900", "a premium-rate number"},
	{"46939", "a premium-rate number"},
	{"46944", "a premium-rate number"},
	{"47820", "a premium-rate number"},
	{"47829", "a premium-rate number"},
	{"4870", "a premium-rate number"},
	{"49118", "a directory service at premium rates"},
	{"49137", "a mass-calling number at premium rates"},
	{"4970", "a personal number at premium rates"},
	{"49900", "a premium-rate number"},
	{"7809", "a premium-rate number"},
	{"90900", "a premium-rate number"},
	/* The others. */
	{"20900", "a premium-rate number"},
	{"52900", "a premium-rate number"},
	{"5460", "a premium-rate number"},
	{"55900", "a premium-rate number"},
	{"56700", "a premium-rate number"},
	{"58900", "a premium-rate number"},
	{"6119", "a premium-rate number"},
	{"62809", "a premium-rate number"},
	{"64900", "a premium-rate number"},
	{"651900", "a premium-rate number"},
	{"661900", "a premium-rate number"},
	{"81990", "a premium-rate number"},
	{"8260", "a premium-rate number"},
	{"886204", "a premium-rate number"},
	{"92900", "a premium-rate number"},
	{"98909", "a premium-rate number"},
};

bool service_is_help(const char *digits)
{
	static const char *const help[] = {"000", "08", "110", "111", "112", "113", "119", "911", "933", "988", "999"};
	for (size_t i = 0; i < COUNT_OF(help); ++i)
		if (!strcmp(digits, help[i]))
			return true;
	return false;
}

/* Longer ones are people's. */
bool service_is_directory(const char *digits)
{
	return !strncmp(digits, "118", 3) && strlen(digits) >= 5 && strlen(digits) <= 6;
}

/* 15X0 and six digits; Dublin's 1 5... has one digit less. */
static bool is_irish_premium(const char *digits)
{
	return !strncmp(digits, "35315", 5) && strlen(digits) == 13;
}

static bool is_emergency(const char *digits)
{
	for (size_t i = 0; i < COUNT_OF(emergency); ++i)
		if (!strcmp(digits, emergency[i]))
			return true;
	return false;
}

/* 1-NXX-976-XXXX: the whole exchange is premium in North America. */
static bool is_976(const char *digits)
{
	return digits[0] == '1' && strlen(digits) == 11 && !strncmp(digits + 4, "976", 3);
}

const char *service_blocked(const char *number)
{
	const char *digits = number + (*number == '+');
	const struct country *country = *number == '+' ? country_of(number) : NULL;
	const char *at_home = country ? number + strlen(country->prefix) : digits;

	if (is_emergency(digits) || is_emergency(at_home))
		return "an emergency number";
	if (*number != '+')
		return NULL;
	if (service_is_directory(at_home))
		return "a directory service at premium rates";
	if (is_976(digits) || is_irish_premium(digits))
		return "a premium-rate number";
	for (size_t i = 0; i < COUNT_OF(blocked); ++i)
		if (!strncmp(digits, blocked[i].prefix, strlen(blocked[i].prefix)))
			return blocked[i].why;
	return NULL;
}
