// SPDX-License-Identifier: Apache-2.0

// Miniapi is a small in-memory Kubernetes API server for Herald's demo and
// tests. It speaks HTTPS with HTTP/2, makes its own certificates, and keeps
// to the API's documented rules for the resources it knows (resources.go).
// It runs no controllers: what it stores is what clients wrote, defaulted.
// The control endpoints below /_ (control.go) let a test break it on purpose.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	cfg := config{}
	flag.StringVar(&cfg.dir, "dir", "", "directory for certificates, token, kubeconfig and url (required)")
	flag.StringVar(&cfg.listen, "listen", "127.0.0.1:0", "address and port to listen on; port 0 picks a free one")
	flag.StringVar(&cfg.hosts, "hosts", "", "further names and addresses for the certificate, comma separated")
	flag.StringVar(&cfg.serviceCIDR, "service-cidr", "10.96.0.0/12,fd00:10:96::/112", "cluster IP ranges, the first family is the default one")
	flag.DurationVar(&cfg.bookmarks, "bookmarks", bookmarkInterval, "how often an idle watch gets a bookmark")
	flag.IntVar(&cfg.history, "history", 50000, "changes kept per resource; older ones are compacted away")
	flag.Parse()
	if cfg.dir == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "miniapi: --dir is required, and there are no other arguments")
		flag.Usage()
		os.Exit(2)
	}
	if err := run(cfg); err != nil {
		fmt.Fprintln(os.Stderr, "miniapi:", err)
		os.Exit(1)
	}
}
