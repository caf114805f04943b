/*
 * sorted: an ordered set that stays cheap however much is in it: each call takes a time that grows
 * with the logarithm of the count. What is put in has a struct sorted_node among its members, one
 * for each set it is in; nothing is allocated, nothing fails.
 */
#ifndef SORTED_H
#define SORTED_H

#include <stddef.h>
#include <stdint.h>

struct sorted_node {
	struct sorted_node *left, *right;
	uint32_t weight;
};

/* Less, equal or greater than 0, as strcmp(3); no two in a set are equal. */
typedef int sorted_compare(const struct sorted_node *a, const struct sorted_node *b);

struct sorted {
	sorted_compare *compare;
	struct sorted_node *root;
	size_t count;
};

/* The struct of this type that the node is the member of; NULL of NULL. */
#define SORTED_OF(node, type, member)                                                              \
	((node) ? (type *)((char *)(node)-offsetof(type, member)) : NULL)

/* node is in no place of this set, and nothing equal is. What orders it must not change while it is
 * in. */
void sorted_put(struct sorted *set, struct sorted_node *node);
/* node is in the set. */
void sorted_take(struct sorted *set, struct sorted_node *node);

/* The equal one; the first that is not before, or that is behind key (which need not be in). NULL:
 * there is none. */
struct sorted_node *sorted_find(const struct sorted *set, const struct sorted_node *key);
struct sorted_node *sorted_from(const struct sorted *set, const struct sorted_node *key);
struct sorted_node *sorted_after(const struct sorted *set, const struct sorted_node *key);
struct sorted_node *sorted_first(const struct sorted *set);

#endif
