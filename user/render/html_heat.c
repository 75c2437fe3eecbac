/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html_heat.c - latency over time: a picture that stretches with the page, the same as a table,
 * and the cells as data for the script.
 *
 * The picture's unit is a microsecond across and a row down; words stand beside it in HTML, so
 * that they keep their size.
 */
#include <inttypes.h>

#include "explain/heatmap.h"
#include "render/html_parts.h"

#define ROWS_MAX 48u
#define TIME_LABELS 5u

struct heat {
	const struct heatmap *map;
	struct heat_rows rows;
	uint64_t start_ns, length_ns;
	uint64_t level_from[HEATMAP_LEVELS];
	unsigned levels;
	uint64_t max;		/* of a cell */
};

static bool look(const struct heatmap *map, struct heat *h)
{
	*h = (struct heat){ .map = map };
	if (!map || !map->n || !map->count)
		return false;
	heatmap_rows(map, ROWS_MAX, &h->rows);
	h->start_ns = map->column[0].from_ns;
	h->length_ns = map->column[map->n - 1].to_ns - h->start_ns;
	for (size_t c = 0; c < map->n; c++)
		for (unsigned row = 0; row < h->rows.n; row++) {
			uint64_t n = heatmap_cell(&map->column[c], &h->rows, row);

			h->max = n > h->max ? n : h->max;
		}
	h->levels = heatmap_levels(h->max, h->level_from);
	return h->length_ns >= 1000;
}

static unsigned level_of(const struct heat *h, uint64_t n)
{
	unsigned level = 0;

	while (level + 1 < h->levels && n >= h->level_from[level + 1])
		level++;
	return level;
}

static uint64_t us(const struct heat *h, uint64_t at_ns)
{
	return (at_ns - h->start_ns) / 1000;
}

/* One path for all cells of a level. */
static void put_level(FILE *out, const struct heat *h, unsigned level)
{
	fprintf(out, "<path class=\"h%u\" d=\"", level * HEATMAP_LEVELS / h->levels);
	for (size_t i = 0; i < h->map->n; i++) {
		const struct heat_column *c = &h->map->column[i];
		uint64_t x = us(h, c->from_ns), width = us(h, c->to_ns) - x;

		for (unsigned row = 0; row < h->rows.n; row++) {
			uint64_t n = heatmap_cell(c, &h->rows, row);

			if (n && level_of(h, n) == level)
				fprintf(out, "M%" PRIu64 " %uh%" PRIu64 "v1H%" PRIu64 "z", x,
					h->rows.n - 1 - row, width, x);
		}
	}
	fputs("\"/>", out);
}

/* How far above the picture's foot a latency is: rows are as many buckets each. */
static struct fmt height_of(const struct heat *h, uint64_t ns)
{
	unsigned bucket = hist_bucket(ns);

	return html_percent(bucket > h->rows.low ? bucket - h->rows.low : 0,
			    h->rows.n * h->rows.per_row);
}

/* Round latencies: 1 and 3 of every decade. */
static void put_scale(FILE *out, const struct heat *h)
{
	uint64_t foot = heat_row_from(&h->rows, 0), top = heat_row_to(&h->rows, h->rows.n - 1);
	unsigned labels = 0;

	fputs("<div class=\"scale\" aria-hidden=\"true\">", out);
	for (uint64_t decade = 1; decade <= top; decade *= 10)
		for (uint64_t ns = decade; ns <= 3 * decade && ns <= top; ns += 2 * decade) {
			if (ns < foot)
				continue;
			fprintf(out, "<span style=\"bottom:%s\">%s</span>", height_of(h, ns).s,
				format_ns(ns).s);
			labels++;
		}
	/* If all rows lie within one step, the first and the last are labelled. */
	if (labels < 2)
		fprintf(out, "<span style=\"bottom:0\">%s</span>"
			"<span style=\"bottom:100%%\">%s</span>", format_ns(foot).s,
			format_ns(top).s);
	fputs("</div>\n", out);
}

static void put_times(FILE *out, const struct heat *h)
{
	fputs("<div class=\"times\" aria-hidden=\"true\">", out);
	for (unsigned i = 0; i < TIME_LABELS; i++) {
		uint64_t ns = (uint64_t)((double)h->length_ns / (TIME_LABELS - 1) * i);

		fprintf(out, "<span>%s</span>", ns ? format_ns(ns).s : "0 s");
	}
	fputs("</div>\n", out);
}

static void put_line(FILE *out, const struct heat *h, const char *name, uint64_t ns)
{
	fprintf(out, "<span class=\"line\" style=\"bottom:%s\"><b>%s %s</b></span>",
		height_of(h, ns).s, name, format_ns(ns).s);
}

