// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// sym_target - Go names, as "fn NAME ADDRESS" lines and "ready"; then waits for its end.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"sort"
)

type basket struct{ n int }

//go:noinline
func (b *basket) total(x int) int { return b.n + x }

//go:noinline
func checkout(x int) int { return x + 1 }

func tell(f interface{}) {
	address := reflect.ValueOf(f).Pointer()
	fmt.Printf("fn %s %x\n", runtime.FuncForPC(address).Name(), address)
}

func main() {
	tell((*basket).total)
	tell(checkout)
	tell(main)
	tell(func() int { return (&basket{1}).total(2) })
	tell(sort.Ints)
	tell(fmt.Printf)
	tell(runtime.GC)
	fmt.Println("ready", checkout(1))
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt)
	<-end
}
