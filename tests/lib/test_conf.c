/* test_conf: what programs get from conf_load(). What is reported is tested by conf.bats. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "decide/rules.h"
#include "tap.h"

static const char text[] =
	"# comment\n"
	"spool = \"/sp\"\n"
	"receiver { port = { 104, 11112 } max_associations = 8 allow = { \"10.0.0.0/8\", "
	"\"fd00::/8\" } }\n"
	"router { series_timeout = 2m association_grace = 250ms }\n"
	"cleaner { retention = 2d }\n"
	"target \"p\" { type = dicom host = h aec = A timeout = 2m order = none }\n"
	"target \"f\" { type = folder path = \"/f\" }\n"
	"rule \"r\" { match = \"True\" targets = { p, f } }\n"
	"rule \"d\" { match = \"True\" action = discard disabled = true comment = c }\n";

static struct conf *load(const char *content, size_t length)
{
	char name[] = "test_conf.XXXXXX"; /* in the current directory */
	int fd = mkstemp(name);
	struct conf *conf = NULL;

	if (fd >= 0 && write(fd, content, length) == (ssize_t)length)
		conf = conf_load(name, rules_check);
	if (fd >= 0) {
		(void)close(fd); /* a temporary file */
		(void)unlink(name);
	}
	return conf;
}

static bool is(const char *got, const char *expected)
{
	return got && strcmp(got, expected) == 0;
}

static void check_sections(const struct conf *c)
{
	const struct conf_receiver *r = &c->receiver;

	ok(is(c->spool, "/sp") && c->file[0] == '/', "paths are absolute");
	ok(r->port_count == 2 && r->port[0] == 104 && r->port[1] == 11112, "ports");
	ok(r->listen.count == 2 && is(r->listen.item[0], "0.0.0.0"), "listen's default");
	ok(r->max_associations_per_peer == 8, "the default per peer follows max_associations");
	ok(r->allow_count == 2 && r->allow[0].bits == 104 && r->allow[1].bits == 8, "prefixes");
	ok(IN6_IS_ADDR_V4MAPPED(&r->allow[0].address), "an IPv4 prefix is mapped");
	ok(r->allow[0].address.s6_addr[12] == 10 && r->allow[1].address.s6_addr[0] == 0xfd,
		"addresses");
	ok(r->request_timeout_s == 10 && r->dimse_timeout_s == 600, "time-outs in seconds");
	ok(r->accept == CONF_ACCEPT_ALL && r->min_free_mb == 500, "defaults");
	ok(c->router.series_timeout_ms == 120000 && c->router.association_grace_ms == 250,
		"the router's in milliseconds");
	ok(c->cleaner.retention_s == 2 * 86400 && c->dispatcher.instances == 2, "the others");
}

static void check_targets(const struct conf *c)
{
	const struct conf_target *p = conf_target(c, "p"), *f = conf_target(c, "f");

	ok(p && f && !conf_target(c, "x") && c->target_count == 2, "targets by name");
	if (!p || !f)
		return;
	ok(is(p->type, "dicom") && p->order == CONF_ORDER_NONE && f->order == CONF_ORDER_STUDY,
		"type and order");
	ok(p->retry_min_ms == 5000 && p->retry_max_ms == 900000 && p->image_retries == 5,
		"retries");
	ok(p->setting.count % 2 == 0 && is(conf_setting(p, "port"), "104"),
		"settings have defaults");
	ok(is(conf_setting(p, "timeout"), "120"), "durations among them are in seconds");
	ok(is(conf_setting(p, "host"), "h") && is(conf_setting(p, "aet"), "DCMSPOOL"), "texts");
	ok(!conf_setting(p, "path") && is(conf_setting(f, "path"), "/f"), "each type has its own");
}

static void check_rules(const struct conf *c)
{
	ok(c->rule_count == 2 && is(c->rule[0].name, "r"), "rules in their order");
	ok(c->rule[0].compiled && c->rule[1].compiled, "compiled");
	ok(c->rule[0].action == CONF_ROUTE && c->rule[0].targets.count == 2, "route");
	ok(c->rule[1].action == CONF_DISCARD && c->rule[1].disabled && !c->rule[1].fallback,
		"discard");
	ok(is(c->rule[0].comment, "") && is(c->rule[1].comment, "c"), "comment");
}

/* Every beginning of a right file, and the file with each byte damaged: refused or not, no crash
 * (the suite runs with sanitizers, too). */
static void check_damage(void)
{
	char damaged[sizeof(text)];

	(void)dup2(fileno(fopen("/dev/null", "w")),
		STDERR_FILENO); /* its mistakes are of no interest */
	for (size_t n = 0; n < sizeof(text); n++)
		conf_free(load(text, n));
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		memcpy(damaged, text, sizeof(text));
		damaged[n] = "\"'{}=\\$#*/\n\0\xff,"[n % 14];
		conf_free(load(damaged, sizeof(text) - 1));
	}
	ok(true, "damaged files crash nothing");
}

int main(void)
{
	struct conf *c = load(text, sizeof(text) - 1);

	if (ok(c != NULL, "the file is right")) {
		check_sections(c);
		check_targets(c);
		check_rules(c);
	}
	conf_free(c);
	conf_free(NULL);
	check_damage();
	return tap_done();
}
