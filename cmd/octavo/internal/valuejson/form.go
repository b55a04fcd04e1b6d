package valuejson

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/octavo-go/octavo/tub"
)

// form makes the value that an object with one key, which begins with a
// dollar, stands for.
func (p *parser) form(tag string, contents any) (any, error) {
	var v any
	var err error
	switch tag {
	case "$bytes", "$decimal", "$float", "$furl":
		text, ok := contents.(string)
		if !ok {
			return nil, fmt.Errorf("%s wants a text", tag)
		}
		v, err = p.textForm(tag, text)
	case "$tuple", "$set", "$frozenset", "$dict":
		items, ok := contents.([]any)
		if !ok {
			return nil, fmt.Errorf("%s wants a list", tag)
		}
		v, err = listForm(tag, items)
	default:
		return nil, fmt.Errorf(`%.40q is no form that is known; as data write {"$dict":[[KEY,VALUE]]}`, tag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tag, err)
	}
	return v, nil
}

func (p *parser) textForm(tag, text string) (any, error) {
	switch tag {
	case "$bytes":
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		return b, err
	case "$decimal":
		return tub.ParseDecimal(text)
	case "$float":
		return parseFloat(text)
	}
	furl, err := tub.ParseFURL(text)
	if err != nil {
		return nil, err
	}
	return p.resolve(furl)
}

func listForm(tag string, items []any) (any, error) {
	switch tag {
	case "$tuple":
		return tub.Tuple(items), nil
	case "$set":
		return tub.NewSet(items...)
	case "$frozenset":
		return tub.NewFrozenSet(items...)
	}
	d := new(tub.Dict)
	for _, item := range items {
		pair, ok := item.([]any)
		if !ok || len(pair) != 2 {
			return nil, errors.New("wants a list of [KEY, VALUE]")
		}
		if _, twice := d.Get(pair[0]); twice {
			return nil, fmt.Errorf("a key comes twice: %.40q", fmt.Sprint(pair[0]))
		}
		if err := d.Set(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}
