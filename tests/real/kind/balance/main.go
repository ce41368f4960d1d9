// Stands in for the envoy that kind puts before several control planes: it passes connections on to one of them after the other, as the
// files of dynamic configuration say that kind writes.
package main

import (
	"io"
	"net"
	"os"
	"regexp"
	"sync/atomic"
	"time"
)

var (
	listener = regexp.MustCompile(`address: "?([0-9.:]+)"?\s+port_value: (\d+)`)
	backend  = regexp.MustCompile(`address: (\S+)\s+port_value: (\d+)`)
	turn     atomic.Uint32
)

func found(file string, pattern *regexp.Regexp) (addresses []string) {
	text, _ := os.ReadFile("/home/envoy/" + file)
	for _, match := range pattern.FindAllStringSubmatch(string(text), -1) {
		addresses = append(addresses, net.JoinHostPort(match[1], match[2]))
	}
	return addresses
}

func pass(client net.Conn) {
	defer client.Close()
	servers := found("cds.yaml", backend)
	for range servers {
		server, err := net.DialTimeout("tcp", servers[int(turn.Add(1))%len(servers)], time.Second)
		if err != nil {
			continue
		}
		defer server.Close()
		go func() {
			io.Copy(server, client)
			server.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(client, server)
		return
	}
}

func main() {
	for {
		// Until kind has written them there is nothing to listen at.
		for _, address := range found("lds.yaml", listener) {
			listening, err := net.Listen("tcp", address)
			if err != nil {
				panic(err)
			}
			for {
				client, err := listening.Accept()
				if err != nil {
					panic(err)
				}
				go pass(client)
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
}
