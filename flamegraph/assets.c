/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* assets.c - flame.css and flame.js, as the Makefile turned them into strings. */
#include "svg.h"

const char flame_style[] =
#include "flamegraph/flame.css.h"
	;

const char flame_script[] =
#include "flamegraph/flame.js.h"
	;
