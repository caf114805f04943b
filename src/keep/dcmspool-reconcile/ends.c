#include "ends.h"

#include "spool/job.h"

#include <stdio.h>
#include <string.h>

json_t *ends_of(json_t *job, const char *target)
{
	return account_in(account_in(job, "targets"), target);
}

static json_int_t sum(const json_t *numbers)
{
	json_int_t all = 0;
	const char *key;
	json_t *one;

	json_object_foreach ((json_t *)numbers, key, one)
		all += json_integer_value(one);
	return all;
}

void ends_tell(json_t *end, const char *event, const char *job, json_int_t images)
{
	char line[ENDS_NAME_SIZE + 32];

	(void)snprintf(line, sizeof(line), "%s %s", event, job);
	account_set(account_in(end, "told"), line, images);
	if (strcmp(event, "failed") == 0)
		account_add(end, "failed", images);
}

void ends_take(json_t *end, json_int_t images)
{
	json_t *told = account_in(end, "told");

	account_add(end, "earlier", sum(told));
	(void)json_object_clear(told); /* cannot fail on an object */
	account_add(end, "taken", images);
}

void ends_move(struct account *account, const char *name, json_int_t images)
{
	json_t *job = account_job(account, name);
	char target[ENDS_NAME_SIZE];

	ends_target(name, target);
	if (job)
		account_add(*target ? ends_of(job, target) : job, "moved", images);
}

json_int_t ends_rested(const json_t *end)
{
	return account_get(end, "earlier") + sum(json_object_get(end, "told")) -
	       account_get(end, "taken");
}

void ends_target(const char *name, char target[ENDS_NAME_SIZE])
{
	size_t length = job_ended(name);
	char *number;

	(void)snprintf(target, ENDS_NAME_SIZE, "%s", length ? name + length + 1 : "");
	number = strrchr(target, '~'); /* disk_rename_unique() */
	if (number && number[1] && strspn(number + 1, "0123456789") == strlen(number + 1))
		*number = '\0';
}
