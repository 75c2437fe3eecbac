/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sym_target.c - tells where its functions are, as "fn NAME ADDRESS" lines and "ready", and waits
 * for its end. With an argument it loads that library and asks it for its functions too; a second
 * one is a file that it maps as if it were code, "fn mapped ADDRESS".
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int exported_function(int x);

int exported_function(int x)
{
	return x * 3 + getpid();
}

__attribute__((noinline)) static int static_function(int x)
{
	return exported_function(x) ^ 5;
}

static void tell(const char *name, void *function)
{
	printf("fn %s %lx\n", name, (unsigned long)function);
}

#ifndef STATIC
static void load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void *(*hidden)(void);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		_exit(1);
	}
	hidden = (void *(*)(void))dlsym(library, "plugin_function");
	tell("plugin_function", (void *)hidden);
	tell("plugin_hidden", hidden());
}
#endif

static void map(const char *path)
{
	int fd = open(path, O_RDONLY);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED) {
		perror(path);
		_exit(1);
	}
	tell("mapped", at);
}

int main(int argc, char **argv)
{
	tell("exported_function", (void *)exported_function);
	tell("static_function", (void *)static_function);
	tell("main", (void *)main);
#ifndef STATIC
	if (argc > 1 && *argv[1])
		load(argv[1]);
#endif
	if (argc > 2)
		map(argv[2]);
	printf("ready %d\n", static_function(argc) + (argv ? 0 : 1));
	fflush(stdout);
	pause();
	return 0;
}
