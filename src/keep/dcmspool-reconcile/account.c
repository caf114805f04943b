#include "account.h"

#include "base/log.h"
#include "spool/job.h"

#include <stdio.h>
#include <string.h>

static json_t *checked(json_t *value)
{
	if (!value)
		die(EXIT_TEMPORARY, "unable to keep the account: out of memory; try again");
	return value;
}

void account_open(
	struct account *account, const struct spool *spool, int64_t from_us, int64_t until_us)
{
	*account = (struct account){ .spool = spool,
		.from_us = from_us,
		.until_us = until_us,
		.associations = checked(json_object()),
		.jobs = checked(json_object()),
		.begun = checked(json_object()) };
}

void account_free(struct account *account)
{
	json_decref(account->associations);
	json_decref(account->jobs);
	json_decref(account->begun);
}

static void put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, checked(value)) < 0)
		(void)checked(NULL);
}

json_t *account_in(json_t *object, const char *key)
{
	if (!json_object_get(object, key))
		put(object, key, json_object());
	return checked(json_object_get(object, key));
}

void account_set(json_t *object, const char *key, json_int_t n)
{
	put(object, key, json_integer(n));
}

void account_add(json_t *object, const char *key, json_int_t n)
{
	account_set(object, key, account_get(object, key) + n);
}

json_int_t account_get(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool account_is_of_day(const struct account *account, const char *name)
{
	int64_t time_us = spool_stamp_time(name);

	return time_us >= account->from_us && time_us < account->until_us;
}

json_int_t account_sum(const json_t *numbers)
{
	json_int_t all = 0;
	const char *key;
	json_t *one;

	json_object_foreach ((json_t *)numbers, key, one)
		all += json_integer_value(one);
	return all;
}

json_t *account_association(struct account *account, const char *name)
{
	return account_in(account->associations, name);
}

json_t *account_job(struct account *account, const char *name)
{
	size_t length = job_base(name);
	char base[JOB_NAME_SIZE];

	if (length == 0 || !account_is_of_day(account, name))
		return NULL;
	(void)snprintf(
		base, sizeof(base), "%.*s", (int)length, name); /* fits: a stamp and digits */
	return account_in(account->jobs, base);
}
