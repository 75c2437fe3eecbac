/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sym_target.cc - C++ names. The names are what addr2line -C -f says less the parameters. */
#include <cstdio>
#include <unistd.h>
#include <vector>

namespace shop {
template <typename T> class Cart {
public:
	__attribute__((noinline)) int total(const std::vector<T> &items) { return (int)items.size(); }
	virtual __attribute__((noinline)) ~Cart() {}
};
__attribute__((noinline)) static int checkout(int x, const char *) { return x + 1; }
}

int main()
{
	int (shop::Cart<int>::*total)(const std::vector<int> &) = &shop::Cart<int>::total;
	shop::Cart<int> cart;
	auto lambda = [](int x) { return x * 2; };
	int (*plain)(int) = lambda;

	/* A pointer to a function that is not virtual holds its address. */
	printf("fn total %lx\n", *(unsigned long *)&total);
	printf("fn checkout %lx\n", (unsigned long)&shop::checkout);
	printf("ready %d\n", (cart.*total)({ 1, 2 }) + shop::checkout(1, "") + plain(1));
	fflush(stdout);
	pause();
}
