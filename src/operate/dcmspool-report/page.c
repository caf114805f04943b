#include "page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/log.h"
#include "chart.h"
#include "rows.h"
#include "words.h"

enum { HOST_SIZE = 256, DAY_SIZE = 64 };

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" "
	"content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<style>\n"
	":root{--back:#fff;--text:#1c2126;--faint:#68717a;--line:#dfe3e7;--bad:#b3261e}\n"
	"@media (prefers-color-scheme:dark){:root{--back:#14181b;--text:#e3e7ea;--faint:#98a2ab;"
	"--line:#31383e;--bad:#ff8a80}}\n"
	"body{margin:2rem auto;max-width:62rem;padding:0 1rem;background:var(--back);"
	"color:var(--text);font:15px/1.45 system-ui,sans-serif}\n"
	"h1{font-size:1.5rem;margin:0 0 .2rem}h2{font-size:1.05rem;margin:2.2rem 0 .5rem}\n"
	"p{margin:.3rem 0}.faint,footer,th{color:var(--faint)}footer{margin-top:2.5rem;"
	"font-size:.85rem}\n"
	".tiles{display:flex;flex-wrap:wrap;gap:.6rem 2.4rem;margin:1.2rem 0}"
	".tiles b{display:block;font-size:1.45rem;font-weight:600;line-height:1.25}"
	".tiles span{color:var(--faint);font-size:.85rem}\n"
	".table{overflow-x:auto}table{border-collapse:collapse;width:100%;"
	"font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.3rem .7rem;text-align:right;white-space:nowrap;"
	"border-bottom:1px solid var(--line)}th{font-weight:500;font-size:.85rem}"
	"th:first-child,td:first-child,td.why,th.why{text-align:left}"
	"th:first-child,td:first-child{padding-left:0}"
	".why{white-space:normal;overflow-wrap:anywhere}\n"
	".bad,.tiles .bad{color:var(--bad)}\n"
	".chart{overflow-x:auto}"
	"svg{width:100%;min-width:40rem;height:auto;display:block}"
	"svg text,svg tspan{fill:var(--faint);font-family:system-ui,sans-serif}\n"
	".legend{display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;font-size:.85rem;"
	"color:var(--faint)}.legend i{display:inline-block;width:.75em;height:.75em;"
	"border-radius:2px;margin-right:.4em}\n"
	"@media print{body{margin:0;max-width:none}h2{break-after:avoid}svg,tr{break-inside:avoid}}"
	"\n</style>\n";

static void put(const char *text)
{
	(void)fputs(text, stdout); /* show_close() sees a failure, here and below */
}

/* Text from anywhere, as text. What turns the direction of writing ends with it. */
static void put_text(const char *text)
{
	char *clean = rows_copy(text);

	text_clean(clean);
	put("<bdi>");
	for (const char *at = clean; *at; at++)
		if (*at == '&')
			put("&amp;");
		else if (*at == '<')
			put("&lt;");
		else if (*at == '>')
			put("&gt;");
		else if (*at == '"')
			put("&quot;");
		else
			(void)putchar(*at);
	put("</bdi>");
	free(clean);
}

static void put_number(long long number)
{
	char text[WORDS_SIZE];

	words_number(number, "&#8239;", text);
	put(text);
}

/* ---- what the page is about ---------------------------------------------------------------- */

static void day_of(int64_t time_us, char out[DAY_SIZE])
{
	time_t moment = (time_t)(time_us / 1000000);
	struct tm tm = { 0 };

	(void)localtime_r(&moment, &tm); /* cannot fail before the year 2^31 */
	(void)strftime(out, DAY_SIZE, "%A, %e %B %Y", &tm);
}

/* "Friday, 27 November 2026", or from such a day to another. */
static void period_of(const struct report *report, char out[2 * DAY_SIZE + 8])
{
	char first[DAY_SIZE], last[DAY_SIZE];

	day_of(report->from_us, first);
	day_of(report->until_us - 1, last);
	(void)snprintf(out, 2 * DAY_SIZE + 8, "%s%s%s", first, strcmp(first, last) ? " to " : "",
		strcmp(first, last) ? last : "");
}

static void put_title(const struct report *report, const struct spool *spool)
{
	char period[2 * DAY_SIZE + 8], host[HOST_SIZE] = "";

	period_of(report, period);
	(void)gethostname(host, sizeof(host) - 1); /* without it there is none */
	put(head);
	(void)printf("<title>dcmspool: %s</title>\n</head>\n<body>\n<h1>%s</h1>\n"
		     "<p class=\"faint\">dcmspool on ",
		period, period);
	put_text(host);
	put(", ");
	put_text(spool->path);
	put("</p>\n");
}

