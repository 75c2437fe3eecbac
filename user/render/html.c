/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html.c - the page: head, sections in their order, the report's JSON, the script. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/html_parts.h"
#include "render/render.h"

static const char style[] =
#include "user/render/html_page.css.h"
	;

static const char script[] =
#include "user/render/html_page.js.h"
	;

/* Nothing from outside, whatever a name may contain. */
static void put_head(FILE *out, const struct html_page *p)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
	      "form-action 'none'\">\n<title>", out);
	if (p->r->n_targets)
		html_bytes(out, p->r->targets[0].comm, sizeof(p->r->targets[0].comm));
	fprintf(out, " - epollscope report</title>\n<style>\n%s</style>\n</head>\n", style);
}

static void put_target(FILE *out, const struct report *r)
{
	const struct target_info *t = r->targets;

	if (!r->n_targets)
		return;
	fputs("<h1>", out);
	html_bytes(out, t->comm, sizeof(t->comm));
	fprintf(out, " <span class=\"dim\">pid %u%s", t->pid, r->n_targets > 1 ? " " : "");
	if (r->n_targets > 1)
		fprintf(out, "and %zu more", r->n_targets - 1);
	fputs("</span></h1>\n", out);
}

static void put_span(FILE *out, const char *what, const char *name, size_t len)
{
	if (!name[0])
		return;
	fprintf(out, "<span>%s", what);
	html_bytes(out, name, len);
	fputs("</span>", out);
}

static void put_place(FILE *out, const struct report *r)
{
	fprintf(out, "<p class=\"place\"><span>%s from <time>%s</time></span>",
		format_ns(r->window_ns).s, format_time(r->start_realtime_ns, 3).s);
	put_span(out, "host ", r->host, sizeof(r->host));
	put_span(out, "Linux ", r->kernel, sizeof(r->kernel));
	if (r->n_targets)
		put_span(out, "", r->targets[0].exe, sizeof(r->targets[0].exe));
	fputs("</p>\n", out);
}

static void put_header(FILE *out, const struct html_page *p)
{
	static const char *const sections[][2] = {
		{ "diagnosis", "Diagnosis" }, { "ledger", "Ledger" }, { "heat", "Over time" },
		{ "worst", "Worst" }, { "flame", "Flame graph" }, { "details", "Details" },
		{ "loss", "Loss and overhead" },
	};

	fputs("<header>\n<p class=\"brand\">epollscope ", out);
	html_bytes(out, p->r->version ? p->r->version : "", 64);
	fputs("</p>\n", out);
	put_target(out, p->r);
	put_place(out, p->r);
	fputs("<nav aria-label=\"Sections\">", out);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		fprintf(out, "<a href=\"#%s\">%s</a>", sections[i][0], sections[i][1]);
	fputs("</nav>\n</header>\n", out);
}

/* In JSON a `<` can only be inside a string: escaped, no name ends the element it stands in. */
static int put_json(FILE *out, const struct report *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *json = open_memstream(&text, &len);
	int err;

	if (!json)
		return -ENOMEM;
	render_report_json(json, r);
	err = ferror(json);
	if (fclose(json) || err) {
		free(text);
		return -ENOMEM;
	}
	fputs("<script type=\"application/json\" id=\"report\">", out);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '<')
			fputs("\\u003c", out);
		else
			fputc(text[i], out);
	}
	fputs("</script>\n", out);
	free(text);
	return 0;
}

int html_write(FILE *out, const struct html_page *p)
{
	int err;

	put_head(out, p);
	fputs("<body>\n", out);
	put_header(out, p);
	fputs("<main>\n", out);
	err = html_put_answer(out, p);
	if (err)
		return err;
	html_put_ledger(out, p);
	html_put_heat(out, p);
	html_put_worst(out, p);
	err = html_put_flame(out, p);
	if (err)
		return err;
	html_put_details(out, p);
	html_put_loss(out, p);
	fputs("</main>\n", out);
	err = put_json(out, p->r);
	if (err)
		return err;
	fprintf(out, "<script>\n%s</script>\n</body>\n</html>\n", script);
	return ferror(out) ? -EIO : 0;
}
