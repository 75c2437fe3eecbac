// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// go_server answers every request with a constant; on SIGTERM it writes what it has seen, as
// "connections C requests R", to the file it was given.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

func main() {
	var connections, requests int64

	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			atomic.AddInt64(&requests, 1)
			w.Write([]byte("ok\n"))
		}),
		ConnState: func(c net.Conn, s http.ConnState) {
			if s == http.StateNew {
				atomic.AddInt64(&connections, 1)
			}
		},
	}
	go server.Serve(listener)
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	text := fmt.Sprintf("connections %d requests %d\n",
		atomic.LoadInt64(&connections), atomic.LoadInt64(&requests))
	if err := os.WriteFile(os.Args[1], []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}
