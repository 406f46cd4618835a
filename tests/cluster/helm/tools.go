//go:build tools

// Names the program that renders the chart in the tests, so that go.mod and go.sum pin
// everything needed to build it.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
