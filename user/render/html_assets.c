/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_assets.c - html_page.css and html_page.js, as the Makefile turned them into strings. */
#include "render/html_private.h"

const char html_style[] =
#include "user/render/html_page.css.h"
	;

const char html_script[] =
#include "user/render/html_page.js.h"
	;
