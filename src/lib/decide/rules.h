/*
 * rules: what of a configuration needs the rule language, the dictionary of tags or layouts. For
 * conf_load(), in programs that decide, or that check for the others: `dcmspool up` has every file
 * checked by these before anything starts.
 */
#ifndef DECIDE_RULES_H
#define DECIDE_RULES_H

struct conf_work;

/* Compiles the rules (conf_rule.compiled), adds extra_tags to dicom_tags, looks at layouts. Reports
 * every mistake in them. */
void rules_check(struct conf_work *work);

/* The same; when all of the configuration is right, warns on standard error of what is hardly
 * meant. */
void rules_check_and_warn(struct conf_work *work);

#endif
