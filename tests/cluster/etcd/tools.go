//go:build tools

// Names the etcd server that the tests run, so that go.mod and go.sum pin
// everything needed to build it.
package tools

import _ "go.etcd.io/etcd/server/v3"
