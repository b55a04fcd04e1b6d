package valuejson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/octavo-go/octavo/tub"
)

// ErrSyntax is what [Parse] returns for a text that is not JSON. For JSON with
// another fault it returns other errors.
var ErrSyntax = errors.New("not JSON")

// A Resolver makes a value of a FURL: a reference, or what stands for one.
type Resolver func(tub.FURL) (any, error)

// Parse reads one JSON value. The error is [ErrSyntax], that of resolve, or
// tells what is wrong: a key that comes twice, an unknown form with a dollar,
// a form whose contents do not fit. It does not give a FURL's secret away.
func Parse(text string, resolve Resolver) (any, error) {
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
		return nil, ErrSyntax
	}
	if hasLoneSurrogate(text) {
		return nil, errors.New("a text has half of a surrogate pair: it is no Unicode")
	}
	p := &parser{tokens: json.NewDecoder(strings.NewReader(text)), resolve: resolve}
	p.tokens.UseNumber()
	return p.value()
}

type parser struct {
	tokens  *json.Decoder
	resolve Resolver
	depth   int
}

// next returns the next token. The text is valid JSON, so there is one
// wherever a value needs it.
func (p *parser) next() (json.Token, error) {
	tok, err := p.tokens.Token()
	if errors.Is(err, io.EOF) {
		err = ErrSyntax
	}
	return tok, err
}

func (p *parser) value() (any, error) {
	tok, err := p.next()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Number:
		return parseNumber(tok.String())
	case json.Delim:
		if p.depth == 3*maxDepth { // a form can be three levels of JSON
			return nil, fmt.Errorf("the value is nested more than %d deep", p.depth)
		}
		p.depth++
		defer func() { p.depth-- }()
		if tok == '[' {
			return p.list()
		}
		return p.object()
	}
	return tok, nil // nil, bool, string
}

func (p *parser) list() (any, error) {
	items := []any{}
	for p.tokens.More() {
		item, err := p.value()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := p.next() // the ]
	return items, err
}

func (p *parser) object() (any, error) {
	d := new(tub.Dict)
	var key string
	var value any
	for p.tokens.More() {
		tok, err := p.next()
		if err != nil {
			return nil, err
		}
		key = tok.(string)
		if _, twice := d.Get(key); twice {
			return nil, fmt.Errorf("key %.40q comes twice in an object", key)
		}
		if value, err = p.value(); err != nil {
			return nil, err
		}
		if err := d.Set(key, value); err != nil {
			return nil, err
		}
	}
	if _, err := p.next(); err != nil { // the }
		return nil, err
	}
	if d.Len() == 1 && strings.HasPrefix(key, "$") {
		return p.form(key, value)
	}
	return d, nil
}
