package tub

import (
	"fmt"
	"reflect"

	"github.com/octavo-go/octavo/internal/banana"
	"github.com/octavo-go/octavo/internal/broker"
)

// A decoder reads the values of one message: one scope of shared containers.
// Values come as `any` or straight into a Go type, which is the schema then:
// what does not fit is a Violation while the bytes arrive.
type decoder struct {
	*banana.Decoder
	conn *connection
	seen map[uint64]*container // by the number of its OPEN
	open []*container          // those that are not complete, outermost first
	todo int                   // places that wait for a container to be complete
}

// A container is a list, dict or the like that a later "reference" can name.
type container struct {
	value    reflect.Value // valid as soon as it has its identity
	fixed    bool          // cannot change once made: tuple
	waiting  []func(reflect.Value) error
	complete bool
}

func newDecoder(d *banana.Decoder, c *connection) *decoder {
	return &decoder{Decoder: d, conn: c, seen: make(map[uint64]*container)}
}

// begin takes note of a container. identity is what a reference to it gets
// while it is still open; a slice has none before its length is known.
func (d *decoder) begin(num uint64, identity reflect.Value, fixed bool) *container {
	c := &container{value: identity, fixed: fixed}
	d.seen[num] = c
	d.open = append(d.open, c)
	return c
}

// end completes a container, and the places inside it that refer to it.
func (d *decoder) end(c *container, v reflect.Value) error {
	d.open = d.open[:len(d.open)-1]
	c.value, c.complete = v, true
	for _, fill := range c.waiting {
		d.todo--
		if err := fill(v); err != nil {
			return err
		}
	}
	c.waiting = nil
	return nil
}

// A slot is a place that a value goes to. set is called now or when the
// container that the value refers to is complete.
type slot func(reflect.Value) error

var anyType = reflect.TypeFor[any]()

// value reads the value that begins with tok into something of type t.
func (d *decoder) value(tok banana.Token, t reflect.Type, set slot) error {
	if t.Kind() == reflect.Interface && t.NumMethod() == 0 {
		t = anyType // whatever it is called
	}
	if tok.Kind == banana.Open {
		return d.sequence(tok, t, set)
	}
	v, err := d.scalar(tok, t)
	if err != nil {
		return err
	}
	return set(v)
}

func (d *decoder) sequence(tok banana.Token, t reflect.Type, set slot) error {
	depth := d.Depth()
	typ, err := d.Index()
	if err != nil {
		return err
	}
	var v reflect.Value
	switch typ {
	case "none":
		if v, err = zero(t); err == nil {
			err = d.finish()
		}
	case "boolean":
		v, err = d.boolean(t)
	case "unicode":
		v, err = d.unicode(t)
	case "decimal":
		v, err = d.decimal(t)
	case "list", "tuple":
		v, err = d.list(tok.Num, typ == "tuple", t)
	case "dict":
		v, err = d.dict(tok.Num, t)
	case "set", "immutable-set":
		v, err = d.set(tok.Num, typ, t)
	case "reference":
		return d.backReference(t, set)
	case "my-reference":
		v, err = d.myReference(t)
	case "your-reference":
		v, err = d.yourReference(t)
	case "their-reference":
		err = banana.Violationf("gifts are prohibited in this Tub")
	case "copyable":
		v, err = d.copyable(t)
	default:
		err = banana.Violationf("unknown type %q of a value", typ)
	}
	if err != nil {
		return err
	}
	if d.Depth() != depth-1 {
		panic("tub: a value was not read to its end: " + typ)
	}
	return set(v)
}

// finish reads the CLOSE of a sequence that must have nothing more.
func (d *decoder) finish() error {
	tok, err := d.Next()
	if err == nil && tok.Kind != banana.Close {
		err = banana.Violationf("%v where the end of a value is due", tok.Kind)
	}
	return err
}

