package tub

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/base32"
	"github.com/octavo-go/octavo/internal/broker"
)

// A connection is a live link to one peer, with what the Tub keeps for it.
type connection struct {
	tub     *Tub
	run     *run // of the Tub, to which the connection belongs
	peer    string
	pin     string // SHA-256 of the peer's certificate in base32
	link    *broker.Link
	imports *broker.Imports[Reference]
	calls   dispatcher
	log     *slog.Logger
}

// pinOf returns the SHA-256 of a certificate, as FURLs carry it.
func pinOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base32.Encode(sum[:])
}

// myReference reads a reference to an object of the peer.
func (d *decoder) myReference(t reflect.Type) (reflect.Value, error) {
	clid, err := d.objectNumber()
	if err != nil {
		return reflect.Value{}, err
	}
	info, err := d.referenceInfo()
	if err != nil {
		return reflect.Value{}, err
	}
	c := d.conn
	var furl FURL
	if info != nil && info.FURL != "" {
		if furl, err = ParseFURL(info.FURL); err != nil {
			return reflect.Value{}, banana.Violationf("bad FURL in a my-reference")
		}
		if furl.TubID() != c.peer {
			// Else a peer could pass somebody else's object off as its own.
			return reflect.Value{}, banana.Fatalf("inbound reference claims bad tubid")
		}
	}
	ref := c.imports.Receive(clid, info, func(i broker.Info) *Reference {
		known, _ := ParseFURL(i.FURL)
		return &Reference{conn: c, clid: clid, furl: known}
	})
	return fit(reflect.ValueOf(ref), t, "a reference")
}

// referenceInfo reads what may follow the number of a my-reference, and its
// CLOSE.
func (d *decoder) referenceInfo() (*broker.Info, error) {
	var words []string
	for {
		tok, err := d.Next()
		if err != nil {
			return nil, err
		}
		if tok.Kind == banana.Close {
			break
		}
		if len(words) == 2 || tok.Kind != banana.String || tok.Size > maxFURL {
			return nil, banana.Violationf("a my-reference is a number, a name and a FURL")
		}
		word, err := d.Text()
		if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	switch len(words) {
	case 0:
		return nil, nil
	case 1:
		return &broker.Info{Interface: words[0]}, nil
	}
	return &broker.Info{Interface: words[0], FURL: words[1]}, nil
}

func (d *decoder) objectNumber() (int64, error) {
	tok, err := d.Next()
	if err != nil {
		return 0, err
	}
	if tok.Kind != banana.Int || tok.Int == 0 {
		return 0, banana.Violationf("bad number of an object")
	}
	return tok.Int, nil
}

// yourReference reads a reference to one of our objects: it comes home as
// itself.
func (d *decoder) yourReference(t reflect.Type) (reflect.Value, error) {
	clid, err := d.objectNumber()
	if err != nil {
		return reflect.Value{}, err
	}
	if err := d.finish(); err != nil {
		return reflect.Value{}, err
	}
	obj, ok := d.conn.link.Exported(clid)
	if !ok {
		return reflect.Value{}, banana.Violationf("unknown CLID %d in a your-reference", clid)
	}
	return fit(reflect.ValueOf(obj.(*object).value), t, "an object of ours")
}

// release gives the peer's object back when the last use of it is gone. It
// runs on the runtime's clean-up goroutine and must not wait.
func (c *connection) release(clid int64, count uint64) {
	if clid < 0 {
		c.imports.Released(clid) // a bound method: Foolscap does not count them
		return
	}
	_ = c.link.Notify(0, "decref", func(e *banana.Encoder) error {
		e.Int(0)
		e.Text("clid")
		e.Int(clid)
		e.Text("count")
		e.Uint(count)
		return nil
	}, &releaseCall{conn: c, clid: clid})
}

// A releaseCall waits for the peer to have counted down.
type releaseCall struct {
	conn *connection
	clid int64
}

// Answer is broker.Pending.
func (r *releaseCall) Answer(d *banana.Decoder) error {
	tok, err := d.Next()
	if err != nil {
		return err
	}
	return newDecoder(d, r.conn).value(tok, anyType, func(reflect.Value) error { return nil })
}

// Done is broker.Pending.
func (r *releaseCall) Done(error, broker.Fate) { r.conn.imports.Released(r.clid) }

// lookup asks the peer for the object with a name.
func (c *connection) lookup(ctx context.Context, furl FURL) (*Reference, error) {
	v, err := c.call(ctx, 0, anyType, "getReferenceByName", []any{Keywords{"name": []byte(furl.Name())}})
	if err != nil {
		return nil, fmt.Errorf("asking Tub %s for an object: %w", c.peer, err)
	}
	ref, ok := v.Interface().(*Reference)
	if !ok {
		return nil, fmt.Errorf("asking Tub %s for an object: %w: got %T", c.peer, ErrViolation, v.Interface())
	}
	return ref, nil
}
