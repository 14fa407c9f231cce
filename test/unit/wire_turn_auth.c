#include "wire/turn_auth.h"

#include "test/check.h"

/* From `printf %s USER | openssl dgst -sha1 -hmac SECRET -binary | base64`, and RFC 2202's case 2. */
static const struct {
	const char *secret, *username, *password;
} cases[] = {
	{"Jefe", "what do ya want for nothing?", "7/zfauXrL6LSdBbV8YTfnCWafHk="},
	{"north", "1433895918:ninefingers", "jy8hTxmOO7UtEKXqSkSlvakPVYA="},
};

int main(void)
{
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		char password[TURN_AUTH_PASSWORD_SIZE];
		CHECK_EQ(turn_auth_password(password, cases[i].secret, cases[i].username), 0);
		CHECK_STR(password, cases[i].password);
	}
	return 0;
}