// backReference is a container again that came earlier in the message.
func (d *decoder) backReference(t reflect.Type, set slot) error {
	tok, err := d.Next()
	if err != nil {
		return err
	}
	if tok.Kind != banana.Int {
		return banana.Violationf("reference to %v, want INT", tok.Kind)
	}
	if err := d.finish(); err != nil {
		return err
	}
	c, ok := d.seen[uint64(tok.Int)]
	if !ok {
		return banana.Violationf("reference to %d, which is no container of this message", tok.Int)
	}
	fill := func(v reflect.Value) error {
		v, ok := alias(v, t)
		if !ok {
			return banana.Violationf("a shared value is wanted as %s here and as %s elsewhere", t, v.Type())
		}
		return set(v)
	}
	if c.value.IsValid() {
		return fill(c.value)
	}
	if !d.canWait(c) {
		return banana.Violationf("a tuple contains itself and can never be complete")
	}
	d.todo++
	c.waiting = append(c.waiting, fill)
	return nil
}

// alias makes v, which was read for another place, a value of type t that is
// still the same container. Python has one empty tuple only, so an empty
// sequence fits wherever another would.
func alias(v reflect.Value, t reflect.Type) (reflect.Value, bool) {
	switch {
	case v.Type().AssignableTo(t):
		return v, true
	case v.Kind() != reflect.Slice || t.Kind() != reflect.Slice || t == tupleType && v.Type() != tupleType:
		return v, false
	case v.CanConvert(t):
		return v.Convert(t), true
	case v.Len() == 0 && t.Elem().Kind() != reflect.Uint8:
		return reflect.MakeSlice(t, 0, 0), true
	}
	return v, false
}

var tupleType = reflect.TypeFor[Tuple]()

// byReference reports whether values of a type travel by reference. None is
// made from data that a peer sends: it would look like an object of ours.
func byReference(t reflect.Type) bool {
	if t.Implements(reflect.TypeFor[CallRemoter]()) {
		return true
	}
	return t.Kind() == reflect.Pointer && len(classOf(t).methods) > 0
}

// canWait reports whether a value inside c may refer to c while it is not
// complete: a cycle must lead through something that can change.
func (d *decoder) canWait(c *container) bool {
	for i := len(d.open) - 1; i >= 0; i-- {
		if !d.open[i].fixed {
			return true
		}
		if d.open[i] == c {
			break
		}
	}
	return false
}

// list reads a list or tuple.
func (d *decoder) list(num uint64, tuple bool, t reflect.Type) (reflect.Value, error) {
	into, elem, err := listType(t, tuple)
	if err != nil {
		return reflect.Value{}, err
	}
	c := d.begin(num, reflect.Value{}, tuple)
	before := d.todo
	items := reflect.MakeSlice(into, 0, 0)
	for i := 0; ; i++ {
		tok, err := d.Next()
		if err != nil {
			return reflect.Value{}, err
		}
		if tok.Kind == banana.Close {
			break
		}
		if t.Kind() == reflect.Array && i == t.Len() {
			return reflect.Value{}, banana.Violationf("more than the %d items of %s", i, t)
		}
		items = reflect.Append(items, reflect.Zero(elem))
		err = d.value(tok, elem, func(v reflect.Value) error {
			items.Index(i).Set(v)
			return nil
		})
		if err != nil {
			return reflect.Value{}, within(err, "[%d]", i)
		}
	}
	v := items
	if t.Kind() == reflect.Array {
		if items.Len() != t.Len() {
			return reflect.Value{}, banana.Violationf("%d items, %s wants %d", items.Len(), t, t.Len())
		}
		if d.todo > before {
			return reflect.Value{}, banana.Violationf("an array cannot be part of a cycle: a copy of it is made")
		}
		v = reflect.New(t).Elem()
		reflect.Copy(v, items)
	}
	return v, d.end(c, v)
}

