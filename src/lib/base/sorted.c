/*
 * A treap: a binary search tree in which no node has a smaller weight than the one above it. As
 * weights are random the tree is flat whatever the order of what comes.
 */
#include "base/sorted.h"

static uint32_t random_weight(void)
{
	static uint32_t state = 2463534242; /* xorshift, Marsaglia 2003 */

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* What is before key to the left, the rest to the right. */
static void split(const struct sorted *set, struct sorted_node *at, const struct sorted_node *key,
	struct sorted_node **left, struct sorted_node **right)
{
	while (at) {
		if (set->compare(at, key) < 0) {
			*left = at;
			left = &at->right;
			at = at->right;
		} else {
			*right = at;
			right = &at->left;
			at = at->left;
		}
	}
	*left = *right = NULL;
}

void sorted_put(struct sorted *set, struct sorted_node *node)
{
	struct sorted_node **at = &set->root;

	node->weight = random_weight();
	while (*at && (*at)->weight <= node->weight)
		at = set->compare(node, *at) < 0 ? &(*at)->left : &(*at)->right;
	split(set, *at, node, &node->left, &node->right);
	*at = node;
	set->count++;
}

void sorted_take(struct sorted *set, struct sorted_node *node)
{
	struct sorted_node **at = &set->root, *left = node->left, *right = node->right;

	while (*at != node)
		at = set->compare(node, *at) < 0 ? &(*at)->left : &(*at)->right;
	while (left && right) {
		if (left->weight <= right->weight) {
			*at = left;
			at = &left->right;
			left = left->right;
		} else {
			*at = right;
			at = &right->left;
			right = right->left;
		}
	}
	*at = left ? left : right;
	set->count--;
}

/* The first for which compare(it, key) is at least this. */
static struct sorted_node *first_from(
	const struct sorted *set, const struct sorted_node *key, int least)
{
	struct sorted_node *at = set->root, *found = NULL;

	while (at) {
		if (set->compare(at, key) >= least) {
			found = at;
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return found;
}

struct sorted_node *sorted_from(const struct sorted *set, const struct sorted_node *key)
{
	return first_from(set, key, 0);
}

struct sorted_node *sorted_after(const struct sorted *set, const struct sorted_node *key)
{
	return first_from(set, key, 1);
}

struct sorted_node *sorted_find(const struct sorted *set, const struct sorted_node *key)
{
	struct sorted_node *found = sorted_from(set, key);

	return found && set->compare(found, key) == 0 ? found : NULL;
}

struct sorted_node *sorted_first(const struct sorted *set)
{
	struct sorted_node *at = set->root;

	while (at && at->left)
		at = at->left;
	return at;
}
