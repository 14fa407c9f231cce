#include "trunk/country.h"

/* ITU-T list of country codes. The islands that share +1 stand on their own: they are what toll
 * fraud dials, and "+1" in an allow-list means North America, not them. */
static const struct country countries[] = {
	{"+1", "United States or Canada", "US"}, {"+1242", "Bahamas", "BS"},
	{"+1246", "Barbados", "BB"}, {"+1264", "Anguilla", "AI"},
	{"+1268", "Antigua and Barbuda", "AG"}, {"+1284", "British Virgin Islands", "VG"},
	{"+1340", "US Virgin Islands", "VI"}, {"+1345", "Cayman Islands", "KY"},
	{"+1441", "Bermuda", "BM"}, {"+1473", "Grenada", "GD"},
	{"+1649", "Turks and Caicos Islands", "TC"}, {"+1658", "Jamaica", "JM"},
	{"+1664", "Montserrat", "MS"}, {"+1670", "Northern Mariana Islands", "MP"},
	{"+1671", "Guam", "GU"}, {"+1684", "American Samoa", "AS"},
	{"+1721", "Sint Maarten", "SX"}, {"+1758", "Saint Lucia", "LC"},
	{"+1767", "Dominica", "DM"}, {"+1784", "Saint Vincent and the Grenadines", "VC"},
	{"+1787", "Puerto Rico", "PR"}, {"+1809", "Dominican Republic", "DO"},
	{"+1829", "Dominican Republic", "DO"}, {"+1849", "Dominican Republic", "DO"},
	{"+1868", "Trinidad and Tobago", "TT"}, {"+1869", "Saint Kitts and Nevis", "KN"},
	{"+1876", "Jamaica", "JM"}, {"+1939", "Puerto Rico", "PR"}, {"+20", "Egypt", "EG"},
	{"+211", "South Sudan", "SS"}, {"+212", "Morocco", "MA"}, {"+213", "Algeria", "DZ"},
	{"+216", "Tunisia", "TN"}, {"+218", "Libya", "LY"}, {"+220", "Gambia", "GM"},
	{"+221", "Senegal", "SN"}, {"+222", "Mauritania", "MR"}, {"+223", "Mali", "ML"},
	{"+224", "Guinea", "GN"}, {"+225", "Ivory Coast", "CI"}, {"+226", "Burkina Faso", "BF"},
	{"+227", "Niger", "NE"}, {"+228", "Togo", "TG"}, {"+229", "Benin", "BJ"},
	{"+230", "Mauritius", "MU"}, {"+231", "Liberia", "LR"}, {"+232", "Sierra Leone", "SL"},
	{"+233", "Ghana", "GH"}, {"+234", "Nigeria", "NG"}, {"+235", "Chad", "TD"},
	{"+236", "Central African Republic", "CF"}, {"+237", "Cameroon", "CM"},
	{"+238", "Cape Verde", "CV"}, {"+239", "Sao Tome and Principe", "ST"},
	{"+240", "Equatorial Guinea", "GQ"}, {"+241", "Gabon", "GA"},
	{"+242", "Republic of the Congo", "CG"},
	{"+243", "Democratic Republic of the Congo", "CD"}, {"+244", "Angola", "AO"},
	{"+245", "Guinea-Bissau", "GW"}, {"+246", "Diego Garcia", "IO"},
	{"+247", "Ascension Island", "SH"}, {"+248", "Seychelles", "SC"}, {"+249", "Sudan", "SD"},
	{"+250", "Rwanda", "RW"}, {"+251", "Ethiopia", "ET"}, {"+252", "Somalia", "SO"},
	{"+253", "Djibouti", "DJ"}, {"+254", "Kenya", "KE"}, {"+255", "Tanzania", "TZ"},
	{"+256", "Uganda", "UG"}, {"+257", "Burundi", "BI"}, {"+258", "Mozambique", "MZ"},
	{"+260", "Zambia", "ZM"}, {"+261", "Madagascar", "MG"},
	{"+262", "Reunion or Mayotte", "RE"}, {"+263", "Zimbabwe", "ZW"},
	{"+264", "Namibia", "NA"}, {"+265", "Malawi", "MW"}, {"+266", "Lesotho", "LS"},
	{"+267", "Botswana", "BW"}, {"+268", "Eswatini", "SZ"}, {"+269", "Comoros", "KM"},
	{"+27", "South Africa", "ZA"}, {"+290", "Saint Helena", "SH"}, {"+291", "Eritrea", "ER"},
	{"+297", "Aruba", "AW"}, {"+298", "Faroe Islands", "FO"}, {"+299", "Greenland", "GL"},
	{"+30", "Greece", "GR"}, {"+31", "Netherlands", "NL"}, {"+32", "Belgium", "BE"},
	{"+33", "France", "FR"}, {"+34", "Spain", "ES"}, {"+350", "Gibraltar", "GI"},
	{"+351", "Portugal", "PT"}, {"+352", "Luxembourg", "LU"}, {"+353", "Ireland", "IE"},
	{"+354", "Iceland", "IS"}, {"+355", "Albania", "AL"}, {"+356", "Malta", "MT"},
	{"+357", "Cyprus", "CY"}, {"+358", "Finland", "FI"}, {"+359", "Bulgaria", "BG"},
	{"+36", "Hungary", "HU"}, {"+370", "Lithuania", "LT"}, {"+371", "Latvia", "LV"},
	{"+372", "Estonia", "EE"}, {"+373", "Moldova", "MD"}, {"+374", "Armenia", "AM"},
	{"+375", "Belarus", "BY"}, {"+376", "Andorra", "AD"}, {"+377", "Monaco", "MC"},
	{"+378", "San Marino", "SM"}, {"+379", "Vatican", "VA"}, {"+380", "Ukraine", "UA"},
	{"+381", "Serbia", "RS"}, {"+382", "Montenegro", "ME"}, {"+383", "Kosovo", "XK"},
	{"+385", "Croatia", "HR"}, {"+386", "Slovenia", "SI"},
	{"+387", "Bosnia and Herzegovina", "BA"}, {"+389", "North Macedonia", "MK"},
	{"+39", "Italy", "IT"}, {"+40", "Romania", "RO"}, {"+41", "Switzerland", "CH"},
	{"+420", "Czechia", "CZ"}, {"+421", "Slovakia", "SK"}, {"+423", "Liechtenstein", "LI"},
	{"+43", "Austria", "AT"}, {"+44", "United Kingdom", "GB"}, {"+45", "Denmark", "DK"},
	{"+46", "Sweden", "SE"}, {"+47", "Norway", "NO"}, {"+48", "Poland", "PL"},
	{"+49", "Germany", "DE"}, {"+500", "Falkland Islands", "FK"}, {"+501", "Belize", "BZ"},
	{"+502", "Guatemala", "GT"}, {"+503", "El Salvador", "SV"}, {"+504", "Honduras", "HN"},
	{"+505", "Nicaragua", "NI"}, {"+506", "Costa Rica", "CR"}, {"+507", "Panama", "PA"},
	{"+508", "Saint Pierre and Miquelon", "PM"}, {"+509", "Haiti", "HT"},
	{"+51", "Peru", "PE"}, {"+52", "Mexico", "MX"}, {"+53", "Cuba", "CU"},
	{"+54", "Argentina", "AR"}, {"+55", "Brazil", "BR"}, {"+56", "Chile", "CL"},
	{"+57", "Colombia", "CO"}, {"+58", "Venezuela", "VE"}, {"+590", "Guadeloupe", "GP"},
	{"+591", "Bolivia", "BO"}, {"+592", "Guyana", "GY"}, {"+593", "Ecuador", "EC"},
	{"+594", "French Guiana", "GF"}, {"+595", "Paraguay", "PY"}, {"+596", "Martinique", "MQ"},
	{"+597", "Suriname", "SR"}, {"+598", "Uruguay", "UY"}, {"+599", "Curacao", "CW"},
	{"+60", "Malaysia", "MY"}, {"+61", "Australia", "AU"}, {"+62", "Indonesia", "ID"},
	{"+63", "Philippines", "PH"}, {"+64", "New Zealand", "NZ"}, {"+65", "Singapore", "SG"},
	{"+66", "Thailand", "TH"}, {"+670", "Timor-Leste", "TL"}, {"+672", "Norfolk Island", "NF"},
	{"+673", "Brunei", "BN"}, {"+674", "Nauru", "NR"}, {"+675", "Papua New Guinea", "PG"},
	{"+676", "Tonga", "TO"}, {"+677", "Solomon Islands", "SB"}, {"+678", "Vanuatu", "VU"},
	{"+679", "Fiji", "FJ"}, {"+680", "Palau", "PW"}, {"+681", "Wallis and Futuna", "WF"},
	{"+682", "Cook Islands", "CK"}, {"+683", "Niue", "NU"}, {"+685", "Samoa", "WS"},
	{"+686", "Kiribati", "KI"}, {"+687", "New Caledonia", "NC"}, {"+688", "Tuvalu", "TV"},
	{"+689", "French Polynesia", "PF"}, {"+690", "Tokelau", "TK"},
	{"+691", "Micronesia", "FM"}, {"+692", "Marshall Islands", "MH"}, {"+7", "Russia", "RU"},
	{"+76", "Kazakhstan", "KZ"}, {"+77", "Kazakhstan", "KZ"}, {"+81", "Japan", "JP"},
	{"+82", "South Korea", "KR"}, {"+84", "Vietnam", "VN"}, {"+850", "North Korea", "KP"},
	{"+852", "Hong Kong", "HK"}, {"+853", "Macau", "MO"}, {"+855", "Cambodia", "KH"},
	{"+856", "Laos", "LA"}, {"+86", "China", "CN"}, {"+880", "Bangladesh", "BD"},
	{"+886", "Taiwan", "TW"}, {"+90", "Turkey", "TR"}, {"+91", "India", "IN"},
	{"+92", "Pakistan", "PK"}, {"+93", "Afghanistan", "AF"}, {"+94", "Sri Lanka", "LK"},
	{"+95", "Myanmar", "MM"}, {"+960", "Maldives", "MV"}, {"+961", "Lebanon", "LB"},
	{"+962", "Jordan", "JO"}, {"+963", "Syria", "SY"}, {"+964", "Iraq", "IQ"},
	{"+965", "Kuwait", "KW"}, {"+966", "Saudi Arabia", "SA"}, {"+967", "Yemen", "YE"},
	{"+968", "Oman", "OM"}, {"+970", "Palestine", "PS"},
	{"+971", "United Arab Emirates", "AE"}, {"+972", "Israel", "IL"},
	{"+973", "Bahrain", "BH"}, {"+974", "Qatar", "QA"}, {"+975", "Bhutan", "BT"},
	{"+976", "Mongolia", "MN"}, {"+977", "Nepal", "NP"}, {"+98", "Iran", "IR"},
	{"+992", "Tajikistan", "TJ"}, {"+993", "Turkmenistan", "TM"}, {"+994", "Azerbaijan", "AZ"},
	{"+995", "Georgia", "GE"}, {"+996", "Kyrgyzstan", "KG"}, {"+998", "Uzbekistan", "UZ"},
};

