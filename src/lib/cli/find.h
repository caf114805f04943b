/*
 * find: which configuration is meant, by one order for all programs and verbs:
 *
 *   1. the one that is named: -c FILE
 *   2. that of the environment: DCMSPOOL_CONF
 *   3. what runs on the spool one stands in: .service/dcmspool.conf, the copy that `dcmspool up`
 *      makes, in the working directory or the nearest one above it that has it
 *   4. etc/dcmspool.conf of the clone whose program this is
 *   5. the installed one
 *
 * What 1 and 2 name is taken, there or not: nothing else is meant then.
 */
#ifndef CLI_FIND_H
#define CLI_FIND_H

/* The path, in memory that the caller frees. named: of -c, or NULL. Dies, telling why, when
 * DCMSPOOL_CONF names what cannot be looked at, when the copy belongs to somebody else, and when
 * there is none at all. */
char *find_conf(const char *named);

#endif