static void put_picture(FILE *out, const struct heat *h, const struct report *r)
{
	uint64_t wide = h->length_ns / 1000;

	fputs("<div class=\"heat\">\n", out);
	put_scale(out, h);
	fprintf(out, "<div class=\"plot\"><svg viewBox=\"0 0 %" PRIu64 " %u\" "
		"preserveAspectRatio=\"none\" role=\"img\" tabindex=\"0\" aria-label=\"Heat map: %s "
		"exchanges over %s, latency from %s to %s upwards; arrow keys read single cells, "
		"the table below has all\">", wide, h->rows.n, format_count(h->map->count).s,
		format_ns(h->length_ns).s, format_ns(heat_row_from(&h->rows, 0)).s,
		format_ns(heat_row_to(&h->rows, h->rows.n - 1)).s);
	for (unsigned level = 0; level < h->levels; level++)
		put_level(out, h, level);
	fputs("</svg>", out);
	put_line(out, h, "P50", r->latency.p50_ns);
	put_line(out, h, "P99", r->latency.p99_ns);
	fputs("<output class=\"tip\" aria-live=\"polite\" hidden></output></div>\n", out);
	put_times(out, h);
	fputs("</div>\n<p class=\"legend\">Exchanges in a cell:", out);
	for (unsigned i = 0; i < h->levels; i++) {
		uint64_t to = i + 1 < h->levels ? h->level_from[i + 1] - 1 : h->max;

		fprintf(out, " <span><i class=\"swatch h%u\"></i>%s", i * HEATMAP_LEVELS / h->levels,
			format_count(h->level_from[i]).s);
		if (to > h->level_from[i])
			fprintf(out, " to %s", format_count(to).s);
		fputs("</span>", out);
	}
	fputs("</p>\n", out);
}

/* edges: ns since the first reading; rows: least ns of each, and the end; cells by column. */
static void put_data(FILE *out, const struct heat *h)
{
	const char *comma = "";

	fprintf(out, "<script type=\"application/json\" id=\"heat-data\">{\"edges\":[0");
	for (size_t i = 0; i < h->map->n; i++)
		fprintf(out, ",%" PRIu64, h->map->column[i].to_ns - h->start_ns);
	fputs("],\"rows\":[", out);
	for (unsigned row = 0; row < h->rows.n; row++)
		fprintf(out, "%" PRIu64 ",", heat_row_from(&h->rows, row));
	fprintf(out, "%" PRIu64 "],\"cells\":[", heat_row_to(&h->rows, h->rows.n - 1) + 1);
	for (size_t i = 0; i < h->map->n; i++) {
		fprintf(out, "%s[", i ? "," : "");
		comma = "";
		for (unsigned row = 0; row < h->rows.n; row++) {
			uint64_t n = heatmap_cell(&h->map->column[i], &h->rows, row);

			if (!n)
				continue;
			fprintf(out, "%s[%u,%" PRIu64 "]", comma, row, n);
			comma = ",";
		}
		fputc(']', out);
	}
	fputs("]}</script>\n", out);
}

static void put_percentile(FILE *out, const struct heat_column *c, unsigned permille)
{
	fprintf(out, "<td>%s</td>",
		c->count ? html_ns(heat_column_percentile(c, permille)).s : "–");
}

static void put_table(FILE *out, const struct heat *h)
{
	fputs("<details><summary>The same as a table</summary>\n", out);
	html_table_begin(out, "Latency over time", HTML_HEAD("From") HTML_HEAD("To")
			 HTML_HEAD("Exchanges") HTML_HEAD("P50") HTML_HEAD("P99")
			 HTML_HEAD("Max, at most"));
	html_table_body(out);
	for (size_t i = 0; i < h->map->n; i++) {
		const struct heat_column *c = &h->map->column[i];

		fprintf(out, "<tr><th scope=\"row\">%s s</th><td>%s s</td><td>%s</td>",
			format_decimal((double)(c->from_ns - h->start_ns) / 1e9, 3).s,
			format_decimal((double)(c->to_ns - h->start_ns) / 1e9, 3).s,
			html_count(c->count).s);
		put_percentile(out, c, 500);
		put_percentile(out, c, 990);
		put_percentile(out, c, 1000);
		fputs("</tr>\n", out);
	}
	html_table_end(out);
	fputs("</details>\n", out);
}

/* A capture may lack records of exchanges that the kernel counted. */
static void put_words(FILE *out, const struct heat *h, const struct report *r)
{
	fputs("<p>", out);
	if (h->map->count == r->latency.count)
		fputs("Every exchange is in it", out);
	else
		fprintf(out, "%s of the %s exchanges are in it", format_count(h->map->count).s,
			format_count(r->latency.count).s);
	fputs(", at the time of its answer. A column lies between two readings.</p>\n", out);
}

void html_put_heat(FILE *out, const struct html_page *p)
{
	struct heat h;

	html_section(out, "heat", "Latency over time");
	if (!p->heat) {
		fputs("<p>Not recorded.</p>\n", out);
	} else if (!look(p->heat, &h)) {
		fputs("<p>No exchanges.</p>\n", out);
	} else {
		put_words(out, &h, p->r);
		put_picture(out, &h, p->r);
		put_data(out, &h);
		put_table(out, &h);
	}
	html_section_end(out);
}