const struct country *country_of(const char *number)
{
	const struct country *best = NULL;
	size_t best_size = 0;
	for (size_t i = 0; i < COUNT_OF(countries); ++i) {
		size_t size = strlen(countries[i].prefix);
		if (size > best_size && !strncmp(number, countries[i].prefix, size)) {
			best = &countries[i];
			best_size = size;
		}
	}
	return best;
}

/* Countries and parts of countries that share another's prefix. */
static const struct {
	const char *iso, *prefix;
} sharers[] = {
	{"CA", "+1"}, {"GG", "+44"}, {"IM", "+44"}, {"JE", "+44"}, {"AX", "+358"}, {"SJ", "+47"},
	{"CX", "+61"}, {"CC", "+61"}, {"YT", "+262"}, {"BL", "+590"}, {"MF", "+590"}, {"BQ", "+599"},
	{"EH", "+212"}, {"AC", "+247"}, {"AQ", "+672"}, {"UK", "+44"},
};

size_t country_prefixes(const char *ret[COUNTRY_PREFIXES_MAX], const char *iso)
{
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(countries); ++i)
		if (!strcasecmp(countries[i].iso, iso) && count < COUNTRY_PREFIXES_MAX)
			ret[count++] = countries[i].prefix;
	for (size_t i = 0; i < COUNT_OF(sharers) && !count; ++i)
		if (!strcasecmp(sharers[i].iso, iso))
			ret[count++] = sharers[i].prefix;
	return count;
}

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

