#define _DEFAULT_SOURCE /* tm_gmtoff */
#include "chart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/memory.h"

enum { PATIENCE_MS = 30000, HOUR_S = 3600 };

const char *const chart_colours[CHART_LINES] = { "#3b82c4", "#e07b39", "#3aa374", "#b05bc4",
	"#b8921f", "#d1495b", "#4fa3b0", "#8a8a8a" };

static const char *const accent = "#3b82c4";

/* gnuplot knows no time zones: by the clock on the wall, as seconds since 1970. */
static long long wall(const struct report *report, size_t step)
{
	time_t moment = (time_t)((report->from_us + (int64_t)step * report->step_us) / 1000000);
	struct tm tm = { 0 };

	(void)localtime_r(&moment, &tm); /* cannot fail before the year 2^31 */
	return (long long)moment + tm.tm_gmtoff;
}

static bool is_day(const struct report *report)
{
	return report->step_us * STEPS_OF_A_BAR == INT64_C(1000000) * HOUR_S;
}

static bool is_month(const struct report *report)
{
	return report->step_us * STEPS_OF_A_BAR > INT64_C(6000000) * HOUR_S;
}

/* What all charts have. The end of the period stands at the right edge. */
static void begin(const struct report *report, const char *name, struct buf *script)
{
	buf_printf(script,
		"set terminal svg size 960,240 dynamic font 'sans-serif,12' name '%s'\n"
		"set encoding utf8\nset xdata time\nset timefmt '%%s'\n"
		"set xrange ['%lld':'%lld']\nset border 1 lc rgb '#808080'\n"
		"set tics nomirror scale 0.5 textcolor rgb '#707070'\n"
		"set grid ytics lc rgb '#c0808080' lw 1 lt 1\nunset key\n"
		"set lmargin 9\nset rmargin 4\nset tmargin 1\n",
		name, wall(report, 0), wall(report, report->steps));
	buf_printf(script, "set format x '%s'\nset xtics %d\n",
		is_day(report)     ? "%H:%M"
		: is_month(report) ? "%d %b"
				   : "%a %d",
		is_day(report)     ? 2 * HOUR_S
		: is_month(report) ? 3 * 24 * HOUR_S
				   : 24 * HOUR_S);
}

static void add_images(const struct report *report, struct buf *script)
{
	const long long width = report->step_us * STEPS_OF_A_BAR / 1000000;
	long long most = 0, images;
	struct buf bars = { 0 };

	for (size_t step = 0; step < report->steps; step += STEPS_OF_A_BAR) {
		images = 0;
		for (size_t i = step; i < step + STEPS_OF_A_BAR && i < report->steps; i++)
			images += report->images[i];
		most = images > most ? images : most;
		buf_printf(&bars, "%lld %lld\n", wall(report, step) + width / 2, images);
	}
	buf_printf(script,
		"set yrange [0:%lld]\nset format y '%%.0f'\nset style fill solid 1 noborder\n%s"
		"set boxwidth %lld absolute\n$d << E\n%sE\n"
		"plot $d using 1:2 with boxes lc rgb '%s'\n",
		most + most / 12 + 1, most < 5 ? "set ytics 1\n" : "", width * 8 / 10,
		bars.data ? bars.data : "", accent);
	script->failed |= bars.failed;
	buf_free(&bars);
}

/* Worst and median of what was sent in a step; a step without has no points. */
static void add_delays(const struct report *report, struct buf *script)
{
	buf_puts(script,
		"set logscale y\nset yrange [*:*]\nset offsets 0,0,0,0\n"
		"set ytics ('0.01 s' 0.01, '0.1 s' 0.1, '1 s' 1, '10 s' 10, '1 min' 60, "
		"'10 min' 600, '1 h' 3600, '6 h' 21600, '1 d' 86400, '10 d' 864000)\n$d << E\n");
	for (size_t i = 0; i < report->steps; i++)
		if (report->delay[i].worst_us >= 0)
			buf_printf(script, "%lld %.3f %.3f\n",
				wall(report, i) + report->step_us / 2000000,
				(double)(report->delay[i].median_us + 1000) / 1000000,
				(double)(report->delay[i].worst_us + 1000) / 1000000);
	buf_printf(script,
		"E\nplot $d using 1:2:(0):($3-$2) with vectors nohead lw 1 lc rgb '#808080', "
		"$d using 1:3 with points pt 7 ps 0.5 lc rgb '%s', "
		"$d using 1:2 with points pt 7 ps 0.6 lc rgb '%s'\n",
		chart_colours[1], accent);
}

