#include "simulator/carrier_profile.h"

#include "base/err.h"

#include <assert.h>
#include <stdio.h>

#define TWILIO                                                                                              \
	"strict-host;auth=password;realm=sip.twilio.com;e164=plus;owned=+1202555,+1234567890;geo-denied=+53,+850,+881;" \
	"blocked=+1900,+17025550103;max-forwards=10;cps=1;rate-ban-s=10;secure=off;late-offer=off;private-sdp;media-status=415;" \
	"server=Twilio Gateway;gateway=Twilio;trying=trying -- your call is important to us;contact=172.25.10.20:5060;" \
	"record-route=1;same-connection;refer=off;allow=INVITE,ACK,CANCEL,OPTIONS,BYE,REFER,NOTIFY"

/* What each of them documents or was seen to do; where Debian has the real one (Asterisk's and FreeSWITCH's
 * defaults are from their manuals) a test may ask it instead. */
static const struct carrier_profile profiles[] = {
	{"bank", "a friendly trunk on every host name, with two banks behind it", SPEECH_TWILIO,
		"realm=sip.twilio.com;e164=plus;server=Twilio Gateway;gateway=Twilio;"
		"trying=trying -- your call is important to us;contact=172.25.10.20:5060;record-route=1;late-offer=off;"
		"media-status=415"},
	{"twilio", "Twilio Elastic SIP Trunking, paid, with credentials", SPEECH_TWILIO, TWILIO},
	{"twilio-trial-legacy", "... a trial account as until 2025: verified numbers, 4 calls", SPEECH_TWILIO,
		TWILIO ";account=trial-legacy;concurrency=4;verified=+12025550100,+12025550110,+1202555011"},
	{"twilio-trial-2026", "... a trial account of 2026: no trunking before the upgrade", SPEECH_TWILIO,
		TWILIO ";account=trial-2026"},
	{"twilio-secure", "... with secure trunking: TLS and SRTP or nothing", SPEECH_TWILIO,
		TWILIO ";secure=on;record-route=2;twnat"},
	{"telnyx", "Telnyx: codes at the end of the reason phrase, G.722 and Opus", SPEECH_TELNYX,
		"auth=password;realm=sip.telnyx.com;e164=plus;owned=+1202555,+1234567890;cps=20;codecs=PCMU,PCMA,G722,opus;"
		"blocked=+1900;geo-denied=+53,+850;server=Telnyx SIP Proxy;gateway=Telnyx SIP Proxy;record-route=1;"
		"contact=10.13.37.5:6000;"
		"nonce-s=300"},
	{"vonage", "Vonage: numbers without +, three calls a second", SPEECH_PLAIN,
		"auth=password;realm=sip-us.vonage.com;e164=bare;owned=1202555,+1202555,+1234567890;cps=3;"
		"codecs=PCMA,PCMU,iLBC,G722;"
		"server=Vonage SIP;gateway=Vonage SIP;record-route=1;secure=either"},
	{"exotel", "Exotel: allow-list or digest; Record-Route and Contact name different transports", SPEECH_PLAIN,
		"auth=password;realm=pstn.exotel.com;cps=4;codecs=PCMA,PCMU;server=Exotel;gateway=Exotel;record-route=1;"
		"contact=10.20.30.40:443{transport=tls};secure=either"},
	{"sipgate", "sipgate: REGISTER first, From is the SIP-ID, the number in P-Preferred-Identity", SPEECH_PLAIN,
		"auth=password;challenge=407;realm=sipgate.de;register;from-user;codecs=PCMA,PCMU,G722;"
		"server=sipgate;gateway=sipgate;record-route=2;expires=600;expires-min=60"},
	{"easybell", "easybell: 183 with SDP, UPDATE in the early dialog, session timers", SPEECH_PLAIN,
		"auth=password;challenge=407;realm=sip.easybell.de;register;codecs=PCMA,PCMU;session-s=1800;"
		"refresher=uac;record-route=1;server=easybell"},
	{"asterisk", "Asterisk (chan_pjsip): 401, session timers, answers with every codec", SPEECH_PLAIN,
		"auth=password;challenge=401;realm=asterisk;algorithm=MD5;stale;answer=all;codecs=PCMU,PCMA,G722,opus;session-s=1800;"
		"refresher=uac;server=Asterisk PBX 20.6.0;gateway=Asterisk PBX 20.6.0;trying=Trying;"
		"allow=OPTIONS,REGISTER,SUBSCRIBE,NOTIFY,PUBLISH,INVITE,ACK,BYE,CANCEL,UPDATE,PRACK,INFO,MESSAGE,REFER"},
	{"freeswitch", "FreeSWITCH: 407, early media, the carrier refreshes the session", SPEECH_PLAIN,
		"auth=password;challenge=407;realm=freeswitch.test;algorithm=MD5;stale;codecs=PCMU,PCMA,G722,opus;session-s=1800;"
		"refresher=uas;server=FreeSWITCH-mod_sofia/1.10.9;gateway=FreeSWITCH-mod_sofia/1.10.9;"
		"allow=INVITE,ACK,BYE,CANCEL,OPTIONS,MESSAGE,INFO,UPDATE,REGISTER,REFER,NOTIFY,PUBLISH,SUBSCRIBE"},
	{"teams", "Teams Direct Routing: TLS and SRTP, Contact is a name, OPTIONS before calls", SPEECH_PLAIN,
		"auth=none;secure=on;fqdn-contact;options-first;codecs=G722,PCMU,PCMA;record-route=1;same-connection;"
		"server=Microsoft.PSTNHub.SIPProxy;gateway=Microsoft.PSTNHub.SIPProxy"},
	{"chime", "Amazon Chime Voice Connector: addresses and credentials, PCMU, one call a second", SPEECH_PLAIN,
		"auth=both;realm=voiceconnector.chime.aws;e164=plus;owned=+1202555;cps=1;codecs=PCMU;"
		"geo-denied=+53,+850;"
		"server=Amazon Chime;gateway=Amazon Chime;record-route=2"},
	{"registrar", "a plain PBX account: REGISTER (401, 423, several bindings), then calls", SPEECH_PLAIN,
		"auth=password;challenge=401;realm=registrar.test;algorithm=SHA-256;register;expires=120;expires-min=30"},
};