/* Where a number itself may begin with 0, so that the 0 is kept behind the code. */
static const char *const with_zero[] = {"+225", "+229", "+231", "+241", "+242", "+378", "+379", "+39"};

const char *country_misdialled(const char *number)
{
	const struct country *c = country_of(number);
	const char *at_home = c ? number + strlen(c->prefix) : "";
	bool zero_is_fine = false;

	if (!strncmp(number, "+10", 3) || !strncmp(number, "+11", 3))
		return "behind +1 no number begins with 0 or 1";
	if (!strncmp(number, "+7810", 5))
		return "8 10 is dialled in Russia for calls abroad; leave +7 810 out";
	for (size_t i = 0; c && i < COUNT_OF(with_zero); ++i)
		zero_is_fine |= !strcmp(c->prefix, with_zero[i]);
	if (at_home[0] != '0' || (zero_is_fine && at_home[1] != '0'))
		return NULL;
	return "the 0 behind the country code is dialled at home only; leave it out";
}

bool country_is_help(const char *digits)
{
	static const char *const help[] = {"000", "08", "110", "111", "112", "113", "119", "911", "933", "988", "999"};
	for (size_t i = 0; i < COUNT_OF(help); ++i)
		if (!strcmp(digits, help[i]))
			return true;
	return false;
}

/* Longer ones are people's. */
bool country_is_directory(const char *digits)
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

const char *country_blocked(const char *number)
{
	const char *digits = number + (*number == '+');
	const struct country *country = *number == '+' ? country_of(number) : NULL;
	const char *at_home = country ? number + strlen(country->prefix) : digits;

	if (is_emergency(digits) || is_emergency(at_home))
		return "an emergency number";
	if (*number != '+')
		return NULL;
	if (country_is_directory(at_home))
		return "a directory service at premium rates";
	if (is_976(digits) || is_irish_premium(digits))
		return "a premium-rate number";
	for (size_t i = 0; i < COUNT_OF(blocked); ++i)
		if (!strncmp(digits, blocked[i].prefix, strlen(blocked[i].prefix)))
			return blocked[i].why;
	return NULL;
}
