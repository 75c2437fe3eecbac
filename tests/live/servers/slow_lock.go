// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// slow_lock answers every request with a constant that it reads under a lock; every 100th request
// holds that lock across a call that takes 20 ms.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

func main() {
	var lock sync.Mutex
	var requests int

	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		requests++
		if requests%100 == 0 {
			time.Sleep(20 * time.Millisecond)
		}
		lock.Unlock()
		w.Write([]byte("ok\n"))
	}))
}
