/*
 * options: the beginning of every program's main(): its options and the configuration.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "conf/conf.h"

/* The beginning of every program's main(): handles -c FILE, also --config FILE (without
 * it, find_conf() chooses), -n (check: prints "FILE: ok" and exits 0, or dies with 100), -h (prints
 * usage, exits 0), and further option letters of the program's own: calls option(letter, optarg)
 * for those, and for the long words that stand for them, which options.c has in one table for all
 * programs. Dies with 100 on a usage or configuration mistake. Afterwards optind stands at
 * the first operand. */
struct conf *cli_options(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage);

/* The same for a program whose options may stand among its operands, as in "resend WORD --to PACS":
 * argv is sorted, the operands come last. What begins with '-' and is none follows "--". */
struct conf *cli_options_anywhere(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage);

/* The same for a program that needs more of the configuration than its values: rules_check or
 * names_check. */
struct conf *cli_options_checked(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage,
	conf_check_fn *further);

/* The same for a program that acts on what runs: where a router runs on the spool that the file
 * names, the copy that it works with is taken, whatever mistakes the file has; that they differ is
 * told. */
struct conf *cli_options_acting(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage);
struct conf *cli_options_acting_anywhere(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage);

/* The same for a program that looks at the configuration itself, whatever mistakes it has, or at
 * what runs: returns the path of the file that is meant, which the caller frees. */
char *cli_options_file(int argc, char *argv[], const char *letters,
	void (*option)(int letter, const char *argument), const char *usage);
/* Dies, as these do, for want of it. error: errno of conf_load(). */
_Noreturn void cli_no_conf(const char *file, int error);

#endif
