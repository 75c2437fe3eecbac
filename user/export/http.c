/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* http.c - requests and their answers. */
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/clock.h"
#include "export/export.h"
#include "export/http.h"

#define CONNECTION_MEMORY 16384	/* request line and headers; more is 414 or 431 */
#define GZIP_MIN 1024
#define GZIP_LEVEL 1

struct http {
	struct MHD_Daemon *daemon;
	struct http_config *config;
	struct http_conns conns;
	_Atomic uint64_t scrapes, refused;
};

#define TEXT_HTML "text/html; charset=utf-8"
#define TEXT_PLAIN "text/plain; charset=utf-8"

static const char front_page[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	"<title>epollscope</title></head>\n<body><h1>epollscope " EPOLLSCOPE_VERSION "</h1>\n"
	"<p>Where the P99 of this host's epoll servers goes, as time series.</p>\n"
	"<ul><li><a href=\"/metrics\">/metrics</a>: for Prometheus</li>\n"
	"<li><a href=\"/healthz\">/healthz</a>: whether the collector runs</li></ul>\n"
	"</body></html>\n";

/* --- what a client can read: Accept and Accept-Encoding --- */

/*
 * The highest quality that a list ("a/b;version=1.0.0;q=0.5, c/d") gives to a name, 0 to 1; 0 if it
 * is not in the list. An element of another version than the one wanted does not count.
 */
static double quality(const char *list, const char *name, const char *version)
{
	double best = 0;

	while (list && *list) {
		size_t len = strcspn(list, ",");
		char element[128], *word, *rest;
		double q = 1;

		snprintf(element, sizeof(element), "%.*s", (int)len, list);
		list += len + (list[len] == ',');
		word = strtok_r(element, "; \t", &rest);
		if (!word || strcasecmp(word, name))
			continue;
		while ((word = strtok_r(NULL, "; \t", &rest))) {
			if (!strncasecmp(word, "q=", 2))
				q = strtod(word + 2, NULL);
			else if (version && !strncasecmp(word, "version=", 8) &&
				 strcmp(word + 8, version))
				q = 0;
		}
		if (q > best)
			best = q < 1 ? q : 1;
	}
	return best;
}

/* Whoever asks for both alike, by name, gets OpenMetrics; a wildcard stands for text. */
enum exposition_format http_format(const char *accept)
{
	static const char *const plain[] = { "text/plain", "text/*", "*/*" };
	double open = quality(accept, "application/openmetrics-text", "1.0.0"), text = 0;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		double q = quality(accept, plain[i], NULL);

		text = q > text ? q : text;
	}
	return open > 0 && open >= text ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

bool http_wants_gzip(const char *accept_encoding)
{
	return quality(accept_encoding, "gzip", NULL) > 0;
}

/* --- answers --- */

static struct MHD_Response *response_of(const char *body)
{
	return MHD_create_response_from_buffer(strlen(body), (void *)body, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_response(struct MHD_Connection *c, unsigned status,
				     struct MHD_Response *r, const char *type)
{
	enum MHD_Result result;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result refuse(struct http *h, struct MHD_Connection *c, unsigned status,
			      const char *body)
{
	struct MHD_Response *r = response_of(body);

	h->refused++;
	if (!r)
		return MHD_NO;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	return send_response(c, status, r, TEXT_PLAIN);
}

/* The compressed page in new memory; NULL if that failed: then the page is sent uncompressed. */
static void *pack(const struct exposition *e, size_t *len)
{
	z_stream z = { 0 };
	size_t room;
	void *packed;

	if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	room = deflateBound(&z, e->len);
	packed = malloc(room);
	z.next_in = (Bytef *)e->data;
	z.avail_in = (uInt)e->len;
	z.next_out = packed;
	z.avail_out = (uInt)room;
	if (packed && deflate(&z, Z_FINISH) != Z_STREAM_END) {
		free(packed);
		packed = NULL;
	}
	*len = z.total_out;
	deflateEnd(&z);
	return packed;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static enum MHD_Result send_page(struct MHD_Connection *c, struct exposition *e)
{
	const char *type = e->format == EXPOSITION_OPENMETRICS ?
		"application/openmetrics-text; version=1.0.0; charset=utf-8" :
		"text/plain; version=0.0.4; charset=utf-8";
	bool gzip = e->len >= GZIP_MIN &&
		    http_wants_gzip(header(c, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	struct MHD_Response *r;
	size_t len = e->len;
	void *body = gzip ? pack(e, &len) : NULL;

	gzip = body != NULL;
	if (!body) {
		body = e->data;
		e->data = NULL;
	}
	r = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(body);
		return MHD_NO;
	}
	if (gzip)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	MHD_add_response_header(r, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	return send_response(c, MHD_HTTP_OK, r, type);
}

static enum MHD_Result send_metrics(struct http *h, struct MHD_Connection *c)
{
	struct exposition e = { .format = http_format(header(c, MHD_HTTP_HEADER_ACCEPT)) };
	const struct metrics *m = publisher_get(h->config->publisher);
	enum MHD_Result result;

	if (!m)
		return refuse(h, c, MHD_HTTP_SERVICE_UNAVAILABLE,
			      "the collector does not answer\n");
	metrics_write(&e, m);
	if (e.failed) {
		result = refuse(h, c, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
	} else {
		h->scrapes++;
		result = send_page(c, &e);
	}
	free(e.data);
	return result;
}

/* Takes the same time for a wrong password as for the right one. */
static bool same(const char *given, const char *wanted)
{
	size_t n = strlen(given), m = strlen(wanted);
	unsigned char differ = n != m;

	for (size_t i = 0; i < n; i++)
		differ |= (unsigned char)(given[i] ^ wanted[m ? i % m : 0]);
	return !differ;
}

static bool may_read(const struct http *h, struct MHD_Connection *c)
{
	char *user, *password = NULL;
	bool right_user, right_password;

	if (!h->config->user)
		return true;
	user = MHD_basic_auth_get_username_password(c, &password);
	right_user = same(user ? user : "", h->config->user);
	right_password = same(password ? password : "", h->config->password);
	MHD_free(user);
	MHD_free(password);
	return right_user && right_password;
}

static enum MHD_Result ask_password(struct http *h, struct MHD_Connection *c)
{
	struct MHD_Response *r = response_of("a user and a password are needed\n");
	enum MHD_Result result;

	h->refused++;
	if (!r)
		return MHD_NO;
	result = MHD_queue_basic_auth_fail_response(c, "epollscope", r);
	MHD_destroy_response(r);
	return result;
}

static bool has_body(struct MHD_Connection *c)
{
	const char *length = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return header(c, MHD_HTTP_HEADER_TRANSFER_ENCODING) || (length && strcmp(length, "0"));
}

static struct http_conn *slot_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* Called when the headers are there, and again when the request is complete. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	static char seen;
	struct http *h = cls;

	(void)version;
	(void)upload;
	if (!slot_of(c))
		return MHD_NO;
	if (!*request) {
		*request = &seen;
		if (strcmp(method, "GET") && strcmp(method, "HEAD"))
			return refuse(h, c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD\n");
		if (has_body(c))
			return refuse(h, c, MHD_HTTP_CONTENT_TOO_LARGE, "a GET has no body\n");
		return MHD_YES;
	}
	*upload_size = 0;
	conns_phase(&h->conns, slot_of(c), CONN_ANSWER, monotonic_ns());
	if (!may_read(h, c))
		return ask_password(h, c);
	if (!strcmp(url, "/metrics"))
		return send_metrics(h, c);
	if (!strcmp(url, "/"))
		return send_response(c, MHD_HTTP_OK, response_of(front_page), TEXT_HTML);
	if (strcmp(url, "/healthz"))
		return refuse(h, c, MHD_HTTP_NOT_FOUND, "there is /, /metrics and /healthz\n");
	if (!publisher_alive(h->config->publisher))
		return refuse(h, c, MHD_HTTP_SERVICE_UNAVAILABLE, "the collector stands still\n");
	return send_response(c, MHD_HTTP_OK, response_of("ok\n"), TEXT_PLAIN);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **request,
			 enum MHD_RequestTerminationCode code)
{
	struct http *h = cls;

	(void)request;
	(void)code;
	if (slot_of(c))
		conns_phase(&h->conns, slot_of(c), CONN_REQUEST, monotonic_ns());
}

static void on_connection(void *cls, struct MHD_Connection *c, void **slot,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

		*slot = conns_add(&h->conns, info->connect_fd, monotonic_ns());
	} else if (*slot) {
		conns_remove(&h->conns, *slot);
		*slot = NULL;
	}
}

struct http *http_start(struct http_config *config)
{
	struct http *h = calloc(1, sizeof(*h));
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, config->key },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, config->cert },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (!h)
		return NULL;
	h->config = config;
	pthread_mutex_init(&h->conns.lock, NULL);
	if (!config->cert)
		tls[0].option = MHD_OPTION_END;
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | (config->cert ? MHD_USE_TLS : 0), 0, NULL, NULL,
		on_request, h,
		MHD_OPTION_LISTEN_SOCKET, config->listen_fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNS_MAX - 8,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(HTTP_ANSWER_NS / 1000000000),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
		MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
	if (!h->daemon) {
		free(h);
		return NULL;
	}
	config->listen_fd = -1;
	return h;
}

void http_sweep(struct http *h, uint64_t now_ns)
{
	conns_sweep(&h->conns, now_ns);
}

void http_counts(struct http *h, struct metrics *m)
{
	m->scrapes = h->scrapes;
	m->refused = h->refused + h->conns.shut;
}

void http_stop(struct http *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	free(h);
}
