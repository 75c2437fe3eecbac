/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* format.c - numbers with units, times and addresses; see term.h. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/term.h"

#define NS_PER_SEC UINT64_C(1000000000)

struct unit {
	uint64_t size;
	const char *name;
};

/* Three significant digits of n in the first unit that keeps it below 1000. */
static struct fmt format_units(uint64_t n, const struct unit *units, size_t n_units)
{
	struct fmt f;

	for (size_t i = 0;; i++) {
		uint64_t size = units[i].size;
		uint64_t whole = n / size;
		unsigned decimals = size == 1 || whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
		unsigned scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100;
		uint64_t step = size / scale;
		uint64_t part = (n % size + step / 2) / step;

		if (part == scale) {
			whole++;
			part = 0;
		}
		if (whole >= 1000 && i + 1 < n_units)
			continue;
		if (decimals)
			snprintf(f.s, sizeof(f.s), "%" PRIu64 ".%0*" PRIu64 "%s", whole,
				 (int)decimals, part, units[i].name);
		else
			snprintf(f.s, sizeof(f.s), "%" PRIu64 "%s", whole, units[i].name);
		return f;
	}
}

struct fmt format_ns(uint64_t ns)
{
	static const struct unit units[] = {
		{ 1, " ns" },
		{ 1000, " us" },
		{ 1000000, " ms" },
		{ NS_PER_SEC, " s" },
		{ 60 * NS_PER_SEC, " min" },
		{ 3600 * NS_PER_SEC, " h" },
		{ 86400 * NS_PER_SEC, " d" },
	};

	return format_units(ns, units, sizeof(units) / sizeof(units[0]));
}

struct fmt format_short(uint64_t n)
{
	static const struct unit units[] = {
		{ 1, "" },
		{ 1000, "k" },
		{ 1000000, "M" },
		{ 1000000000, "G" },
		{ UINT64_C(1000000000000), "T" },
		{ UINT64_C(1000000000000000), "P" },
		{ UINT64_C(1000000000000000000), "E" },
	};

	return format_units(n, units, sizeof(units) / sizeof(units[0]));
}

struct fmt format_count(uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	struct fmt f;
	size_t at = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			f.s[at++] = ',';
		f.s[at++] = digits[i];
	}
	f.s[at] = '\0';
	return f;
}

struct fmt format_fit(uint64_t n, unsigned columns)
{
	struct fmt f = format_count(n);

	return strlen(f.s) <= columns ? f : format_short(n);
}

struct fmt format_share(double share)
{
	struct fmt f;
	uint64_t tenths;

	if (!isfinite(share) || share > 1e12)
		return (struct fmt){ "-" };
	if (share <= 0)
		return (struct fmt){ "0 %" };
	tenths = (uint64_t)(share * 1000 + 0.5);
	if (!tenths)
		return (struct fmt){ "<0.1 %" };
	if (tenths < 100 && tenths % 10)
		snprintf(f.s, sizeof(f.s), "%" PRIu64 ".%" PRIu64 " %%", tenths / 10, tenths % 10);
	else
		snprintf(f.s, sizeof(f.s), "%" PRIu64 " %%", (tenths + 5) / 10);
	return f;
}

struct fmt format_decimal(double value, unsigned decimals)
{
	static const uint64_t scales[] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
	const char *sign = value < 0 ? "-" : "";
	struct fmt f;
	uint64_t scaled;

	if (decimals > 6)
		decimals = 6;
	if (!isfinite(value) || fabs(value) > 1e12)
		return (struct fmt){ "-" };
	scaled = (uint64_t)(fabs(value) * (double)scales[decimals] + 0.5);
	if (!scaled)
		sign = "";
	if (decimals)
		snprintf(f.s, sizeof(f.s), "%s%" PRIu64 ".%0*" PRIu64, sign,
			 scaled / scales[decimals], (int)decimals, scaled % scales[decimals]);
	else
		snprintf(f.s, sizeof(f.s), "%s%" PRIu64, sign, scaled);
	return f;
}

struct fmt format_time(uint64_t realtime_ns, unsigned digits)
{
	unsigned us = (unsigned)(realtime_ns % NS_PER_SEC / 1000);
	time_t seconds = (time_t)(realtime_ns / NS_PER_SEC);
	struct tm tm = { 0 };
	char fraction[8] = "";
	struct fmt f;

	gmtime_r(&seconds, &tm);
	if (digits)
		snprintf(fraction, sizeof(fraction), ".%0*u", (int)digits,
			 digits == 6 ? us : us / 1000);
	snprintf(f.s, sizeof(f.s), "%04d-%02d-%02dT%02d:%02d:%02d%sZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction);
	return f;
}

struct fmt format_clock(uint64_t realtime_ns, unsigned digits)
{
	struct fmt whole = format_time(realtime_ns, digits), f;
	const char *at = strchr(whole.s, 'T') + 1;

	snprintf(f.s, sizeof(f.s), "%.*s", (int)strcspn(at, "Z"), at);
	return f;
}

/* The family to print and where its address starts: v4-mapped v6 is v4. */
static int family_of(const struct flow *flow, enum flow_end end, const __u8 **addr)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	*addr = end == END_LOCAL ? flow->local : flow->remote;
	if (flow->family == AF_INET6 && !memcmp(*addr, mapped, sizeof(mapped))) {
		*addr += sizeof(mapped);
		return AF_INET;
	}
	return flow->family;
}

struct fmt format_addr(const struct flow *flow, enum flow_end end)
{
	struct fmt f = { "?" };
	const __u8 *addr;
	int family = family_of(flow, end, &addr);

	if ((family != AF_INET && family != AF_INET6) ||
	    !inet_ntop(family, addr, f.s, sizeof(f.s)))
		return (struct fmt){ "?" };
	return f;
}

struct fmt format_end(const struct flow *flow, enum flow_end end)
{
	unsigned port = end == END_LOCAL ? flow->local_port : flow->remote_port;
	const __u8 *addr;
	bool brackets = family_of(flow, end, &addr) == AF_INET6;
	struct fmt f;

	snprintf(f.s, sizeof(f.s), "%s%.46s%s:%u", brackets ? "[" : "",
		 format_addr(flow, end).s, brackets ? "]" : "", port);
	return f;
}
