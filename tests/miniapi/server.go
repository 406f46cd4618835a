// SPDX-License-Identifier: Apache-2.0

// The process around the API: certificates, listener, start and stop. What it
// stored is written to the directory on SIGTERM and read at the next start, so
// that a restarted server is the same cluster with an empty watch history.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

type config struct {
	dir, listen, hosts string
	serviceCIDR        string
	bookmarks          time.Duration
	history            int
}

// server is one API server: its store and everything a request may need.
type server struct {
	store     *store
	services  *serviceBook
	auth      *authenticator
	rbac      rbacCache
	faults    *faultSet
	counts    *requestCounts
	watches   *watchRegistry
	bookmarks time.Duration
}

func newServer(cfg config) (*server, error) {
	book, err := newServiceBook(cfg.serviceCIDR)
	if err != nil {
		return nil, err
	}
	s := &server{
		store:     newStore(cfg.history),
		services:  book,
		auth:      newAuthenticator(),
		faults:    &faultSet{},
		counts:    newRequestCounts(),
		watches:   newWatchRegistry(),
		bookmarks: cfg.bookmarks,
	}
	s.store.onCommit = func(shelfName string, prev, cur *record) {
		if shelfName == "services" {
			book.replace(prev, cur)
		}
	}
	return s, nil
}

func run(cfg config) error {
	if err := os.MkdirAll(cfg.dir, 0o700); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.listen)
	if err != nil {
		return err
	}
	pki, err := loadOrMakePKI(cfg.dir, listener.Addr(), cfg.hosts)
	if err != nil {
		return err
	}
	s, err := newServer(cfg)
	if err != nil {
		return err
	}
	s.auth.add(pki.token, identity{user: "admin", groups: []string{"system:masters"}})
	statePath := filepath.Join(cfg.dir, "state.json")
	if err := s.restore(statePath); err != nil {
		return err
	}
	s.bootstrap()

	url := "https://" + listener.Addr().String()
	if err := writeAccess(cfg.dir, url, pki); err != nil {
		return err
	}
	fmt.Println(url)
	return s.serve(listener, pki, statePath)
}

type connKey struct{}

// serve answers until SIGTERM or SIGINT.
func (s *server) serve(listener net.Listener, pki *pki, statePath string) error {
	pool := x509.NewCertPool()
	pool.AddCert(pki.ca)
	web := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{pki.server},
			ClientAuth:   tls.VerifyClientCertIfGiven,
			ClientCAs:    pool,
		},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	failed := make(chan error, 1)
	go func() { failed <- web.ServeTLS(listener, "", "") }()
	select {
	case err := <-failed:
		return err
	case <-stop:
	}
	web.Close()
	return s.save(statePath)
}

// bootstrap makes what every cluster has from the start.
func (s *server) bootstrap() {
	for _, name := range []string{"default", "kube-system", "kube-public", "kube-node-lease"} {
		s.ensure("namespaces", "", object{"metadata": object{"name": name}})
	}
	s.ensure("services", "default", object{
		"metadata": object{"name": "kubernetes", "namespace": "default",
			"labels": object{"component": "apiserver", "provider": "kubernetes"}},
		"spec": object{"clusterIP": s.services.first(), "ports": []interface{}{
			object{"name": "https", "port": 443, "targetPort": 6443, "protocol": "TCP"}}},
	})
	s.ensure("clusterroles.rbac.authorization.k8s.io", "", object{
		"metadata": object{"name": "cluster-admin",
			"labels": object{"kubernetes.io/bootstrapping": "rbac-defaults"}},
		"rules": []interface{}{
			object{"apiGroups": []interface{}{"*"}, "resources": []interface{}{"*"}, "verbs": []interface{}{"*"}},
			object{"nonResourceURLs": []interface{}{"*"}, "verbs": []interface{}{"*"}}},
	})
	s.store.compact()
}

// ensure creates an object of the server's own unless it is there already.
func (s *server) ensure(shelfName, ns string, obj object) {
	res := resourceByShelf(shelfName)
	_, err := s.create(&request{res: res, ns: ns, user: identity{user: "system:apiserver"}}, roundTrip(obj))
	if err != nil && err.reason != "AlreadyExists" {
		panic(err.message)
	}
}