// listType returns the slice type to collect items for t, and their type.
func listType(t reflect.Type, tuple bool) (slice, elem reflect.Type, err error) {
	switch {
	case t == anyType && tuple:
		return reflect.TypeFor[Tuple](), anyType, nil
	case t == anyType:
		return reflect.TypeFor[[]any](), anyType, nil
	case t == reflect.TypeFor[Tuple]() && !tuple:
		return t, nil, mismatch(t, "a list")
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return t, t.Elem(), nil
	case t.Kind() == reflect.Array:
		return reflect.SliceOf(t.Elem()), t.Elem(), nil
	}
	return t, nil, mismatch(t, map[bool]string{false: "a list", true: "a tuple"}[tuple])
}

// whole reads one value of type t at once: a key, a member, a field's name.
// It must be complete when it has been read.
func (d *decoder) whole(tok banana.Token, t reflect.Type) (reflect.Value, error) {
	var v reflect.Value
	before := d.todo
	err := d.value(tok, t, func(got reflect.Value) error { v = got; return nil })
	if err == nil && (d.todo != before || !v.IsValid()) {
		err = banana.Violationf("a key or member refers to a container that is not complete")
	}
	return v, err
}

// set reads a set or frozenset. Foolscap folds equal members.
func (d *decoder) set(num uint64, typ string, t reflect.Type) (reflect.Value, error) {
	frozen := typ == "immutable-set"
	switch {
	case frozen && (t == anyType || t == reflect.TypeFor[*FrozenSet]()):
		s := new(FrozenSet)
		return d.members(num, reflect.ValueOf(s), true, anyType, s.t.add)
	case !frozen && (t == anyType || t == reflect.TypeFor[*Set]()):
		s := new(Set)
		return d.members(num, reflect.ValueOf(s), false, anyType, s.t.add)
	case t.Kind() == reflect.Map && t.Elem() == reflect.TypeFor[struct{}]():
		m := reflect.MakeMap(t)
		return d.members(num, m, frozen, t.Key(), func(v reflect.Value) error {
			if !v.Comparable() {
				return fmt.Errorf("a value of type %s cannot be a member", v.Type())
			}
			m.SetMapIndex(v, reflect.Zero(t.Elem()))
			return nil
		})
	}
	return reflect.Value{}, mismatch(t, map[bool]string{false: "a set", true: "a frozenset"}[frozen])
}

func (t *table) add(v reflect.Value) error {
	_, err := t.set(v.Interface(), nil)
	return err
}

func (d *decoder) members(num uint64, v reflect.Value, frozen bool, elem reflect.Type, add func(reflect.Value) error) (reflect.Value, error) {
	identity := v
	if frozen {
		identity = reflect.Value{} // its members are its identity
	}
	c := d.begin(num, identity, frozen)
	for {
		tok, err := d.Next()
		if err != nil {
			return v, err
		}
		if tok.Kind == banana.Close {
			return v, d.end(c, v)
		}
		m, err := d.whole(tok, elem)
		if err != nil {
			return v, within(err, "member")
		}
		if err := add(m); err != nil {
			return v, banana.Violationf("%v", err)
		}
	}
}

// copyable reads an instance of a class. The one that every Foolscap knows is
// Failure: an error, as a value.
func (d *decoder) copyable(t reflect.Type) (reflect.Value, error) {
	tok, err := d.Next()
	if err != nil {
		return reflect.Value{}, err
	}
	if tok.Kind != banana.String || tok.Size > 200 {
		return reflect.Value{}, banana.Violationf("bad class name of a copyable")
	}
	name, err := d.Text()
	if err != nil {
		return reflect.Value{}, err
	}
	if name != broker.FailureClass {
		return reflect.Value{}, banana.Violationf("unknown copyable class %q", name)
	}
	f, err := broker.ReadFailureBody(d.Decoder)
	if err != nil {
		return reflect.Value{}, err
	}
	return fit(reflect.ValueOf(remoteError(f)), t, "a Failure")
}