static const struct carrier_domain domains[] = {
	{"ringdown.pstn.twilio.test", "twilio", NULL, "the plain case: 407, then the number's script"},
	{"open.pstn.twilio.test", "twilio", "auth=acl;cps=0", "no credentials: the address is in the list"},
	{"acl.pstn.twilio.test", "twilio", "auth=acl;acl=192.0.2.0/24;cps=0", "the address is not: 403, 32201"},
	{"both.pstn.twilio.test", "twilio", "auth=both;cps=0", "address and credentials are both asked for"},
	{"both-foreign.pstn.twilio.test", "twilio", "auth=both;acl=192.0.2.0/24;cps=0", "... and the address is wrong"},
	{"nobody.pstn.twilio.test", "twilio", "auth=password;password=never the one you have;cps=0", "no credentials are right: 403, 32202"},
	{"stale.pstn.twilio.test", "twilio", "nonce-s=0;stale;cps=0", "the first nonce is old when it comes back: stale=true"},
	{"aged.pstn.twilio.test", "twilio", "nonce-s=0;cps=0", "... but the second 407 does not say so, as Twilio's does not"},
	{"suspended.pstn.twilio.test", "twilio", "account=suspended;cps=0", "603"},
	{"inactive.pstn.twilio.test", "twilio", "account=inactive;cps=0", "403, 32200"},
	{"few.pstn.twilio.test", "twilio", "auth=acl;concurrency=1;cps=0", "one call at a time: 503"},
	{"slow.pstn.twilio.test", "twilio", "auth=acl;cps=1", "one call a second: 503, 32001"},
	{"owned.pstn.twilio.test", "twilio", "auth=acl;owned=+19995550000;cps=0", "no caller number is the account's: 403, 32204"},
	{"hops.pstn.twilio.test", "twilio", "auth=acl;max-forwards=100;cps=0", "483, 32006"},
	{"refer.pstn.twilio.test", "twilio", "auth=acl;refer=200 OK;cps=0", "transfers by REFER are switched on"},
	{"symmetric.pstn.twilio.test", "twilio", "auth=acl;symmetric;cps=0", "RTP goes where RTP comes from"},
	{"secure.pstn.twilio.test", "twilio-secure", "auth=acl;cps=0", "TLS and SRTP, or 488"},
	{"mocked.pstn.twilio.test", "twilio", "auth=acl;media-status=488;codecs=G729;cps=0", "no codec of yours is taken"},
	{"trial-legacy.pstn.twilio.test", "twilio-trial-legacy", "auth=acl;cps=0", "400, 32100 for who is not verified"},
	{"trial-2026.pstn.twilio.test", "twilio-trial-2026", "auth=acl;cps=0", "403, 32200"},
	{"sip.telnyx.test", "telnyx", NULL, "Telnyx"},
	{"ringdown.sip-us.vonage.test", "vonage", NULL, "Vonage"},
	{"ringdown.pstn.exotel.test", "exotel", NULL, "Exotel"},
	{"sipgate.test", "sipgate", NULL, "sipgate"},
	{"easybell.test", "easybell", NULL, "easybell"},
	{"asterisk.test", "asterisk", NULL, "Asterisk"},
	{"freeswitch.test", "freeswitch", NULL, "FreeSWITCH"},
	{"sip.pstnhub.microsoft.test", "teams", NULL, "Teams"},
	{"ringdown.voiceconnector.chime.test", "chime", NULL, "Amazon Chime"},
	{"registrar.test", "registrar", NULL, "a registrar"},
};

