// Package valuejson writes the values that travel between Tubs as JSON, and
// reads them again. The way there and back gives the value that it began with.
//
//	null, true, "text", [1, 2]     as in JSON
//	12345678901234567890           integers, exact at any size
//	1.0, 1e+300                    floats: always with a point or an exponent
//	{"$float": "nan"}              and "inf" and "-inf"
//	{"$decimal": "1.50"}           a decimal, with its digits
//	{"$bytes": "AAE="}             bytes, in base64
//	{"$tuple": [1, 2]}             a tuple
//	{"$set": [1, 2]}               a set
//	{"$frozenset": [1, 2]}         a frozenset
//	{"a": 1, "b": 2}               a dict whose keys are text, in its order
//	{"$dict": [[1, "a"]]}          a dict with other keys
//	{"$furl": "pb://…"}            a reference
//
// An object with one key is such a form if the key begins with a dollar. Data
// that looks like one is written as {"$dict": [["$bytes", "AAE="]]}. With two
// keys or more an object is always data.
//
// JSON cannot say that two parts of a value are one: what is shared is written
// each time. A value that contains itself is an error.
package valuejson

// maxDepth bounds how deep values are nested, both ways. It is what a Tub
// reads at most; shared parts can be nested deeper without being large.
const maxDepth = 1000

// maxText bounds what is written. A small message can be very large as JSON
// where its parts are shared. The longest bytes that a Tub reads, 64 MiB, fit.
var maxText = 128 << 20 // lower in a test
