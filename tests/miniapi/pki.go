// SPDX-License-Identifier: Apache-2.0

// The server's own certificate authority, its certificate, an admin's client
// certificate and token, and the kubeconfig that ties them together. Keys and
// token are kept over a restart in the same directory.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type pki struct {
	ca     *x509.Certificate
	caKey  *ecdsa.PrivateKey
	server tls.Certificate
	token  string

	caPEM, adminPEM, adminKeyPEM []byte
}

func loadOrMakePKI(dir string, addr net.Addr, hosts string) (*pki, error) {
	p := &pki{}
	if err := p.loadCA(dir); err != nil {
		if err := p.makeCA(); err != nil {
			return nil, err
		}
	}
	certPEM, keyPEM, err := p.issue(serverTemplate(addr, hosts))
	if err != nil {
		return nil, err
	}
	if p.server, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		return nil, err
	}
	p.adminPEM, p.adminKeyPEM, err = p.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, err
	}
	if old, err := os.ReadFile(filepath.Join(dir, "token")); err == nil {
		p.token = strings.TrimSpace(string(old))
	} else {
		p.token = randomHex(24)
	}
	keyDER, err := x509.MarshalECPrivateKey(p.caKey)
	if err != nil {
		return nil, err
	}
	caKeyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
	return p, writeFiles(dir, map[string][]byte{"ca.crt": p.caPEM, "ca.key": caKeyPEM,
		"admin.crt": p.adminPEM, "admin.key": p.adminKeyPEM, "token": []byte(p.token)})
}

func (p *pki) loadCA(dir string) error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key"))
	if err != nil {
		return err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return fmt.Errorf("ca.key in %s is not an EC key", dir)
	}
	p.ca, err = x509.ParseCertificate(pair.Certificate[0])
	p.caKey = key
	p.caPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	return err
}

func (p *pki) makeCA() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "miniapi-ca"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	stamp(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	p.caKey = key
	p.caPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	p.ca, err = x509.ParseCertificate(der)
	return err
}

func (p *pki) issue(template *x509.Certificate) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	stamp(template)
	der, err := x509.CreateCertificate(rand.Reader, template, p.ca, &key.PublicKey, p.caKey)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
	return certPEM, keyPEM, nil
}

func serverTemplate(addr net.Addr, hosts string) *x509.Certificate {
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "miniapi"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		t.IPAddresses = append(t.IPAddresses, tcp.IP)
	}
	for _, host := range strings.Split(hosts, ",") {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if host != "" {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return t
}

func stamp(t *x509.Certificate) {
	t.SerialNumber = new(big.Int).SetBytes(randomBytes(16))
	t.NotBefore = time.Now().Add(-time.Hour)
	t.NotAfter = time.Now().Add(365 * 24 * time.Hour)
}

func writeAccess(dir, url string, p *pki) error {
	b64 := base64.StdEncoding.EncodeToString
	kubeconfig := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: mini
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: admin
  user:
    client-certificate-data: %s
    client-key-data: %s
contexts:
- name: mini
  context: {cluster: mini, user: admin}
current-context: mini
`, url, b64(p.caPEM), b64(p.adminPEM), b64(p.adminKeyPEM))
	if err := writeFiles(dir, map[string][]byte{"kubeconfig": []byte(kubeconfig)}); err != nil {
		return err
	}
	return writeFiles(dir, map[string][]byte{"url": []byte(url + "\n")})
}

// writeFiles puts each file in place by a rename, so that no reader sees half.
func writeFiles(dir string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path+".new", data, 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	return b
}

func randomHex(n int) string { return hex.EncodeToString(randomBytes(n)) }
