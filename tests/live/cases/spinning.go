// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// spinning serves HTTP on one processor; with an argument, beside a goroutine that computes for ever.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 1 {
		go func() {
			for n := 0; ; n++ {
				_ = n
			}
		}()
	}
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("ok"))
	}))
}
