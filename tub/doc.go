// Package tub lets objects call each other across machines, networks and
// languages. It speaks the wire protocol of Python Foolscap 21.7.0.
//
// A [Tub] is a cryptographic identity and a collection of object references.
// It publishes objects under FURLs, and with a FURL another Tub gets a
// [Reference] to call them. The connection is TLS with certificates on both
// sides; a FURL names the certificate, so whoever answers is whom you asked
// for, wherever it was found. Whoever has a FURL may use its object.
//
//	t, _ := tub.New()
//	t.ListenOn("tcp:0:interface=127.0.0.1")
//	t.Start(ctx)
//	furl, _ := t.Register(&Calculator{}, "")
//
// and elsewhere
//
//	ref, _ := t.GetReference(ctx, furl)
//	sum, _ := tub.Call[int](ctx, ref, "add", 1, 2)
//
// # Objects
//
// An object is a pointer to a type with methods. Callable are the exported
// methods that are declared on the type itself: not those that come from an
// embedded field, nor String, GoString, Error, Close, Format, Marshal… and
// Unmarshal…, unless [Expose] lists them. GetVersion answers to GetVersion,
// getVersion and get_version. A method may take a context first and return an
// error last. The types of its parameters are the schema of its arguments:
// what does not fit is refused before the method runs. A last parameter of type
// [Keywords] collects keyword arguments. An object that implements
// [CallRemoter] decides for itself, and [Revocable] makes an object that can be
// taken back.
//
// An object that is passed as an argument or returned is passed by reference:
// the other side gets a [Reference] to it. When that comes home it is the
// object again.
//
// # Values
//
// Everything else is passed by value:
//
//	Go                                 Python         read as any
//	nil, nil pointers                  None           nil
//	bool                               bool           bool
//	integers, *big.Int                 int            int64, else *big.Int
//	floats                             float          float64
//	[]byte                             bytes          []byte
//	string                             str            string
//	slices, arrays                     list           []any
//	Tuple                              tuple          Tuple
//	maps, structs, *Dict               dict           *Dict
//	maps to struct{}, *Set             set            *Set
//	*FrozenSet                         frozenset      *FrozenSet
//	Decimal                            Decimal        Decimal
//
// Text and bytes are different things. Structs travel as dicts whose keys are
// the names of exported fields, or what the tag `octavo:"name"` says. Shared
// and cyclic structure is kept. An error is returned, not passed.
//
// # Turns
//
// One method of an object runs at a time, so methods need no locks. The calls
// of one connection begin in the order in which they were made; one whose
// object is busy waits without holding up calls to other objects. A method
// that waits gives its turn to others: [Reference.Call] with the method's ctx
// does that by itself, [Yield] does it for everything else, and the turn is
// held again when they return. Two objects that call each other back do not
// deadlock. A goroutine that a method starts takes [Detach].
//
// # Secrets
//
// A FURL is a capability. Its String is whole; logs and errors show it without
// its name. Files that hold one have mode 0600.
//
// # Strangers
//
// Hints in a FURL come from strangers. A Tub dials "tcp" hints only, unless the
// program adds types with [HintDialer]; [DialPolicy] sees every dial. What is
// read from the network has a bound (see [Limits]) and a deadline.
package tub