static long longest(const struct report *report, const struct row *row)
{
	long most = 0;

	for (size_t i = 0; row->longest && i < report->passed; i++)
		most = row->longest[i] > most ? row->longest[i] : most;
	return most;
}

void chart_queues(const struct report *report, const struct row *of[CHART_LINES + 1])
{
	size_t count = 0, at;

	for (size_t i = 0; i < report->target.count; i++) {
		const struct row *row = &report->target.row[i];
		long most = longest(report, row);

		for (at = count; at > 0 && longest(report, of[at - 1]) < most; at--)
			if (at < CHART_LINES)
				of[at] = of[at - 1];
		if (most == 0 || at == CHART_LINES)
			continue;
		of[at] = row;
		count += count < CHART_LINES;
	}
	of[count] = NULL;
}

static void add_queues(const struct report *report, struct buf *script)
{
	const struct row *of[CHART_LINES + 1];
	long most;

	chart_queues(report, of);
	most = *of ? longest(report, *of) : 1;
	buf_printf(script, "set yrange [0:%ld]\nset format y '%%.0f'\n%s", most + most / 12 + 1,
		most < 5 ? "set ytics 1\n" : "");
	for (size_t n = 0; of[n]; n++) {
		buf_printf(script, "$q%zu << E\n", n);
		for (size_t i = 0; i < report->passed; i++)
			buf_printf(script, "%lld %ld\n", wall(report, i), of[n]->longest[i]);
		buf_printf(script, "%lld %ld\nE\n", wall(report, report->passed),
			of[n]->longest[report->passed - 1]);
	}
	for (size_t n = 0; of[n]; n++)
		buf_printf(script, "%s $q%zu using 1:2 with steps lw 2 lc rgb '%s'",
			n ? "," : "plot", n, chart_colours[n]);
	buf_puts(script, "\n");
}

static const struct {
	const char *name;
	void (*add)(const struct report *report, struct buf *script);
} charts[CHARTS] = {
	[CHART_IMAGES] = { "images", add_images },
	[CHART_DELAYS] = { "delays", add_delays },
	[CHART_QUEUES] = { "queues", add_queues },
};

bool chart_is_empty(const struct report *report, enum chart chart)
{
	const struct row *of[CHART_LINES + 1] = { NULL };
	long long images = 0;

	for (size_t i = 0; i < report->steps; i++)
		images += report->images[i];
	if (chart == CHART_QUEUES)
		chart_queues(report, of);
	return chart == CHART_IMAGES   ? images == 0
	       : chart == CHART_DELAYS ? report->worst_us < 0
				       : !*of;
}

/* The element without what stands before it: the page is the document. */
static int take_svg(const struct buf *said, struct buf *out)
{
	const char *svg = said->data ? strstr(said->data, "<svg") : NULL;

	buf_puts(out, svg ? svg : said->data ? said->data : "");
	errno = EIO;
	return svg && !out->failed ? 0 : -1;
}

int chart_draw(const struct report *report, enum chart chart, struct buf *out)
{
	static const char *const argv[] = { "gnuplot", "-d", "-", NULL };
	struct buf script = { 0 }, said = { 0 };
	int in, status = -1, saved;

	begin(report, charts[chart].name, &script);
	charts[chart].add(report, &script);
	in = memory_buf("chart", &script, false);
	if (in < 0)
		return -1;
	status = capture(argv, in, true, PATIENCE_MS, &said);
	saved = errno;
	(void)close(in); /* memory */
	if (status >= 0)
		status = take_svg(&said, out);
	else
		errno = saved;
	buf_free(&said);
	return status;
}