static void put_tile(const char *value, const char *what, bool bad)
{
	(void)printf("<div><b%s>%s</b><span>%s</span></div>\n", bad ? " class=\"bad\"" : "", value,
		what);
}

static void put_tiles(const struct report *report)
{
	static const struct {
		enum number number;
		bool bad, always;
		const char *what;
	} tiles[] = { { IMAGES, false, true, "images came" }, { SERIES, false, true, "series" },
		{ BYTES, false, true, "received" }, { FAILED, true, true, "series failed" },
		{ DISCARDED, false, false, "discarded" },
		{ QUARANTINED, true, false, "images quarantined" },
		{ BROKEN, true, false, "connections broken" },
		{ TIMES, true, false, "times refused" } };
	char text[WORDS_SIZE];

	put("<div class=\"tiles\">\n");
	for (size_t i = 0; i < sizeof(tiles) / sizeof(*tiles); i++) {
		long long number = report->all[tiles[i].number];

		words_number(number, "&#8239;", text);
		if (tiles[i].number == BYTES)
			words_bytes(number, text);
		if (number > 0 || tiles[i].always)
			put_tile(text, tiles[i].what, tiles[i].bad && number > 0);
	}
	if (report->sents > 0) {
		words_delay(report->median_us, text);
		put_tile(text, "until sent, median", false);
		words_delay(report->worst_us, text);
		put_tile(text, "until sent, worst", false);
	}
	put("</div>\n");
}

/* ---- charts -------------------------------------------------------------------------------- */

static void put_legend_of(const char *colour, const char *text)
{
	(void)printf("<span><i style=\"background:%s\"></i>", colour);
	put_text(text);
	put("</span>\n");
}

static void put_legend(const struct report *report, enum chart chart)
{
	const struct row *of[CHART_LINES + 1];

	put("<div class=\"legend\">\n");
	if (chart == CHART_DELAYS) {
		put_legend_of(chart_colours[0], "median");
		put_legend_of(chart_colours[1], "worst");
	} else if (chart == CHART_QUEUES) {
		chart_queues(report, of);
		for (size_t n = 0; of[n]; n++)
			put_legend_of(chart_colours[n], report_name(report, of[n]));
		if (report->target.count > CHART_LINES)
			put("<span>the longest queues only</span>\n");
	}
	put("</div>\n");
}

static const char *bar_words(const struct report *report)
{
	const int64_t hours = report->step_us * STEPS_OF_A_BAR / 3600000000;

	return hours == 1 ? "hour" : hours == 24 ? "day" : "six hours";
}

static void put_chart(const struct report *report, enum chart chart, struct buf *svg)
{
	static const char *const titles[CHARTS] = { [CHART_IMAGES] = "Images received per ",
		[CHART_DELAYS] = "From a series&#8217; last image until it was sent",
		[CHART_QUEUES] = "Series that wait, by target" };

	(void)printf("<section>\n<h2>%s%s</h2>\n", titles[chart],
		chart == CHART_IMAGES ? bar_words(report) : "");
	if (chart_is_empty(report, chart)) {
		put("<p class=\"faint\">There were none.</p>\n");
	} else {
		put_legend(report, chart);
		put("<div class=\"chart\">");
		put(svg->data);
		put("</div>\n");
	}
	put("</section>\n");
}

/* Why there are none, in the page and to who asked. */
static void put_no_charts(int error, const struct buf *said)
{
	const char *reason = said->data && *said->data ? said->data : strerror(error);

	put("<p class=\"faint\">There are no charts: ");
	if (error == ENOENT) {
		put("gnuplot is not installed; on Debian: apt install gnuplot-nox</p>\n");
		log_warning("there are no charts in the page: gnuplot is not installed; "
			    "on Debian: apt install gnuplot-nox");
	} else {
		put_text(reason);
		put("</p>\n");
		log_warning("there are no charts in the page: gnuplot failed: %s", reason);
	}
}

static void put_charts(const struct report *report)
{
	struct buf svg[CHARTS] = { { 0 } };
	int error = 0;
	int chart;

	for (chart = 0; chart < CHARTS && error == 0; chart++)
		if (!chart_is_empty(report, (enum chart)chart) &&
			chart_draw(report, (enum chart)chart, &svg[chart]) < 0)
			error = errno;
	if (error != 0)
		put_no_charts(error, &svg[chart - 1]);
	for (int i = 0; i < CHARTS && error == 0; i++)
		put_chart(report, (enum chart)i, &svg[i]);
	for (int i = 0; i < CHARTS; i++)
		buf_free(&svg[i]);
}

