/*
 * pool: memory that is given back all at once, with a bound.
 */
#include "rule/internal.h"

#include <stdlib.h>

enum { CHUNK_SIZE = 4096 };

struct rule_chunk {
	struct rule_chunk *next;
	size_t size, used; /* of data */
	_Alignas(max_align_t) char data[];
};

static struct rule_chunk *chunk_new(struct rule_pool *pool, size_t size)
{
	struct rule_chunk *chunk;

	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	*chunk = (struct rule_chunk){ .next = pool->chunk, .size = size };
	pool->chunk = chunk;
	return chunk;
}

void *rule_pool_alloc(struct rule_pool *pool, size_t size)
{
	struct rule_chunk *chunk = pool->chunk;
	const size_t unit = _Alignof(max_align_t);
	void *result;

	if (size > pool->left || pool->left - size < unit)
		return NULL;
	size = (size + unit - 1) / unit * unit;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = chunk_new(pool, size);
	if (!chunk)
		return NULL;
	result = chunk->data + chunk->used;
	chunk->used += size;
	pool->left -= size;
	return result;
}

void rule_pool_free(struct rule_pool *pool)
{
	struct rule_chunk *next;

	for (struct rule_chunk *chunk = pool->chunk; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	pool->chunk = NULL;
}
