package tub

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// ErrBadIdentity is returned by New for a certificate file that holds no
// identity: unreadable, no PEM, a certificate without its key, or a key of a
// kind that no peer accepts.
var ErrBadIdentity = errors.New("no usable identity")

// loadIdentity reads a PEM file, or makes one if it is missing.
func loadIdentity(path string) (tls.Certificate, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if data, err = createIdentity(path); errors.Is(err, fs.ErrExist) {
			data, err = os.ReadFile(path) // somebody else was faster, or it is a link to nowhere
		}
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tub: identity file %s: %w: %w", path, ErrBadIdentity, err)
	}
	cert, err := parseIdentity(data)
	if err != nil {
		return cert, fmt.Errorf("tub: identity file %s: %w: %w (want a PEM certificate and its private key)", path, ErrBadIdentity, err)
	}
	return cert, nil
}

// parseIdentity reads certificate and key, in either order. Foolscap writes
// the certificate first; tls.X509KeyPair skips what it does not look for.
func parseIdentity(data []byte) (tls.Certificate, error) {
	cert, err := tls.X509KeyPair(data, data)
	if err != nil {
		return cert, err
	}
	if cert.Leaf == nil {
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return cert, err
		}
	}
	return cert, nil
}

// createIdentity makes an identity and writes it so that there is never a
// half-written file, and never one that others can read.
func createIdentity(path string) ([]byte, error) {
	data, err := newIdentity()
	if err != nil {
		return nil, err
	}
	return data, writeNew(path, data)
}

// writeNew writes a file that must not exist yet, all or nothing, mode 0600.
func writeNew(path string, data []byte) error {
	tmp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	return os.Link(tmp, path)
}

// writeTemp writes a file with mode 0600 beside path.
func writeTemp(path string, data []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// newIdentity makes a self-signed ECDSA P-256 certificate. It has no key usage
// and no end: peers look at nothing but its hash, and Foolscap refuses a
// certificate that is for one purpose only.
func newIdentity() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "octavo"},
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})    //nolint:errcheck // a Buffer does not fail
	pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}) //nolint:errcheck // a Buffer does not fail
	return b.Bytes(), nil
}
