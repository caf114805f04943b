/*
 * phantom: draws a slice through a simple chest, so that the made images look like something.
 *
 * Integers only: ellipses in a field of 1024 x 1024, filled row by row, with noise on top. Values
 * are those of 12-bit CT with a rescale intercept of -1024. A slice takes a fraction of a
 * millisecond: 1,000 images of 512 x 512 shall cost less than writing them to the disk.
 */
#ifndef PHANTOM_H
#define PHANTOM_H

#include <stddef.h>
#include <stdint.h>

/* The noise of a row begins at a random place of this table. */
#define NOISE_STARTS 65536
#define NOISE_SIZE   (NOISE_STARTS + 16384)

struct phantom {
	long rows, columns;
	const uint8_t *noise; /* NOISE_SIZE bytes of 0..31 */
};

struct ellipse {
	long x, y, rx, ry; /* centre and radii */
	long taper;        /* per mille of the radii lost at both ends of the study */
	uint16_t value;
};

static inline long square_root(long n)
{
	long root = 0;

	for (long bit = 1L << 20; bit; bit >>= 2)
		if (n >= root + bit) {
			n -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	return root;
}

static inline void phantom_ellipse(
	const struct phantom *p, const struct ellipse *e, long scale, uint16_t *row, long y)
{
	long rx = e->rx * scale / 1000, ry = e->ry * scale / 1000;
	long dy = y * 1024 / p->rows - e->y, half, from, to;

	if (dy <= -ry || dy >= ry)
		return;
	half = rx * square_root(ry * ry - dy * dy) / ry;
	from = (e->x - half) * p->columns / 1024;
	to = (e->x + half) * p->columns / 1024;
	for (long x = from < 0 ? 0 : from; x < to && x < p->columns; x++)
		row[x] = e->value;
}

/* splitmix64 (Steele, Lea, Flood 2014): small, fast, and good from any seed. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Draws the slice at position z of 0..1000; random gives the places in the noise. */
static inline void phantom_draw(const struct phantom *p, uint16_t *pixels, long z, uint64_t *random)
{
	static const struct ellipse body[] = {
		{ 512, 900, 430, 26, 0, 700 },     /* table */
		{ 512, 512, 470, 360, 60, 930 },   /* fat */
		{ 512, 512, 440, 330, 60, 1070 },  /* muscle */
		{ 300, 480, 175, 230, 700, 170 },  /* right lung */
		{ 724, 480, 165, 225, 700, 175 },  /* left lung */
		{ 560, 470, 120, 130, 600, 1110 }, /* heart */
		{ 512, 730, 70, 62, 0, 1750 },     /* spine */
		{ 512, 745, 24, 20, 0, 1060 },     /* its canal */
		{ 512, 215, 50, 18, 0, 1600 },     /* sternum */
		{ 590, 640, 38, 38, 100, 1330 },   /* aorta, with contrast medium */
	};
	long bend = (z - 500) * (z - 500) / 250; /* 0 in the middle, 1000 at both ends */

	for (long y = 0; y < p->rows; y++) {
		uint16_t *row = pixels + y * p->columns;
		const uint8_t *noise = p->noise + random_next(random) % NOISE_STARTS;

		for (long x = 0; x < p->columns; x++)
			row[x] = 0;
		for (size_t i = 0; i < sizeof(body) / sizeof(body[0]); i++)
			phantom_ellipse(p, &body[i], 1000 - body[i].taper * bend / 1000, row, y);
		for (long x = 0; x < p->columns; x++)
			row[x] = (uint16_t)(row[x] + noise[x]);
	}
}

#endif