static const char *const edges[] = {"ashburn", "umatilla", "dublin", "frankfurt", "singapore", "tokyo", "sao-paulo",
	"sydney", "us1", "us2", "ie1", "de1", "sg1", "jp1", "br1", "au1", "ashburn-ix", "san-jose-ix", "london-ix",
	"frankfurt-ix", "singapore-ix", "tokyo-ix", "sydney-ix"};

const struct carrier_profile *carrier_profile_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(profiles); ++i)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

const struct carrier_profile *carrier_profile_at(size_t i)
{
	return i < COUNT_OF(profiles) ? &profiles[i] : NULL;
}

const struct carrier_domain *carrier_domain_at(size_t i)
{
	return i < COUNT_OF(domains) ? &domains[i] : NULL;
}

int carrier_trunk_set(struct carrier_trunk *t, const char *settings, const char **bad)
{
	while (*settings) {
		char one[QUIRK_TEXT_SIZE + 64];
		size_t size = strcspn(settings, ";");
		if (bad)
			*bad = settings;
		if (size >= sizeof one)
			return TRUNK_E_SETTING;
		memcpy(one, settings, size);
		one[size] = 0;
		if (size && quirks_set(&t->quirks, one) && refusal_set(&t->statuses, one))
			return TRUNK_E_SETTING;
		settings += size + (settings[size] == ';');
	}
	return 0;
}

int carrier_trunk_init(
	struct carrier_trunk *t, const char *host, const struct carrier_profile *profile, const char *settings)
{
	memset(t, 0, sizeof *t);
	t->profile = profile;
	quirks_init(&t->quirks);
	snprintf(t->host, sizeof t->host, "%s", host);
	int r = carrier_trunk_set(t, profile->quirks, NULL);
	assert(r == 0); /* the table is ours; a unit test reads every row */
	return settings ? carrier_trunk_set(t, settings, NULL) : r;
}

/* "a.pstn.dublin.twilio.test" is "a.pstn.twilio.test". */
static void drop_edge(char *host)
{
	char *pstn = strstr(host, ".pstn.");
	if (!pstn)
		return;
	char *label = pstn + strlen(".pstn.");
	size_t size = strcspn(label, ".");
	for (size_t i = 0; i < COUNT_OF(edges); ++i) {
		if (strlen(edges[i]) == size && !strncmp(edges[i], label, size) && label[size]) {
			memmove(label, label + size + 1, strlen(label + size + 1) + 1);
			return;
		}
	}
}

bool carrier_trunk_is_at(const struct carrier_trunk *t, struct span host)
{
	static const char local[] = ".localhost";
	char name[sizeof t->host + 64];
	if (!host.size || host.size >= sizeof name - 8)
		return false;
	for (size_t i = 0; i < host.size; ++i)
		name[i] = (char)(host.data[i] >= 'A' && host.data[i] <= 'Z' ? host.data[i] | 0x20 : host.data[i]);
	name[host.size] = 0;
	size_t size = host.size;
	if (size > sizeof local && !strcmp(name + size - (sizeof local - 1), local))
		memcpy(name + size - (sizeof local - 1), ".test", sizeof ".test");
	drop_edge(name);
	size_t mine = strlen(t->host);
	size = strlen(name);
	if (!mine || size < mine || strcmp(name + size - mine, t->host))
		return false;
	return size == mine || name[size - mine - 1] == '.';
}
