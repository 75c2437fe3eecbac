/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sym_plugin.c - a library whose file may be gone by the time that somebody asks for its names. */
void *plugin_function(void);

__attribute__((noinline)) static int plugin_hidden(void)
{
	return 42;
}

void *plugin_function(void)
{
	return (void *)plugin_hidden;
}
