/* SPDX-License-Identifier: Apache-2.0 */
/* conf-zone.c - tests of zone files. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "conf/conf-zone.h"

static enum rc parse(struct conf_zones *z, const char *text, struct err *err)
{
	const struct store_settings set = { .region = "here", .timeout = 7 };

	*z = (struct conf_zones){ .n_bits = 0 };
	return conf_zones_parse(z, "/etc/z.conf", text, strlen(text), &set,
				err);
}

#define STORES                                                        \
	"[store a]\nurl = s3://bucket/a/\nendpoint = http://host:1\n" \
	"timeout = 3\n[store b]\nurl = mirror\n"

static void slots_and_stores_come_out_in_order(void **state)
{
	struct conf_zones z;
	struct err err;

	(void)state;
	assert_int_equal(parse(&z,
			       STORES "[zone east]\nslots = 0x0c-0xF, 8 - 9\n"
				      "stores = b\n"
				      "[zone west]\nslots = 4-7,0-3, 10\n"
				      "slots = 11\nstores = b, a\n",
			       &err),
			 RC_OK);
	assert_int_equal(z.n_bits, 4);
	assert_int_equal(z.n_zones, 2);
	assert_string_equal(z.zones[1].name, "west");
	assert_int_equal(z.zones[1].n_ranges, 2);
	assert_int_equal(z.zones[1].ranges[0].last, 7);
	assert_int_equal(z.zones[1].ranges[1].first, 10);
	assert_int_equal(z.zones[1].ranges[1].last, 11);
	assert_int_equal(z.zones[1].n_stores, 2);
	assert_int_equal(z.zones[1].stores[0], 1);
	assert_int_equal(z.zones[1].stores[1], 0);
	assert_int_equal(conf_zones_find(&z, 9), 0);
	assert_int_equal(conf_zones_find(&z, 10), 1);
	conf_zones_release(&z);
}

static void stores_have_their_settings_or_those_of_all(void **state)
{
	struct conf_zones z;
	struct err err;

	(void)state;
	assert_int_equal(parse(&z,
			       STORES "region =\nca_file = ca.pem\n"
				      "[zone w]\nslots=all\nstores=a,b\n",
			       &err),
			 RC_OK);
	assert_string_equal(z.stores[0].url, "s3://bucket/a/");
	assert_string_equal(z.stores[0].set.endpoint, "http://host:1");
	assert_string_equal(z.stores[0].set.region, "here");
	assert_int_equal(z.stores[0].set.timeout, 3);
	assert_string_equal(z.stores[1].url, "/etc/mirror");
	assert_string_equal(z.stores[1].set.ca_file, "/etc/ca.pem");
	assert_null(z.stores[1].set.region);
	assert_int_equal(z.stores[1].set.timeout, 7);
	assert_int_equal(z.n_bits, 0);
	assert_int_equal(conf_zones_find(&z, 65535), 0);
	conf_zones_release(&z);
}

static void limits_are_those_of_the_zone_of_all_or_usual(void **state)
{
	struct conf_zones z;
	struct err err;

	(void)state;
	assert_int_equal(parse(&z,
			       STORES "[zone w]\nslots=0-7\nstores=a\n"
				      "failures=9\n[zone e]\nslots=8-15\n"
				      "stores=b\n[zones]\nfailures=2\n"
				      "rate = 50\n",
			       &err),
			 RC_OK);
	assert_int_equal(z.zones[0].limits.failures, 9);
	assert_int_equal(z.zones[1].limits.failures, 2);
	assert_int_equal(z.zones[1].limits.recover, 60);
	assert_int_equal(z.zones[1].limits.rate, 50);
	assert_int_equal(z.zones[1].limits.burst, 50);
	conf_zones_release(&z);
}

#define A "[store a]\nurl = /a\n"
#define W "[zone w]\nstores = a\n"

static void what_is_not_whole_is_refused(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{ "", "no [store NAME]" },
		{ A, "no [zone NAME]" },
		{ A W, ":3: zone w has no slots" },
		{ A "[zone w]\nslots=all\n", ":3: zone w has no stores" },
		{ A "[zone w]\nslots=all\nstores=a,x\n", "no [store x]" },
		{ A "[zone w]\nslots=all\nstores=a,a\n", ":5: store a is" },
		{ A "[store b]\nurl=/b\n" W "slots=all\n", "has store b" },
		{ "[store a]\n" W "slots=all\n", ":1: store a has no url" },
		{ A "url=/b\n", ":3: url is set a second time" },
		{ A "url=zone:///z\n", ":3: url is" },
		{ "[store a]\nurl=zone:///z\n", "cannot be zones" },
		{ A W "slots=0-7\n", "no zone has slots 8-15" },
		{ A W "slots=1-15\n", "no zone has slot 0" },
		{ A W "slots=0-7,9-15\n", "no zone has slot 8" },
		{ A W "slots=0-7,7-15\n", "zone w has slot 7 twice" },
		{ A W "slots=0-15\n[zone v]\nstores=a\nslots=3\n",
		  "zones w and v both have slot 3" },
		{ A W "slots=0-15\n[zone v]\nstores=a\nslots=all\n",
		  "zone v has all slots, but" },
		{ A W "slots=all,3\n", "zone w has all slots, but" },
		{ A W "slots=0-31\n[zones]\nn_bits=4\n", "there is no slot" },
		{ A W "slots=0-31\n[zones]\nn_bits=6\n", "slots 32-63" },
		{ A W "slots=all\n[zones]\nn_bits=3\n", ":7: n_bits: 3" },
		{ A W "slots=0-16\n", "no zone has slots 17-31" },
		{ A W "slots=7-3\n", ":5: '7-3' is no range" },
		{ A W "slots=0-65536\n", "'0-65536' is no range" },
		{ A W "slots=0x\n", "'0x' is no range" },
		{ A W "slots=1-2-3\n", "'1-2-3' is no range" },
		{ A W "slots=,\n", "'' is no range" },
		{ A W "slots=-1\n", "'-1' is no range" },
		{ A W W, ":5: zone w has been in line 3" },
		{ A A, ":3: store a has been in line 1" },
		{ "[zones]\n[zones]\n", ":2: a second [zones]" },
		{ "[zone]\n", ":1: want [zones], [zone NAME]" },
		{ "[zone a/b]\n", ":1: want" },
		{ "[stor a]\n", ":1: want" },
		{ "slots = all\n", ":1: want" },
		{ A W "slot=all\n", ":5: unknown setting slot" },
		{ A "refresh=3\n", ":3: unknown setting refresh" },
		{ A "timeout=x\n", ":3: timeout: 'x' is no number" },
		{ A "timeout=3\ntimeout=3\n", ":4: timeout is set a second" },
		{ A "endpoint=ftp://h\n", ":3: endpoint: want http://" },
		{ "[zones]\nfailures=0\n", ":2: failures: 0 is not from" },
		{ "[zones]\nrate=1\nrate=1\n", ":3: rate is set a second" },
		{ "[zones]\nwhat=1\n", ":2: unknown setting what" },
	};
	struct conf_zones z;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rc rc = parse(&z, rows[i].text, &err);

		if (rc != RC_USAGE || !strstr(err.msg, rows[i].says) ||
		    strncmp(err.msg, "/etc/z.conf", 11))
			fail_msg("%s: %s, not %s", rows[i].text,
				 rc ? err.msg : "taken", rows[i].says);
		assert_null(z.zones);
	}
}

static void a_missing_file_is_told(void **state)
{
	struct conf_zones z;
	struct err err;

	(void)state;
	assert_int_equal(conf_zones_load(&z, "/nonexistent/z", NULL, &err),
			 RC_NOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_and_stores_come_out_in_order),
		cmocka_unit_test(stores_have_their_settings_or_those_of_all),
		cmocka_unit_test(limits_are_those_of_the_zone_of_all_or_usual),
		cmocka_unit_test(what_is_not_whole_is_refused),
		cmocka_unit_test(a_missing_file_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("conf-zone", tests, NULL, NULL);
}