/* ---- tables -------------------------------------------------------------------------------- */

static void begin_table(const char *title, const char *const *columns)
{
	(void)printf("<section>\n<h2>%s</h2>\n<div class=\"table\"><table>\n<tr>", title);
	for (; *columns; columns++)
		(void)printf("<th%s>%s</th>", strcmp(*columns, "Why") == 0 ? " class=\"why\"" : "",
			*columns);
	put("</tr>\n");
}

static void end_table(void)
{
	put("</table></div>\n</section>\n");
}

static void put_name(const struct report *report, const struct row *row)
{
	put(row->name ? "<tr><td>" : "<tr><td class=\"faint\">");
	put_text(report_name(report, row));
	put("</td>");
}

static void put_cell(long long number, bool bad)
{
	put(bad && number > 0 ? "<td class=\"bad\">" : "<td>");
	put_number(number);
	put("</td>");
}

static void put_common(const struct report *report, const struct row *row)
{
	char text[WORDS_SIZE];

	put_name(report, row);
	put_cell(row->number[SERIES], false);
	put_cell(row->number[IMAGES], false);
	words_bytes(row->number[BYTES], text);
	(void)printf("<td>%s</td>", text);
	words_delay(row->median_us, text);
	(void)printf("<td>%s</td>", text);
	words_delay(row->worst_us, text);
	if (row->worst_job)
		(void)printf("<td title=\"%s\">%s</td>", row->worst_job, text);
	else
		put("<td></td>");
	put_cell(row->number[FAILED], true);
}

static void put_sender(const struct report *report, const struct row *row)
{
	put_common(report, row);
	put_cell(row->number[DISCARDED], false);
	put_cell(row->number[CONNECTIONS], false);
	put_cell(row->number[BROKEN], true);
	put("</tr>\n");
}

static void put_target(const struct report *report, const struct row *row)
{
	put_common(report, row);
	put_cell(row->number[RETRIES], false);
	put_cell(row->waiting, false);
	put("</tr>\n");
}

static void put_refused(const struct report *report, const struct row *row)
{
	put_name(report, row);
	put("<td>");
	put_text(row->peer);
	put("</td>");
	put_cell(row->number[TIMES], false);
	put("<td class=\"why\">");
	put_text(row->reason);
	put("</td></tr>\n");
}

static void put_tables(const struct report *report)
{
	static const char *const of_sender[] = { "Sender", "Series", "Images", "Bytes", "Median",
		"Worst", "Failed", "Discarded", "Connections", "Broken", NULL };
	static const char *const of_target[] = { "Target", "Series", "Images", "Bytes", "Median",
		"Worst", "Failed", "Retries", "Waiting", NULL };
	static const char *const of_refused[] = { "Caller", "Address", "Times", "Why", NULL };
	const struct {
		const char *title, *const *columns;
		const struct rows *rows;
		void (*put)(const struct report *report, const struct row *row);
	} tables[] = { { "Received", of_sender, &report->sender, put_sender },
		{ "Sent", of_target, &report->target, put_target },
		{ "Refused", of_refused, &report->refused, put_refused } };

	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
		size_t count;
		const struct row **list = report_rows(tables[t].rows, &count);

		if (count > 0)
			begin_table(tables[t].title, tables[t].columns);
		for (size_t i = 0; i < count; i++)
			tables[t].put(report, list[i]);
		if (count > 0)
			end_table();
		free(list);
	}
}

static void put_end(void)
{
	char made[DAY_SIZE];
	time_t now = time(NULL);
	struct tm tm = { 0 };

	(void)localtime_r(&now, &tm); /* cannot fail before the year 2^31 */
	(void)strftime(made, sizeof(made), "%F %H:%M %Z", &tm);
	(void)printf("<footer>Median and worst: from the last image of a series until a target had "
		     "stored it. Made %s by dcmspool report.</footer>\n</body>\n</html>\n",
		made);
}

void page_print(const struct report *report, const struct spool *spool)
{
	put_title(report, spool);
	if (report_is_empty(report)) {
		put("<p>Nothing came, and nothing was sent.</p>\n");
	} else {
		put_tiles(report);
		put_charts(report);
		put_tables(report);
	}
	put_end();
}
